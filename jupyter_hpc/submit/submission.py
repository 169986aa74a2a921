"""From a request to a job: build the payload, write the record, hand it to the backend."""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import shutil
import socket
import sys
import tempfile
import time
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..backends import build, script
from ..backends.base import Backend, Submission, Submitted, backend_class
from ..capture import payload as payloads
from ..capture import sent
from ..capture.environment import requirements
from ..capture.environment import snapshot as environment
from ..capture.environment.beside import freeze
from ..capture.environment.modules import LocalModules
from ..capture.environment.requirements import Requirements
from ..capture.payload import Payload, Request
from ..follow.arrays import parse_tasks, prepare
from ..follow.watcher import follow, watcher_of
from ..jobs.job import Job, JobSpec
from ..lineage.record import inputs
from ..lineage.record.cells import session
from ..lineage.record.sources import repositories
from ..model.exceptions import CaptureError, HPCError, OptionError
from ..model.redaction import all_redacted
from ..model.resources import Resources
from ..runs import blobs
from ..runs.run import RECORD_FORMAT, Run, write_json
from ..runs.store import Store
from ..runtime import portal, process
from ..targets.target import Target, setting, store, target
from ..worker.digest import digest_bytes
from .dependencies import resolved
from .handover import Say, hand_over
from .reuse import reusable, reuse_key, reused_words

_logger = logging.getLogger(__name__)
_said: set[str] = set()  # notes on modules, each once


@dataclass(frozen=True)
class Preflight:
    """What a submission would be; nothing was submitted."""

    target: Target
    spec: JobSpec
    payload: Payload
    submitted: Submitted
    outputs: tuple[str, ...]
    scrubbed: tuple[str, ...] = ()
    requirements: Requirements | None = None
    expected: str = ""


def submit_request(
    request: Request, target_name: str, spec: JobSpec, say: Say | None = None, *, reuse: bool = False
) -> Job:
    """Submit a cell or a call and return its job.

    Parameters
    ----------
    say : callable, optional
        Gets a sentence when there is something to wait for, as when the scheduler doesn't answer.
    reuse : bool
        Return the job of the newest completed run with the same code, inputs and environment, if there is one.

    Raises
    ------
    CaptureError, OptionError, TargetError, SubmissionError
        Each with a sentence; nothing is left behind then.
    """
    where, spec, request = _completed(request, target_name, spec)
    portal.call(_check_magics(request, spec), 30)
    _check_request(where.name, spec)
    runs = store()
    run = runs.create()
    try:
        built = payloads.build(run.payload, request, runs.place_buffer, lambda m: _freeze(runs, m))
        payloads.check_complete(built)
        for note in built.modules.notes:
            if note not in _said:
                _said.add(note)
                (say or _logger.info)(f"! {note}.")
        wanted = requirements.read(spec.requirements) if spec.requirements else None
        if wanted is not None:
            requirements.check_complete(wanted, built.manifest["environment"]["packages"])
            build.prepare(runs, run, spec, wanted)
        record = _record(run, request, where, spec, built, wanted)
        earlier = reusable(runs, record["reuse_key"]) if reuse else None
        if earlier is not None:
            shutil.rmtree(run.path, ignore_errors=True)
            inputs.sent(built.items, request.namespace, runs)
            (say or _logger.info)(reused_words(earlier))
            return earlier
        if spec.array:
            record["array"] = prepare(run, spec.array)
        write_json(run.path / "record.json", record)
        submission = Submission(run, spec, runs.worker_directory(), sys.executable)
        hand_over(submission, where, say)
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)
        raise
    job = Job(run)
    sent.remember(run, built.sent)
    follow(job)
    inputs.sent(built.items, request.namespace, runs)
    portal.start(_complete_record(run, request, built))
    return job


def _check_request(target_name: str, spec: JobSpec) -> None:
    """Let the backend refuse what could never run; a scheduler that is slow to say so is asked by submitting."""

    async def check() -> None:
        await (await watcher_of(target_name)).backend.check_request(spec)

    try:
        portal.call(check(), 10)
    except TimeoutError:
        pass


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
        from ..backends.slurm.command import scrubbed as names

        scrubbed = tuple(names(os.environ))
    wanted = requirements.read(spec.requirements) if spec.requirements else None
    planned, expected = backend.preview(submission), _expected_start(backend, submission)
    return Preflight(where, spec, built, planned, tuple(outputs), scrubbed, wanted, expected)


def _expected_start(backend: Backend, submission: Submission) -> str:
    """Return when it would start, or why it would be refused; a dry run needs no scheduler."""

    async def ask() -> str:
        await backend.check_request(submission.spec)
        return await backend.expected_start(submission)

    try:
        return portal.call(ask(), 10)
    except OptionError as error:
        return f"It would be refused: {error.message} {error.hint}".rstrip()
    except (HPCError, TimeoutError):
        return ""


def _completed(request: Request, target_name: str, spec: JobSpec) -> tuple[Target, JobSpec, Request]:
    where, spec = completed(target_name, spec)
    own = frozenset(spec.env)
    return where, spec, replace(request, workdir=spec.workdir, variables=own, is_array=bool(spec.array))


def completed(target_name: str, spec: JobSpec) -> tuple[Target, JobSpec]:
    """Return the target, and the spec with its defaults, checked.

    Raises
    ------
    OptionError, TargetError
        Naming what is wrong.
    """
    where = target(target_name)
    spec = script.checked(where.complete(spec))
    backend_class(where.backend).check_supported(spec)
    if spec.array:
        spec = replace(spec, array=parse_tasks(spec.array).text)
    if spec.dependency:
        spec = replace(spec, dependency=resolved(spec.dependency, where.name, store()))
    workdir = os.path.abspath(os.path.expanduser(spec.workdir)) if spec.workdir else os.getcwd()
    if spec.workdir and not os.path.isdir(workdir):
        raise OptionError(
            f"--workdir {spec.workdir[:200]!r} is not a folder here.",
            hint="Create it first, or leave the option out.",
        )
    return where, replace(spec, workdir=workdir)


async def _check_magics(request: Request, spec: JobSpec) -> None:
    """Refuse magics before submission where the chosen interpreter, if it can be seen from here, has no IPython."""
    interpreter = spec.python or (os.path.join(spec.venv, "bin", "python") if spec.venv else None)
    if request.names is None or not request.names.ipython or interpreter is None:
        return
    code = (
        "import sys; sys.path[:] = filter(None, sys.path); "
        "import importlib.util; sys.exit(0 if importlib.util.find_spec('IPython') else 9)"
    )
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


def _paths(runs: Store, modules: LocalModules) -> list[str]:
    if not modules.files:
        return []
    return [str(runs.root / "modules" / modules.digest.partition(":")[2][:24])]


def _freeze(runs: Store, modules: LocalModules) -> list[str]:
    paths = _paths(runs, modules)
    for path in paths:
        runs.publish(
            Path(path),
            lambda folder: freeze(modules.files, modules.texts, modules.digests, folder, runs.keep),
        )
    return paths


def _record(
    run: Run, request: Request, where: Target, spec: JobSpec, built: Payload, wanted: Requirements | None
) -> dict[str, Any]:
    """Return the lineage record as far as it is known before submission."""
    found: dict[str, Any] = {"digest": environment.snapshot().digest}
    origins = inputs.origins(built.items, request.namespace)
    if wanted is not None:
        found["requirements"] = wanted.to_record()
    record = {
        "format": RECORD_FORMAT,
        "id": run.id,
        "kind": request.kind,
        "created": time.time(),
        "name": spec.name,
        "target": {"name": where.name, "backend": where.backend},
        "spec": all_redacted(spec.to_record()),
        "code": {
            "text": request.text,
            "digest": digest_bytes(request.text.encode()),
            "label": request.label,
            "functions": {k: dict(v) for k, v in built.functions.items()},
            "modules": {
                "digest": built.modules.asked_digest,
                "files": {k: str(v) for k, v in built.modules.asked().items()},
            },
        },
        "inputs": [
            {"name": i.name, "type": i.type, "nbytes": i.nbytes, "digest": i.digest, "why": i.why}
            | {**i.detail, **origins[i.name]}
            for i in built.items
        ],
        "environment": found,
        "names": list(built.lines),
        "notebook": {**request.notebook, "session": session.id},
        "user": getpass.getuser(),
        "host": socket.gethostname(),
        "state": "SUBMITTING",
    }
    return {**record, "reuse_key": reuse_key(record, request, spec)}


async def _complete_record(run: Run, request: Request, built: Payload) -> None:
    """What need not delay the submission: the environment's list of packages, and where the code comes from."""
    found = environment.snapshot()
    try:
        blobs.keep(run, found.text)
        folder, files = _notebook_folder(request), built.modules.files
        sources = repositories(run, folder, files, found.record["direct"])
        code = {**run.record()["code"], "sources": await asyncio.wait_for(sources, 60)}
        run.update(code=code)
    except (asyncio.TimeoutError, TimeoutError, OSError, HPCError) as error:
        if run.path.exists():
            _logger.warning("where the code of %s comes from could not be recorded: %s", run.id, error)


def _notebook_folder(request: Request) -> str:
    """Return the notebook's folder where the front end tells it, else the kernel's."""
    folder = os.path.dirname(str(request.notebook.get("path") or ""))
    return folder if os.path.isabs(folder) and os.path.isdir(folder) else os.getcwd()


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
