"""What a backend must do, and what it is told.

A backend brings a run directory to a worker, says what became of jobs, and ends them. Everything else
(capture, payload, reading, results, errors) is the same for all and reads the run directory only. A backend
whose nodes don't see that directory brings the worker's files into it in :meth:`Backend.sync`.
"""

from __future__ import annotations

import abc
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exceptions import TargetError
from ..jobs import JobSpec, JobState
from ..store import Run


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
    """

    state: JobState | None
    reason: str = ""
    native_state: str = ""
    node: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    signal: int | None = None


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


class Backend(abc.ABC):
    """One scheduler. Made once for each target and process; methods are coroutines of the portal loop.

    Parameters
    ----------
    settings : mapping
        The target's settings from the configuration.
    """

    first_poll_s = 1.0  # when a new job is first asked for, if the run directory says nothing
    slowest_poll_s = 10.0

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = dict(settings)

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
        """

    @abc.abstractmethod
    def preview(self, submission: Submission) -> Submitted:
        """Return the command and script that :meth:`submit` would use; ``native_id`` is empty."""

    @abc.abstractmethod
    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        """Ask once about many jobs: run id → native id. A job that is missing in the answer is unknown."""

    @abc.abstractmethod
    async def cancel(self, native_id: str) -> None:
        """Ask the scheduler to end a job; no error if it has ended already."""

    async def sync(self, run: Run) -> None:
        """Bring what the worker wrote into the run directory (nothing to do on a shared file system)."""

    async def capacity(self) -> Sequence[Mapping[str, Any]]:
        """Return rows that describe what the target has (partitions or nodes)."""
        return []

    async def close(self) -> None:
        """Free what the backend holds."""


_BUILT_IN = {
    "local": "jupyter_hpc.backends.local:LocalBackend",
    "slurm": "jupyter_hpc.backends.slurm:SlurmBackend",
}


def backend_class(name: str) -> type[Backend]:
    """Return the backend registered under ``name`` (entry-point group ``jupyter_hpc.backends``).

    Raises
    ------
    TargetError
        If there is none, naming those that are.
    """
    reference = _BUILT_IN.get(name)
    if reference is None:
        from importlib.metadata import entry_points

        others = {e.name: e.value for e in entry_points(group="jupyter_hpc.backends")}
        if name not in others:
            known = ", ".join(sorted({*_BUILT_IN, *others}))
            raise TargetError(f"There is no backend {name!r}.", hint=f"Installed: {known}.")
        reference = others[name]
    module, _, attribute = reference.partition(":")
    found: type[Backend] = getattr(importlib.import_module(module), attribute)
    return found
