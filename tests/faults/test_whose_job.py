"""A controller that crashed hands out ids again: what is done to a run is never done to the new owner of its id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.budget import Budget
from jupyter_hpc.backends.slurm import SlurmBackend
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from tests.faults.road import slurm, submit, until, wait_saved
from tests.faults.test_controller import PENDING, Cluster, small  # noqa: F401 a fixture
from tests.faults.test_left_over import forgotten_by_the_controller

BY_HAND = ("sbatch", "--parsable", "--output=/dev/null", *PENDING, "--wrap", "true")


def state(native_id: str) -> str:
    return slurm("squeue", "-h", "-t", "all", "-j", native_id, "-o", "%T")


@pytest.fixture
def forgotten(
    small: Cluster,  # noqa: F811
    cluster: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., tuple[Job, str]]]:
    """Returns a job that the controller forgot, and the id of one submitted by hand that got its id."""
    others: list[str] = []

    def find(**options: str) -> tuple[Job, str]:
        before = submit("w = 7", passthrough=PENDING)
        wait_saved(before)  # and the number that it gave
        with monkeypatch.context() as patch:  # who asks before the id is another's submits the job again, and gets it
            with forgotten_by_the_controller(small, cluster):
                job = submit("w = 7", passthrough=PENDING, **options)
                patch.setattr(Budget, "wait_s", lambda *_, **__: 0.2)
            array = (f"--array={options['array']}",) if "array" in options else ()
            others.append(slurm(*BY_HAND[:2], *array, *BY_HAND[2:]))
        assert others[-1] == job.native_id
        before.cancel()
        return job, others[-1]

    yield find
    slurm("scancel", *others)


def test_a_cancel_of_a_forgotten_job_leaves_the_new_owner_of_its_id_alone(
    forgotten: Callable[..., tuple[Job, str]],
) -> None:
    job, other = forgotten()
    job.cancel()
    assert state(other) == "PENDING"
    assert job.wait(120)
    assert (job.state, job.record["verdict"]["cause"]) == (JobState.CANCELLED, "cancelled-by-you")
    assert state(other) == "PENDING"


def test_a_cancel_of_a_forgotten_array_s_task_too(forgotten: Callable[..., tuple[Job, str]]) -> None:
    job, other = forgotten(array="1-2")
    job.tasks[0].cancel()
    assert state(f"{other}_1") == "PENDING"
    job.cancel()
    assert state(f"{other}_1") == "PENDING"
    assert state(f"{other}_2") == "PENDING"
    assert job.wait(120)
    assert job.state is JobState.CANCELLED


def test_how_the_new_owner_ends_is_not_how_ours_did(forgotten: Callable[..., tuple[Job, str]], tmp_path: Path) -> None:
    """It is submitted again, as what was forgotten before it began is."""
    job, other = forgotten()
    slurm("scancel", other)
    until(lambda: job.native_id != other, "submitted again")
    assert not job.wait(0), job
    slurm("scontrol", "update", f"JobId={job.native_id}", "StartTime=now")
    assert job.result(120) == {"w": 7}


def test_a_cancelled_task_is_not_submitted_again_with_the_others(forgotten: Callable[..., tuple[Job, str]]) -> None:
    job, other = forgotten(array="1-2")
    job.tasks[0].cancel()
    until(lambda: job.tasks[1].native_id != f"{other}_2", "submitted again")
    again = job.tasks[1].native_id.partition("_")[0]
    until(lambda: state(f"{again}_1") != "PENDING", "its first task is cancelled")
    slurm("scontrol", "update", f"JobId={again}_2", "StartTime=now")
    assert job.wait(120)
    assert [task.state for task in job.tasks] == [JobState.CANCELLED, JobState.COMPLETED]
    assert job.tasks[1].result(0) == {"w": 7}


@pytest.mark.parametrize("options", [{}, {"array": "1-2"}], ids=["a job", "an array"])
def test_a_cancel_while_it_is_submitted_again(
    forgotten: Callable[..., tuple[Job, str]], monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    """Its scheduler was asked to cancel what it had forgotten, and then took it once more."""
    job, _ = forgotten(**options)
    submitted: list[str] = []
    sbatch = SlurmBackend._sbatch

    async def noted(backend: SlurmBackend, *arguments: Any) -> tuple[str, tuple[str, ...]]:
        native_id, notes = await sbatch(backend, *arguments)
        submitted.append(native_id)
        job.run.note_cancel()  # as another process does that asked squeue a moment ago
        return native_id, notes

    monkeypatch.setattr(SlurmBackend, "_sbatch", noted)
    assert job.wait(120)
    assert job.state is JobState.CANCELLED
    [again] = submitted
    assert set(state(again).split()) <= {"CANCELLED"}
