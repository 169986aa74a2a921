"""Local modules: the source files that the cell reaches and that no package installation gives the node.

A module is local if its file lies outside the standard library and site-packages: beside the notebook, in an
editable installation, in another folder of ``sys.path``. Whole packages travel, frozen by content.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..worker.digest import Hasher

SKIPPED = {"__pycache__", "node_modules", "build", "dist"}
LINKED_BYTES = 16 << 20  # larger data files are linked, not copied


@dataclass(frozen=True)
class LocalModules:
    """Files that travel: path inside the payload → path here. ``digest`` is of their content.

    ``imports`` are the top-level modules that these files import.
    """

    files: dict[str, Path]
    digest: str
    nbytes: int
    imports: frozenset[str] = frozenset()

    @property
    def top_level(self) -> list[str]:
        return sorted({name.split("/")[0].removesuffix(".py") for name in self.files})


@lru_cache(maxsize=1)
def _installed_roots() -> tuple[str, ...]:
    keys = ("stdlib", "platstdlib", "purelib", "platlib")
    roots = {os.path.realpath(sysconfig.get_path(k)) for k in keys}
    roots |= {os.path.realpath(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages")}
    return tuple(r + os.sep for r in roots)


def is_local(origin: str) -> bool:
    """Tell whether a module's file is the user's own rather than an installed one."""
    real = os.path.realpath(origin)
    return not real.startswith(_installed_roots()) and f"{os.sep}site-packages{os.sep}" not in real


def collect(names: Iterable[str]) -> LocalModules:
    """Return the local modules among ``names`` (dotted) and everything local that they import."""
    files: dict[str, Path] = {}
    pending = {n.partition(".")[0] for n in names}
    imports: set[str] = set()
    seen: set[str] = {"__main__", "jupyter_hpc", ""}
    while pending:
        name = pending.pop()
        if name in seen or name in sys.builtin_module_names or name in sys.stdlib_module_names:
            continue
        seen.add(name)
        found = _files_of(name)
        files.update(found)
        for path in found.values():
            if path.suffix == ".py":
                imports |= _imports(str(path), path.stat().st_mtime_ns)
        pending |= imports - seen
    return _digest(files, frozenset(imports))


def _files_of(name: str) -> dict[str, Path]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):  # a broken or half-made module in sys.modules
        return {}
    if spec is None:
        return {}
    if spec.submodule_search_locations:
        folders = [Path(p) for p in spec.submodule_search_locations if os.path.isdir(p) and is_local(p)]
        whole = spec.origin is not None and spec.has_location
        return {k: v for folder in folders for k, v in _package(name, folder, whole).items()}
    if spec.origin and spec.has_location and is_local(spec.origin) and os.path.isfile(spec.origin):
        path = Path(os.path.abspath(spec.origin))
        return {path.name: path}
    return {}


def _package(name: str, folder: Path, whole: bool) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for directory, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in SKIPPED and not f.startswith(".")]
        for each in names:
            path = Path(directory, each)
            if each.endswith((".pyc", ".pyo")) or each.startswith(".") or not path.is_file():
                continue
            if whole or each.endswith((".py", ".so")):
                found[f"{name}/{path.relative_to(folder).as_posix()}"] = path.absolute()
    return found


@lru_cache(maxsize=4096)
def _imports(path: str, mtime: int) -> frozenset[str]:
    try:
        tree = ast.parse(Path(path).read_bytes())
    except (SyntaxError, ValueError, OSError):
        return frozenset()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return frozenset(names)


def _digest(files: dict[str, Path], imports: frozenset[str]) -> LocalModules:
    hasher, nbytes = Hasher("sha256"), 0
    for name in sorted(files):
        size = files[name].stat().st_size
        nbytes += size
        hasher.update(f"{name}\0{size}\0".encode())
        hasher.update(str(files[name]).encode() if size > LINKED_BYTES else files[name].read_bytes())
    return LocalModules(files, hasher.tagged(), nbytes, imports)


def freeze(modules: LocalModules, folder: Path) -> None:
    """Copy the files into ``folder``; very large ones are linked."""
    for name, path in modules.files.items():
        target = folder / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_size > LINKED_BYTES:
            target.symlink_to(path)
        else:
            target.write_bytes(path.read_bytes())
