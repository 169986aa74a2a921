"""What a backend must do, and what it is told.

A backend brings a run directory to a worker, says what became of jobs, and ends them. Everything else
(capture, payload, reading, results, errors) is the same for all and reads the run directory only. A backend
whose nodes don't see that directory brings the worker's files into it in :meth:`Backend.sync`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model.capacity import Capacity
from ..model.exceptions import HPCError, TargetError
from ..model.observation import Availability, ForeignJob, Observation, Waiting
from ..model.options import check_had
from ..model.spec import JobSpec
from ..rundir.run import Run
from .budget import Budget


class NoAnswer(TargetError):
    """The scheduler is there and doesn't answer now: what it was asked to do may have happened."""


@dataclass(frozen=True)
class Submission:
    """What to start: the run, the spec, and the worker's folder."""

    run: Run
    spec: JobSpec
    worker: Path
    executable: str


@dataclass(frozen=True)
class Submitted:
    """What came of it: the native id, and the command and script as submitted.

    Attributes
    ----------
    native_uid : str
        What tells the job from a later one of the same id, where the scheduler has such a thing.
    """

    native_id: str
    command: tuple[str, ...] = ()
    script: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)
    native_uid: str = ""


class Backend(abc.ABC):
    """One scheduler. Made once for each target and process; methods are coroutines of the portal loop.

    Parameters
    ----------
    settings : mapping
        The target's settings from the configuration.

    Attributes
    ----------
    budget : Budget
        How often the scheduler may be asked; the backend notes in it each question that goes out.
    """

    scheduler = "the scheduler"  # in sentences
    first_poll_s = 1.0  # when a new job is first asked for, if the run directory says nothing
    slowest_poll_s = 10.0
    settles_s = 1.6  # how long it may take to say why a job ended of which the files tell it already
    questions_a_minute: int | None = None  # None: asking costs nobody anything

    # words for the table of causes, which no scheduler has in common; empty: it can't be done
    default_limit = "its time limit"  # where the job asked for none
    restarts = ""  # how a job is started again by itself
    avoids_node = ""  # how a job keeps away from {node}

    has_kernels_python = True  # whether its nodes may have the kernel's own interpreter at the same path
    shows_native_ids = True  # whether people know jobs by the scheduler's ids
    lists_foreign = False  # whether foreign_jobs has any
    holds_jobs = False  # whether held() or alive() has any
    options_of = ""  # the scheduler whose options it has, as the spec's fields name it (`only`)
    supports: frozenset[str] = frozenset()  # and fields of JobSpec that are said to be another's

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = dict(settings)
        self.budget = Budget(self.questions_a_minute)

    @classmethod
    def check_supported(cls, spec: JobSpec) -> None:
        """Refuse what this scheduler doesn't have.

        Raises
        ------
        OptionError
            Naming the option.
        """
        check_had(spec, cls.options_of, cls.supports)

    @classmethod
    def tells_trouble(cls, text: str) -> bool:
        """Whether the scheduler's own words in a job's log say that something happened which it may explain."""
        return False

    @classmethod
    def hidden(cls, environment: Mapping[str, str]) -> Sequence[str]:
        """Return the variables of this process that its jobs don't get, where others would be passed on."""
        return ()

    @classmethod
    def own_options(cls, cell: str) -> tuple[str, ...]:
        """Return the scheduler's own options that a cell's first lines have, as ``#SBATCH`` lines are."""
        return ()

    @abc.abstractmethod
    async def check(self) -> str:
        """Return one line that says what is there.

        Raises
        ------
        TargetError
            Saying what was looked for, where, and what to do.
        """

    @abc.abstractmethod
    async def submit(self, submission: Submission) -> Submitted:
        """Submit, or return the job that an earlier try already submitted.

        Raises
        ------
        SubmissionError
            If the scheduler refuses, with its own words.
        NoAnswer
            If it doesn't answer: it may have taken the job. :meth:`find` is asked before the next try.
        """

    @abc.abstractmethod
    def preview(self, submission: Submission) -> Submitted:
        """Return the command and script that :meth:`submit` would use; ``native_id`` is empty."""

    @abc.abstractmethod
    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        """Ask once about many jobs: run id → native id, empty where it isn't known.

        A job that is missing in the answer is unknown to the scheduler.

        Raises
        ------
        NoAnswer
            If the scheduler doesn't answer now.
        """

    def recall(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        """Return what the last answer said of jobs, without a question; nothing of those it didn't name."""
        return {}

    def held(self) -> Mapping[str, str]:
        """Return run id → native id of the jobs that are held, by the last answer: let go, they would start."""
        return {}

    def alive(self) -> Mapping[str, str]:
        """Return run id → native id of the jobs that wait or run, by the last answer."""
        return {}

    async def foreign_jobs(self) -> Sequence[ForeignJob]:
        """Return the user's other jobs, from the last answer, or from one that many share."""
        return ()

    async def act_on_foreign(self, native_id: str, act: str) -> None:
        """Do one of :attr:`ForeignJob.acts` to a job of the user's that :meth:`foreign_jobs` named.

        It is looked at now whether the job is the user's; nothing is ever done to another's.

        Raises
        ------
        HPCError
            If it isn't, or the scheduler refuses, with its own words.
        """
        raise HPCError(f"{native_id} may be somebody else's: nothing is done to it from here.")

    async def is_up(self) -> bool:
        """Tell by the cheapest question whether the scheduler answers; asked when it did not."""
        return True

    async def find(self, run: Run) -> str | None:
        """Return the native id of the job that carries this run's id, also if it has ended, or None.

        Raises
        ------
        NoAnswer
            If that can't be told now.
        """
        return None

    async def restore(self, run: Run) -> str | None:
        """Submit a job again that the scheduler took, forgot in a crash of its own and never started.

        Returns
        -------
        str or None
            The new native id; None if this is not what happened.
        """
        return None

    async def cancel(self, run: Run, native_id: str) -> None:
        """Ask the scheduler to end a run's job; no error if it has ended, or its id is another job's by now.

        Raises
        ------
        NoAnswer
            If it may have been ended, or not.
        HPCError
            If it goes on: the scheduler refused.
        """
        for own in await self.owned(run, native_id):
            await self.end(own)

    @abc.abstractmethod
    async def owned(self, run: Run, native_id: str) -> Sequence[str]:
        """Return the jobs that are this run's and have not ended, as :meth:`end` takes them.

        A scheduler may hand out an id again, so a job is known by its id and by what ties it to its run (a mark in
        its comment, a uid, the time when a process started). It is looked at now, never remembered: what is done to
        a job can't be undone.

        Parameters
        ----------
        native_id : str
            What the record says; it may be another run's by now.

        Raises
        ------
        NoAnswer
            If that can't be told now.
        """

    @abc.abstractmethod
    async def end(self, native_id: str) -> None:
        """Ask the scheduler to end a job that :meth:`owned` named a moment ago, for :meth:`cancel`, with its errors."""

    async def repoint(self, old: str, new: str) -> Mapping[str, str]:
        """Let those of the user's jobs that wait for one job wait for another, which takes its place.

        Returns
        -------
        mapping
            Native id → nothing, or the scheduler's words where it refused.

        Raises
        ------
        NoAnswer
            If the scheduler doesn't answer.
        """
        return {}

    async def check_request(self, spec: JobSpec) -> None:
        """Refuse, before anything is built, what could never run here; silent where that isn't known.

        Raises
        ------
        OptionError
            Naming the limit, and what is allowed.
        """
        return

    async def expected_start(self, submission: Submission) -> str:
        """Return in words when a job would start if it were submitted now; empty if nobody knows."""
        return ""

    async def explain(self, run: Run, native_id: str) -> Waiting:
        """Say why a job waits."""
        seen = (await self.observe({run.id: native_id})).get(run.id)
        if seen is None:
            return Waiting("")
        return Waiting(seen.reason, seen.native_state, expected_start=seen.expected_start, hint=seen.hint)

    def choices(self) -> Mapping[str, Sequence[str]]:
        """Return values to offer for options (``partition``, ``gpus``, …), from caches only."""
        return {}

    async def sync(self, run: Run) -> None:
        """Bring what the worker wrote into the run directory (nothing to do on a shared file system)."""

    async def availability(self) -> Availability:
        """Return what is there and free now, in one question where that can be had.

        Raises
        ------
        TargetError
            As :meth:`check`.
        """
        return Availability(await self.check())

    async def capacity(self) -> Capacity:
        """Return each node with who holds what of it; nothing where that may not be seen.

        Raises
        ------
        TargetError
            As :meth:`check`.
        """
        return Capacity()

    async def close(self) -> None:
        """Free what the backend holds."""
