"""What this kernel's imports found: a local module's source as it was when it was imported.

A module that was edited since is in the kernel what it was before, and travels as that. The same finder lets this
package find what it needs itself (cloudpickle, blake3, …) where it is installed, whatever file of that name lies beside
the notebook: the kernel's ``sys.path`` has the notebook's folder before site-packages.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

OURS = frozenset({"cloudpickle", "blake3", "xxhash", "inotify_simple", "kubernetes", "ipywidgets"})
LOADED_S = 0.05  # how long looking at what was loaded before may take
MOST_BYTES = 1 << 20  # a longer source is not kept
MOST_BYTES_IN_ALL = 64 << 20
_INSTALLED = ("site-packages", "dist-packages")
_STANDARD = os.path.dirname(os.__file__) + os.sep


class _Seen:
    """A source file as it was when a module was imported from it."""

    __slots__ = ("name", "source", "state")

    def __init__(self, name: str, state: tuple[int, int], source: bytes | None) -> None:
        self.name = name
        self.state = state
        self.source = source


class Witness:
    """A finder in front of Python's own for paths: finds what that finds, and remembers it."""

    def __init__(self) -> None:
        self.seen: dict[str, _Seen] = {}
        self._kept = 0

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None and (name in OURS or name in sys.stdlib_module_names) and _is_for_us():
            return PathFinder.find_spec(name, [p for p in sys.path if is_installed(p + os.sep)], target)
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.has_location and spec.origin:
            try:
                self.note(name, spec.origin)
            except OSError:  # whoever imports it hears of that
                pass
        return spec

    def note(self, name: str, origin: str) -> None:
        """Remember a local source file as it is now."""
        if not origin.endswith(".py") or is_installed(origin):
            return
        origin = os.path.abspath(origin)
        state = _state(origin)
        earlier = self.seen.get(origin)
        if earlier is not None and earlier.source is not None:
            self._kept -= len(earlier.source)
        source = None
        if state[0] <= min(MOST_BYTES, MOST_BYTES_IN_ALL - self._kept):
            with open(origin, "rb") as file:
                source = file.read()
            self._kept += len(source)
        self.seen[origin] = _Seen(name, state, source)


def is_installed(path: str) -> bool:
    """Tell, without asking the disk, whether a path is the standard library's or in site-packages."""
    return any(f"{os.sep}{part}{os.sep}" in path for part in _INSTALLED) or path.startswith(_STANDARD)


def _is_for_us() -> bool:
    """Whether this package's own code, or one that it imports for itself, is what imports, also by way of others."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if name == "jupyter_hpc" or name in OURS:
            return True
        if name not in sys.stdlib_module_names:
            return False
        frame = frame.f_back
    return False


def _state(path: str) -> tuple[int, int]:
    info = os.stat(path)
    return info.st_size, info.st_mtime_ns


_witness: Witness | None = None


def install() -> None:
    """Begin to remember; what was imported before counts as it is now, unless its bytecode says otherwise."""
    global _witness
    if _witness is not None and _witness in sys.meta_path:
        return
    _witness = _witness or Witness()
    finders: list[Any] = sys.meta_path
    finders.insert(finders.index(PathFinder) if PathFinder in finders else len(finders), _witness)


def uninstall() -> None:
    """Look on no more; what was seen is kept."""
    if _witness is not None and _witness in sys.meta_path:
        sys.meta_path.remove(_witness)


def note_loaded() -> None:
    """Remember the local modules that were imported before anybody looked."""
    if _witness is None:
        return
    deadline = time.monotonic() + LOADED_S
    for name, module in list(sys.modules.items()):
        if time.monotonic() > deadline:
            return
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if not isinstance(origin, str) or not origin.endswith(".py") or is_installed(origin):
            continue
        if name.partition(".")[0] == "jupyter_hpc" or os.path.abspath(origin) in _witness.seen:
            continue
        try:
            if not _bytecode_differs(module, origin):
                _witness.note(name, origin)
        except OSError:
            continue


def as_imported(path: str) -> tuple[bytes | None, str]:
    """Return the source that a loaded module was made from where the file is another now; else None.

    The words are for the user: what travels, and that it isn't what the file says.
    """
    seen = _witness.seen.get(path) if _witness is not None else None
    if seen is None:
        module = _loaded_from(path)
        if module is not None and _bytecode_differs(module, path):
            return None, "was edited after it was imported here; it travels as it is now"
        return None, ""
    loaded = getattr(sys.modules.get(seen.name), "__spec__", None)
    if loaded is None or os.path.abspath(str(loaded.origin)) != path:
        return None, ""
    if not os.path.exists(path):
        return seen.source, "is not there any more, and travels as it was when it was imported here"
    if seen.state == _state(path):
        return None, ""
    if seen.source is None:
        return (
            None,
            "was edited after it was imported here, and is too long to be kept; it travels as it is now",
        )
    return (
        seen.source,
        "was edited after it was imported here, and travels as it was then; importlib.reload takes the edit",
    )


def _loaded_from(path: str) -> ModuleType | None:
    """Return the module that was imported from a file, if that is sure from its name."""
    for name in (os.path.basename(path)[:-3], os.path.basename(os.path.dirname(path))):
        module = sys.modules.get(name)
        if os.path.abspath(str(getattr(module, "__file__", ""))) == path:
            return module
    return None


def _bytecode_differs(module: ModuleType, path: str) -> bool:
    """Whether the bytecode that the import left is of another state of the file."""
    cached = getattr(module, "__cached__", None)
    if not cached:
        return False
    try:
        with open(cached, "rb") as file:
            header = file.read(16)
        info = os.stat(path)
    except OSError:
        return False
    if len(header) < 16 or header[4:8] != bytes(4):  # by content, not by time
        return False
    mtime, size = (int.from_bytes(header[i : i + 4], "little") for i in (8, 12))
    return (mtime, size) != (int(info.st_mtime) & 0xFFFFFFFF, info.st_size & 0xFFFFFFFF)
