"""A scheduler that is none: it says what a test wrote down, when the test's clock says so.

With it, hours of a job's life pass in milliseconds::

    async def test() -> None:
        clock = FakeClock()
        backend = FakeBackend(clock)
        run, native_id = backend.job(folder / "run", (0, JobState.PENDING), (60, JobState.RUNNING))
        ...
        await clock.advance(60)

`FakeWorker` writes what a worker would into the run's directory, and `FakeBackend.connection` is what watchers,
outages and submissions take.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..backends.base import Backend, NoAnswer, Submission, Submitted
from ..backends.budget import Budget
from ..model.observation import Observation
from ..model.states import JobState
from ..rundir.run import Run, write_json
from ..runtime.clock import Clock
from ..targets.connection import Connection
from ..targets.target import Target
from ..worker.container import MANIFEST
from ..worker.events import EVENTS

TURNS = 25  # of the event loop: more than any chain of tasks here is long
NODE = "n1"

Says = Observation | JobState | None  # None: the scheduler doesn't know the job
Moment = tuple[float, Says]  # seconds since the job was submitted, and what is said from then on


class FakeClock(Clock):
    """A clock that stands still until a test turns it.

    Parameters
    ----------
    now : float, optional
        Seconds since the epoch; this machine's if left out, so that files are not from another age.
    """

    def __init__(self, now: float | None = None) -> None:
        self._epoch = time.time() if now is None else now
        self._passed = 0.0
        self._alarms: list[tuple[float, asyncio.Future[None]]] = []

    def time(self) -> float:
        return self._epoch + self._passed

    def monotonic(self) -> float:
        return 1000.0 + self._passed

    async def sleep(self, seconds: float) -> None:
        await self._alarm(seconds)

    async def came(self, event: asyncio.Event, timeout_s: float) -> bool:
        waiting = asyncio.ensure_future(event.wait())
        try:
            return await self.done(waiting, timeout_s)
        finally:
            waiting.cancel()

    async def done(self, future: asyncio.Future[Any], timeout_s: float) -> bool:
        alarm = self._alarm(timeout_s)
        try:
            await asyncio.wait([future, alarm], return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
        return future.done()

    async def advance(self, seconds: float) -> None:
        """Let time pass: whoever sleeps wakes when it is due, and does what it then does."""
        end = self._passed + seconds
        await self.settle()
        while await self._wake_next(end):
            pass

    async def until(self, condition: Callable[[], object], within_s: float) -> float:
        """Let time pass until somebody who woke made a condition hold, and return the seconds that this took.

        Raises
        ------
        AssertionError
            If it doesn't hold within so many seconds.
        """
        began = self._passed
        await self.settle()
        goes_on = True
        while not condition():
            if not goes_on:
                raise AssertionError(f"it did not happen within {within_s:g} s")
            goes_on = await self._wake_next(began + within_s)
        return self._passed - began

    async def settle(self) -> None:
        """Let everybody do what can be done now."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _wake_next(self, end: float) -> bool:
        """Turn to the next moment for which somebody waits; False if there is none until the end."""
        due = min((at for at, _ in self._waiting()), default=math.inf)
        self._passed = max(self._passed, min(due, end))
        for at, alarm in self._waiting():
            if at <= self._passed:
                alarm.set_result(None)
        await self.settle()
        return due <= end

    def _alarm(self, seconds: float) -> asyncio.Future[None]:
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seconds <= 0:
            alarm.set_result(None)
        else:
            self._alarms.append((self._passed + seconds, alarm))
        return alarm

    def _waiting(self) -> list[tuple[float, asyncio.Future[None]]]:
        self._alarms = [each for each in self._alarms if not each[1].done()]
        return self._alarms


@dataclass
class _Job:
    run_id: str
    began: float
    script: tuple[Moment, ...]


class FakeBackend(Backend):
    """A scheduler that says what a test wrote down.

    Parameters
    ----------
    clock : FakeClock
    script : Moment
        What it says of jobs for which nothing else is written.

    Attributes
    ----------
    asked : list of (float, str)
        When it was asked what: ``observe``, ``is_up``, ``submit``, ``find``, ``cancel``, ``restore``.
    answers_after_s : float
        How long an answer takes.
    loses_an_answer : bool
        It takes the next submission, and goes away before it has said so.
    restores : bool
        Submits again what it forgot.
    """

    scheduler = "the fake scheduler"
    questions_a_minute = 6

    def __init__(self, clock: FakeClock, *script: Moment, settings: Mapping[str, Any] | None = None) -> None:
        super().__init__(settings or {})
        self.clock = clock
        self.budget = Budget(self.questions_a_minute, clock.monotonic)
        self.asked: list[tuple[float, str]] = []
        self.cancelled: list[str] = []
        self.answers_after_s = 0.0
        self.loses_an_answer = False
        self.restores = False
        self._script = script or ((0, JobState.PENDING),)
        self._jobs: dict[str, _Job] = {}
        self._until = -math.inf  # it doesn't answer

    # -- what a test does ------------------------------------------------------------------------

    def job(self, folder: Path, *script: Moment, **fields: Any) -> tuple[Run, str]:
        """Make a run that was submitted now, and return it with its native id.

        Parameters
        ----------
        script : Moment
            What is said of it, from when on.
        fields
            More of the run's record.
        """
        run = new_run(folder, state="PENDING")
        native_id = self._take(run, script or self._script)
        run.update(native_id=native_id, submitted_at=self.clock.time(), **fields)
        return run, native_id

    def says(self, native_id: str, *script: Moment) -> None:
        """Write anew what it says of a job, with seconds from now on."""
        job = self._jobs[native_id]
        self._jobs[native_id] = _Job(job.run_id, self.clock.monotonic(), script)

    def goes_away(self, seconds: float = math.inf) -> None:
        """It doesn't answer, for so long."""
        self._until = self.clock.monotonic() + seconds

    def comes_back(self) -> None:
        self._until = -math.inf

    def questions(self, *kinds: str) -> list[float]:
        """Return when it was asked something of these kinds; ``observe`` if left out."""
        return [at for at, kind in self.asked if kind in (kinds or ("observe",))]

    def jobs_of(self, run: Run) -> list[str]:
        """Return the native ids of the jobs that it took for a run."""
        return [native_id for native_id, job in self._jobs.items() if job.run_id == run.id]

    def connection(self, **settings: Any) -> Connection:
        """Return a connection of a target ``fake`` to this scheduler."""
        return Connection(Target("fake", "fake", settings), self, self.clock)

    # -- what a backend does ---------------------------------------------------------------------

    async def check(self) -> str:
        return "nothing but a test"

    def preview(self, submission: Submission) -> Submitted:
        return Submitted("", ("fake-submit", submission.run.id), "")

    async def submit(self, submission: Submission) -> Submitted:
        await self._answer("submit")
        native_id = self._take(submission.run, self._script)
        if self.loses_an_answer:
            self.loses_an_answer = False
            self.goes_away()
            raise self._silence()
        planned = self.preview(submission)
        return Submitted(native_id, planned.command, planned.script)

    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        await self._answer("observe")
        seen = {run_id: self._seen(run_id, native_id) for run_id, native_id in jobs.items()}
        return {run_id: found for run_id, found in seen.items() if found is not None}

    async def is_up(self) -> bool:
        await self._answer("is_up")
        return True

    async def find(self, run: Run) -> str | None:
        await self._answer("find")
        return next(reversed(self.jobs_of(run)), None)

    async def restore(self, run: Run) -> str | None:
        await self._answer("restore")
        return self._take(run, self._script) if self.restores else None

    async def owned(self, run: Run, native_id: str) -> Sequence[str]:
        job = self._jobs.get(native_id)
        return [native_id] if job is not None and job.run_id == run.id else []

    async def end(self, native_id: str) -> None:
        await self._answer("cancel")
        self.cancelled.append(native_id)
        self.says(native_id, (0, JobState.CANCELLED))

    async def _answer(self, what: str) -> None:
        self.asked.append((self.clock.monotonic(), what))
        self.budget.spend()
        if self.answers_after_s:
            await self.clock.sleep(self.answers_after_s)
        if self.clock.monotonic() < self._until:
            raise self._silence()

    def _silence(self) -> NoAnswer:
        return NoAnswer(f"{self.scheduler} doesn't answer")

    def _take(self, run: Run, script: tuple[Moment, ...]) -> str:
        native_id = str(len(self._jobs) + 1)
        self._jobs[native_id] = _Job(run.id, self.clock.monotonic(), script)
        return native_id

    def _seen(self, run_id: str, native_id: str) -> Observation | None:
        own = [number for number, job in self._jobs.items() if job.run_id == run_id]
        number = native_id or (own[-1] if own else "")
        job = self._jobs.get(number)
        if job is None:
            return None
        passed = self.clock.monotonic() - job.began
        said = [says for at, says in job.script if at <= passed]
        found = said[-1] if said else None
        if isinstance(found, JobState):
            return Observation(found, native_state=found.value, native_id=number)
        return found


class FakeWorker:
    """Writes what a worker writes into its run's directory, at the clock's time."""

    def __init__(self, run: Run, clock: FakeClock) -> None:
        self.run = run
        self.clock = clock

    def starts(self, **environment: str) -> None:
        """Begin an attempt; in its environment the scheduler's own variables."""
        self.event("started", node=NODE, pid=1, environment=environment)

    def beats(self) -> None:
        """Show that it lives."""
        moment = round(self.clock.time() * 1e9)
        os.utime(self.run.path / EVENTS, ns=(moment, moment))

    async def lives(self, seconds: float) -> None:
        """Beat twice a second for so long."""
        for _ in range(round(seconds / 0.5)):
            await self.clock.advance(0.5)
            self.beats()
        await self.clock.settle()

    def event(self, kind: str, **fields: Any) -> None:
        line = json.dumps({"e": kind, "t": self.clock.time(), **fields})
        with open(self.run.path / EVENTS, "a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.beats()

    def says(self, line: str) -> None:
        """Write a line of the scheduler's, or of the batch script."""
        with open(self.run.scheduler_log, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def succeeds(self) -> None:
        """Leave a result without names, and end well."""
        self.event("done", seconds=1.0)
        temporary = self.run.path / "result.tmp"
        temporary.mkdir()
        write_json(temporary / MANIFEST, {"names": []})
        temporary.rename(self.run.result)
        self.ends(0)

    def ends(self, code: int) -> None:
        """Let the batch script say with which code the worker ended."""
        write_json(self.run.path / "end.json", {"exit": code})


def new_run(folder: Path, **fields: Any) -> Run:
    """Make a run of a target ``fake`` with the least of a record, and what else is given."""
    folder.mkdir(parents=True)
    record = {"id": folder.name, "target": {"name": "fake", "backend": "fake"}, "code": {}, "spec": {}}
    write_json(folder / "record.json", {**record, **fields})
    return Run(folder)
