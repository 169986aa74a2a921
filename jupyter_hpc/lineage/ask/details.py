"""All that is shown of one run: code, commit, parameters, environment, job, node, times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.resources import Resources, format_time
from ...rundir import blobs
from ...rundir.run import Run
from ...rundir.store import Store
from ..index.activity import environment, outputs, packages, repositories
from .parameters import parameters

Details = dict[str, Any]


def details(store: Store, run: Run) -> Details | None:
    """Return what is recorded of a run; None if its record is gone or damaged."""
    record = run.record_or_none()
    if record is None:
        return None
    code, verdict = record["code"], record.get("verdict") or {}
    return {
        "id": run.id,
        "name": record.get("name") or "",
        "kind": record.get("kind") or "cell",
        "code": {
            "text": str(code.get("text") or ""),
            "label": str(code.get("label") or ""),
            "digest": code.get("digest"),
            "functions": dict(code.get("functions") or {}),
            "modules": sorted((code.get("modules") or {}).get("files") or {}),
        },
        "git": [git(store, found) for found in repositories(record)],
        "parameters": parameters(run, str(code.get("text") or "")),
        "environment": environment_of(store, record),
        "execution": _execution(record),
        "state": record.get("state"),
        "outcome": {key: verdict.get(key) for key in ("error", "cause", "message", "exit_code", "signal")},
        "notebook": record.get("notebook") or {},
        "user": record.get("user"),
        "inputs": list(record.get("inputs") or ()),
        "outputs": outputs(run, record),
        "files": list(record.get("files") or ()),
    }


def git(store: Store, found: Mapping[str, Any]) -> Details:
    """Return one repository's state, with the text of its uncommitted changes."""
    return {
        "of": list(found.get("of") or ()),
        "path": found.get("path"),
        "remote": found.get("remote"),
        "commit": found.get("commit"),
        "branch": found.get("branch"),
        "dirty": bool(found.get("dirty")),
        "diff": (blobs.read(store.root, found.get("diff")) or b"").decode("utf-8", "replace"),
        "untracked": list(found.get("untracked") or ()),
        "travelled": dict(found.get("travelled") or {}),
    }


def environment_of(store: Store, record: Mapping[str, Any]) -> Details:
    """Return where the run's Python came from, and its packages."""
    own = record.get("environment") or {}
    digest = own.get("worker") or own.get("digest")
    found = environment(store.root, digest)
    return {
        "digest": digest,
        "python": found.get("python"),
        "platform": found.get("platform"),
        "executable": own.get("executable") or found.get("executable"),
        "conda": found.get("conda"),
        "modules": found.get("loaded_modules"),
        "packages": packages(found),
        "drift": own.get("drift") or [],
    }


def _execution(record: Mapping[str, Any]) -> Details:
    extra = record.get("execution") or {}
    started, ended = record.get("started_at"), record.get("ended_at")
    resources = (record.get("spec") or {}).get("resources") or {}
    return {
        "target": record["target"]["name"],
        "backend": record["target"].get("backend"),
        "native_id": str(record.get("native_id") or ""),
        "node": record.get("node") or "",
        "host": record.get("host"),
        "gpus": extra.get("gpus") or [],
        "driver": extra.get("driver"),
        "image": _image(extra.get("image") or record.get("image")),
        "resources": resources,
        "resources_text": Resources.from_json(resources).describe() if resources else "",
        "submitted_at": record.get("submitted_at"),
        "started_at": started,
        "ended_at": ended,
        "seconds": ended - started if started and ended else None,
        "attempts": len(record.get("attempts") or ()) or 1,
    }


def _image(found: Any) -> dict[str, str] | None:
    """Return the container's name and what really ran; a Slurm node's container is known by its path alone."""
    if isinstance(found, dict):
        return {"name": str(found.get("name") or ""), "id": str(found.get("id") or "")}
    return {"name": str(found), "id": ""} if found else None


def where(found: Details) -> str:
    """Return in words where a run ran and how long."""
    run = found["execution"]
    native = run["native_id"].partition(".")[0]
    words = f"{run['target']} job {native}" if native else run["target"]
    if run["node"]:
        words += f" on {run['node']}"
    if run["gpus"]:
        words += f" with {', '.join(map(_gpu, run['gpus'][:4]))}"
    elif run["resources"].get("gpus"):
        words += f" with {run['resources']['gpus']} gpu"
    return f"{words} for {format_time(run['seconds'])}" if run["seconds"] is not None else words


def _gpu(found: Any) -> str:
    return str(found.get("name") or found.get("model") or "gpu") if isinstance(found, dict) else str(found)


def commit(found: Details) -> str:
    """Return a repository's state in words."""
    words = f"{found['branch'] or ''} {str(found['commit'] or '')[:10]}".strip() or "no commit yet"
    if found["of"] and found["of"] != ["notebook"]:
        words = f"{words} ({', '.join(found['of'])})"
    if not found["dirty"]:
        return words
    lines = [x for x in found["diff"].splitlines() if x[:1] in "+-" and x[:3] not in ("+++", "---")]
    return f"{words} with uncommitted changes" + (f" ({len(lines)} lines)" if lines else "")
