"""Where this kernel's imports look: the user's folders in ``sys.path``, and what it took from the standard library."""

from __future__ import annotations

import os
import re
import site
import sys
from functools import lru_cache
from pathlib import Path

from .witness import is_installed

_STANDARD = os.path.dirname(os.__file__)
_ZIPPED = re.compile(r"python\d+\.zip$")
_OF_STANDARD = (None, "built-in", "frozen")


def describe(workdir: str | None = None) -> dict[str, list[str]]:
    """Return the entries of ``sys.path`` that are neither the standard library's nor site-packages, by their place.

    ``first`` stand before the standard library, ``middle`` before site-packages (IPython puts the notebook's folder
    there, as ``""``), ``last`` behind. With another working folder there, the kernel's comes behind ``""``.
    """
    found: dict[str, list[str]] = {"first": [], "middle": [], "last": []}
    place = "first"
    for entry in list(sys.path):
        if not isinstance(entry, str):
            continue
        if _is_standard(entry):
            place = "middle" if place == "first" else place
        elif is_installed(entry + os.sep):
            place = "last"
        elif entry == "" or os.path.exists(entry):
            found[place].append(os.path.abspath(entry) if entry else "")
            if not entry and workdir and workdir != os.getcwd():
                found[place].append(os.getcwd())
    return found


def _is_standard(entry: str) -> bool:
    return entry == _STANDARD or entry.endswith("lib-dynload") or bool(_ZIPPED.search(entry))


def added() -> list[str]:
    """Return the folders that somebody added to ``sys.path`` here: not the notebook's, not an installation's."""
    known = {"", os.getcwd(), *_of_installation(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    places = describe()
    entries = [*places["first"], *places["middle"], *places["last"]]
    return [e for e in dict.fromkeys(entries) if e not in known and os.path.isdir(e)]


@lru_cache(maxsize=1)
def _of_installation() -> frozenset[str]:
    """Return the folders that ``.pth`` files name: editable installations."""
    found: set[str] = set()
    for folder in [*site.getsitepackages(), site.getusersitepackages()]:
        for path in Path(folder).glob("*.pth") if os.path.isdir(folder) else ():
            try:
                lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
            found |= {os.path.join(folder, line.strip()) for line in lines if not line.startswith(("#", "import"))}
    return frozenset(found)


def standard_names() -> list[str]:
    """Return the modules that this kernel has from the standard library, whatever lies beside the notebook since."""
    found = []
    for name in sys.stdlib_module_names:
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if spec is None or name in sys.builtin_module_names:
            continue
        if spec.origin in _OF_STANDARD or is_installed(str(spec.origin)):
            found.append(name)
    return sorted(found)
