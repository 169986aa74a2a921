"""From a request to a job: build the payload, write the record, hand it to the backend."""

from __future__ import annotations

import asyncio
import concurrent.futures
import getpass
import os
import shutil
import socket
import sys
import tempfile
import time
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import payload as payloads
from . import portal, process
from .backends import script
from .backends.base import Submission, Submitted
from .capture import environment, git
from .capture.modules import LocalModules, freeze
from .config import Target, setting, store, target
from .exceptions import CaptureError, OptionError
from .jobs import Job, JobSpec
from .payload import Payload, Request
from .resources import Resources
from .store import RECORD_FORMAT, Run, Store, write_json
from .watcher import follow, watcher_of
from .worker.digest import digest_bytes


@dataclass(frozen=True)
class Preflight:
    """What a submission would be; nothing was submitted."""

    target: Target
    spec: JobSpec
    payload: Payload
    submitted: Submitted
    outputs: tuple[str, ...]
    scrubbed: tuple[str, ...] = ()


def submit_request(request: Request, target_name: str, spec: JobSpec) -> Job:
    """Submit a cell or a call and return its job.

    Raises
    ------
    CaptureError, OptionError, TargetError, SubmissionError
        Each with a sentence; nothing is left behind then.
    """
    where, spec, request = _completed(request, target_name, spec)
    portal.call(_check_magics(request, spec), 30)
    runs = store()
    run = runs.create()
    try:
        built = payloads.build(run.payload, request, runs.place_buffer, lambda m: _freeze(runs, m))
        payloads.check_complete(built)
        write_json(run.path / "record.json", _record(run, request, where, spec, built))
        submission = Submission(run, spec, runs.worker_directory(), sys.executable)
        _submit_or_take_back(submission, where.name)
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    job = Job(run)
    follow(job)
    portal.start(_complete_record(run, request, runs))
    return job


def preflight(request: Request, target_name: str, spec: JobSpec) -> Preflight:
    """Return what :func:`submit_request` would submit; buffers are measured, not written."""
    where, spec, request = _completed(request, target_name, spec)
    runs = store()
    with tempfile.TemporaryDirectory(prefix="jupyter_hpc-") as folder:
        run = Run(runs.runs_directory / "RUN")
        built = payloads.build(Path(folder), request, lambda *_: None, lambda m: _paths(runs, m))
    submission = Submission(run, spec, runs.root / "worker", sys.executable)
    backend = where.make_backend()
    outputs = payloads.output_names(request)[0]
    scrubbed: tuple[str, ...] = ()
    if where.backend == "slurm":
        from .backends.slurm.command import scrubbed as names

        scrubbed = tuple(names(os.environ))
    return Preflight(where, spec, built, backend.preview(submission), tuple(outputs), scrubbed)


def _completed(request: Request, target_name: str, spec: JobSpec) -> tuple[Target, JobSpec, Request]:
    where = target(target_name)
    spec = script.checked(where.complete(spec))
    workdir = os.path.abspath(os.path.expanduser(spec.workdir)) if spec.workdir else os.getcwd()
    if spec.workdir and not os.path.isdir(workdir):
        raise OptionError(
            f"--workdir {spec.workdir[:200]!r} is not a folder here.",
            hint="Create it first, or leave the option out.",
        )
    return where, replace(spec, workdir=workdir), replace(request, workdir=workdir)


async def _check_magics(request: Request, spec: JobSpec) -> None:
    """Refuse magics before submission where the chosen interpreter, if it can be seen from here, has no IPython."""
    interpreter = spec.python or (os.path.join(spec.venv, "bin", "python") if spec.venv else None)
    if request.names is None or not request.names.ipython or interpreter is None:
        return
    code = "import sys, importlib.util; sys.exit(0 if importlib.util.find_spec('IPython') else 9)"
    try:
        done = await process.run([interpreter, "-c", code], timeout_s=20)
    except (process.CommandMissing, process.CommandTimeout, ValueError):
        return  # it may exist on the node only; there the cell itself says what is missing
    if done.status == 9:
        text, line = request.names.ipython[0]
        raise CaptureError(
            f"Line {line} of the cell, {text[:60]!r}, needs IPython, and {interpreter} has none.",
            hint="Install ipython there, choose another Python, or write it in plain Python. Nothing was submitted.",
        )


def _submit_or_take_back(submission: Submission, target_name: str) -> None:
    """Submit; at an interrupt wait for the answer that is under way, so that no job is left behind."""
    future = portal.start(_submit(submission, target_name))
    try:
        future.result()
    except KeyboardInterrupt:
        portal.call(_take_back(future, submission.run, target_name), 60)
        raise


async def _take_back(future: concurrent.futures.Future[None], run: Run, target_name: str) -> None:
    await asyncio.wait([asyncio.wrap_future(future)], timeout=30)
    native_id = run.record().get("native_id")
    if native_id:
        await (await watcher_of(target_name)).backend.cancel(str(native_id))


async def _submit(submission: Submission, target_name: str) -> None:
    backend = (await watcher_of(target_name)).backend
    submitted = await backend.submit(submission)
    submission.run.update(
        native_id=submitted.native_id,
        submitted_at=time.time(),
        command=list(submitted.command),
        notes=list(submitted.notes),
    )


def _paths(runs: Store, modules: LocalModules) -> list[str]:
    if not modules.files:
        return []
    return [str(runs.root / "modules" / modules.digest.partition(":")[2][:24])]


def _freeze(runs: Store, modules: LocalModules) -> list[str]:
    paths = _paths(runs, modules)
    for path in paths:
        runs.publish(Path(path), lambda folder: freeze(modules, folder))
    return paths


def _record(run: Run, request: Request, where: Target, spec: JobSpec, built: Payload) -> dict[str, Any]:
    """Return the lineage record as far as it is known before submission."""
    found = environment.snapshot()
    return {
        "format": RECORD_FORMAT,
        "id": run.id,
        "kind": request.kind,
        "created": time.time(),
        "name": spec.name,
        "target": {"name": where.name, "backend": where.backend},
        "spec": spec.to_record(),
        "code": {
            "text": request.text,
            "digest": digest_bytes(request.text.encode()),
            "label": request.label,
            "functions": {k: dict(v) for k, v in built.functions.items()},
            "modules": {
                "digest": built.modules.digest,
                "files": {k: str(v) for k, v in built.modules.files.items()},
            },
        },
        "inputs": [
            {"name": i.name, "type": i.type, "nbytes": i.nbytes, "digest": i.digest, "why": i.why, **i.detail}
            for i in built.items
        ],
        "environment": {"digest": found.digest},
        "notebook": dict(request.notebook),
        "user": getpass.getuser(),
        "host": socket.gethostname(),
        "state": "SUBMITTING",
    }


async def _complete_record(run: Run, request: Request, runs: Store) -> None:
    """What need not delay the submission: git's state and the environment's list of packages."""
    found = environment.snapshot()
    path = runs.root / "environments" / f"{found.digest.partition(':')[2][:24]}.json"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_json(path, found.record)
    try:
        state = await asyncio.wait_for(git.state(request.workdir or os.getcwd()), 30)
    except (asyncio.TimeoutError, TimeoutError, OSError):
        state = None
    if run.path.exists():
        write_json(run.path / "git.json", state)


def submit(
    function: Callable[..., Any],
    *args: Any,
    on: str | None = None,
    name: str | None = None,
    partition: str | None = None,
    account: str | None = None,
    qos: str | None = None,
    constraint: str | None = None,
    env: Mapping[str, str] | None = None,
    workdir: str | None = None,
    python: str | None = None,
    venv: str | None = None,
    conda: str | None = None,
    modules: tuple[str, ...] = (),
    nodes: int | None = None,
    tasks: int | None = None,
    tasks_per_node: int | None = None,
    cpus: int | None = None,
    memory: str | int | None = None,
    gpus: str | int | None = None,
    gpus_per_task: str | int | None = None,
    time: str | int | None = None,
    exclusive: bool = False,
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
    time : str or int
        As ``"30m"`` or ``"1:30:00"``; a number is minutes, as for sbatch.
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
        resources,
        name,
        partition,
        account,
        qos,
        constraint,
        workdir,
        python,
        venv,
        conda,
        tuple(modules),
        dict(env or {}),
    )
    return submit_request(_call_request(function, args, kwargs), on or str(setting("default_target")), spec)


def _call_request(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Request:
    shared = sys.modules["__main__"].__dict__
    values = {payloads.FUNCTION: function, payloads.ARGS: args, payloads.KWARGS: kwargs}
    return Request(
        text=f"{getattr(function, '__qualname__', repr(function))}(…)",
        code="",
        names=None,
        namespace=ChainMap(values, shared),
        shared=shared,
        kind="call",
        inputs=tuple(values),
    )
