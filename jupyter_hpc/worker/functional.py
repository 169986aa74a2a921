"""What functools makes: its locks, caches and closures don't travel, what they were made of does."""

from __future__ import annotations

import functools
import types
from typing import Any, Optional, Tuple


def reduce_cached_property(obj: Any, pickler: Any) -> Any:
    """Without its lock, which Python up to 3.11 has there."""
    return cached_property, (obj.func, obj.attrname, obj.__doc__)


def cached_property(function: Any, name: Optional[str], doc: Optional[str]) -> Any:
    """Make a ``functools.cached_property`` that has been given its name."""
    found = functools.cached_property(function)
    found.attrname, found.__doc__ = name, doc
    return found


def reduce_dispatching_method(obj: Any, pickler: Any) -> Any:
    """Without its cache, which Python 3.13 and later have there."""
    return dispatching_method, (), (obj.dispatcher, obj.func), None, None, restore_dispatching_method


def dispatching_method() -> Any:
    """Make an empty ``functools.singledispatchmethod``; its functions may call it, so it is made before them."""
    return functools.singledispatchmethod(_nothing)


def restore_dispatching_method(method: Any, state: Tuple[Any, Any]) -> None:
    """Fill it."""
    method.dispatcher, method.func = state
    for name in ("__doc__", "__module__", "__name__", "__qualname__"):
        if name in vars(method):
            vars(method)[name] = getattr(method.func, name, None)


def _nothing(*args: Any) -> None:
    """Stand for the default of a dispatcher that isn't filled yet."""


_DISPATCHING = functools.singledispatch(_nothing).__code__  # type: ignore[attr-defined]
_DISPATCHER_OWN = {"register", "dispatch", "registry", "_clear_cache", "__wrapped__"}


def reduce_function(function: types.FunctionType) -> Any:
    """Return what a function is pickled as if its closure isn't what counts; None for most."""
    if function.__code__ is not _DISPATCHING:
        return None
    attributes = {k: v for k, v in vars(function).items() if k not in _DISPATCHER_OWN}
    registered = list(function.registry.items())  # type: ignore[attr-defined]
    state = (
        registered,
        attributes,
        function.__name__,
        function.__qualname__,
        function.__module__,
        function.__doc__,
    )
    return dispatcher, (), state, None, None, restore_dispatcher


def dispatcher() -> Any:
    """Make an empty ``functools.singledispatch`` function."""
    return functools.singledispatch(_nothing)


def restore_dispatcher(function: Any, state: Tuple[Any, ...]) -> None:
    """Fill it; its functions may call it, so it is made before them."""
    registered, attributes, *names = state
    default = next((f for kind, f in registered if kind is object), None)
    for kind, implementation in registered:
        function.register(kind, implementation)
    function.__dict__.update(attributes, __wrapped__=default)
    function.__name__, function.__qualname__, function.__module__, function.__doc__ = names
