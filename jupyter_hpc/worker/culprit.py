"""Find the part of a value that can't be pickled, and say where it is."""

from __future__ import annotations

import types
from typing import Any, Callable, Iterator, Tuple

from .continuation import Nowhere
from .looking import instance_dict, is_a, own, safe_repr, slots, type_name

MAX_OBJECTS = 20_000
_NEVER = (str, bytes, int, float, bool, type(None))  # what can always be pickled
_ADVICE = {
    "generator": "a generator keeps a running frame; send list(...) of it",
    "coroutine": "a coroutine keeps a running frame; await it first",
    "async_generator": "an async generator keeps a running frame",
    "lock": "a lock belongs to one process",
    "RLock": "a lock belongs to one process",
    "_io.TextIOWrapper": "an open file belongs to one process; send its path",
    "TextIOWrapper": "an open file belongs to one process; send its path",
    "BufferedReader": "an open file belongs to one process; send its path",
    "BufferedWriter": "an open file belongs to one process; send its path",
    "socket": "a socket belongs to one process; open it in the cell",
    "Connection": "a connection belongs to one process; open it in the cell",
    "Thread": "a thread belongs to one process",
    "Task": "a task belongs to its event loop; await it and keep what it gives",
    "Future": "a future belongs to one process; keep its result",
    "ReferenceType": "a weak reference belongs to one process; send what it refers to",
    "WeakMethod": "a weak reference belongs to one process; send what it refers to",
    "frame": "a frame belongs to one process",
}


def explain(name: str, value: Any, error: BaseException, make_pickler: Callable[..., Any]) -> str:
    """Return one line: the path to the part that can't travel, its type, and why.

    Parameters
    ----------
    name : str
        The name under which the value is known.
    error : BaseException
        What pickling the whole raised.
    make_pickler : callable
        Called with a file, returns a fresh pickler.
    """
    try:
        path, culprit = _search(name, value, make_pickler)
    except Exception:  # foreign objects may raise from any attribute; the plain reason is still right
        path, culprit = name, value
    kind = type(culprit)
    reason = _ADVICE.get(type_name(kind).rpartition(".")[2]) or _first_line(error) or type(error).__name__
    return f"{path} is a {type_name(kind)}: {reason}"


def _first_line(error: BaseException) -> str:
    """Return what an error says; one of the user's may not be able to."""
    try:
        return str(error).strip().splitlines()[0][:200]
    except Exception:
        return ""


def _fails(value: Any, make_pickler: Callable[..., Any]) -> bool:
    try:
        make_pickler(Nowhere()).dump(value)
    except Exception:
        return True
    return False


def _search(name: str, value: Any, make_pickler: Callable[..., Any]) -> Tuple[str, Any]:
    """Walk down, each time into the first child that fails by itself."""
    path, seen = name, {id(value)}
    for _ in range(60):
        for step, child in _children(value):
            if id(child) in seen or type(child) in _NEVER:
                continue
            seen.add(id(child))
            if len(seen) > MAX_OBJECTS:
                return path, value
            if _fails(child, make_pickler):
                path, value = path + step, child
                break
        else:
            return path, value
    return path, value


def _children(value: Any) -> Iterator[Tuple[str, Any]]:
    if is_a(value, dict):
        for key, item in list(dict.items(value)):
            yield f"[{safe_repr(key)}]", item
            if not is_a(key, (str, int)):
                yield f".key({safe_repr(key)})", key
        yield from _instance_children(value)
    elif is_a(value, (list, tuple)):
        for i, item in enumerate((list if is_a(value, list) else tuple).__iter__(value)):
            yield f"[{i}]", item
        yield from _instance_children(value)
    elif is_a(value, (set, frozenset)):
        for item in list((set if is_a(value, set) else frozenset).__iter__(value)):
            yield "{…}", item
        yield from _instance_children(value)
    elif is_a(value, types.FunctionType):
        yield from _function_children(value)
    elif is_a(value, types.MethodType):
        yield ".__self__", value.__self__
    elif is_a(value, type):
        for key, item in list(own(value).items()):
            if not key.startswith("__"):
                yield f".{key}", item
    else:
        yield from _instance_children(value)


def _function_children(function: types.FunctionType) -> Iterator[Tuple[str, Any]]:
    names = _global_names(function.__code__)
    for key in names:
        if key in function.__globals__:
            yield f" → {key}", function.__globals__[key]
    for key, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield f" → {key}", cell.cell_contents
        except ValueError:  # not yet filled
            continue
    for i, default in enumerate(function.__defaults__ or ()):
        yield f".__defaults__[{i}]", default


def _global_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def _instance_children(value: Any) -> Iterator[Tuple[str, Any]]:
    yield from ((f".{k}", v) for k, v in list((instance_dict(value) or {}).items()))
    yield from ((f".{k}", v) for k, v in slots(value))
