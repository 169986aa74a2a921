"""Which installed packages a cell depends on, and how much: what the node is asked about before the cell runs."""

from __future__ import annotations

import ast
import dis
import importlib.util
import sys
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ...worker.versions import ARRAYS, IMPORTED, LOADED, MENTIONED
from ..reach import codes
from .snapshot import distribution_of

_OURS = {
    "",
    "__main__",
    "jupyter_hpc",
    "jupyter_hpc_worker",
    "cloudpickle",
}  # these travel, or are the worker's

_ARRAYS = ("numpy._core", "numpy.core")  # what rebuilds an array


def needs(
    code: str, mentioned: Iterable[str], loaded: Collection[str], values: Iterable[Any], local: Iterable[str]
) -> dict[str, str]:
    """Return the top-level modules that come from installed packages, each with how it is needed.

    Parameters
    ----------
    code : str
        The cell, as Python.
    mentioned : iterable of str
        Modules that the cell or a local module may import.
    loaded : collection of str
        Modules that the payload's pickle names: it can't be loaded without them.
    values : iterable
        What travels; functions among it are searched for imports of their own.
    local : iterable of str
        Top-level modules that travel as source.
    """
    found: dict[str, str] = dict.fromkeys(_tops(mentioned), MENTIONED)
    found.update(dict.fromkeys(_tops(_within(values)), MENTIONED))
    found.update(dict.fromkeys(_tops(leading_imports(code)), IMPORTED))
    found.update(dict.fromkeys(_tops(loaded), LOADED))
    if any(module.startswith(_ARRAYS) for module in loaded):
        found["numpy"] = ARRAYS
    skipped = {*_OURS, *local}
    known = sys.stdlib_module_names
    return {name: found[name] for name in sorted(found) if name not in skipped and name not in known}


def _tops(modules: Iterable[str]) -> Iterator[str]:
    return (m.partition(".")[0] for m in modules)


def leading_imports(code: str) -> list[str]:
    """Return what the cell imports before it does anything else: without these it is certain to fail.

    What comes later may be guarded, or made possible by what comes before (``%pip install``, ``sys.path``).
    """
    found: list[str] = []
    try:
        body = ast.parse(code).body
    except SyntaxError:  # top-level await and the like: then nothing is certain
        return found
    for statement in body:
        if isinstance(statement, ast.Import):
            found += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            found.append(statement.module or "")
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            break
    return found


def _within(values: Iterable[Any]) -> Iterator[str]:
    """Return the modules that functions and methods of the notebook import in their own bodies."""
    for value in values:
        for code in codes(value):
            yield from _imported(code)


def _imported(code: types.CodeType) -> Iterator[str]:
    if code.co_names:
        yield from (i.argval for i in dis.get_instructions(code) if i.opname == "IMPORT_NAME")
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _imported(constant)


def versions(needed: Mapping[str, str], packages: Mapping[str, str]) -> dict[str, list[str | None]]:
    """Return, for each module, its distribution, the version of that here, and how it is needed.

    A distribution is left out (None) where several share the module, as with namespace packages. A module that the
    pickle names and that is no file here was made in this process, and travels with it.
    """
    found: dict[str, list[str | None]] = {}
    for module, need in needed.items():
        is_here = _is_installed(module)
        name = distribution_of(module) if is_here else None
        if is_here or need not in (ARRAYS, LOADED):
            found[module] = [name, packages.get(name) if name else None, need]
    return found


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
