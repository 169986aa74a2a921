"""The Role in the docs is the one that the code asks for."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from jupyter_hpc.backends.kubernetes import manifest, rights

DOCS = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text(encoding="utf-8")


def test_the_documented_role_is_the_declared_one() -> None:
    found = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert found is not None
    assert yaml.safe_load(found[1]) == rights.role("lab")


def test_secrets_can_be_made_and_not_read() -> None:
    assert [verb for _, resource, verb, _ in rights.NEEDED if resource == "secrets"] == ["create"]


def test_every_setting_is_documented() -> None:
    assert [name for name in manifest.SETTINGS if f"`{name}`" not in DOCS] == []


def test_missing_rights_are_named_by_verb_and_resource() -> None:
    lacking = [("", "pods/exec", "get", ""), ("", "pods/exec", "create", ""), ("batch", "jobs", "create", "")]
    assert rights.as_text(lacking) == "get and create pods/exec, create jobs.batch"
