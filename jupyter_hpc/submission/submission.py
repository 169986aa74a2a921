"""From a request to a job: build the payload, write the record, hand it to the backend."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from ..backends import build
from ..backends.base import Submission
from ..backends.registry import backend_class
from ..capture import payload as payloads
from ..capture import sent
from ..capture.environment import requirements
from ..capture.environment.beside import freeze
from ..capture.environment.modules import LocalModules
from ..capture.request import Request
from ..follow.following import follow, watcher_of
from ..jobs.job import Job
from ..lineage.record import inputs
from ..model.exceptions import CaptureError, OptionError
from ..model.spec import JobSpec, checked
from ..rundir.run import write_json
from ..rundir.store import Store, store
from ..rundir.tasks import parse_tasks, prepare
from ..runtime import portal, process
from ..targets.target import Target
from ..targets.targets import target
from .dependencies import resolved
from .handover import Say, hand_over
from .record import complete_record, new_record
from .reuse import reusable, reused_words

_logger = logging.getLogger(__name__)
_said: set[str] = set()  # notes on modules, each once


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
        record = new_record(run, request, where, spec, built, wanted)
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
    portal.start(complete_record(run, request, built))
    return job


def _check_request(target_name: str, spec: JobSpec) -> None:
    """Let the backend refuse what could never run; a scheduler that is slow to say so is asked by submitting."""

    async def check() -> None:
        await (await watcher_of(target_name)).backend.check_request(spec)

    try:
        portal.call(check(), 10)
    except TimeoutError:
        pass


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
    spec = checked(where.complete(spec))
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
