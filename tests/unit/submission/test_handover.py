"""A run gets to its scheduler once, whatever the scheduler does meanwhile."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.base import Submission
from jupyter_hpc.model.exceptions import SubmissionError, TargetError
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.submission.handover import WITHDRAW_S, Handover
from jupyter_hpc.targets.connection import Connection
from jupyter_hpc.testing.fake import FakeBackend, FakeClock, FakeWorker, new_run


class Counter:
    """A scheduler, and a run that somebody hands over to it."""

    def __init__(self, folder: Path, patience: str = "2m") -> None:
        self.clock = FakeClock()
        self.backend = FakeBackend(self.clock)
        self.connection = self.backend.connection(submit_patience=patience)
        self.run: Run = new_run(folder / "run")
        self.said: list[str] = []
        submission = Submission(self.run, JobSpec(), folder, "python")
        self.handover = Handover(submission, self.connection.target, self._connect)
        self.task: asyncio.Task[None] | None = None

    async def _connect(self, name: str) -> Connection:
        return self.connection

    async def begin(self) -> None:
        self.task = asyncio.ensure_future(self.handover.run())
        await self.clock.settle()

    async def end(self, within_s: float) -> float:
        assert self.task is not None
        took = await self.clock.until(self.task.done, within_s)
        self.handover.tell(self.said.append)
        await self.task
        return took

    @property
    def jobs(self) -> list[str]:
        return self.backend.jobs_of(self.run)


def played(act: Callable[[Counter], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    def test(tmp_path: Path) -> None:
        async def play() -> None:
            await act(Counter(tmp_path))

        asyncio.run(play())

    test.__name__, test.__doc__ = act.__name__, act.__doc__
    return test


@played
async def test_a_scheduler_that_answers_takes_it_at_once(counter: Counter) -> None:
    await counter.begin()
    assert await counter.end(0) == 0
    record = counter.run.record()
    assert record["native_id"] == counter.jobs[0]
    assert record["submitted_at"] == pytest.approx(counter.clock.time())
    assert record["command"] == ["fake-submit", "run"]
    assert "incidents" not in record
    assert counter.said == []


@played
async def test_one_that_does_not_is_waited_for_and_the_person_told(counter: Counter) -> None:
    counter.backend.goes_away(30)
    await counter.begin()
    took = await counter.end(120)
    assert took >= 30
    assert len(counter.jobs) == 1
    waits, submitted = counter.said
    assert waits.startswith("The fake scheduler doesn't answer (since ")
    assert "within 2 min" in waits
    assert submitted == f"Submitted as fake job {counter.jobs[0]}."
    (incident,) = counter.run.record()["incidents"]
    assert incident["until"] - incident["from"] == pytest.approx(took, abs=0.1)


@played
async def test_a_job_whose_answer_was_lost_is_found_and_not_submitted_twice(counter: Counter) -> None:
    counter.backend.loses_an_answer = True
    await counter.begin()
    await counter.clock.advance(10)
    counter.backend.comes_back()
    await counter.end(60)
    assert len(counter.jobs) == 1
    assert len(counter.backend.questions("submit")) == 1
    assert counter.run.record()["native_id"] == counter.jobs[0]


@played
async def test_one_that_has_started_meanwhile_says_its_id_itself(counter: Counter) -> None:
    counter.backend.loses_an_answer = True
    await counter.begin()
    FakeWorker(counter.run, counter.clock).starts(SLURM_JOB_ID="1")
    counter.backend.comes_back()
    await counter.end(60)
    assert counter.run.record()["native_id"] == "1"
    assert not counter.backend.questions("find")


@played
async def test_patience_ends_with_nothing_submitted(counter: Counter) -> None:
    counter.backend.goes_away()
    await counter.begin()
    with pytest.raises(TargetError, match="nothing was submitted") as caught:
        await counter.end(121)
    assert "submit_patience" in str(caught.value)
    assert counter.jobs == []
    assert counter.handover.is_uncertain
    assert "native_id" not in counter.run.record()


@played
async def test_a_refusal_is_not_waited_for(counter: Counter) -> None:
    async def submit(submission: Submission) -> None:
        raise SubmissionError("Invalid partition.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter.backend, "submit", submit)
        await counter.begin()
        with pytest.raises(SubmissionError, match="Invalid partition"):
            await counter.end(0)
    assert not counter.handover.is_uncertain


@played
async def test_what_was_given_up_is_taken_back_when_it_turns_up(counter: Counter) -> None:
    counter.backend.loses_an_answer = True
    await counter.begin()
    with pytest.raises(TargetError):
        await counter.end(121)
    withdrawn = asyncio.ensure_future(counter.handover.withdraw(concurrent.futures.Future()))
    await counter.clock.advance(300)
    assert not withdrawn.done()
    counter.backend.comes_back()
    await counter.clock.until(withdrawn.done, 60)
    assert counter.backend.cancelled == counter.jobs


@played
async def test_an_interrupt_takes_back_the_job_whose_answer_is_under_way(counter: Counter) -> None:
    counter.backend.answers_after_s = 3
    future: concurrent.futures.Future[None] = concurrent.futures.Future()
    await counter.begin()
    assert counter.task is not None
    counter.task.add_done_callback(lambda _: future.set_result(None))
    withdrawn = asyncio.ensure_future(counter.handover.withdraw(future))
    await counter.clock.until(withdrawn.done, 10)
    assert counter.backend.cancelled == counter.jobs
    assert len(counter.jobs) == 1


@played
async def test_a_scheduler_that_never_comes_back_is_given_up(counter: Counter) -> None:
    counter.backend.loses_an_answer = True
    await counter.begin()
    with pytest.raises(TargetError):
        await counter.end(121)
    withdrawn = asyncio.ensure_future(counter.handover.withdraw(concurrent.futures.Future()))
    assert await counter.clock.until(withdrawn.done, WITHDRAW_S + 61) >= WITHDRAW_S - 1
    assert counter.backend.cancelled == []
