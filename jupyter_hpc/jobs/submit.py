"""``submit(function, …)``."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..capture.request import ARGS, FUNCTION, KWARGS, Request
from ..explain.again import suggested_resources
from ..follow.following import follow
from ..model.cell_arguments import CellArguments
from ..model.given import asked_of
from ..model.options import CALL_OPTIONS
from ..model.resources import Resources
from ..model.spec import JobSpec
from ..rundir.run import Run
from ..runtime.settings import setting
from ..submission import rerun as reruns
from ..submission import resubmit as resubmits
from ..submission import send
from ..submission.handover import Say
from . import replace as replacing
from .job import Job
from .signature import refuse_misspelt, takes_options


def submitted(run: Run) -> Job:
    """Follow a run from now on, and return its job."""
    follow(run)
    return Job(run)


def submit_request(request: Request, target: str, spec: JobSpec, say: Say | None = None, *, reuse: bool = False) -> Job:
    """Submit a cell or a call and return its job; see `submission.send.submit_request`."""
    return submitted(send.submit_request(request, target, spec, say, reuse=reuse))


def resubmit(job: Job, **changes: Any) -> Job:
    """Submit a job's payload again and return the new job; see `submission.resubmit.resubmit`.

    What it failed for the lack of is asked for as its verdict suggests, unless something else is.
    """
    suggested = {k: v for k, v in suggested_resources(job.record).items() if k not in changes.get("unset", ())}
    resources = {**suggested, **(changes.pop("resources", None) or {})}
    return submitted(resubmits.resubmit(job.run, resources=resources, **changes))


def replace_waiting(job: Job, **changes: Any) -> Job:
    """Submit a job that waits again, in its own place, and return the new job; see `replace.replace_waiting`."""
    return submitted(replacing.replace_waiting(job, **changes))


def rerun(job: Job, **changes: Any) -> Job:
    """Submit a job again, exactly or with other parameters, and return the new job; see `submission.rerun.rerun`."""
    return submitted(reruns.rerun(job.run, **changes))


@takes_options
def submit(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Job:
    """Run ``function(*args, **kwargs)`` on a target and return its :class:`Job`.

    The keywords below are the options of a cell's magic and mean the same; None, False and empty leave them to the
    target. A number is MiB for `memory` and minutes for `time`, as for sbatch.

    Parameters
    ----------
    function : callable
        A plain or async function; what it reaches travels with it.
    *args
        Go to the function.
    {options}
    **kwargs
        Go to the function. One that is named like an option here must be bound with ``functools.partial``. One that
        only looks like an option (``memry="4G"``) goes to the function if that takes it, by its name or as one of its
        own ``**kwargs``, and is an error otherwise.

    Notes
    -----
    Without `on` it runs on the configured default target. `dependency` takes jobs, or text as ``sbatch --dependency``
    with run ids, and the function starts when they ended well. With `array` the function reads
    ``SLURM_ARRAY_TASK_ID``, and the result is a dict from task to value.

    Raises
    ------
    OptionError
        If an option is wrong, or could never be had there.

    Examples
    --------
    >>> job = jupyter_hpc.submit(pow, 2, 10, on="local")   # doctest: +SKIP
    >>> job.result()                                       # doctest: +SKIP
    1024
    """
    asked = {o.dest: kwargs.pop(o.dest) for o in CALL_OPTIONS if o.dest in kwargs}
    refuse_misspelt(function, kwargs)
    asked["dependency"] = _after(asked.get("dependency"))
    own = CellArguments(
        JobSpec(Resources.parse(**asked_of(Resources, asked)), **asked_of(JobSpec, asked)),
        **asked_of(CellArguments, asked),
    )
    request = replace(_call_request(function, args, kwargs), reads=own.reads, writes=own.writes)
    return submit_request(request, own.on or str(setting("default_target")), own.spec, reuse=own.reuse)


def _after(jobs: Any) -> Any:
    """Return a dependency as text, where jobs are given."""
    jobs = [jobs] if isinstance(jobs, Job) else jobs
    if isinstance(jobs, Sequence) and not isinstance(jobs, str) and all(isinstance(job, Job) for job in jobs):
        return ":".join(job.id for job in jobs) or None
    return jobs


def _call_request(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
    shared = sys.modules["__main__"].__dict__
    values = {FUNCTION: function, ARGS: args, KWARGS: kwargs}
    return Request(
        text=f"{getattr(function, '__qualname__', repr(function))}(…)",
        code="",
        names=None,
        namespace=ChainMap(values, shared),
        shared=shared,
        kind="call",
        inputs=tuple(values),
    )
