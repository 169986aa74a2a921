"""``submit(function, …)``."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..capture.request import ARGS, FUNCTION, KWARGS, Request
from ..follow.following import follow
from ..model.resources import Resources
from ..model.spec import JobSpec
from ..rundir.run import Run
from ..runtime.settings import setting
from ..submission import rerun as reruns
from ..submission import resubmit as resubmits
from ..submission import send
from ..submission.handover import Say
from .job import Job


def submitted(run: Run) -> Job:
    """Follow a run from now on, and return its job."""
    follow(run)
    return Job(run)


def submit_request(
    request: Request, target: str, spec: JobSpec, say: Say | None = None, *, reuse: bool = False
) -> Job:
    """Submit a cell or a call and return its job; see `submission.send.submit_request`."""
    return submitted(send.submit_request(request, target, spec, say, reuse=reuse))


def resubmit(job: Job, **changes: Any) -> Job:
    """Submit a job's payload again and return the new job; see `submission.resubmit.resubmit`."""
    return submitted(resubmits.resubmit(job.run, **changes))


def rerun(job: Job, **changes: Any) -> Job:
    """Submit a job again, exactly or with other parameters, and return the new job; see `submission.rerun.rerun`."""
    return submitted(reruns.rerun(job.run, **changes))


def submit(
    function: Callable[..., Any],
    *args: Any,
    on: str | None = None,
    name: str | None = None,
    partition: str | None = None,
    account: str | None = None,
    qos: str | None = None,
    constraint: str | None = None,
    array: str | None = None,
    dependency: str | Job | Sequence[Job] | None = None,
    requeue: bool = False,
    signal: str | None = None,
    env: Mapping[str, str] | None = None,
    workdir: str | None = None,
    python: str | None = None,
    venv: str | None = None,
    conda: str | None = None,
    modules: tuple[str, ...] = (),
    requirements: str | None = None,
    nodes: int | None = None,
    tasks: int | None = None,
    tasks_per_node: int | None = None,
    cpus: int | None = None,
    memory: str | int | None = None,
    gpus: str | int | None = None,
    gpus_per_task: str | int | None = None,
    time: str | int | None = None,
    exclusive: bool = False,
    reads: Sequence[str] = (),
    writes: Sequence[str] = (),
    reuse: bool = False,
    **kwargs: Any,
) -> Job:
    """Run ``function(*args, **kwargs)`` on a target and return its :class:`Job`.

    Parameters
    ----------
    function : callable
        A plain or async function; what it reaches travels with it.
    on : str, optional
        The target; the configured default if left out.
    memory : str or int
        Per node, as ``"4G"``; a number is MiB, as for sbatch.
    requirements : str, optional
        ``"auto"`` for an environment of the kernel's own packages, or a requirements.txt or pylock.toml.
    time : str or int
        As ``"30m"`` or ``"1:30:00"``; a number is minutes, as for sbatch.
    array : str, optional
        Tasks as for ``sbatch --array``, such as ``"1-6%3"``; the function reads ``SLURM_ARRAY_TASK_ID``, and the
        result is a dict from task to value.
    dependency : str, Job or sequence of Job, optional
        Start after these jobs ended well; a string is as for ``sbatch --dependency``, with run ids.
    reads, writes : sequence of str
        Files or folders that the function reads and writes; the record has their digests.
    reuse : bool
        Take the result of the newest completed run with the same code, inputs and environment, if there is one.
    **kwargs
        Go to the function. One that is named like an option here must be bound with ``functools.partial``.

    Examples
    --------
    >>> job = jupyter_hpc.submit(pow, 2, 10, on="local")   # doctest: +SKIP
    >>> job.result()                                       # doctest: +SKIP
    1024
    """
    resources = Resources.parse(
        nodes=nodes, tasks=tasks, tasks_per_node=tasks_per_node, cpus=cpus, memory=memory, gpus=gpus,
        gpus_per_task=gpus_per_task, time=time, exclusive=exclusive,
    )  # fmt: skip
    spec = JobSpec(
        resources=resources, name=name, partition=partition, account=account, qos=qos, constraint=constraint,
        array=array, dependency=_after(dependency), requeue=requeue, signal=signal, workdir=workdir,
        python=python, venv=venv, conda=conda, modules=tuple(modules), env=dict(env or {}),
        requirements=requirements,
    )  # fmt: skip
    request = replace(_call_request(function, args, kwargs), reads=tuple(reads), writes=tuple(writes))
    return submit_request(request, on or str(setting("default_target")), spec, reuse=reuse)


def _after(jobs: str | Job | Sequence[Job] | None) -> str | None:
    if jobs is None or isinstance(jobs, str):
        return jobs
    return ":".join(job.id for job in ([jobs] if isinstance(jobs, Job) else jobs))


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
