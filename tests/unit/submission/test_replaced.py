"""A job that waits gives way to one with other options: one of them runs, never none and never both."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.follow.explained import explained
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.jobs.submit import replace_waiting
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.model.observation import Waiting
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.store import store
from jupyter_hpc.runtime import portal
from jupyter_hpc.submission.dependencies import resolved
from jupyter_hpc.views.summary import stale_lines
from jupyter_hpc.views.waiting import again_words
from tests.faults.road import until
from tests.unit.submission import queued
from tests.unit.submission.queued import WAITING, Queue, submit


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    queued.configure(tmp_path, monkeypatch)
    portal.call(_asked(), 10)
    return Queue.made[-1]


async def _asked() -> None:
    from jupyter_hpc.targets.connection import connection_of

    await connection_of("queue")


def test_the_new_one_is_submitted_and_the_old_one_leaves_the_queue(queue: Queue) -> None:
    old = submit(gpus=2)
    new = replace_waiting(old, resources={"gpus": 1})
    assert new.record["spec"]["resources"]["gpus"] == 1
    assert queue.cancelled == [old.native_id]
    assert (new.record["replaces"], old.record["replaced_by"]) == (old.id, new.id)
    assert again_words(new.record) == f"submitted again as {new.id} with --gpus 1, in place of {old.id}"
    assert old.wait(20)
    assert (old.state, old.verdict["cause"]) == (JobState.CANCELLED, "replaced")
    assert old.reason == f"{new.id} was submitted in its place while it waited."
    assert new.state is JobState.PENDING


def test_who_asked_is_in_the_record_before_the_scheduler_is_asked(queue: Queue) -> None:
    """A job may end within the millisecond: without the note nobody would know that somebody wanted it."""
    job = submit()
    job.cancel()
    noted = queue.noted[job.native_id]
    assert noted["cancel_asked_at"] > 0 and "process" in noted["cancel_asked_by"]


def test_its_result_is_that_of_the_new_one(queue: Queue) -> None:
    old = submit(gpus=2)
    new = replace_waiting(old, resources={"gpus": 1})
    queue.worker_of(new)
    assert old.wait(20)
    assert old.replacement == new
    with pytest.raises(TimeoutError, match=new.id):
        old.result(0.1)


def test_one_that_is_refused_leaves_the_old_one_in_the_queue(queue: Queue) -> None:
    old = submit(gpus=2)
    queue.refuses = True
    with pytest.raises(HPCError, match="No such partition"):
        replace_waiting(old, resources={"gpus": 1})
    assert old.state is JobState.PENDING and not queue.cancelled
    assert [run.id for run in store().runs()] == [old.id]
    assert "replaced_by" not in old.record and not list(old.run.path.glob("attempt.*"))


def test_an_old_one_that_starts_meanwhile_stays(queue: Queue) -> None:
    """As its scheduler tells: a pod's start makes no file here."""
    old = submit(gpus=2)
    queue.starts_at_submission = old.native_id
    with pytest.raises(HPCError, match="has left the queue meanwhile, so it stays"):
        replace_waiting(old, resources={"gpus": 1})
    new = Job(next(run for run in store().runs() if run.id != old.id))
    assert queue.cancelled == [new.native_id] and "replaced_by" not in old.record
    assert new.wait(20) and new.state is JobState.CANCELLED


def test_an_old_one_whose_start_was_first_stays(queue: Queue) -> None:
    """As its files tell, where the scheduler hasn't seen it yet: the attempt that we would take is taken."""
    old = submit(gpus=2)
    observe = queue.observe

    async def late(jobs: dict[str, str]) -> object:
        found = await observe(jobs)
        (old.run.path / "attempt.1").touch()
        return found

    queue.observe = late  # type: ignore[method-assign, assignment]
    with pytest.raises(HPCError, match="it stays"):
        replace_waiting(old, resources={"gpus": 1})
    assert old.native_id not in queue.cancelled and len(queue.cancelled) == 1


def test_the_old_ones_start_finds_that_it_gave_way(queue: Queue) -> None:
    old = submit(gpus=2)
    new = replace_waiting(old, resources={"gpus": 1})
    assert (old.run.path / "attempt.1").read_text() == f"given up for {new.id}"


def test_a_job_that_runs_is_not_replaced(queue: Queue) -> None:
    job = submit(gpus=2)
    queue.worker_of(job)
    until(lambda: job.state is JobState.RUNNING, "it runs")
    with pytest.raises(HPCError, match="doesn't wait") as raised:
        replace_waiting(job, resources={"gpus": 1})
    assert f"%hpc resubmit {job.id}" in raised.value.hint
    assert len(store().runs()) == 1


def test_a_cell_that_waits_is_told_which_run_to_go_on_with(queue: Queue) -> None:
    old = submit(gpus=2)
    mark = old.run.path / "waits.1.2"
    mark.touch()
    new = replace_waiting(old, resources={"gpus": 1})
    assert mark.read_text() == new.id


def test_why_it_waits_is_in_the_record_as_data(queue: Queue) -> None:
    job = submit(gpus=2)
    portal.call(explained(job.run, "queue", job.native_id), 10)
    said = job.record["waiting"]
    assert said["suggestions"][0] == {
        "options": "--gpus 1",
        "why": "one is free",
        "confirmed": True,
        "expected_start": None,
    }
    assert said["asked_at"] > 0 and (said["place"], said["ahead"]) == (3, 2)
    back = Waiting.from_record(said)
    assert (back.reason, back.suggestions, back.expected_start) == (
        WAITING.reason,
        WAITING.suggestions,
        WAITING.expected_start,
    )


def test_what_waits_for_the_old_one_waits_for_the_new_one_before_the_old_one_is_ended(queue: Queue) -> None:
    old, waits = submit(gpus=2), submit("y = 1")
    waits.run.update(spec={**waits.record["spec"], "dependency": f"afterok:{old.native_id},afterany:{old.native_id}0"})
    queue.dependents = {waits.native_id: "", "4711": ""}  # and one that was submitted without us
    new = replace_waiting(old, resources={"gpus": 1})
    assert queue.repointed == [(old.native_id, new.native_id, ())]
    assert waits.record["spec"]["dependency"] == f"afterok:{new.native_id},afterany:{old.native_id}0"
    assert not new.record.get("stale")


def test_what_cannot_be_made_to_wait_for_it_is_said_on_its_card(queue: Queue) -> None:
    old, waits = submit(gpus=2), submit("y = 1")
    waits.run.update(spec={**waits.record["spec"], "dependency": f"afterok:{old.native_id}"})
    queue.dependents = {waits.native_id: "Access denied"}
    new = replace_waiting(old, resources={"gpus": 1})
    (line,) = new.record["stale"]
    assert "Access denied" in line and f"%hpc resubmit {waits.native_id} --dependency {new.native_id}" in line
    assert line in "\n".join(stale_lines(new.record))
    assert waits.record["spec"]["dependency"] == f"afterok:{old.native_id}"


def test_who_names_the_old_one_waits_for_what_took_its_place(queue: Queue) -> None:
    old = submit(gpus=2)
    second = replace_waiting(old, resources={"gpus": 1})
    third = replace_waiting(second, resources={"gpus": 3})
    for named in (old.id, old.native_id, second.id, third.id):
        assert resolved(f"afterany:{named}", "queue", store()) == f"afterany:{third.native_id}"
