"""Run notebook cells on Slurm and Kubernetes as if they ran here.

>>> %load_ext jupyter_hpc      # doctest: +SKIP

then ``%%slurm``, ``%%local`` or ``%%hpc --on TARGET`` at the top of a cell; ``%hpc`` is the rest. From Python:
:func:`submit`, :class:`Job`, :func:`attach`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .exceptions import HPCError
    from .jobs import Job, JobState
    from .resources import Resources
    from .submission import submit

__all__ = ["HPCError", "Job", "JobState", "Resources", "__version__", "attach", "submit"]

_LAZY = {
    "HPCError": "exceptions",
    "Job": "jobs",
    "JobState": "jobs",
    "Resources": "resources",
    "submit": "submission",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def attach(run: str) -> Job:
    """Return the job of any earlier submission, by its id, a part of it, its native id or its name.

    Raises
    ------
    JobNotFound
        If no run directory matches.
    """
    from .config import store
    from .jobs import Job

    return Job(store().find(run))


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext jupyter_hpc``."""
    from .magics import register

    register(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """``%unload_ext jupyter_hpc``."""
    from .magics import unregister

    unregister(ipython)
