"""Imports as the kernel has them: the order of its search path, its standard library, its modules where they were.

A local module's source is the frozen one, so that an edit while a job waits changes nothing; but where this node sees
the folder it came from, the module says that it is there (``__file__``, ``__path__``), and finds its data beside it.
"""

from __future__ import annotations

import _frozen_importlib_external as external  # what importlib.machinery is made of, loaded in any case
import _imp
import os
import sys
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

_STANDARD = os.path.dirname(os.__file__)


def install(cell: Dict[str, Any], is_written: Callable[[str], bool]) -> Modules:
    """Arrange ``sys.path`` and the finders.

    Parameters
    ----------
    is_written : callable
        Tells whether this process has written the file at a path: then that counts, as it would in the kernel.
    """
    worker, frozen = sys.path[0], cell["module_paths"]
    standard = [p for p in sys.path if _is_standard(p)]
    for name in ("jupyter_hpc_worker", "cloudpickle"):
        if name not in sys.modules:
            cell["standard"].append(name)
    _arrange(cell["search_paths"], frozen)
    finder = Modules(cell["modules"], frozen[0] if frozen else "", is_written)
    finder.fixed = dict.fromkeys(cell["standard"], standard)
    finder.fixed["cloudpickle"] = [worker]
    place = [getattr(f, "__name__", "") for f in sys.meta_path].index("PathFinder")
    sys.meta_path.insert(place, finder)
    return finder


def _is_standard(path: str) -> bool:
    return path == _STANDARD or path.endswith("lib-dynload") or (path.endswith(".zip") and "/python" in path)


def _arrange(places: Dict[str, List[str]], frozen: List[str]) -> None:
    """Put the kernel's own entries of ``sys.path`` where they are there; the frozen copies help other processes."""
    own, gone = sys.path, set(places["first"] + places["middle"] + places["last"])
    rest = [p for p in own if p not in gone]
    first = next((i for i, p in enumerate(rest) if _is_standard(p)), 1)
    site = next((i for i, p in enumerate(rest) if p.endswith("-packages")), len(rest))
    seen = {name: [p for p in paths if not p or os.path.exists(p)] for name, paths in places.items()}
    sys.path[:] = [
        *rest[:first],
        *seen["first"],
        *rest[first:site],
        *seen["middle"],
        *frozen,
        *rest[site:],
        *seen["last"],
    ]


class Modules:
    """A finder of the modules that travelled.

    Parameters
    ----------
    table : dict
        Of each top-level module: the frozen ``file``, its ``origin`` in the kernel, a package's ``folders``.
    frozen : str
        The folder with the frozen files.
    is_written : callable
        As for :func:`install`.
    """

    def __init__(self, table: Dict[str, Any], frozen: str, is_written: Callable[[str], bool]) -> None:
        self.table = table
        self.frozen = frozen
        self.fixed: Dict[str, List[str]] = {}
        self._is_written = is_written
        self._held: Dict[str, bool] = {}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if path is None and name in self.fixed:
            return external.PathFinder.find_spec(name, self.fixed[name])
        entry = self.table.get(name)
        if entry is None:
            top = self.table.get(name.partition(".")[0])
            return self._below(name, top, target) if top is not None and "folders" in top else None
        if "alias" in entry:
            loader: Any = _Alias(entry["alias"])
            return ModuleSpec(name, loader)
        if "archive" in entry:
            return external.PathFinder.find_spec(name, [os.path.join(self.frozen, entry["archive"])])
        if "file" not in entry:
            return self._namespace(name, entry)
        kept, origin = os.path.join(self.frozen, entry["file"]), entry.get("origin")
        if origin is None or not self._holds(name):
            return _spec(name, kept, kept)
        if self._is_live(origin, target):
            return None
        return _spec(name, kept, origin)

    def _below(self, name: str, top: Any, target: Any) -> Any:
        """Find a module inside a package."""
        first, _, rest = name.partition(".")
        rest = rest.replace(".", os.sep)
        for ending in (os.sep + "__init__.py", ".py", *_imp.extension_suffixes()):
            kept = os.path.join(self.frozen, first, rest + ending)
            if not os.path.isfile(kept):
                continue
            for folder in top["folders"] if self._holds(first) else ():
                origin = os.path.join(folder, rest + ending)
                if os.path.exists(origin):
                    return None if self._is_live(origin, target) else _spec(name, kept, origin)
            return _spec(name, kept, kept)
        return None  # made since, or data: where the package says that it is

    def _namespace(self, name: str, entry: Any) -> Any:
        spec = ModuleSpec(name, None, is_package=True)
        folders = list(entry["folders"]) if self._holds(name) else []
        kept = os.path.join(self.frozen, name)
        if not folders and os.path.isdir(kept):
            folders.append(kept)
        usual = external.PathFinder.find_spec(name, None)
        for folder in (usual.submodule_search_locations or ()) if usual is not None else ():
            if folder not in folders and folder != kept:
                folders.append(folder)
        spec.submodule_search_locations = folders
        return spec

    def _is_live(self, origin: str, target: Any) -> bool:
        """Whether the file itself counts: for a reload, and if the cell wrote it."""
        return target is not None or self._is_written(origin)

    def _holds(self, name: str) -> bool:
        """Whether this node sees the very folder that the module was in."""
        if name not in self._held:
            self._held[name] = _is_same(self.table[name])
        return self._held[name]

    def lost(self, error: Any) -> str:
        """Say why a file isn't there if a module looked for it beside itself; else nothing."""
        path, left = "", 20
        while error is not None and left and not path:
            found = error.filename if isinstance(error, FileNotFoundError) else None
            if self.frozen and isinstance(found, str) and found.startswith(os.path.dirname(self.frozen) + os.sep):
                path = found
            error, left = error.__cause__ or error.__context__, left - 1
        if not path:
            return ""
        gone = sorted(name for name in self.table if not self._held.get(name, True))
        where = {os.path.dirname(str(self.table[name].get("origin") or "")) for name in gone} - {""}
        if not where:
            return ""
        return (
            f"jupyter_hpc: {path} is beside a copy of {', '.join(gone)}: {os.uname().nodename} doesn't see "
            f"{', '.join(sorted(where))}, and only small files that the source names travel with a module.\n"
        )


def _is_same(entry: Any) -> bool:
    """Compare the folder, by its number on the disk, else the file, with what the kernel saw."""
    try:
        for folder, number in entry.get("numbers", {}).items():
            if os.stat(folder).st_ino != number:
                raise FileNotFoundError
        return entry.get("origin") is None or os.path.exists(entry["origin"])
    except OSError:
        pass
    try:
        info = os.stat(entry["origin"])
    except (OSError, KeyError, TypeError):
        return False
    return [info.st_size, info.st_mtime_ns] == entry.get("state")


def _spec(name: str, kept: str, origin: str) -> Any:
    """Return how a frozen file is loaded as the module of a path."""
    inside = [os.path.dirname(origin)] if os.path.basename(kept) == "__init__.py" else None
    loader: Any
    if kept.endswith(".py"):
        loader = external.SourceFileLoader(name, kept) if kept == origin else _Frozen(name, origin, kept)
    elif kept.endswith(".pyc"):
        loader = external.SourcelessFileLoader(name, kept)
    else:
        loader = external.ExtensionFileLoader(name, origin)
    return external.spec_from_file_location(name, origin, loader=loader, submodule_search_locations=inside)


class _Alias:
    """Gives a module that has another name of its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: Any = None

    def create_module(self, spec: Any) -> Any:
        module = sys.modules.get(self._name) or __import__(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: Any) -> None:
        module.__spec__ = self._spec


class _Frozen(external.SourceFileLoader):
    """Loads a source file's frozen copy, with its bytecode, under the file's own path."""

    def __init__(self, name: str, origin: str, kept: str) -> None:
        super().__init__(name, origin)
        self._kept = kept

    def _instead(self, path: str) -> str:
        if path == self.path:
            return self._kept
        return external.cache_from_source(self._kept) if path == external.cache_from_source(self.path) else path

    def path_stats(self, path: str) -> Any:
        return super().path_stats(self._instead(path))

    def get_data(self, path: str) -> bytes:
        data: bytes = super().get_data(self._instead(path))
        return data

    def set_data(self, path: str, data: Any, **options: Any) -> None:
        super().set_data(self._instead(path), data, **options)
