"""Run notebook cells on Slurm and Kubernetes as if they ran here.

>>> %load_ext jupyter_hpc      # doctest: +SKIP

then ``%%slurm``, ``%%local`` or ``%%hpc --on TARGET`` at the top of a cell; ``%hpc`` is the rest. From Python:
:func:`submit`, :class:`Job`, :func:`attach`, :func:`runs`, ``lineage()``; inside a cell, :func:`artifact` and
:func:`log`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

from ._version import __version__

_Path = TypeVar("_Path")

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .capture.carried_settings import carry_setting
    from .exceptions import (
        CaptureError,
        CellExit,
        CellInterrupted,
        DependencyNeverSatisfied,
        DiskFull,
        EnvironmentMismatch,
        HPCError,
        JobCancelled,
        JobError,
        JobLost,
        JobNotFound,
        NodeFailed,
        NoSharedDisk,
        NotOurs,
        OptionError,
        OutOfMemory,
        Preempted,
        ProcessDied,
        RemoteError,
        ResultError,
        SegmentationFault,
        SubmissionError,
        TargetError,
        TasksFailed,
        TimeLimitExceeded,
        UndefinedName,
        UnpicklableInput,
    )
    from .jobs.job import Job
    from .jobs.submit import submit
    from .lineage.ask.runs import runs
    from .model.resources import Resources
    from .model.states import JobState

__all__ = [
    "CaptureError",
    "CellExit",
    "CellInterrupted",
    "DependencyNeverSatisfied",
    "DiskFull",
    "EnvironmentMismatch",
    "HPCError",
    "Job",
    "JobCancelled",
    "JobError",
    "JobLost",
    "JobNotFound",
    "JobState",
    "NoSharedDisk",
    "NodeFailed",
    "NotOurs",
    "OptionError",
    "OutOfMemory",
    "Preempted",
    "ProcessDied",
    "RemoteError",
    "Resources",
    "ResultError",
    "SegmentationFault",
    "SubmissionError",
    "TargetError",
    "TasksFailed",
    "TimeLimitExceeded",
    "UndefinedName",
    "UnpicklableInput",
    "__version__",
    "artifact",
    "attach",
    "carry_setting",
    "lineage",
    "log",
    "runs",
    "submit",
]

_LAZY = {
    "Job": "jobs.job",
    "JobState": "model.states",
    "Resources": "model.resources",
    "carry_setting": "capture.carried_settings",
    "runs": "lineage.ask.runs",
    "submit": "jobs.submit",
}


def __getattr__(name: str) -> Any:
    import importlib

    if name == "lineage":  # a package that can be called
        return importlib.import_module(".lineage", __name__)
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f".{_LAZY.get(name, 'exceptions')}", __name__), name)
    found.__module__ = __name__  # where people find it
    return found


def __dir__() -> list[str]:
    return sorted(__all__)


def attach(run: str) -> Job:
    """Return the job of any earlier submission, by its id, a part of it, its native id or its name.

    Raises
    ------
    JobNotFound
        If no run directory matches.
    """
    from .jobs.job import Job
    from .rundir.store import store

    return Job(store().find(run))


def artifact(path: _Path, name: str | None = None) -> _Path:
    """Record a file or folder that a cell wrote, with its digest, and return its path; in a job or in the kernel.

    One that is older than the cell was read, not written.

    Parameters
    ----------
    path : str or os.PathLike
    name : str, optional
        What to call it.

    Examples
    --------
    >>> torch.save(model, "model.pt")               # doctest: +SKIP
    >>> jupyter_hpc.artifact("model.pt")            # doctest: +SKIP
    'model.pt'
    """
    worker = sys.modules.get("jupyter_hpc_worker.current")
    if worker is not None:
        worker.current_files().declare(path, name)
        return path
    from .lineage.record.session import declare

    declare(path, name)
    return path


def log(values: Mapping[str, Any] | None = None, /, *, step: float | None = None, **named: Any) -> None:
    """Tell numbers of a cell's progress: while it runs they are drawn as charts, and its record keeps them.

    What is no number is said in a sentence, and ends nothing. In the kernel itself there is no job to draw, so they
    are kept nowhere.

    Parameters
    ----------
    values : mapping, optional
        Numbers by names that are no Python names: ``log({"val/loss": 0.4})``.
    step : number, optional
        Where on the chart's axis they are; without it, one after the other.
    **named : number
        Numbers, or what holds a single one, as NumPy's, torch's and jax's scalars do.

    Examples
    --------
    >>> jupyter_hpc.log(loss=0.31, acc=0.9, step=3)
    """
    worker: Any = sys.modules.get("jupyter_hpc_worker.points")
    if worker is None:
        from .worker import points as worker
    worker.log(values, step=step, **named)


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext jupyter_hpc``."""
    from .magics import register

    register(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """``%unload_ext jupyter_hpc``."""
    from .magics import unregister

    unregister(ipython)
