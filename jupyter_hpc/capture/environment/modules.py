"""Local modules: the source files that the cell reaches and that no package installation gives the node.

A module is local if its file lies outside the standard library and site-packages: beside the notebook, in an
editable installation, in another folder of ``sys.path``. Whole packages travel, as they were when they were imported
(``witness.py``), with what the node needs to know to have them where they are here (``worker/local_modules.py``).
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from typing import Any

from . import beside, search_path, witness

SKIPPED = {"__pycache__", "node_modules", "build", "dist"}
MOST_WALKED = 5_000  # files of a folder that is a package only because it could be one
MOST_UNASKED = 200  # modules that no text names, of the folders that somebody put on the path
MOST_UNASKED_BYTES = 2 << 20
_BY_TEXT = re.compile(
    r"\b(?:import_module|__import__|import_string|import_object|loads?|load_\w+|Unpickler|read_pickle|exec|eval"
    r"|instantiate|get_class|get_object_from_path|entry_points|walk_packages|iter_modules|run_module|resolve_name)\b"
)


@dataclass(frozen=True)
class LocalModules:
    """Files that travel: path inside the payload → path here. ``digest`` is of their content.

    ``imports`` are the top-level modules that these files import. ``texts`` are sources that differ from the file:
    the module was edited after its import. ``table`` says what the node's finder needs, by module; ``data`` are files
    that are no package's, but are named by a module that looks beside itself; ``unasked`` are modules that only a name
    could ask for, and ``is_cut`` if there are too many of them; ``notes`` are what can't be as it is here.
    """

    files: dict[str, Path]
    digest: str
    nbytes: int
    imports: frozenset[str] = frozenset()
    table: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    is_cut: bool = False
    notes: tuple[str, ...] = ()

    def asked(self) -> dict[str, Path]:
        """Return the files without those of modules that nothing in the cell names: a run doesn't depend on these."""
        return {name: path for name, path in self.files.items() if _first(name) not in self.unasked}

    @property
    def asked_digest(self) -> str:
        """The digest of :meth:`asked`."""
        return beside.total({name: self.digests[name] for name in self.asked()})

    def sources(self) -> dict[str, dict[str, str]]:
        """Return the texts of edited modules as they were imported, by path, for tracebacks."""
        kept = ((str(self.files[name]), text.decode("utf-8", "replace")) for name, text in self.texts.items())
        return {path: {"label": path, "text": text} for path, text in kept}

    @property
    def top_level(self) -> list[str]:
        return sorted({name.partition(".")[0] for name in self.table})


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


def imports_by_text(code: str, names: Iterable[str]) -> bool:
    """Tell whether a cell, or what of the notebook's functions travels (by the names in it), may import by name."""
    return bool(_BY_TEXT.search(code)) or any(_BY_TEXT.fullmatch(name) for name in names)


def collect(names: Iterable[str], *, by_text: bool = False) -> LocalModules:
    """Return the local modules among ``names`` (dotted) and everything local that they import.

    Parameters
    ----------
    by_text : bool
        Modules may be imported that no code names, as by ``import_module`` or ``pickle.load``: what is loaded here, and
        what lies beside the notebook, travels too.
    """
    local = _Collection()
    local.add(names)
    imports = frozenset(local.imports)
    asked = set(local.table)
    local.add_unasked(_unasked(by_text))
    data = beside.files(local.files)
    for name, path in data.items():
        local.files.setdefault(name, path)
    digests, nbytes = beside.digests(local.files, local.texts)
    digest = beside.total(digests)
    unasked = tuple(sorted(set(local.table) - asked))
    return LocalModules(
        local.files,
        digest,
        nbytes,
        imports,
        local.table,
        local.texts,
        digests,
        tuple(sorted(data)),
        unasked,
        local.is_cut,
        tuple(dict.fromkeys(local.notes)),
    )


def _first(name: str) -> str:
    """Return the module that a frozen file is of."""
    return name.partition("/")[0].removesuffix(".py")


class _Collection:
    """What is found so far."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}
        self.texts: dict[str, bytes] = {}
        self.table: dict[str, dict[str, Any]] = {}
        self.imports: set[str] = set()
        self.notes: list[str] = []
        self.is_cut = False
        self._seen: set[str] = {"__main__", "jupyter_hpc", ""}

    def add(self, names: Iterable[str]) -> None:
        pending = set(names)
        while pending:
            name = pending.pop()
            top = name.partition(".")[0]
            for each in (top, name):  # a module may have a dotted name and no package
                if each in self._seen:
                    continue
                self._seen.add(each)
                if each != top and top in self.table:
                    continue
                for path in self._one(each):
                    pending |= _imports(str(path), path.stat().st_mtime_ns) - self._seen

    def _one(self, name: str) -> Iterator[Path]:
        """Take one module, and return its sources."""
        spec = _spec(name)
        if spec is None:
            return
        if spec.name != name and "." not in spec.name and spec.origin and is_local(spec.origin):
            self.table[name] = {"alias": spec.name}  # another name for a module, in sys.modules
            self._seen.add(spec.name)
            yield from self._one(spec.name)
            return
        files, entry = _files_of(name, spec)
        if not files:
            return
        self.table[name] = entry
        parent = name.rpartition(".")[0]
        if parent and _spec(parent) is None:
            self.table.setdefault(parent, {"folders": []})
        self.files.update(files)
        for kept, path in files.items():
            if path.suffix != ".py":
                continue
            source, why = witness.as_imported(str(path))
            if source is not None:
                self.texts[kept] = source
            if why:
                self.notes.append(f"{name} ({path}) {why}")
            if path.exists():
                self.imports |= _imports(str(path), path.stat().st_mtime_ns)
                yield path

    def add_unasked(self, names: Iterable[str]) -> None:
        """Take what may be asked for by name only, as far as that is little."""
        asked, nbytes = set(self.imports), 0
        for count, name in enumerate(names):
            if name in self.table or name in self._seen:
                continue
            spec = _spec(name)
            files = _files_of(name, spec)[0] if spec is not None else {}
            nbytes += sum(path.stat().st_size for path in files.values() if path.exists())
            if count >= MOST_UNASKED or nbytes > MOST_UNASKED_BYTES or len(files) > MOST_UNASKED:
                self.is_cut = True
                break
            self.add([name])
        self.imports = asked


def _unasked(by_text: bool) -> Iterator[str]:
    """Return the names of modules that no text names and that may be asked for; a cell that can't ask pays nothing."""
    if not by_text:
        return
    for name, module in list(sys.modules.items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if isinstance(origin, str) and origin.endswith(".py") and not witness.is_installed(origin):
            yield name
    folders = [*search_path.added(), os.getcwd()]
    for folder in folders:
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError:
            continue
        for entry in entries:
            stem, ending = os.path.splitext(entry.name)
            is_package = not ending and os.path.isfile(os.path.join(entry.path, "__init__.py"))
            if stem.isidentifier() and (ending == ".py" or is_package) and stem not in sys.stdlib_module_names:
                yield stem


def _spec(name: str) -> ModuleSpec | None:
    if name in sys.builtin_module_names or (name in sys.stdlib_module_names and name not in sys.modules):
        return None
    try:
        if "." in name:
            return getattr(sys.modules.get(name), "__spec__", None)
        return importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):  # a broken or half-made module in sys.modules
        return None


def _files_of(name: str, spec: ModuleSpec) -> tuple[dict[str, Path], dict[str, Any]]:
    """Return a module's files, and what the node's finder is told of it."""
    archive = getattr(spec.loader, "archive", None)
    if archive and os.path.isfile(archive) and is_local(archive):
        inside = str(getattr(spec.loader, "prefix", "")).rstrip(os.sep)
        kept = f"archives/{beside.short(archive)}/{os.path.basename(archive)}"
        return {kept: Path(os.path.abspath(archive))}, {"archive": os.path.join(kept, inside).rstrip("/")}
    if spec.submodule_search_locations:
        folders = [os.path.abspath(p) for p in spec.submodule_search_locations if os.path.isdir(p) and is_local(p)]
        whole = spec.origin is not None and spec.has_location
        files = {k: v for folder in folders for k, v in _package(name, Path(folder), whole).items()}
        entry: dict[str, Any] = {"folders": folders, "numbers": _numbers(folders)}
        if whole and f"{name}/__init__.py" in files:
            entry |= {"file": f"{name}/__init__.py", **_place(files[f"{name}/__init__.py"])}
        return files, entry
    if spec.origin and spec.has_location and is_local(spec.origin):
        path = Path(os.path.abspath(spec.origin))
        if not path.is_file():  # it was, when it was imported
            return ({f"{name}.py": path}, {"file": f"{name}.py"}) if witness.as_imported(str(path))[0] else ({}, {})
        kept = name + next((e for e in (*EXTENSION_SUFFIXES, ".pyc") if path.name.endswith(e)), ".py")
        return {kept: path}, {"file": kept, "numbers": _numbers([str(path.parent)]), **_place(path)}
    return {}, {}


def _numbers(folders: Iterable[str]) -> dict[str, int]:
    """Return the folders' numbers on the disk: by these a node knows that it sees the same ones."""
    return {folder: os.stat(folder).st_ino for folder in folders}


def _place(path: Path) -> dict[str, Any]:
    info = path.stat()
    return {"origin": str(path), "state": [info.st_size, info.st_mtime_ns]}


def _package(name: str, folder: Path, whole: bool) -> dict[str, Path]:
    found: dict[str, Path] = {}
    walked = 0
    for directory, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in SKIPPED and not f.startswith(".")]
        walked += len(names) + len(folders)
        if not whole and walked > MOST_WALKED:  # a folder with data
            break
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
