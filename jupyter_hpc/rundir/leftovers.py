"""What a killed process left half made: under a name that tells whose it is, and removed by whoever comes next.

Everything here is made beside its place and renamed into it, so what still has such a name, and whose process is gone,
is nobody's. Of a process on another host nothing is known: what it makes is done within a day.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ..runtime.process import identity_of, is_alive

HOUR_S, DAY_S = 3600.0, 86400.0
_OURS = re.compile(r"\..+\.by-(?P<host>[\w-]+)-(?P<process>\d+\.\d+)\.[0-9a-f]{6}")
# without host and process: made by a shell, or by an earlier version
_OTHERS = re.compile(r"\.[\w.-]+\.(?:draft|\d+\.[0-9a-f]{6}|[0-9a-f]{8})")
_GONE = re.compile(r"\.[\d-]+[0-9a-f]{6}\.gone")  # a run that is being removed


def temporary(path: Path) -> Path:
    """Return a name beside a path for what becomes that."""
    return path.with_name(f".{path.name}.by-{_host()}-{_own_identity(os.getpid())}.{secrets.token_hex(3)}")


@lru_cache(maxsize=1)
def _host() -> str:
    return re.sub(r"[^\w]", "-", socket.gethostname(), flags=re.ASCII)[:60] or "-"


@lru_cache(maxsize=2)
def _own_identity(pid: int) -> str:
    return identity_of(pid)


def left_in(folder: Path) -> Iterator[Path]:
    """Yield what is left in a folder by processes that are gone."""
    try:
        names = [name for name in os.listdir(folder) if name.startswith(".")]
    except OSError:
        return
    yield from (folder / name for name in names if _is_left(folder / name))


def _is_left(path: Path) -> bool:
    if _GONE.fullmatch(path.name):  # whoever removes it, too, doesn't mind
        return True
    ours = _OURS.fullmatch(path.name)
    if ours is not None and ours["host"] == _host():
        return not is_alive(ours["process"])
    if ours is None and not _OTHERS.fullmatch(path.name):
        return False
    with suppress(OSError):
        return time.time() - path.lstat().st_mtime > (DAY_S if ours is not None else HOUR_S)
    return False


def removed(paths: Iterable[Path]) -> int:
    """Remove files and folders, whoever else does, and return how many were there."""
    number = 0
    for path in paths:
        number += 1
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    return number
