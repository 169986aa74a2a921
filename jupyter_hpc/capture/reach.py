"""Names that functions and classes of the notebook reach: globals, helpers, base classes, closures."""

from __future__ import annotations

import dis
import functools
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..worker.looking import is_a, module_of, own
from .cell.annotations import annotated_names

_FEW = 100  # a container of functions is no longer than this
_WRITERS = {"globals", "exec", "user_ns", "push", "setattr", "__main__"}


def reached_names(names: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, str]:
    """Return further names of the namespace that the values of ``names`` reach, each with the name that does.

    Only what code shows is followed (functions, classes, methods, closures); what else a value holds is found
    by the pickler itself.
    """
    found: dict[str, str] = {}
    pending = list(names)
    done = set(pending)
    while pending:
        name = pending.pop()
        value = namespace.get(name)
        code_names = (each for code in codes(value) for each in _code_names(code))
        for each in (*code_names, *_annotation_names(value), *annotated_names(value, namespace)):
            if each in namespace and each not in done:
                done.add(each)
                found[each] = name
                pending.append(each)
    return found


def _annotation_names(value: Any) -> Iterator[str]:
    """Yield words in annotations that are texts: whoever asks for the types evaluates them in the namespace."""
    kind = value if is_a(value, (type, types.FunctionType)) else type(value)
    if module_of(kind) != "__main__":
        return
    parts = [kind] if is_a(kind, types.FunctionType) else [kind, *own(kind).values()]
    for part in parts:
        if is_a(part, (type, types.FunctionType)):
            found = own(part).get("__annotations__") if is_a(part, type) else part.__annotations__
            for annotation in dict(found or {}).values():
                if type(annotation) is str:
                    yield from re.findall(r"[^\W\d]\w*", annotation)


def bound_names(names: Iterable[str], namespace: Mapping[str, Any]) -> set[str]:
    """Return the names that functions among these values may bind in the module, by ``global``."""
    found: set[str] = set()
    for name in names:
        for code in codes(namespace.get(name)):
            found |= _bound(code)
    return found


def _bound(code: types.CodeType) -> set[str]:
    """Names that the code stores as globals, and all its texts if it writes into ``globals()`` or the like."""
    found = {str(step.argval) for step in dis.get_instructions(code) if step.opname == "STORE_GLOBAL"}
    if _WRITERS.intersection(code.co_names):
        found.update(text for text in code.co_consts if isinstance(text, str))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _bound(constant)
    return found


def codes(value: Any) -> Iterator[types.CodeType]:
    """Yield the code of a function, a class or an instance of one, if the notebook made it."""
    seen: set[int] = set()
    pending = [value]  # a list of lists may be deeper than Python recurses
    while pending:
        each = pending.pop()
        if id(each) not in seen:
            seen.add(id(each))
            if is_a(each, types.FunctionType) and module_of(each) == "__main__":
                yield each.__code__
            pending += reversed(list(_parts(each)))


def _parts(value: Any) -> Iterator[Any]:
    """Yield what may hold code within a value."""
    if is_a(value, (staticmethod, classmethod, types.MethodType)):
        yield value.__func__
    elif is_a(value, functools.partial):
        yield value.func
    elif is_a(value, functools._lru_cache_wrapper):
        yield value.__wrapped__
    elif type(value) in (list, tuple, dict) and len(value) <= _FEW:
        yield from value.values() if type(value) is dict else value
    elif is_a(value, property):
        yield from (value.fget, value.fset, value.fdel)
    elif is_a(value, types.FunctionType):
        if module_of(value) == "__main__":
            for cell in value.__closure__ or ():
                try:
                    yield cell.cell_contents
                except ValueError:  # not yet filled
                    continue
    elif is_a(value, type):
        if module_of(value) == "__main__":
            yield from (*type.__dict__["__bases__"].__get__(value), *own(value).values())
    elif module_of(type(value)) == "__main__":
        yield type(value)


def _code_names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_names(constant)
