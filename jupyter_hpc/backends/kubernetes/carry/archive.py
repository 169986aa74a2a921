"""What a pod is sent: ``request.zip`` with the worker, what it is told, and what of the payload is small."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from ....capture.environment.requirements import is_program
from ....model.spec import JobSpec
from ....rundir.run import Run, write_json
from ....worker import depot
from ....worker.digest import digest_bytes, digest_file
from ....worker.signing import KEY
from ...build import FILES, LINK
from ..manifest import ROOT, default_image, environments, value

INLINE_BYTES = 512 << 10  # a Secret holds a MiB, the worker included


@dataclass(frozen=True)
class Archive:
    """The archive, and the files that are streamed into the pod instead of being in it."""

    data: bytes
    streamed: Mapping[str, Path] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        return len(self.data) + sum(path.stat().st_size for path in self.streamed.values())


def files(run: Run) -> dict[str, Path]:
    """Return all that travels: payload, frozen modules and lock, by their path in the pod's run directory."""
    found = {f"payload/{path.relative_to(run.payload)}": path for path in _walk(run.payload)}
    for folder in module_paths(run):
        found.update({f"modules/{folder.name}/{p.relative_to(folder)}": p for p in _walk(folder)})
    lock = ((name, run.path / LINK / name) for name in FILES)
    found.update({f"{LINK}/{name}": path for name, path in lock if path.exists()})
    return found


def uv_of(run: Run) -> Path | None:
    """Return the uv program that can be sent to a pod whose image has none."""
    found = (run.path / LINK / "uv").resolve()
    return found if found.is_file() and is_program(found) else None


def module_paths(run: Run) -> list[Path]:
    return [Path(path) for path in (run.sent().get("cell") or {}).get("module_paths", [])]


def _walk(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def build(run: Run, spec: JobSpec, worker: Path, settings: Mapping[str, Any]) -> Archive:
    """Return the archive for a run whose payload is written."""
    found = files(run)
    is_small = sum(path.stat().st_size for path in found.values()) <= INLINE_BYTES
    store = store_of(run, settings)
    stored = {}
    if store and not is_small:
        for name, path in found.items():
            depot.put(store, name, str(path))
            stored[name] = digest_file(str(path), "sha256")
    request: dict[str, Any] = {
        "inline": sorted(found) if is_small else [],
        "streamed": 0 if is_small or stored else len(found),
        "store": store,
        "stored": stored,
        "key": _key(run),  # with the request, in the Secret: an object store may have other readers
        "module_paths": [f"modules/{folder.name}" for folder in module_paths(run)],
        **_request(run, spec, settings),
    }
    buffer = io.BytesIO()
    buffer.write(_worker_archive(worker))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in request["inline"]:
            archive.writestr(name, found[name].read_bytes())
        archive.writestr("request.json", json.dumps(request))
    return Archive(buffer.getvalue(), {} if is_small or stored else found)


def _key(run: Run) -> str:
    """Return the key that the result is signed with; a preview has none."""
    path = run.path / KEY
    return path.read_bytes().hex() if path.exists() else ""


def store_of(run: Run, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return this run's place in the target's object store, if it has one."""
    url = value(settings, "store")
    if not url:
        return None
    return {"url": f"{str(url).rstrip('/')}/{run.id}", "options": dict(value(settings, "store_options"))}


def write_shared_request(run: Run, spec: JobSpec, settings: Mapping[str, Any]) -> None:
    """Tell the carrier, in the run directory that it shares with us, what else there is to know."""
    write_json(run.path / "request.json", _request(run, spec, settings))


def _request(run: Run, spec: JobSpec, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "env": dict(spec.env),
        "workdir": spec.workdir or ROOT,
        "limit": spec.resources.time or 0,
        "hold": float(value(settings, "result_hold")),
        "retries": int(spec.retries or 0),
        "environment": _environment(run, spec, settings) if (run.path / LINK).exists() else None,
    }


def _environment(run: Run, spec: JobSpec, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the environment is to be, beside others; each image has its own, as it has its own Python."""
    image = str(spec.image or value(settings, "image") or default_image())
    return {
        "folder": f"{environments(run, settings)}/{(run.path / LINK).resolve().name}",
        "kind": digest_bytes(image.encode()).partition(":")[2][:8],
        "own_python": spec.python is not None,
        "has_uv": uv_of(run) is not None,
    }


@lru_cache(maxsize=2)
def _worker_archive(worker: Path) -> bytes:
    """Return the worker and cloudpickle as a zip, with compiled forms for a Python of the kernel's version."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sorted(worker.glob("*/*.py")):
            archive.writestr(str(source.relative_to(worker)), source.read_bytes())
            compiled = Path(cache_from_source(str(source)))
            if compiled.exists():
                archive.writestr(str(source.relative_to(worker)) + "c", compiled.read_bytes())
    return buffer.getvalue()
