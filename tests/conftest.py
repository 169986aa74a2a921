"""What all tests share: a sandbox that keeps them out of the user's files, and a practice Slurm for the session."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from jupyter_hpc import practice
from jupyter_hpc.testing.notebook import Notebook
from jupyter_hpc.testing.sandbox import environment
from tests.clusters.kubernetes.fixtures import kubectl, kubernetes, kueue, repaired, s3, two_nodes  # noqa: F401 - fixtures
from tests.clusters.slurm.cluster import FullSlurm
from tests.clusters.slurm.packages import missing_packages
from tests.clusters.slurm.release import Release
from tests.plan import (  # noqa: F401 - hooks
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_ignore_collect,
    pytest_report_header,
)

settings.load_profile("ci")  # the same examples each time, however long one takes


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a test that was run again had failed: what passes at its second try would leave no word of it."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("=", f"run again: {report.nodeid}, {report.when}")
        terminalreporter.write_line(report.longreprtext[-6000:])


@pytest.fixture(autouse=True)
def machine() -> Iterator[None]:
    """Tests run as root, with the user's home at hand: what they change there, all that comes after them suffers from."""
    before = _runs_of_the_user()
    yield
    mode = stat.S_IMODE(os.stat(os.devnull).st_mode)
    if mode & 0o666 != 0o666:
        with suppress(OSError):
            os.chmod(os.devnull, 0o666)
        pytest.fail(
            f"{os.devnull} got the mode {mode:o}, here or in a test beside this one: nobody else could write to it"
        )
    if os.environ.get("CI") and (left := _runs_of_the_user() - before):  # a user may be at work
        pytest.fail(f"runs in the user's own folder, of this test or one beside it: {', '.join(sorted(left))}")


def _runs_of_the_user() -> set[str]:
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    with suppress(OSError):
        return set(os.listdir(home / ".local/share/jupyter/hpc/runs"))
    return set()


@dataclass(frozen=True)
class Sandbox:
    """Folders of this session, and the environment that makes a process use them and nothing of the user's."""

    directory: Path
    environment: dict[str, str]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    directory = Path(tempfile.mkdtemp(prefix="jh", dir="/tmp"))  # short: Unix sockets lie below it
    own = {"JUPYTER_HPC_PRACTICE_DIR": "slurm", "JUPYTER_CONFIG_DIR": "config"}
    yield Sandbox(directory, environment(directory) | {k: str(directory / v) for k, v in own.items()})
    shutil.rmtree(directory, ignore_errors=True)


def need_slurm() -> None:
    """Skip with the reason where there is no Slurm; in continuous integration that is a failure."""
    missing = practice.missing_packages()
    if missing:
        _absent(f"no Slurm here: apt-get install -y --no-install-recommends {' '.join(missing)}")


def _absent(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def practice_slurm(sandbox: Sandbox) -> Iterator[Path]:
    """A running practice cluster; processes with the sandbox's environment find it as their ``slurm`` target."""
    need_slurm()
    directory = Path(sandbox.environment["JUPYTER_HPC_PRACTICE_DIR"])
    try:
        practice.up(directory)
        yield directory
    finally:
        practice.down(directory)


@pytest.fixture(scope="session")
def site(sandbox: Sandbox) -> Iterator[Callable[[str], FullSlurm]]:
    """A whole Slurm site of a release, "" for the installed one; each is started once."""
    with ExitStack() as stack:

        @cache
        def started(version: str) -> FullSlurm:
            if os.getuid() != 0:
                _absent("the full Slurm needs root")
            if missing := missing_packages(version):
                command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
                _absent(f"no full Slurm here: {command}")
            directory = Path(tempfile.mkdtemp(prefix="jhf", dir="/tmp"))
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            hidden = (Path(sandbox.environment["JUPYTER_HPC_ROOT"]),)
            release = Release(version).prepare() if version else None
            cluster = FullSlurm(directory, hidden=hidden, release=release)
            stack.callback(cluster.down)
            return cluster.up()

        yield started


@pytest.fixture(scope="session")
def whole_site(site: Callable[[str], FullSlurm]) -> FullSlurm:
    """The installed Slurm's whole site, or of the release that ``JUPYTER_HPC_TEST_SLURM`` names."""
    return site(os.environ.get("JUPYTER_HPC_TEST_SLURM", ""))


@pytest.fixture
def full_slurm(whole_site: FullSlurm) -> Iterator[FullSlurm]:
    """A whole Slurm site; see `tests.clusters.slurm.cluster` for what it has and how it is used.

    A test may break it, and fail before it has ended its jobs: it is mended and rid of them before the next one.
    """
    before = whole_site.jobs()
    yield whole_site
    whole_site.repaired()
    whole_site.cleared(but=before)


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    """An empty notebook in an empty folder, in the ``kernel`` of the folder's tests."""
    kernel.reset()
    return kernel
