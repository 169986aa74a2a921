"""Find the part of a value that can't be pickled, and say where it is."""

from __future__ import annotations

import io
import types
from typing import Any, Callable, Iterator, Tuple

MAX_OBJECTS = 20_000
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
    reason = _ADVICE.get(kind.__name__) or str(error).splitlines()[0][:200] or type(error).__name__
    return f"{path} is a {_type_name(kind)}: {reason}"


def _type_name(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"


def _fails(value: Any, make_pickler: Callable[..., Any]) -> bool:
    try:
        make_pickler(_Nowhere()).dump(value)
    except Exception:
        return True
    return False


class _Nowhere(io.RawIOBase):
    def write(self, data: Any) -> int:
        return len(data)


def _search(name: str, value: Any, make_pickler: Callable[..., Any]) -> Tuple[str, Any]:
    """Walk down, each time into the first child that fails by itself."""
    path, seen = name, {id(value)}
    for _ in range(60):
        for step, child in _children(value):
            if id(child) in seen or isinstance(child, (str, bytes, int, float, bool, type(None))):
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
    if isinstance(value, dict):
        for key, item in list(value.items()):
            yield f"[{key!r}]"[:60], item
            if not isinstance(key, (str, int)):
                yield f".key({key!r})"[:60], key
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield f"[{i}]", item
    elif isinstance(value, (set, frozenset)):
        for item in list(value):
            yield "{…}", item
    elif isinstance(value, types.FunctionType):
        yield from _function_children(value)
    elif isinstance(value, types.MethodType):
        yield ".__self__", value.__self__
    elif isinstance(value, type):
        for key, item in list(vars(value).items()):
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
    yield from ((f".{k}", v) for k, v in list(getattr(value, "__dict__", {}).items()))
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, slot):
                yield f".{slot}", getattr(value, slot)
