"""Whether the worker that lies in a root is the one that was shipped: it is run with all rights of its user.

Its sources are compared with this process's own. Bytecode can't be, since another Python may have made it, so it is
signed with the user's secret when it is compiled; what a node's Python added since is removed, and made there again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..model.exceptions import NotOurs
from .opened import Folder, open_below
from .run import read_json, write_json
from .secret import user_mac

_CACHE = "__pycache__"
_SIGNATURES = "bytecode."  # and a process's name for its Python's bytecode: each signs its own
_seen: set[tuple[str, int, int]] = set()  # folders that this process looked through


def is_whole(root: Path, target: Path, files: Mapping[str, bytes]) -> bool | None:
    """Whether a worker's folder has what it should and nothing else; None if it isn't there.

    Parameters
    ----------
    files : mapping
        Content by path, of all sources.
    """
    try:
        with open_below(root, target.relative_to(root).parts) as folder:
            info = os.fstat(folder.descriptor)
            state = (str(target), info.st_ino, info.st_mtime_ns)
            if state in _seen:
                return True
            if not _is_whole(folder, target, files):
                return False
            _seen.add(state)
            return True
    except FileNotFoundError:
        return None
    except NotOurs:
        return False


def _is_whole(folder: Folder, target: Path, files: Mapping[str, bytes]) -> bool:
    signed = _signed(folder, target)
    sources: dict[str, bytes] = {}
    for path, inside, name in folder.files():
        if path.startswith(_SIGNATURES) and path.count("/") == 0:
            continue
        if _CACHE not in path.split("/"):
            with inside.file(name) as file:
                sources[path] = file.read()
            continue
        with suppress(FileNotFoundError):  # another process compiles, or looks through, too
            with inside.file(name) as file:
                is_signed = signed.get(path) == _mac(path, file.read())
            if not is_signed:
                os.unlink(name, dir_fd=inside.descriptor)
    return sources == dict(files)


def _signed(folder: Folder, target: Path) -> dict[str, Any]:
    """Return the signatures of bytecode, by path; they need no protection, as nobody else can make one."""
    found: dict[str, Any] = {}
    for name in folder.names():
        if name.startswith(_SIGNATURES):
            record = read_json(target / name)
            found.update(record if isinstance(record, dict) else {})
    return found


def sign_bytecode(root: Path, target: Path) -> None:
    """Sign the bytecode that this process has compiled; where there is no room for that, the sources will do."""
    tag = str(sys.implementation.cache_tag)
    signatures = {}
    with open_below(root, target.relative_to(root).parts) as folder:
        for path, inside, name in folder.files():
            is_compiled = f".{tag}." in name and name.endswith(".pyc")  # else another process is writing it
            if is_compiled and _CACHE in path.split("/"):
                with suppress(FileNotFoundError), inside.file(name) as file:
                    signatures[path] = _mac(path, file.read())
    with suppress(OSError):
        write_json(target / f"{_SIGNATURES}{tag}", signatures)


def _mac(path: str, data: bytes) -> str:
    return user_mac(b"bytecode", path.encode(), data)
