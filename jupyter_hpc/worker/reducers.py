"""What to pickle an object as where pickle and cloudpickle get it wrong; one table, from type to function.

Two things go wrong most. Pickle asks the *instance* for ``__getstate__`` and ``__setstate__``, which goes to a
``__getattr__`` that knows no such names, or that needs attributes which are not there yet. And a base class's
``__reduce__`` calls the subclass with the arguments that the *base* takes. So an object of such a class is made here by
the base's ``__new__``, and filled without asking it.

Nothing is imported that isn't loaded, since what isn't loaded has no objects.
"""

from __future__ import annotations

import copyreg
import enum
import functools
import types
from typing import Any, Callable, Dict, Optional, Tuple

from . import functional, looking, raised
from .instances import LOSES, is_python, reduce_as_base, reduce_owner, reduce_plainly, takes_more
from .looking import lookup, module_of, mro, own, owner

Reduce = Callable[[Any, Any], Any]  # called with object and pickler; NotImplemented leaves it to pickle

_LIBRARIES = {"numpy": ".ndarrays", "torch": ".tensors", "numba": ".compiled"}
_ITEM_SETTERS = {dict: ("__setitem__", "update"), list: ("append", "extend", "__setitem__")}
_STANDARD = {
    "builtins",
    "collections",
    "datetime",
    "decimal",
    "fractions",
    "array",
    "uuid",
    "ipaddress",
    "random",
}


class Plans:
    """Remembers for each type how its objects are to be pickled."""

    def __init__(self) -> None:
        self._known: Dict[int, Tuple[type, Optional[Reduce]]] = {}  # a metaclass may forbid hashing

    def of(self, kind: type) -> Optional[Reduce]:
        """Return the function for a type; None leaves its objects to pickle."""
        found = self._known.get(id(kind))
        if found is None:
            found = self._known[id(kind)] = (kind, _plan(kind))
        return found[1]


def _plan(kind: type) -> Optional[Reduce]:
    root = module_of(kind).partition(".")[0]
    if root in _LIBRARIES or _library_base(kind):
        import importlib

        name = _LIBRARIES.get(root) or _library_base(kind)
        try:
            found: Optional[Reduce] = importlib.import_module(name, __package__).plan(kind)
        except ImportError:  # a half installed library
            found = None
        if found is not None:
            return found
    exact = _exact().get(id(kind))
    if exact is not None:
        return exact
    if issubclass(kind, (type, types.FunctionType, types.ModuleType)) or _is_registered(kind):
        return None
    if issubclass(kind, enum.Enum):
        from .classes import reduce_member

        return reduce_member
    if issubclass(kind, BaseException) and reduce_owner(kind) in _builtin_exceptions(kind):
        return raised.reduce_exception
    if not kind.__flags__ & looking.HEAP_TYPE:
        return None
    return _instance_plan(kind)


def _library_base(kind: type) -> str:
    """Return who knows about subclasses of a library's types, such as a memmap's."""
    for each in mro(kind)[1:]:
        if each.__name__ == "ndarray" and module_of(each) == "numpy":
            return ".ndarrays"
    return ""


def _instance_plan(kind: type) -> Optional[Reduce]:
    reducing = reduce_owner(kind)
    if reducing is object:
        return reduce_plainly if _needs_care(kind) else None
    if module_of(reducing) not in _STANDARD:
        return None  # a library's knows its subclasses, and may leave attributes out with intent
    order = mro(kind)
    constructor = min(order.index(owner(kind, name)) for name in ("__new__", "__init__"))
    if constructor < order.index(reducing) or (reducing in LOSES and kind is not reducing):
        return reduce_as_base
    return None


def _needs_care(kind: type) -> bool:
    """Tell whether pickle's own way with a class that has no ``__reduce__`` may go wrong."""
    if is_python(lookup(kind, "__getattribute__")) or owner(kind, "__class__") is not object:
        return True
    if owner(type(kind), "__getattr__") is not None:  # pickle asks the class, too
        return True
    if owner(kind, "__getattr__") is not None and owner(kind, "__setstate__") is None:
        return True
    new = owner(kind, "__new__")
    arguments = owner(kind, "__getnewargs_ex__") or owner(kind, "__getnewargs__")
    order = mro(kind)
    if arguments is None:
        if takes_more(own(new)["__new__"]):
            return True
    elif order.index(new) < order.index(arguments):
        return True
    if _has_slots(kind) and is_python(lookup(kind, "__setattr__")) and owner(kind, "__setstate__") is None:
        return True
    if is_python(lookup(kind, "__hash__")) and module_of(owner(kind, "__hash__")) == "__main__":
        return True
    return any(
        issubclass(kind, base) and any(is_python(lookup(kind, name)) for name in names)
        for base, names in _ITEM_SETTERS.items()
    )


def has_own_reduce(kind: type) -> bool:
    """Tell whether a class says itself how its objects are pickled."""
    return reduce_owner(kind) is not object


def _builtin_exceptions(kind: type) -> Tuple[type, ...]:
    return tuple(each for each in mro(kind) if not each.__flags__ & looking.HEAP_TYPE)


def _is_registered(kind: type) -> bool:
    try:
        return kind in copyreg.dispatch_table
    except TypeError:  # a metaclass that can't be hashed
        return False


def _has_slots(kind: type) -> bool:
    return any("__slots__" in own(each) and own(each)["__slots__"] for each in mro(kind))


@functools.lru_cache(maxsize=1)
def _exact() -> Dict[int, Reduce]:
    """By the type's id: a metaclass may forbid hashing."""
    import typing

    from . import typing_objects

    found: Dict[int, Reduce] = {
        id(functools.cached_property): functional.reduce_cached_property,
        id(functools.singledispatchmethod): functional.reduce_dispatching_method,
    }
    for name in ("TypeVar", "ParamSpec", "TypeVarTuple", "TypeAliasType"):
        if isinstance(getattr(typing, name, None), type):
            found[id(getattr(typing, name))] = typing_objects.reduce_variable
    return found
