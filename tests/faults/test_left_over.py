"""What a controller that crashed leaves of a run that has ended: it never runs, and is ended by whoever asks."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyter_hpc.commands.catalogue import COMMANDS
from jupyter_hpc.follow import following, left_over
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from tests.faults.road import events, says, slurm, submit, until, until_file, wait_saved
from tests.faults.test_controller import PENDING, Cluster, small  # noqa: F401 a fixture
from tests.faults.test_second_start import counting


def row(job: Job) -> str:
    return slurm("squeue", "-h", "-t", "all", "-j", job.native_id, "-O", "State:|,Reason:|")


@contextmanager
def forgotten_by_the_controller(small: Cluster, cluster: Path) -> Iterator[None]:  # noqa: F811
    """Let the controller begin again, after what happens meanwhile, from what it had saved before."""
    state = cluster / "slurm" / "state"

    def read() -> bytes | None:
        try:
            return (state / "job_state").read_bytes()
        except FileNotFoundError:  # for a moment, while it is replaced
            return None

    kept = until(read, "the jobs that it has saved")
    yield
    small.kill("slurmctld")
    for saved in state.glob("job_state*"):
        saved.unlink()
    (state / "job_state").write_bytes(kept)
    small.start("slurmctld")


def started_by_a_controller_that_forgot_that(small: Cluster, cluster: Path, job: Job) -> None:  # noqa: F811
    """Let the job run to its end, and have the controller begin again from what it had saved before."""
    wait_saved(job)
    with forgotten_by_the_controller(small, cluster):
        slurm("scontrol", "update", f"JobId={job.native_id}", "StartTime=now")
        assert job.result(120)["x"] == 3
        until(lambda: "COMPLETED" in row(job), "Slurm's end")
    assert "PENDING" in row(job)
    slurm("scontrol", "update", f"JobId={job.native_id}", "StartTime=now")


def test_it_does_not_run_again(small: Cluster, cluster: Path, tmp_path: Path) -> None:  # noqa: F811
    cell, count = counting(tmp_path, "x = 3")
    job = submit(cell, requeue=True, passthrough=PENDING)
    started_by_a_controller_that_forgot_that(small, cluster, job)
    until(lambda: row(job).startswith("COMPLETED"), "its second start has ended")
    assert (count.read_text(), len(events(job, "started"))) == ("once ", 1)
    assert Job(job.run).result(10)["x"] == 3


@pytest.fixture
def held(cluster: Path, tmp_path: Path) -> tuple[Job, Path]:
    """A job that is held in the queue though its run has ended."""
    cell, count = counting(tmp_path, "x = 3")
    job = submit(cell, requeue=True)
    assert job.result(120)["x"] == 3
    until(lambda: row(job).startswith("COMPLETED"), "Slurm's end")
    slurm("scontrol", "requeuehold", job.native_id)
    until(lambda: row(job).startswith("PENDING") and "held" in row(job).lower(), "held")  # and no longer completing
    return job, count


def test_clean_ends_what_is_held_of_a_run_that_has_ended(held: tuple[Job, Path]) -> None:
    job, count = held
    said = COMMANDS["clean"].run(Namespace(older_than=30.0, yes=False))
    assert f"Ended the job that slurm still had of {job.id}" in said
    assert row(job).startswith("CANCELLED")
    assert (Job(job.run).result(10)["x"], count.read_text()) == (3, "once ")
    waits = submit("y = 1", passthrough=("--hold",))  # somebody's own hold of a run that has not ended
    assert "Ended" not in COMMANDS["clean"].run(Namespace(older_than=30.0, yes=False))
    assert row(waits).startswith("PENDING")
    waits.cancel()


def test_whoever_follows_another_job_ends_it_too(held: tuple[Job, Path]) -> None:
    job, count = held
    assert submit("y = 1").wait(60)
    other = submit("y = 1", passthrough=PENDING)
    following.follow(other.run)
    until(lambda: row(job).startswith("CANCELLED"), "ended")
    other.cancel()
    assert count.read_text() == "once "


def test_one_that_is_let_go_ends_with_its_result(held: tuple[Job, Path]) -> None:
    job, count = held
    slurm("scontrol", "release", job.native_id)
    until(lambda: row(job).startswith("COMPLETED"), "its second start has ended")
    assert (Job(job.run).result(10)["x"], count.read_text()) == (3, "once ")


def test_one_that_was_cancelled_does_not_run(
    small: Cluster,  # noqa: F811
    cluster: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its controller crashed before it had saved that, and would start it."""
    cell, count = counting(tmp_path, "x = 3")
    jobs = [submit(cell, passthrough=PENDING) for _ in range(2)]
    for job in jobs:
        wait_saved(job)
    with forgotten_by_the_controller(small, cluster):
        for job in jobs:
            job.cancel()
            assert job.wait(120)
    assert all(row(job).startswith("PENDING") for job in jobs)
    slurm("scontrol", "update", f"JobId={jobs[0].native_id}", "StartTime=now")
    until(lambda: row(jobs[0]).startswith("COMPLETED"), "its start has ended")
    assert "the run was cancelled" in jobs[0].run.scheduler_log.read_text()
    clean = Namespace(older_than=30.0, yes=False)
    assert "Ended" not in COMMANDS["clean"].run(clean)  # so soon Slurm may not know yet that it was cancelled
    monkeypatch.setattr(left_over, "SILENT_S", 0.0)
    assert f"Ended the job that slurm still had of {jobs[1].id}" in COMMANDS["clean"].run(clean)
    assert row(jobs[1]).startswith("CANCELLED")
    assert not count.exists()
    assert {Job(job.run).state for job in jobs} == {JobState.CANCELLED}


def test_a_task_that_was_cancelled_does_not_run(small: Cluster, cluster: Path, tmp_path: Path) -> None:  # noqa: F811
    cell, count = counting(tmp_path, "x = 3")
    job = submit(cell, array="1-2", passthrough=PENDING)
    wait_saved(job)
    with forgotten_by_the_controller(small, cluster):
        job.tasks[0].cancel()
        assert job.tasks[0].wait(120)
    slurm("scontrol", "update", f"JobId={job.native_id}", "StartTime=now")
    assert job.wait(120)
    until(lambda: row(job.tasks[0]).startswith("COMPLETED"), "its start has ended")
    assert count.read_text() == "once "
    assert [task.state for task in job.tasks] == [JobState.CANCELLED, JobState.COMPLETED]


def test_clean_ends_what_seems_to_run_of_a_run_that_has_ended(
    small: Cluster,  # noqa: F811
    cluster: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A controller that crashed shows what it had saved: it runs, and does so until its node is asked."""
    go = tmp_path / "go"
    job = submit(until_file(go))
    says(job, "ready")
    wait_saved(job)
    with forgotten_by_the_controller(small, cluster):
        go.touch()
        assert job.result(120)["y"] == 5
        until(lambda: "COMPLETED" in row(job), "Slurm's end")
    assert "RUNNING" in row(job)
    lives = submit(until_file(tmp_path / "never"))
    says(lives, "ready")
    clean = Namespace(older_than=30.0, yes=False)
    assert "Ended" not in COMMANDS["clean"].run(clean)  # so soon its batch script may still be at its end
    monkeypatch.setattr(left_over, "SILENT_S", 0.0)
    assert f"Ended the job that slurm still had of {job.id}" in COMMANDS["clean"].run(clean)
    until(lambda: "RUNNING" not in row(job), "it is ended")
    assert row(lives).startswith("RUNNING")
    lives.cancel()
