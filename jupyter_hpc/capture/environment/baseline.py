"""How modules were when their import had ended, so that what is assigned to them afterwards is known.

Begins with ``%load_ext``, else with the first submission; of modules that were imported before, only what their source
contradicts is known.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from ...worker import module_state
from ...worker.settings_table import on_import

_SHELL = "IPython ipykernel traitlets jupyter_hpc jupyter_client zmq tornado ipywidgets cloudpickle"
NOT_FOLLOWED = {"__main__", "abc", "asyncio", "importlib", "linecache", "site", "typing", *_SHELL.split(" ")}
# these change by themselves
_OF_PROCESS = {"builtins", "logging", "matplotlib", "os", "sys", "threading", "time", "warnings"}
_OF_SHELL = ("last_", "ps1", "ps2", "ps3", "tracebacklimit")
environment: dict[str, str] = {}
_snapshots: dict[str, Any] = {}
_late: set[str] = set()  # imported before anybody looked


def begin() -> None:
    """Remember what is loaded, and what will be when it is; later calls do nothing."""
    if _snapshots:
        return
    environment.update(os.environ)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in NOT_FOLLOWED:
            _take(module)
            _late.add(name)
    on_import.always(_imported)


def _imported(module: Any) -> None:
    _late.discard(module.__name__)
    _take(module)


def _take(module: Any) -> None:
    name = getattr(module, "__name__", None)
    if isinstance(name, str) and name.partition(".")[0] not in NOT_FOLLOWED:
        _snapshots[name] = module_state.snapshot(module, deep=is_own(module))


def is_own(module: Any) -> bool:
    """Tell whether a module's file is the user's own rather than an installed one."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    installed = f"{os.sep}site-packages{os.sep}" in file or f"{os.sep}dist-packages{os.sep}" in file
    return not installed and not file.startswith(os.path.dirname(os.__file__) + os.sep)


def changes(tops: set[str]) -> dict[str, dict[str, Any]]:
    """Return what was assigned to the modules of these packages and their classes: module → name → value."""
    begin()
    found = {}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if top not in tops or top in NOT_FOLLOWED or getattr(module, "__name__", None) != name:
            continue
        values = _of_module(name, module)
        if top in _OF_PROCESS:
            values = {key: value for key, value in values.items() if _is_foreign(name, key, value)}
        if values:
            found[name] = values
    return found


def _of_module(name: str, module: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    own = is_own(module)
    if name in _snapshots:
        values.update(module_state.changed(module, _snapshots[name], deep=own))
    if name in _late or name not in _snapshots:
        values.update(module_state.assigned(module))
        if own:
            from .declared import contradicting

            values.update(contradicting(module))
    return values


def _is_foreign(module: str, name: str, value: Any) -> bool:
    """Tell whether a name is none of the module's own, or its value the notebook's: all else follows from what runs."""
    if name.startswith(_OF_SHELL):
        return False
    known = _snapshots.get(module, {}).get("", ({}, {}))[0]
    if module_state.is_users(value):
        return True
    is_new = name not in known and "." not in name and not name.startswith("_")
    return is_new and name not in module_state.words_of(sys.modules[module])
