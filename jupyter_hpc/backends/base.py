"""What a backend must do, and what it is told.

A backend brings a run directory to a worker, says what became of jobs, and ends them. Everything else
(capture, payload, reading, results, errors) is the same for all and reads the run directory only. A backend
whose nodes don't see that directory brings the worker's files into it in :meth:`Backend.sync`.
"""

from __future__ import annotations

import abc
import importlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..jobs.job import JobSpec, JobState
from ..model.exceptions import OptionError, TargetError
from ..model.resources import format_time
from ..runs.run import Run
from .budget import Budget


class NoAnswer(TargetError):
    """The scheduler is there and doesn't answer now: what it was asked to do may have happened."""


@dataclass(frozen=True)
class Observation:
    """What the scheduler says of one job now.

    Attributes
    ----------
    state : JobState or None
        None if the scheduler doesn't know the job (any more).
    reason : str
        Why it waits or why it ended, in words.
    native_state : str
        The scheduler's own word, shown as it is when we don't know it.
    is_settled : bool
        False where a slower source, the scheduler's archive, may soon know more: of an unknown job, or by whom one
        was cancelled.
    native_id : str
        The job's id if the scheduler knows the run under another one, or none was known.
    hint, error : str
        What to do, and the class in ``exceptions``, where the backend knows more than the state says.
    """

    state: JobState | None
    reason: str = ""
    native_state: str = ""
    node: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    expected_start: float | None = None  # of a pending job, if the scheduler has an estimate
    native_id: str = ""
    is_settled: bool = True
    hint: str = ""
    error: str = ""


@dataclass(frozen=True)
class Submission:
    """What to start: the run, the spec, and the worker's folder."""

    run: Run
    spec: JobSpec
    worker: Path
    executable: str


@dataclass(frozen=True)
class Submitted:
    """What came of it: the native id, and the command and script as submitted."""

    native_id: str
    command: tuple[str, ...] = ()
    script: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Suggestion:
    """A change to a waiting request that would help.

    Attributes
    ----------
    options : str
        To copy into the magic's line: ``--gpus 1``.
    why : str
        What speaks for it.
    confirmed : bool
        The scheduler itself says that it would start now.
    expected_start : float or None
        The scheduler's estimate, where that is later.
    """

    options: str
    why: str
    confirmed: bool
    expected_start: float | None = None


@dataclass(frozen=True)
class Waiting:
    """Why a job waits.

    Attributes
    ----------
    reason : str
        In words; empty if the scheduler gives none.
    native_reason : str
        The scheduler's own words.
    place, ahead : int or None
        Its place among those that wait for the same nodes, and how many are before it.
    expected_start : float or None
        The scheduler's estimate, in seconds since the epoch.
    suggestions : tuple of Suggestion
        What would start now, or sooner.
    hint : str
        What to type, where something must be done.
    """

    reason: str
    native_reason: str = ""
    place: int | None = None
    ahead: int | None = None
    expected_start: float | None = None
    suggestions: tuple[Suggestion, ...] = ()
    hint: str = ""


def waiting_words(reason: str, expected_start: float | None, now: float) -> str:
    """Return why a job waits, and until when, in one line.

    Parameters
    ----------
    reason : str
        In words, as :attr:`Observation.reason` has it; may be empty.
    expected_start : float or None
        The scheduler's estimate, in seconds since the epoch.
    now : float
        The same for now.
    """
    parts = [reason, f"expected start {start_words(expected_start, now)}" if expected_start else ""]
    return "; ".join(part for part in parts if part)


def start_words(start: float, now: float) -> str:
    """Return a moment as people say it: ``in 2 h 10 min (14:30)``, ``now``."""
    wait = start - now
    if wait < 60:
        return "now" if wait > -60 else "any moment"
    try:
        there, here = time.localtime(start), time.localtime(now)
    except (OverflowError, ValueError, OSError):
        return "unknown"
    form = "%H:%M" if there[:3] == here[:3] else "%a %d %b %H:%M"
    return f"in {format_time(wait // 60 * 60)} ({time.strftime(form, there)})"


@dataclass(frozen=True)
class Availability:
    """What a target has, and what of it is free now.

    Attributes
    ----------
    message : str
        One line that says what is there.
    partitions : sequence of mapping
        Rows for people, a partition or a node each, with the same keys; may be empty.
    gpus : sequence of mapping
        ``type`` (may be empty), ``free`` and ``total``.
    """

    message: str
    partitions: Sequence[Mapping[str, str]] = ()
    gpus: Sequence[Mapping[str, str | int]] = ()


@dataclass(frozen=True)
class ForeignJob:
    """A job that the scheduler lists for this user and that this package may not have submitted.

    Attributes
    ----------
    native_id : str
        As the scheduler has it.
    seen : Observation
        How it stands.
    run_id : str
        The run whose mark it carries; empty if it carries none.
    log : Path or None
        Where its output goes, where that is a file.
    ends_with : str
        The command that ends it, for people.
    """

    native_id: str
    seen: Observation
    name: str = ""
    run_id: str = ""
    submitted_at: float | None = None
    time_limit_s: float | None = None
    gpus: int = 0
    gpu_type: str = ""
    log: Path | None = None
    ends_with: str = ""


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
    questions_a_minute: int | None = None  # None: asking costs nobody anything

    lists_foreign = False  # whether foreign_jobs has any
    supports: frozenset[str] = frozenset()  # fields of JobSpec that not every scheduler has; see _SOME_HAVE

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
        for name, (who, instead) in _SOME_HAVE.items():
            if getattr(spec, name) and name not in cls.supports:
                raise OptionError(f"--{name} is for {who}, which this target is not.", hint=instead)

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

    async def foreign_jobs(self) -> Sequence[ForeignJob]:
        """Return the user's other jobs, from the last answer, or from one that many share."""
        return ()

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

    @abc.abstractmethod
    async def cancel(self, native_id: str) -> None:
        """Ask the scheduler to end a job; no error if it has ended already.

        Raises
        ------
        NoAnswer
            If it may have been ended, or not.
        HPCError
            If it goes on: the scheduler refused.
        """

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
        return Waiting(seen.reason, seen.native_state, expected_start=seen.expected_start)

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

    async def close(self) -> None:
        """Free what the backend holds."""


_POD = ("Kubernetes", "`%%k8s` runs the same cell on Kubernetes.")
_SOME_HAVE = {  # fields of JobSpec, who has them, and what to do elsewhere
    "array": ("Slurm", "Write the loop into the cell, or use `%%slurm`."),
    "dependency": ("Slurm", "Wait for the other job first: `%hpc result ID`."),
    "requeue": ("Slurm", "Leave it out."),
    "signal": ("Slurm", "Leave it out; at the end of --time the cell is told with SIGTERM."),
    "image": _POD,
    "queue": _POD,
    "retries": _POD,
    "patch": _POD,
}
_BUILT_IN = {
    "local": "jupyter_hpc.backends.local:LocalBackend",
    "kubernetes": "jupyter_hpc.backends.kubernetes:KubernetesBackend",
    "slurm": "jupyter_hpc.backends.slurm:SlurmBackend",
}


def backend_class(name: str) -> type[Backend]:
    """Return a backend: a name in the entry-point group ``jupyter_hpc.backends``, or ``module:Class``.

    Raises
    ------
    TargetError
        If there is none, naming those that are.
    """
    reference = name if ":" in name else _BUILT_IN.get(name)
    if reference is None:
        from importlib.metadata import entry_points

        others = {e.name: e.value for e in entry_points(group="jupyter_hpc.backends")}
        if name not in others:
            known = ", ".join(sorted({*_BUILT_IN, *others}))
            raise TargetError(f"There is no backend {name!r}.", hint=f"Installed: {known}.")
        reference = others[name]
    module, _, attribute = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        if not issubclass(found, Backend):
            raise TypeError(f"{attribute} is no subclass of jupyter_hpc.backends.base.Backend")
    except (ImportError, AttributeError, TypeError) as error:
        hint = "Its module must be importable here: on PYTHONPATH, or installed."
        raise TargetError(f"The backend {reference} can't be used: {error}.", hint=hint) from error
    return cast("type[Backend]", found)
