"""``TypeVar`` and its like of the notebook: made anew once in a process, so that all who use one use the same."""

from __future__ import annotations

import sys
import typing
from typing import Any, Dict, Tuple

from cloudpickle import cloudpickle as _cp

_FLAGS = ("covariant", "contravariant", "infer_variance")


def reduce_variable(obj: Any, pickler: Any) -> Any:
    """By name where a module has it, else by all that it was made of."""
    name, module = str(obj.__name__), getattr(obj, "__module__", None)
    if module != "__main__" and vars(sys.modules.get(str(module), sys)).get(name) is obj:
        return getattr, (sys.modules[str(module)], name)
    identifier = _cp._get_or_create_tracker_id(obj)
    return variable, (type(obj).__name__, name, *_made_of(obj), module, identifier)


def _made_of(obj: Any) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
    kind = type(obj).__name__
    if kind == "TypeAliasType":
        return (obj.__value__,), {"type_params": obj.__type_params__}
    options: Dict[str, Any] = {}
    if kind != "TypeVarTuple":
        options = {flag: True for flag in _FLAGS if getattr(obj, f"__{flag}__", False)}
        options["bound"] = obj.__bound__
    if getattr(obj, "has_default", bool)():
        options["default"] = obj.__default__
    return getattr(obj, "__constraints__", ()), options


def variable(kind: str, name: str, args: Any, options: Dict[str, Any], module: Any, identifier: str) -> Any:
    """Make a type variable, unless this process has it."""
    known = _cp._DYNAMIC_CLASS_TRACKER_BY_ID.get(identifier)
    if known is not None:
        return known
    found = getattr(typing, kind)(name, *args, **options)
    try:
        found.__module__ = module
    except AttributeError:  # an alias has the module of who makes it
        pass
    return _cp._lookup_class_or_track(identifier, found)
