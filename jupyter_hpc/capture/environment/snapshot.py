"""A record of the kernel's environment, cheap enough for every submission."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...model.redaction import without_credentials
from ...worker.digest import digest_bytes
from ...worker.versions import normalized

_TOP_LEVEL = re.compile(rb"^([A-Za-z_][A-Za-z0-9_]*)(?:/|\.py,|\.[^/\n]*so,)", re.MULTILINE)


@dataclass(frozen=True)
class Environment:
    """Python, platform and packages; ``digest`` is that of ``text``, the same for equal environments."""

    record: dict[str, Any]
    digest: str
    text: bytes = b""


def snapshot() -> Environment:
    """Return the environment of this process, read again only when an installation changed."""
    return _read(_folders())


def distribution_of(module: str) -> str | None:
    """Return the distribution that brings a top-level module, as its metadata folder is spelled; None if in doubt."""
    packages = _read(_folders()).record["packages"]
    own = normalized(module)
    if own in packages:
        return own
    owners = _owners(_folders()).get(module, ())
    return owners[0] if len(owners) == 1 else None


def _folders() -> tuple[tuple[str, int], ...]:
    return tuple((p, _mtime(p)) for p in dict.fromkeys(sys.path) if p)


def _mtime(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=2)
def _read(folders: tuple[tuple[str, int], ...]) -> Environment:
    packages: dict[str, str] = {}
    direct: dict[str, Any] = {}
    for folder, mtime in folders:
        if not mtime or not os.path.isdir(folder):
            continue
        for entry in os.listdir(folder):
            name, _, version = entry.removesuffix(".dist-info").partition("-")
            name = normalized(name)
            if not entry.endswith(".dist-info") or not version or name in packages:
                continue
            packages[name] = version
            url = _direct_url(os.path.join(folder, entry))
            if url:
                direct[name] = url
    record = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "conda": os.environ.get("CONDA_PREFIX"),
        "loaded_modules": os.environ.get("LOADEDMODULES"),
        "packages": dict(sorted(packages.items())),
        "direct": direct,
    }
    return of_record(record)


def of_record(record: dict[str, Any]) -> Environment:
    text = json.dumps(record, sort_keys=True).encode()
    return Environment(record, digest_bytes(text), text)


@lru_cache(maxsize=2)
def _owners(folders: tuple[tuple[str, int], ...]) -> dict[str, tuple[str, ...]]:
    """Return the distributions that have each top-level module; read when one isn't named like its distribution."""
    found: dict[str, tuple[str, ...]] = {}
    for folder, mtime in folders:
        for entry in sorted(os.listdir(folder)) if mtime and os.path.isdir(folder) else ():
            if entry.endswith(".dist-info"):
                name = normalized(entry.partition("-")[0])
                for module in _top_levels(os.path.join(folder, entry)):
                    found[module] = (*found.get(module, ()), name)
    return found


def _top_levels(folder: str) -> set[str]:
    try:
        with open(os.path.join(folder, "RECORD"), "rb") as file:
            return {top.decode() for top in _TOP_LEVEL.findall(file.read())}
    except OSError:
        return set()


def _direct_url(folder: str) -> Any:
    """Return PEP 610's record of an installation from a folder, a file or a repository."""
    try:
        with open(os.path.join(folder, "direct_url.json"), encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return None
    if isinstance(record, dict) and isinstance(record.get("url"), str):
        record["url"] = without_credentials(record["url"])
    return record
