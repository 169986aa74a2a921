"""What a job is that its scheduler doesn't know: cancelled by us, or lost, and how many answers that takes."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from jupyter_hpc.backends.base import NoAnswer
from jupyter_hpc.explain.verdict import Verdict
from jupyter_hpc.follow import absence, following
from jupyter_hpc.follow.doubt import LINGER_S
from jupyter_hpc.follow.follower import Follower
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import HPCError, TargetError
from jupyter_hpc.model.observation import Observation
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.run import Run, write_json

UNKNOWN = Observation(None)
RECORD = {"id": "r", "target": {"name": "k8s"}, "code": {}, "spec": {}, "native_id": "7", "state": "RUNNING"}


def run_with(folder: Path, **fields: object) -> Run:
    folder.mkdir()
    write_json(folder / "record.json", {**RECORD, **fields})
    return Run(folder)


def asked(run: Run, *seen: Observation) -> Verdict | None:
    """What a process says that nobody else of has asked about a job whose files have not changed for long."""
    follower = Follower(run, run.record(), is_watched=False)
    for each in seen:
        follower.observe(each)
    return follower.verdict(settled=True)


def ago(run: Run, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(run.path / absence.MARK, (then, then))


def test_one_answer_is_enough_after_a_cancel(tmp_path: Path) -> None:
    found = asked(run_with(tmp_path / "r", cancel_asked_at=1.0), UNKNOWN)
    assert found is not None
    assert (found.state, found.cause) == (JobState.CANCELLED, "cancelled-by-you")
    assert found.message == "The job was cancelled by you."


def test_a_task_of_an_array_that_was_cancelled(tmp_path: Path) -> None:
    whole = run_with(tmp_path / "r", cancel_asked_at=1.0)
    task = whole.part(1)
    task.path.mkdir(parents=True)
    found = asked(task, UNKNOWN)
    assert found is not None
    assert found.cause == "cancelled-by-you"


def test_lost_takes_two_answers_some_time_apart_of_whatever_process(tmp_path: Path) -> None:
    run = run_with(tmp_path / "r")
    then = time.time() - 100
    os.utime(run.path, (then, then))
    assert asked(run, UNKNOWN, UNKNOWN) is None
    assert run.path.stat().st_mtime == pytest.approx(then)  # to be asked about is no sign of life
    ago(run, LINGER_S + 1)
    assert asked(run) is None  # the scheduler may not be asked now
    found = asked(run, UNKNOWN)
    assert found is not None
    assert (found.state, found.cause) == (JobState.LOST, "lost")


def test_an_answer_with_the_job_counts_from_anew(tmp_path: Path) -> None:
    run = run_with(tmp_path / "r")
    assert asked(run, UNKNOWN) is None
    ago(run, LINGER_S + 1)
    assert asked(run, Observation(JobState.RUNNING)) is None
    assert asked(run, UNKNOWN) is None


def test_one_of_this_machine_that_was_killed_with_all_its_processes(tmp_path: Path) -> None:
    """As `%%local` sees it from another process than the one that started it."""
    gone = Observation(JobState.FAILED, "its process is gone, and nothing says how it ended")
    found = asked(run_with(tmp_path / "r", cancel_asked_at=1.0), gone)
    assert found is not None
    assert found.cause == "cancelled-by-you"
    other = asked(run_with(tmp_path / "s"), gone)
    assert other is not None
    assert other.state is JobState.FAILED


def test_one_that_we_cancelled_is_not_submitted_again(tmp_path: Path) -> None:
    for number, (fields, is_forgotten) in enumerate([({}, True), ({"cancel_asked_at": 1.0}, False)]):
        run = run_with(tmp_path / str(number), **fields)
        follower = Follower(run, run.record())
        follower.observe(UNKNOWN)
        follower.observe(UNKNOWN)
        assert follower.is_forgotten is is_forgotten


def test_a_refused_cancel_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        refusal: HPCError = TargetError("You may not.")

        async def cancel(self, run: Run, native_id: str) -> None:
            raise self.refusal

    refusing = Refusing()
    watching = SimpleNamespace(backend=refusing)

    async def watcher_of(name: str) -> object:
        return watching

    monkeypatch.setattr(following, "watcher_of", watcher_of)
    job = Job(run_with(tmp_path / "r"))
    with pytest.raises(TargetError, match="may not"):
        job.cancel()
    assert not job.run.was_cancelled
    refusing.refusal = NoAnswer("It is down.")
    with pytest.raises(NoAnswer):
        job.cancel()
    assert job.run.was_cancelled  # it may have happened
