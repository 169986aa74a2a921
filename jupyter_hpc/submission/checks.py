"""What can be refused before anything is submitted."""

from __future__ import annotations

import os
from dataclasses import replace

from ..capture.request import Request
from ..model.exceptions import CaptureError, OptionError
from ..model.spec import JobSpec, checked
from ..model.tasks import parse_tasks
from ..rundir.store import store
from ..runtime import portal, process
from ..targets.connection import connection_of
from ..targets.target import Target
from ..targets.targets import target
from .dependencies import resolved


def completed(target_name: str, spec: JobSpec) -> tuple[Target, JobSpec]:
    """Return the target, and the spec with its defaults, checked.

    Raises
    ------
    OptionError, TargetError
        Naming what is wrong.
    """
    where = target(target_name)
    spec = checked(where.complete(spec))
    where.kind.check_supported(spec)
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


def accepted(target_name: str, spec: JobSpec) -> tuple[Target, JobSpec]:
    """Return the same, unless the backend refuses what could never run there.

    A scheduler that is slow to say so is asked by submitting.
    """
    where, spec = completed(target_name, spec)

    async def check() -> None:
        await (await connection_of(where.name)).backend.check_request(spec)

    try:
        portal.call(check(), 10)
    except TimeoutError:
        pass
    return where, spec


def travelling(request: Request, spec: JobSpec) -> Request:
    """Return the request with what of the spec its payload depends on."""
    return replace(request, workdir=spec.workdir, variables=frozenset(spec.env), is_array=bool(spec.array))


async def check_magics(request: Request, spec: JobSpec) -> None:
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
