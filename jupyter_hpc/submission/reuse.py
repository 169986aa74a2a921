"""Runs that need not run again: the same code on the same inputs in the same environment.

Resources are no part of that, and neither is where it runs. What a cell reads beside its inputs is not seen, unless
``--reads`` names it; so reuse has to be asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from ..capture.request import Request
from ..model.declaration import changing_result, is_set
from ..model.redaction import is_secret
from ..model.spec import JobSpec
from ..model.states import JobState
from ..rundir.parts import parts_of
from ..rundir.run import Run
from ..rundir.store import Store
from ..worker.digest import digest_bytes
from ..worker.files import GENERATED

_SAME = "SELECT run_id FROM run WHERE reuse_key = ? AND state = ? ORDER BY created DESC"


def reuse_key(record: Mapping[str, Any], request: Request, spec: JobSpec) -> str:
    """Return the digest of all that a run's result should depend on.

    Parameters
    ----------
    record : mapping
        The run's record before submission.
    """
    code = record["code"]
    functions = {name: f["digest"] for name, f in code["functions"].items()}
    outputs = sorted(request.outputs) if request.outputs is not None else None
    parts = {
        "kind": record["kind"],
        "code": code["digest"],
        "functions": functions,
        "modules": code["modules"]["digest"],
        "inputs": {i["name"]: i["digest"] for i in record["inputs"] if i["name"] not in functions},
        "outputs": [] if request.no_outputs else outputs,
        "environment": record["environment"]["digest"],
        "requirements": record["environment"].get("requirements"),
        "chosen": {name: value for name in changing_result(JobSpec) if is_set(value := getattr(spec, name))},
        # values that are secrets identify somebody, and change no result
        "variables": {k: v for k, v in sorted(spec.env.items()) if not is_secret(k, v)},
        "reads": [_state(spec.workdir or "", path) for path in request.reads],
    }
    return digest_bytes(json.dumps(parts, sort_keys=True, default=str).encode("utf-8", "surrogatepass"))


def _state(folder: str, path: str) -> list[Any]:
    """Return path, size and time of a declared file as this machine sees it."""
    path = os.path.join(folder, os.path.expanduser(path))
    try:
        info = os.stat(path)
    except OSError:
        return [path]
    return [path, info.st_size, info.st_mtime_ns]


def reusable(runs: Store, key: str) -> Run | None:
    """Return the newest completed run with this key whose result is whole."""
    from ..lineage.index.index import Index

    for (run_id,) in Index(runs).query(_SAME, (key, JobState.COMPLETED.value)):
        run = runs.run(run_id)
        if run.record_or_none() and all(map(_is_whole, _results(run))):
            return run
    return None


def _results(run: Run) -> list[Run]:
    """Return the runs that have results: the parts, else the run itself."""
    return parts_of(run) or [run]


def _is_whole(run: Run) -> bool:
    """Whether the result is there, and the files that the cell said it wrote are as it left them."""
    written = (
        f
        for f in run.record().get("files") or ()
        if f.get("role") == GENERATED and f.get("digest") and not f.get("how")
    )
    return run.manifest() is not None and all(map(_is_as_left, written))


def _is_as_left(file: Mapping[str, Any]) -> bool:
    try:
        info = os.stat(file["path"])
    except OSError:
        return False
    if os.path.isdir(file["path"]):
        return True
    return bool(info.st_size == file["nbytes"] and abs(info.st_mtime - file["mtime"]) < 1e-3)


def reused_words(run: Run) -> str:
    """Say which run's result is taken."""
    record = run.record()
    name = f" ({record['name']})" if record.get("name") else ""
    return (
        f"Nothing was submitted: run {run.id}{name} had the same code, inputs and environment, and completed; "
        f"this is its result. Without --reuse the cell runs again."
    )
