"""A record of the kernel's environment, cheap enough for every submission."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..worker.digest import digest_bytes


@dataclass(frozen=True)
class Environment:
    """Python, platform and packages; ``digest`` is the same for equal environments."""

    record: dict[str, Any]
    digest: str


def snapshot() -> Environment:
    """Return the environment of this process, read again only when an installation changed."""
    folders = tuple((p, _mtime(p)) for p in dict.fromkeys(sys.path) if p)
    return _read(folders)


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
    return Environment(record, digest_bytes(json.dumps(record, sort_keys=True).encode()))


def _direct_url(folder: str) -> Any:
    """Return PEP 610's record of an installation from a folder, a file or a repository."""
    try:
        with open(os.path.join(folder, "direct_url.json"), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None
