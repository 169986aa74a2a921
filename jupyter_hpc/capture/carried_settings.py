"""The kernel's side of the settings around a cell: which travel, and how those that a cell made are made here.

``worker/settings_table.py`` has the table and says how each is read and made.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import site
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.redaction import SECRET_NAME, is_secret
from ..worker import module_state
from ..worker import settings_table as table
from ..worker.digest import digest_bytes
from ..worker.pickling import ValuePickler
from ..worker.process_settings import get_environment, get_path
from ..worker.surroundings import MOST_BYTES
from .environment import baseline

if TYPE_CHECKING:
    from .environment.modules import LocalModules
    from .request import Request

State = dict[str, Any]
_ALWAYS = {"builtins", "warnings"}  # what a cell uses without naming it
_added: dict[str, tuple[str, table.Functions]] = {}
_told: set[str] = set()
_arrays = itertools.count()


def carry_setting(
    name: str,
    module: str,
    get: Callable[[], State],
    set: Callable[[State, list[str]], None],  # noqa: A002
) -> None:
    """Let a setting of another library travel with every cell, and back.

    Parameters
    ----------
    name : str
        What to call it in messages.
    module : str
        The module without which it has no meaning; it is never imported for the setting's sake.
    get : callable
        Returns the setting as a dict from text to values that pickle, best without what the library has anyway.
    set : callable
        Called with such a dict and with a list of the keys that are to be as the library has them.

    Examples
    --------
    >>> def get(): return {"level": mylib.get_level()}                    # doctest: +SKIP
    >>> def set(values, gone): mylib.set_level(values.get("level", 0))    # doctest: +SKIP
    >>> jupyter_hpc.carry_setting("mylib", "mylib", get, set)             # doctest: +SKIP
    """
    if name in table.TABLE:
        raise ValueError(f"{name!r} is a setting that jupyter_hpc carries itself")
    _added[name] = (module, (get, set))


@dataclass
class Carried:
    """What of the kernel's process travels: for the manifest, and the modules that its pickles name."""

    record: dict[str, Any] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def collect(
    request: Request,
    namespace: dict[str, Any],
    reach: Iterable[str],
    candidates: set[str],
    local: LocalModules,
    sent: Mapping[str, Any],
) -> Carried:
    """Return the settings, and what was assigned to the modules that the cell reaches.

    Parameters
    ----------
    namespace : dict
        What stands for ``__main__``.
    reach : iterable of str
        Dotted names of modules.
    candidates : set of str
        Words in the code that travels.
    sent : mapping
        Names that travel anyway, so that no function brings them once more.
    """
    carried = Carried()

    def make_pickler(file: Any) -> ValuePickler:
        pickler = ValuePickler(file, namespace=namespace, keep_global=lambda name: name not in sent)
        picklers.append(pickler)
        return pickler

    picklers: list[ValuePickler] = []
    record: dict[str, Any] = {
        "values": _settings(request, make_pickler, carried.notes),
        "secret": SECRET_NAME,
    }
    added = _functions_of_added(make_pickler, carried.notes)
    tops = {name.partition(".")[0] for name in reach}
    own = set(local.top_level)
    attributes = _attributes(tops | own | set(local.imports) | _ALWAYS, make_pickler, carried.notes)
    shown = {
        mime: _encoded(f"How {mime} is made", own, make_pickler, carried.notes)
        for mime, own in request.printers.items()
    }
    record["printers"] = {mime: encoded for mime, encoded in shown.items() if encoded is not None}
    if request.is_array:
        record["seed"] = _seed(record["values"])
    notes = [line for line in carried.notes if line not in _told]
    _told.update(notes)
    touched = sorted(tops & set(sys.modules) - baseline.NOT_FOLLOWED) if _assigns_attributes(request.code) else []
    record |= {"added": added, "attributes": attributes, "notes": notes}
    words = set(re.findall(r"\w+", request.code)) | candidates
    record |= {"modules": sorted(own), "touched": touched, "submodules": _submodules(tops, words)}
    carried.record = {key: value for key, value in record.items() if value}
    carried.modules = {name for pickler in picklers for name in (*pickler.modules, *pickler.candidates)}
    return carried


def _submodules(tops: set[str], words: set[str]) -> list[str]:
    """Return the loaded submodules that code names: ``xml.dom.minidom`` after ``import xml.dom.minidom`` earlier."""
    found = []
    for name in list(sys.modules):
        top, *parts = name.split(".")
        if parts and top in tops and words.issuperset(parts):
            found.append(name)
    return sorted(found)


_ATTRIBUTE = re.compile(r"\.\s*\w+\s*(?:=[^=]|[-+*/|&%@]=|:\s*\w+\s*=)|setattr|\bpatch\b")


def _assigns_attributes(code: str) -> bool:
    """Whether a cell may assign to attributes of modules; only then are installed ones compared there."""
    return bool(_ATTRIBUTE.search(code))


def _settings(request: Request, make_pickler: Any, notes: list[str]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    special = {"environment": lambda: _user_variables(request, notes), "path": _user_path}
    modules = {**{n: t[0] for n, t in table.TABLE.items()}, **{n: a[0] for n, a in _added.items()}}
    for name, module in modules.items():
        if module not in sys.modules:
            continue
        try:
            get = special.get(name) or _functions(name)[0]
            state = get()
        except Exception as error:  # a library of another version
            notes.append(f"The setting {name} was not sent: {_said(error)}")
            continue
        for key, value in state.items():
            encoded = _encoded(f"The setting {name} ({key})", value, make_pickler, notes)
            if encoded is not None:
                values.setdefault(name, {})[key] = encoded
    return values


def _functions(name: str) -> table.Functions:
    return table.functions(name, {n: functions for n, (_, functions) in _added.items()})


def _encoded(what: str, value: Any, make_pickler: Any, notes: list[str]) -> Any:
    try:
        encoded = table.encode(value, make_pickler)
    except Exception as error:  # user-written __reduce__ may raise anything
        notes.append(f"{what} was not sent: {_said(error)}")
        return None
    if isinstance(encoded, dict) and len(encoded["pickle"]) > MOST_BYTES:
        notes.append(f"{what} was not sent: it has more than {MOST_BYTES >> 20} MiB")
        return None
    return encoded


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def _functions_of_added(make_pickler: Any, notes: list[str]) -> dict[str, Any]:
    found = {}
    for name, (module, functions) in _added.items():
        encoded = _encoded(f"The setting {name}", functions, make_pickler, notes)
        if encoded is not None:
            found[name] = {"module": module, "functions": encoded}
    return found


def _seed(values: Mapping[str, Any]) -> str:
    """Return what an array's tasks derive their seeds from: the same whenever a seeded notebook runs as a whole."""
    states = [values.get(name) for name in table.GENERATORS]
    return digest_bytes(json.dumps([next(_arrays), states]).encode())


# -- variables and path --------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _first_environment() -> dict[str, str]:
    """Return the variables with which this process began."""
    try:
        raw = Path("/proc/self/environ").read_bytes()
    except OSError:  # no such system: then what was there when the extension was loaded
        return dict(baseline.environment)
    pairs = (os.fsdecode(each).partition("=") for each in raw.split(b"\0"))
    return {name: value for name, _, value in pairs if name}


def _user_variables(request: Request, notes: list[str]) -> State:
    """Return the variables that were set in this kernel; never what looks like a secret."""
    first = _first_environment()
    found, secret = {}, []
    for name, value in get_environment().items():
        if first.get(name) == value or name in request.variables:
            continue
        if is_secret(name, value):
            secret.append(name)
        else:
            found[name] = value
    if secret:
        notes.append(f"Not sent, as they look like secrets: {', '.join(sorted(secret))}; `--env` sends a variable")
    return found


def _user_path() -> State:
    """Return the folders that were put on ``sys.path`` here, not by the environment's own files."""
    return {folder: side for folder, side in get_path().items() if folder not in _given_path()}


@lru_cache(maxsize=1)
def _given_path() -> frozenset[str]:
    found = {os.path.abspath(p) for p in _first_environment().get("PYTHONPATH", "").split(os.pathsep) if p}
    for folder in [*site.getsitepackages(), site.getusersitepackages()]:
        for file in Path(folder).glob("*.pth"):
            try:
                lines = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                continue
            found |= {os.path.abspath(os.path.join(folder, line.strip())) for line in lines if line.strip()}
    return frozenset(found)


# -- modules -------------------------------------------------------------------------------------


def _attributes(tops: set[str], make_pickler: Any, notes: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for module, values in baseline.changes(tops).items():
        for name, value in values.items():
            encoded = _encoded(f"{module}.{name}, assigned here,", value, make_pickler, notes)
            if encoded is not None:
                found.setdefault(module, {})[name] = encoded
    return found


# -- back ----------------------------------------------------------------------------------------


def bring_back(changed: Mapping[str, Any]) -> list[str]:
    """Make the settings that a cell made, and assign what it assigned to modules; return what could not be."""
    if not changed:
        return []
    settings = table.Settings(dict(changed), follow=False)
    settings.begin(early=True)
    settings.begin(early=False)
    module_state.apply(changed.get("attributes") or {}, settings.notes)
    return settings.notes
