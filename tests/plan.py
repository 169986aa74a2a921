"""Which tests run, and beside which: ``make test`` samples the long campaigns, ``make test-all`` has them whole.

Tests that need the same cluster are a group, which runs in one process and starts that cluster once; with
``--dist loadgroup`` groups run side by side (most of a run is waiting). Of what is marked ``campaign``, and of the contract
on each target but ``local``, a part is chosen by a seed: the commit, so that another try of one commit tries the same.
``JUPYTER_HPC_TEST_SEED`` is another seed, ``--whole`` takes everything.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

SHARE = {"campaign": 0.25, "contract": 0.34}
GROUPS = ("kubernetes", "practice", "site", "front", "here")  # the longest first
_SITES = ("full", "full-as-alice", "slurm-24", "slurm-24-as-alice")
_FOLDERS = {
    "front": ("tests/browser/", "tests/server/", "tests/notebooks/"),
    "practice": ("tests/faults/", "tests/slurm/"),
    "kubernetes": ("tests/clusters/kubernetes/",),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--whole", action="store_true", help="run the long campaigns whole, not a sample of them"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "campaign: long; make test runs a sample of these, make test-all all")


def pytest_report_header(config: pytest.Config) -> str:
    if config.getoption("--whole"):
        return "campaigns: whole"
    return f"campaigns: a sample, JUPYTER_HPC_TEST_SEED={seed()}"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each test its group, and leave out what the sample leaves out; named tests always run."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    items.sort(key=lambda item: GROUPS.index(group_of(item)))  # stable
    if config.getoption("--whole") or any("::" in argument for argument in config.args):
        return
    chosen = [item for item in items if is_chosen(item)]
    if len(chosen) < len(items):
        kept = set(map(id, chosen))
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
        items[:] = chosen


def seed() -> str:
    """Return what decides the sample."""
    if given := os.environ.get("JUPYTER_HPC_TEST_SEED"):
        return given
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "0"


def is_chosen(item: pytest.Item) -> bool:
    kinds = ["campaign"] if item.get_closest_marker("campaign") else []
    if place_of(item).startswith("tests/contract/") and target_of(item) != "local":
        kinds.append("contract")
    return all(_fraction(f"{kind} {place_of(item)}") < SHARE[kind] for kind in kinds)


def _fraction(text: str) -> float:
    """Return a number from 0 to 1 that the seed and the text decide."""
    return int(hashlib.sha256(f"{seed()} {text}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def place_of(item: pytest.Item) -> str:
    """Return a test's file and name; pytest remembers ``nodeid`` once it is read, and xdist would add the group in vain."""
    file, _, name = item.location
    return f"{file}::{name}"


def target_of(item: pytest.Item) -> str:
    """Return the target that a test of the contract is for, or the cluster that a test of faults is for."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return str(parameters.get("kernel") or parameters.get("either") or "")


def group_of(item: pytest.Item) -> str:
    """Return the group whose process has the cluster that a test needs."""
    fixtures, target = set(getattr(item, "fixturenames", ())), target_of(item)
    place = place_of(item)
    if place.startswith("tests/unit/"):
        return "here"
    if target == "k8s" or "kubernetes" in fixtures:
        return "kubernetes"
    if target in _SITES or {"site", "whole_site", "full_slurm"} & fixtures:
        return "site"
    if target == "slurm":
        return "practice"
    for group, folders in _FOLDERS.items():
        if place.startswith(folders):
            return group
    return "here"
