"""What a submission would be; nothing is submitted."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..backends.base import Backend, Submission, Submitted
from ..capture import payload as payloads
from ..capture.environment import requirements
from ..capture.environment.requirements import Requirements
from ..capture.payload import Payload
from ..capture.request import Request, output_names
from ..model.exceptions import HPCError, OptionError
from ..model.spec import JobSpec
from ..rundir.run import Run
from ..rundir.store import store
from ..runtime import portal
from ..targets.target import Target
from .checks import completed, travelling
from .frozen import frozen_paths


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


def preflight(request: Request, target_name: str, spec: JobSpec) -> Preflight:
    """Return what :func:`submit_request` would submit; buffers are measured, not written."""
    where, spec = completed(target_name, spec)
    request = travelling(request, spec)
    runs = store()
    with tempfile.TemporaryDirectory(prefix="jupyter_hpc-") as folder:
        run = Run(runs.runs_directory / "RUN")
        built = payloads.build(Path(folder), request, lambda *_: None, lambda m: frozen_paths(runs, m))
    submission = Submission(run, spec, runs.root / "worker", sys.executable)
    backend = where.make_backend()
    outputs = output_names(request)[0]
    scrubbed = tuple(backend.hidden(os.environ))
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
