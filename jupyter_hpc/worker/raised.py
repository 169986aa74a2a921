"""Exceptions, made without the constructor of their class, which may take anything."""

from __future__ import annotations

from typing import Any, Tuple

from . import looking
from .instances import built, builtin_base, is_python, reduce_owner
from .looking import lookup


def reduce_exception(error: BaseException, pickler: Any) -> Any:
    """Made without the constructor of its class, which may take anything; with what it was raised from."""
    kind: Any = type(error)
    reducing: Any = reduce_owner(kind)
    reduced = reducing.__reduce__(error)
    if type(reduced) is not tuple or reduced[0] is not kind:
        return NotImplemented
    state = reduced[2] if len(reduced) > 2 else None
    slots = dict(looking.slots(error)) or None
    chain = [
        each if each is not None and pickler.can_pickle(each) else None for each in (error.__cause__, error.__context__)
    ]
    if not state and not slots and chain == [None, None]:
        return built, (kind, builtin_base(kind), reduced[1])
    everything = (state or None, slots, *chain, error.__suppress_context__)
    return built, (kind, builtin_base(kind), reduced[1]), everything, None, None, restore_exception


def restore_exception(error: BaseException, state: Tuple[Any, ...]) -> None:
    """Give an exception its attributes and what it was raised from."""
    given, slots, cause, context, suppressed = state
    if given is not None:
        if is_python(lookup(type(error), "__setstate__")):
            looking.bound(error, "__setstate__")(given)
        else:
            try:
                BaseException.__setstate__(error, given)
            except Exception:  # a class that forbids to set its attributes
                BaseException.__dict__["__dict__"].__get__(error).update(given)
    for name, value in (slots or {}).items():
        object.__setattr__(error, name, value)
    for name, value in (("__cause__", cause), ("__context__", context), ("__suppress_context__", suppressed)):
        BaseException.__dict__[name].__set__(error, value)  # also of a class that forbids to set its attributes
