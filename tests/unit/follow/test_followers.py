"""When a follower that nobody watches says that a job is over."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_hpc.backends.base import Backend
from jupyter_hpc.explain.verdict import Verdict
from jupyter_hpc.follow.doubt import LINGER_S, SAVING_S
from jupyter_hpc.follow.follower import Follower, live_status
from jupyter_hpc.model.observation import Observation
from jupyter_hpc.model.states import JobState
from jupyter_hpc.testing.fake import FakeClock, FakeWorker, new_run

UNKNOWN = Observation(None)


def begun(folder: Path) -> tuple[Follower, FakeWorker, FakeClock]:
    clock = FakeClock()
    run = new_run(folder / "run", native_id="7", state="RUNNING")
    worker = FakeWorker(run, clock)
    worker.starts()
    return Follower(run, run.record(), clock=clock), worker, clock


def test_a_job_that_builds_its_environment_says_so(tmp_path: Path) -> None:
    clock = FakeClock()
    run = new_run(tmp_path / "run", native_id="7", environment={"requirements": {"packages": 5}})
    worker, follower = FakeWorker(run, clock), Follower(run, run.record(), clock=clock)
    worker.event("building")
    assert found_by(follower) is None
    assert live_status(follower).reason == "building the environment (5 packages)"
    worker.starts()
    follower.poll()
    assert live_status(follower).reason == ""


def found_by(follower: Follower) -> Verdict | None:
    """A look at the job, as a watcher takes one."""
    follower.poll()
    return follower.verdict()


def passes(clock: FakeClock, seconds: float) -> None:
    asyncio.run(clock.advance(seconds))


def test_one_answer_without_the_job_is_never_enough(tmp_path: Path) -> None:
    follower, _, clock = begun(tmp_path)
    follower.observe(UNKNOWN)
    assert found_by(follower) is None
    passes(clock, 10 * LINGER_S)
    assert found_by(follower) is None
    follower.observe(UNKNOWN)
    found = found_by(follower)
    assert found is not None and found.state is JobState.LOST


def test_a_result_may_show_up_after_the_scheduler_has_forgotten_the_job(tmp_path: Path) -> None:
    follower, worker, clock = begun(tmp_path)
    follower.observe(UNKNOWN)
    follower.observe(UNKNOWN)
    passes(clock, LINGER_S - 1)
    assert found_by(follower) is None
    worker.succeeds()
    found = found_by(follower)
    assert found is not None and found.state is JobState.COMPLETED


def test_a_death_that_the_scheduler_may_explain_waits_for_its_word(tmp_path: Path) -> None:
    follower, worker, clock = begun(tmp_path)
    follower.observe(Observation(JobState.RUNNING))
    worker.ends(128 + 9)
    follower.poll()
    assert follower.is_odd
    assert found_by(follower) is None
    passes(clock, Backend.settles_s - 0.1)
    assert found_by(follower) is None
    passes(clock, 0.2)
    found = found_by(follower)
    assert found is not None and found.signal == 9


def test_a_worker_that_was_told_to_end_may_save_what_it_has(tmp_path: Path) -> None:
    follower, worker, clock = begun(tmp_path)
    worker.says("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***")
    assert found_by(follower) is None
    passes(clock, SAVING_S - 0.1)
    assert found_by(follower) is None
    (worker.run.path / "result.tmp").mkdir()
    worker.beats()
    passes(clock, 1)
    assert found_by(follower) is None  # it saves, and beats
    passes(clock, 60)  # it does no more
    found = found_by(follower)
    assert found is not None and found.state is JobState.TIMEOUT


def test_a_job_whose_result_is_there_is_not_one_that_waits_again(tmp_path: Path) -> None:
    """A completed job that somebody requeues waits in the queue: its second start ends with the result that it has."""
    follower, worker, _ = begun(tmp_path)
    worker.succeeds()
    follower.poll()
    follower.observe(Observation(JobState.PENDING))
    found = found_by(follower)
    assert found is not None and found.state is JobState.COMPLETED
