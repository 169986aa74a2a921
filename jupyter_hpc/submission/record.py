"""The record of a run as it is when it is submitted."""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import socket
import time
from typing import Any

from ..capture.environment.requirements import Requirements
from ..capture.environment.snapshot import snapshot
from ..capture.payload import Payload
from ..capture.request import Request
from ..lineage.record import inputs
from ..lineage.record.session import session
from ..lineage.record.sources import repositories
from ..model.exceptions import HPCError
from ..model.redaction import all_redacted, code_redacted
from ..model.spec import JobSpec
from ..rundir import blobs
from ..rundir.run import RECORD_FORMAT, Run
from ..targets.target import Target
from ..worker.digest import digest_bytes
from .reuse import reuse_key

_logger = logging.getLogger(__name__)


def new_record(
    run: Run, request: Request, where: Target, spec: JobSpec, built: Payload, wanted: Requirements | None
) -> dict[str, Any]:
    """Return the lineage record as far as it is known before submission."""
    recorded: dict[str, Any] = {"digest": snapshot().digest}
    origins = inputs.origins(built.items, request.namespace)
    if wanted is not None:
        recorded["requirements"] = wanted.to_record()
    record = {
        "format": RECORD_FORMAT,
        "id": run.id,
        "kind": request.kind,
        "created": time.time(),
        "name": spec.name,
        "target": {"name": where.name, "backend": where.backend},
        "spec": all_redacted(spec.to_record()),
        "asked": all_redacted(dict(request.asked)),
        "code": {
            "text": request.text,
            "digest": digest_bytes(request.text.encode("utf-8", "surrogatepass")),
            "label": request.label,
            "first_line": request.lines_above + 1,
            "functions": {k: {**v, "source": code_redacted(v["source"])} for k, v in built.functions.items()},
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
        "environment": recorded,
        "names": list(built.lines),
        "notebook": {**request.notebook, "session": session.id},
        "user": getpass.getuser(),
        "host": socket.gethostname(),
        "state": "SUBMITTING",
    }
    return {**record, "reuse_key": reuse_key(record, request, spec)}


async def complete_record(run: Run, request: Request, built: Payload) -> None:
    """What need not delay the submission: the environment's list of packages, and where the code comes from."""
    found = snapshot()
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
