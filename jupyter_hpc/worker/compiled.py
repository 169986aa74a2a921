"""Classes that numba compiled: sent as the Python class and the types of its fields, and compiled again there."""

from __future__ import annotations

from typing import Any

from cloudpickle import cloudpickle as _cp

from . import looking


def plan(kind: type) -> Any:
    """Return how a compiled function is to be pickled; other objects of numba are its own business."""
    is_function = looking.type_name(kind) == "numba.core.registry.CPUDispatcher"
    return _reduce_function if is_function else None


def _reduce_function(function: Any, pickler: Any) -> Any:
    """By its Python function, in this stream: numba would send copies of its globals, and no jitclass at all."""
    if not hasattr(type(function), "_rebuild") or not hasattr(function, "_reduce_states"):
        return NotImplemented
    states = function._reduce_states()
    if not states.get("can_compile") or looking.module_of(states["py_func"]) != "__main__":
        return NotImplemented
    return function_of, (type(function), {**states, "sigs": []})


def function_of(kind: Any, states: Any) -> Any:
    """Make a compiled function; it is compiled when it is called."""
    return kind._rebuild(**states)


def reduce_class(cls: type) -> Any:
    """Return what a ``jitclass`` is to be pickled as; None for any other class."""
    if looking.type_name(type(cls)) != "numba.experimental.jitclass.base.JitClassType":
        return None
    struct = list(looking.own(cls)["class_type"].struct.items())
    return jitclass_of, (cls.__bases__[0], struct, _cp._get_or_create_tracker_id(cls))


def jitclass_of(cls: type, struct: Any, tracker: str) -> Any:
    """Compile a class, unless this process has it."""
    known = _cp._DYNAMIC_CLASS_TRACKER_BY_ID.get(tracker)
    if known is not None:
        return known
    from numba.experimental import jitclass  # type: ignore[import-not-found]

    private = f"_{cls.__name__.lstrip('_')}__"
    fields = [(f"__{name[len(private) :]}" if name.startswith(private) else name, kind) for name, kind in struct]
    # fields are found in annotations, too, which would have to be evaluated again
    notes, cls.__annotations__ = getattr(cls, "__annotations__", {}), {}
    try:
        found = jitclass(fields)(cls)
    finally:
        cls.__annotations__ = notes
    return _cp._lookup_class_or_track(tracker, found)
