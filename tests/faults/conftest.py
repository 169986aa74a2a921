"""This process uses the session's practice Slurm, run directories and configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_hpc.follow import following
from jupyter_hpc.follow.parts_follower import Follows
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.runtime import portal
from jupyter_hpc.targets import connection
from jupyter_hpc.targets.targets import target
from jupyter_hpc.testing.sandbox import environment
from tests.conftest import Sandbox
from tests.faults.looks import Looks
from tests.faults.road import Counter, until


@pytest.fixture(scope="session")
def cluster(sandbox: Sandbox, practice_slurm: Path) -> Iterator[Path]:
    """The session's folder, where the practice Slurm and the run directories lie, as this process's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER"))]:
            patch.delenv(name)
        for name, value in sandbox.environment.items():
            patch.setenv(name, value)
        yield sandbox.directory


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where this process has its run directories, its secret and all else, for cells on this machine."""
    for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER"))]:
        monkeypatch.delenv(name)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def counted(cluster: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counter:
    """Wrappers of the scheduler's commands, first on PATH, that count.

    What the site has is read before, as it is once in an hour: those questions were another minute's.
    """
    portal.call(target("slurm").make_backend().site.read(10), 20)  # type: ignore[attr-defined]
    begin_a_minute()
    counter = Counter(tmp_path / "bin")
    counter.install("squeue", "sbatch", "sacct", "scancel", "scontrol", "sinfo")
    monkeypatch.setenv("PATH", f"{counter.folder}:{os.environ['PATH']}")
    return counter


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


@pytest.fixture(autouse=True)
def few_questions() -> Iterator[None]:
    """Each test finds a scheduler that was asked nothing in the last minute, and nobody asks about jobs of other tests."""
    before = followed()
    begin_a_minute()
    yield
    left = [job for run_id, job in followed().items() if run_id not in before]
    for job in left:
        with suppress(HPCError, OSError):  # it ends by itself, or its run directory is gone
            portal.call(following.cancel(job.run), 30)

    def are_over() -> bool:
        begin_a_minute()  # whatever the test has asked
        return all(job.ended.done() for job in left)

    until(are_over, f"the end of what the test left: {[job.run.id for job in left]}")


def followed() -> dict[str, Follows]:
    """Return the live jobs that this process follows, by run id."""
    return {run_id: job for run_id, job in following._followers.items() if not job.ended.done()}


def begin_a_minute() -> None:
    for budget in connection.budgets().values():
        budget.forget()
