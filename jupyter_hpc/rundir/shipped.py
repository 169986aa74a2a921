"""What is shipped as the worker, and whether what lies in a root is that: it is run with all rights of its user.

Its sources are compared with this process's own. Bytecode can't be, since another Python may have made it, so it is
signed with the user's secret when it is compiled; what a node's Python added since is removed, and made there again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..model.exceptions import HPCError, NotOurs
from ..worker.digest import Hasher
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


@lru_cache(maxsize=1)
def worker_files() -> tuple[str, list[tuple[str, bytes]]]:
    """Return the digest, paths and contents of all that a worker needs: its own sources, and cloudpickle."""
    import importlib.util

    found = importlib.util.find_spec("cloudpickle")
    if found is None or found.origin is None:
        raise HPCError("cloudpickle is not installed here.", hint="pip install 'cloudpickle>=3.1,<4'")
    sources = {
        "jupyter_hpc_worker": Path(__file__).parents[1] / "worker",
        "cloudpickle": Path(found.origin).parent,
    }
    files = [
        (f"{name}/{path.name}", path.read_bytes())
        for name, folder in sources.items()
        for path in sorted(folder.glob("*.py"))
    ]
    hasher = Hasher("sha256")
    for name, data in files:
        hasher.update(f"{name}\0{len(data)}\0".encode() + data)
    return hasher.tagged().partition(":")[2][:16], files


def bytecode(name: str) -> str:
    """Return where this Python looks for the compiled form of a source file."""
    import importlib.util

    return importlib.util.cache_from_source(name)


def compile_for_this_python(folder: Path, names: list[str]) -> None:
    """Compile: a node may not write bytecode, and compiling takes longer than a small cell.

    The compiled form is signed (`sign_bytecode`), so it never needs to be checked against the source.
    ``main.py`` comes last: it tells that all the others are there.
    """
    import py_compile

    for name in sorted(names, key=lambda each: each.endswith("/main.py")):
        path = str(folder / name)
        try:
            py_compile.compile(
                path,
                bytecode(path),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (OSError, py_compile.PyCompileError):  # the sources will do
            continue


def _mac(path: str, data: bytes) -> str:
    return user_mac(b"bytecode", path.encode(), data)
