"""Which tests run, and beside which: ``make test`` samples the long campaigns, ``make test-all`` has them whole.

Tests that need the same cluster are a group, which runs in one process and starts that cluster once;
`tests/side_by_side.py` runs groups beside each other (a third of a run is waiting). Of what is marked ``campaign``, and of the contract
(more of it on ``local``), a part is chosen by a seed: the commit, so that another try of one commit tries the same.
``JUPYTER_HPC_TEST_SEED`` is another seed, ``--whole`` takes everything.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

SHARE = {"campaign": 0.25, "contract": 0.2, "contract on local": 0.5}
# what takes longest, and waits most, first
GROUPS = ("faults", "site", "kubernetes", "here", "browser", "practice", "local", "server", "pyslurm")
_SITES = ("full", "full-as-alice", "slurm-24", "slurm-24-as-alice")
# where tests of other groups than `here` lie, the first that matches; only those folders are read for one
_FOLDERS = {
    # counts its process's questions: nobody else's jobs are followed in it
    "tests/faults/test_pyslurm.py": ("pyslurm",),
    "tests/browser/": ("browser",),
    "tests/server/": ("server",),
    "tests/notebooks/": ("server",),
    "tests/kubernetes/": ("kubernetes",),
    "tests/clusters/kubernetes/": ("kubernetes",),
    "tests/campaign/": ("practice",),
    "tests/faults/": ("faults", "site"),
    "tests/slurm/": ("practice", "site"),
    "tests/contract/": ("local", "practice", "site", "kubernetes"),
    "tests/front_ends/": ("local",),
    "tests/lineage/": ("local",),
    "tests/magics/": ("local",),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run the long campaigns whole, not a sample of them")
    parser.addoption("--group", choices=GROUPS, help="run only what needs this cluster")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "campaign: long; make test runs a sample of these, make test-all all")


def pytest_report_header(config: pytest.Config) -> str:
    if config.getoption("--whole"):
        return "campaigns: whole"
    return f"campaigns: a sample, JUPYTER_HPC_TEST_SEED={seed()}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over the files that have nothing for a group: to read them all takes each group ten seconds."""
    group, path = config.getoption("--group"), _from_root(collection_path, config)
    if group is None or path.suffix != ".py" or group in groups_in(str(path)):
        return None
    return True


def _from_root(path: Path, config: pytest.Config) -> Path:
    return path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out other groups, and what the sample leaves out; tests that are named one by one always run."""
    group = config.getoption("--group")
    is_whole = config.getoption("--whole") or any("::" in argument for argument in config.args)
    chosen = [i for i in items if group in (None, group_of(i)) and (is_whole or is_chosen(i))]
    if len(chosen) < len(items):
        kept = set(map(id, chosen))
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
        items[:] = chosen


@cache
def seed() -> str:
    """Return what decides the sample."""
    if given := os.environ.get("JUPYTER_HPC_TEST_SEED"):
        return given
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "0"


def is_chosen(item: pytest.Item) -> bool:
    kinds = ["campaign"] if item.get_closest_marker("campaign") else []
    if item.nodeid.startswith("tests/contract/"):
        kinds.append("contract on local" if target_of(item) == "local" else "contract")
    return all(_fraction(f"{kind} {item.nodeid}") < SHARE[kind] for kind in kinds)


def _fraction(text: str) -> float:
    """Return a number from 0 to 1 that the seed and the text decide."""
    return int(hashlib.sha256(f"{seed()} {text}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def target_of(item: pytest.Item) -> str:
    """Return the target that a test of the contract is for, or the cluster that a test of faults is for."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return str(parameters.get("kernel") or parameters.get("either") or "")


def groups_in(path: str) -> tuple[str, ...]:
    """Return the groups whose tests may lie in a file."""
    return next((groups for folder, groups in _FOLDERS.items() if path.startswith(folder)), ("here",))


def group_of(item: pytest.Item) -> str:
    """Return the group whose process has the cluster that a test needs.

    Raises
    ------
    pytest.UsageError
        If it lies where that group doesn't look.
    """
    fixtures, target, groups = set(getattr(item, "fixturenames", ())), target_of(item), groups_in(item.nodeid)
    if item.nodeid.startswith("tests/unit/"):  # has no cluster, but targets that are called as one is
        return "here"
    if target == "k8s" or "kubernetes" in fixtures:
        group = "kubernetes"
    elif target in _SITES or {"site", "whole_site", "full_slurm"} & fixtures:
        group = "site"
    elif target == "slurm" and "practice" in groups:
        group = "practice"
    else:
        group = groups[0]
    if group not in groups:
        raise pytest.UsageError(f"{item.nodeid} needs {group}, whose tests lie in other folders (tests/plan.py).")
    return group
