"""How to run: the resources and whatever else a scheduler needs to know."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .exceptions import OptionError
from .resources import Resources


@dataclass(frozen=True)
class JobSpec:
    """How to run: resources and what else a scheduler needs to know."""

    resources: Resources = field(default_factory=Resources)
    name: str | None = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    array: str | None = None
    dependency: str | None = None
    requeue: bool = False
    signal: str | None = None
    workdir: str | None = None
    python: str | None = None
    venv: str | None = None
    conda: str | None = None
    modules: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    passthrough: tuple[str, ...] = ()
    requirements: str | None = None  # "auto" or a file
    prologue: str = ""  # the configuration's own shell lines; no cell sets it
    image: str | None = None
    queue: str | None = None
    retries: int | None = None
    patch: str | None = None

    def to_record(self) -> dict[str, Any]:
        """Return the record; values of environment variables are not kept."""
        record = {k: v for k, v in asdict(self).items() if v not in (None, "", (), {}, False)}
        record["resources"] = self.resources.to_json()
        if self.env:
            record["env"] = sorted(self.env)
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> JobSpec:
        """Return the spec of a record; variables come back with empty values, since none are kept."""
        known = {f.name for f in fields(cls)}
        found: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in record.items() if k in known
        }
        found["resources"] = Resources.from_json(record.get("resources") or {})
        found["env"] = dict.fromkeys(record.get("env") or (), "")
        return cls(**found)


def first_line(text: str) -> str:
    """Return the first line of a cell that is no comment."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


LONGEST = 100_000  # the kernel allows 128 KiB for one variable


# what bash doesn't let a script set
_READ_ONLY = {"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"}


def checked(spec: JobSpec) -> JobSpec:
    """Return the spec if each of its values can reach the worker as it is.

    Raises
    ------
    OptionError
        Naming the option that can't.
    """
    for key, value in spec.env.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,255}", key, re.ASCII) or key.startswith("__hpc_"):
            raise OptionError(f"--env {key[:60]!r} is not a variable's name: letters, digits and _ only.")
        if key in _READ_ONLY:
            raise OptionError(f"--env {key} can't be set: the shell on the node keeps its own.")
        if "\0" in value or len(os.fsencode(value)) > LONGEST:
            raise OptionError(
                f"--env {key} holds a NUL character or more than {LONGEST:,} bytes, which no environment can."
            )
    named = {"--python": spec.python, "--venv": spec.venv, "--conda": spec.conda}
    for option, text in (*named.items(), *(("--module", name) for name in spec.modules)):
        if text is None:
            continue
        if not text or "\0" in text or len(os.fsencode(text)) > 4000 or text.startswith("-"):
            raise OptionError(
                f"{option} {text[:60]!r} can't be used: empty, too long, with a NUL or a leading '-'."
            )
    if spec.requirements and (spec.venv or spec.conda):
        other = "--venv" if spec.venv else "--conda"
        raise OptionError(
            f"--requirements and {other} each choose the environment, and only one can.",
            hint="Keep one of them.",
        )
    for option, text in (("--name", spec.name), ("--workdir", spec.workdir)):
        if text is not None and ("\0" in text or any(0xD800 <= ord(c) < 0xDC80 for c in text)):
            raise OptionError(f"{option} {text[:60]!r} holds a character that no command can take.")
    return spec
