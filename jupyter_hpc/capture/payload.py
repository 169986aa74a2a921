"""What travels: find it, pickle it, say what can't travel and why."""

from __future__ import annotations

import builtins
import inspect
import linecache
import os
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle

from ..model.exceptions import UndefinedName, UnpicklableInput
from ..model.resources import did_you_mean
from ..runtime.settings import setting
from ..worker import container
from ..worker.circumstances import is_space
from ..worker.culprit import explain
from ..worker.digest import digest_bytes
from ..worker.looking import is_a, module_of
from ..worker.pickling import ValuePickler
from ..worker.versions import site_folders
from . import carried_settings, memo, unseen
from .environment import imports, search_path
from .environment.modules import LocalModules, imports_by_text
from .environment.modules import collect as collect_modules
from .environment.snapshot import snapshot
from .reach import bound_names, reached_names
from .request import ARGS, FUNCTION, KWARGS, PROVIDED, Request, output_names
from .sent import Sent


@dataclass(frozen=True)
class Item:
    """One name that travels, and why."""

    name: str
    type: str
    nbytes: int
    why: str
    digest: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Payload:
    """What a request comes to: names with sizes, modules, the manifest as written, and what can't be sent and why."""

    items: tuple[Item, ...]
    modules: LocalModules
    functions: Mapping[str, Mapping[str, str]]  # source text of functions and classes, by name
    manifest: Mapping[str, Any]
    sent: Sent
    refused: Mapping[str, str] = field(default_factory=dict)  # name → path to the part that can't travel, and why
    lines: tuple[str, ...] = ()  # what the user should know of the names, in words

    @property
    def nbytes(self) -> int:
        return int(self.manifest["pickle"]["size"] + sum(b["size"] for b in self.manifest["buffers"]))


def needed_names(request: Request) -> dict[str, str]:
    """Return the names to send and why each is needed.

    Raises
    ------
    UndefinedName
        If the cell surely reads a name that exists nowhere.
    """
    namespace, names = request.namespace, request.names
    needed: dict[str, str] = {}
    undefined: list[str] = []
    if names is not None and request.auto:
        for name in sorted(names.reads - _provided(namespace)):
            if name in namespace:
                needed[name] = "read by the cell"
            elif not hasattr(builtins, name) and name not in names.maybe_reads:
                undefined.append(name)
    for name in request.hints:
        if name in namespace and request.auto:
            needed.setdefault(name, "used in a magic")
    for name in request.inputs:
        if name in namespace:
            needed[name] = "asked for with -i"
        elif not name.startswith("__"):
            raise _undefined(name, namespace, "-i names")
    for name, by in reached_names(needed, namespace).items():
        if name not in _provided(namespace):
            needed.setdefault(name, f"used by {by}")
    made = bound_names(needed, namespace) if undefined else set()
    for name in undefined:
        if name not in made:
            raise _undefined(name, namespace, "The cell reads")
    return needed


def _provided(namespace: Mapping[str, Any]) -> set[str]:
    """Return the names that the worker has of its own, unless the user bound them to something else."""
    return {"__builtins__"} | {n for n in PROVIDED if n not in namespace or _is_ipythons(namespace[n])}


def _is_ipythons(value: Any) -> bool:
    value = value.__func__ if is_a(value, types.MethodType) else value
    origin = module_of(value) if is_a(value, (type, types.FunctionType)) else module_of(type(value))
    if is_a(value, types.FunctionType):  # its ``open`` names another module
        origin = str(value.__globals__.get("__name__", origin))
    return origin.partition(".")[0] in ("IPython", "ipykernel", "_sitebuiltins")


def _missing(request: Request) -> list[str]:
    """Return a line on the names that may be missing: functions read them, and nothing here binds them."""
    if request.names is None or not request.auto:
        return []
    known = {*request.namespace, *vars(builtins), *PROVIDED}
    missing = sorted(request.names.later - known)
    if not missing:
        return []
    verb = "is" if len(missing) == 1 else "are"
    return [f"{', '.join(missing)} may be missing: only functions of the cell read it, and it {verb} not defined."]


def _undefined(name: str, namespace: Mapping[str, Any], who: str) -> UndefinedName:
    guess = did_you_mean(name, (n for n in namespace if not n.startswith("_")))
    return UndefinedName(
        f"{who} {name}, which is not defined here.",
        hint=f"{guess} Run the cell that defines it, or assign it in this cell. Nothing was submitted.".lstrip(),
    )


def build(
    directory: Path,
    request: Request,
    place_buffer: Callable[[str, Any, str], None],
    freeze: Callable[[LocalModules], list[str]],
) -> Payload:
    """Write the payload of a request into ``directory`` and return what it holds, and what it can't (``refused``).

    Raises
    ------
    UndefinedName
        If it can't travel; nothing useful is left in the directory then.
    OSError
        If the disk is full.
    """
    needed = needed_names(request)
    written: dict[str, Any] = {}
    shared: Any = request.namespace if request.shared is None else request.shared
    hidden = unseen.of(request, needed, _provided(request.namespace), shared)
    instead = {**hidden.values, **unseen.history(request, needed, shared)}
    named = [*_data_first(needed, request.namespace), *hidden.names]
    values = [(name, instead.get(name, request.namespace[name])) for name in named]
    needed |= hidden.names

    def extra(pickler: Any) -> dict[str, Any]:
        written["pickler"] = pickler
        names = _module_names(request, pickler) | hidden.modules
        by_text = imports_by_text(request.code, pickler.candidates)
        modules = collect_modules(names, by_text=by_text)
        carried = carried_settings.collect(request, shared, names, pickler.candidates, modules, needed)
        if not carried.modules <= names:
            modules = collect_modules(names | carried.modules, by_text=by_text)
        written["modules"] = modules
        cell = _instructions(request, pickler, freeze(modules))
        cell["sources"] |= modules.sources()
        cell |= {
            "settings": carried.record,
            "shell": dict(request.shell),
            "modules": modules.table,
            "search_paths": search_path.describe(request.workdir),
            "standard": search_path.standard_names(),
            "unseen": list(hidden.names),
            "strided": _numbers(pickler, getattr(pickler, "strided", [])),
        }
        loaded = pickler.modules - hidden.only_loads(request, shared)
        return {"environment": _environment(request, loaded, modules, needed), "cell": cell}

    def make_pickler(file: Any, **options: Any) -> ValuePickler:
        return ValuePickler(file, namespace=shared, **options)

    failures = container.write(str(directory), values, extra, make_pickler, place_buffer, memo.digest)
    for failure in failures:
        if is_space(failure.error):  # no name is at fault
            raise failure.error
    refused = {
        f.name: explain(f.name, request.namespace[f.name], f.error, make_pickler)
        for f in failures
        if f.name not in hidden.names
    }
    manifest = container.read_manifest(str(directory))
    items = tuple(_item(record, needed) for record in manifest["names"])
    digests = {item.name: item.digest for item in items}
    sent = Sent(written["pickler"], shared, {n: v for n, v in values if n in digests}, digests, _changes(request))
    lines = (*_missing(request), *hidden.lines)
    return Payload(items, written["modules"], _function_sources(values), manifest, sent, refused, lines)


def _numbers(pickler: Any, objects: list[Any]) -> list[int]:
    """Return the numbers that objects have in the stream."""
    memo = pickler.memo.copy() if objects else {}
    return [memo[id(obj)][0] for obj in objects if id(obj) in memo]


def check_complete(built: Payload) -> None:
    """Refuse a payload that lacks something.

    Raises
    ------
    UnpicklableInput
        Naming each value and the path to the part that can't travel.
    """
    if built.refused:
        lines = list(built.refused.values())
        raise UnpicklableInput(
            f"The cell needs {', '.join(built.refused)}, which can't be sent: {lines[0]}.",
            hint="\n".join([*lines[1:], "Make it inside the cell, or leave it out. Nothing was submitted."]),
        )


def _data_first(needed: Mapping[str, str], namespace: Mapping[str, Any]) -> list[str]:
    """Data before code: a function's globals then count under their own names."""
    return sorted(needed, key=lambda n: is_a(namespace[n], (type, types.FunctionType)))


def _module_names(request: Request, pickler: ValuePickler) -> set[str]:
    names = set(pickler.modules) | pickler.candidates
    if request.names is not None:
        names |= request.names.imports | request.names.star_imports
    return names


def _environment(
    request: Request, loaded: set[str], modules: LocalModules, needed: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the node's environment is compared with, before anything is loaded there."""
    names = request.names
    mentioned = set(modules.imports)
    if names is not None:
        mentioned |= names.imports | names.star_imports
    values = [request.namespace[name] for name in needed]
    loaded -= cloudpickle.list_registry_pickle_by_value()
    found = imports.needs(request.code, mentioned, loaded, values, modules.top_level)
    packages = imports.versions(found, snapshot().record["packages"])
    return {"site": site_folders(), "packages": packages}


def _instructions(request: Request, pickler: ValuePickler, paths: list[str]) -> dict[str, Any]:
    """Return what the worker is told to do (``manifest["cell"]``)."""
    names = request.names
    outputs, explicit = output_names(request)
    return {
        "kind": request.kind,
        "text": request.text,
        "code": request.code,
        "label": request.label,
        "lines_above": request.lines_above,
        "filename": request.filename or request.label,
        "show_value": names is not None and names.value_line is not None,
        "ipython": bool(names and names.ipython),
        "outputs": outputs,
        "explicit_outputs": explicit,
        "all_new": request.kind == "cell" and request.outputs is None and not request.no_outputs,
        "changes": _changes(request),
        "deletes": sorted(names.deletes) if names else [],
        "future_flags": request.future_flags,
        "magics": [list(each) for each in request.magics],
        "extensions": list(request.extensions),
        "module_paths": paths,
        "sources": _sources(request, pickler.filenames),
        "workdir": request.workdir,
        "metrics": str(setting("metrics")),
        "reads": list(request.reads),
        "writes": list(request.writes),
        "call": {"function": FUNCTION, "args": ARGS, "kwargs": KWARGS} if request.kind == "call" else None,
    }


def _changes(request: Request) -> str:
    """Return what becomes of what the cell changes in place: the worker brings it, or only names it."""
    if request.kind != "cell":
        return ""
    return "name" if request.is_array else "bring"


def _sources(request: Request, filenames: set[str]) -> dict[str, dict[str, str]]:
    """Return the text of earlier cells whose functions travel, so that tracebacks show real lines."""
    found = {}
    for filename in filenames:
        label = request.find_label(filename)
        if label is None and os.path.isfile(filename):
            continue
        text = "".join(linecache.getlines(filename))
        if text:
            found[filename] = {"label": label or filename, "text": text}
    return found


def _item(record: Mapping[str, Any], needed: Mapping[str, str]) -> Item:
    detail = {k: record[k] for k in ("shape", "dtype", "length") if k in record}
    name = record["name"]
    return Item(name, record["type"], record["nbytes"], needed[name], record["digest"], detail)


def _function_sources(values: list[tuple[str, Any]]) -> dict[str, dict[str, str]]:
    """Return source and its digest for each function and class: a pickle of code is no stable key."""
    found = {}
    for name, value in values:
        if is_a(value, (type, types.FunctionType)) and module_of(value) == "__main__":
            with suppress(Exception):  # it has none, or its ``__wrapped__`` is somebody's joke
                text = inspect.getsource(value)
                found[name] = {"source": text, "digest": digest_bytes(text.encode())}
    return found
