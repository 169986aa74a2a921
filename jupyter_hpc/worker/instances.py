"""Objects made by the ``__new__`` of a base, and filled without asking them how."""

from __future__ import annotations

import collections
import copyreg
import functools
import types
from typing import Any, Dict, List, Optional, Tuple

from . import looking
from .looking import instance_dict, is_a, lookup, mro, own, owner

LOSES = (collections.Counter, collections.defaultdict)  # their __reduce__ forgets attributes
_DEFAULT = {name: own(object)[name] for name in ("__reduce_ex__", "__reduce__")}


def is_python(function: Any) -> bool:
    return type(function) in (types.FunctionType, functools.partialmethod)


def takes_more(new: Any) -> bool:
    """Tell whether a ``__new__`` can't be called with the class alone."""
    function = new.__func__ if type(new) is staticmethod else new
    if type(function) is not types.FunctionType:
        return False
    needed = function.__code__.co_argcount - len(function.__defaults__ or ())
    keywords = function.__code__.co_kwonlyargcount - len(function.__kwdefaults__ or ())
    return needed > 1 or keywords > 0


def builtin_base(kind: type) -> Any:
    """Return the class whose C code decides how an instance lies in memory."""
    return next(each for each in mro(kind) if type(own(each).get("__new__")) is types.BuiltinFunctionType)


def reduce_owner(kind: type) -> type:
    """Return the class whose ``__reduce_ex__`` or ``__reduce__`` counts."""
    for name in ("__reduce_ex__", "__reduce__"):
        if lookup(kind, name) is not _DEFAULT[name]:
            found: type = owner(kind, name)
            return found
    return object


def reduce_plainly(obj: Any, pickler: Any) -> Any:
    kind = type(obj)
    base, args, kwargs = _new_arguments(obj, kind)
    state = _state(obj)
    again = _hash_recipe(obj, kind)
    items = _items(obj)
    if state is None and items is None:
        return made, (kind, base, args, kwargs)
    return made, (kind, base, args, kwargs), (state, items, again), None, None, restore


def _new_arguments(obj: Any, kind: type) -> Tuple[Optional[type], Tuple[Any, ...], Dict[str, Any]]:
    """Return whose ``__new__`` makes such an object (None: its own), and with what."""
    new, order = owner(kind, "__new__"), mro(kind)
    for name in ("__getnewargs_ex__", "__getnewargs__"):
        giving = owner(kind, name)
        if giving is not None:
            given = looking.bound(obj, name)()
            args, kwargs = given if name.endswith("_ex__") else (given, {})
            return (giving if order.index(new) < order.index(giving) else None), tuple(args), kwargs
    return (builtin_base(kind) if takes_more(own(new)["__new__"]) else None), (), {}


def _state(obj: Any) -> Any:
    """Return what ``__getstate__`` of the type gives, or attributes and slots."""
    if owner(type(obj), "__getstate__") not in (None, object):
        return looking.bound(obj, "__getstate__")()
    attributes, slots = instance_dict(obj) or None, dict(looking.slots(obj)) or None
    return (attributes, slots) if slots else attributes


def _items(obj: Any) -> Optional[List[Any]]:
    if is_a(obj, dict):
        return list(dict.items(obj)) or None
    if is_a(obj, list):
        return list(list.__iter__(obj)) or None
    return None


def made(kind: type, base: Optional[type], args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
    """Make an object by the ``__new__`` of a base of its class (of its own, if None)."""
    if base is not None:
        return base.__new__(kind, *args, **kwargs)
    try:
        return kind.__new__(kind, *args, **kwargs)
    except Exception:
        if args or kwargs:
            raise
        return builtin_base(kind).__new__(kind)


def restore(obj: Any, state: Tuple[Any, Optional[List[Any]], Optional[Tuple[str, Any]]]) -> None:
    """Fill an object without asking it how, unless its class says how."""
    given, items, again = state
    if items is not None:
        _fill(obj, items)
    if given is not None:
        if owner(type(obj), "__setstate__") is not None:
            looking.bound(obj, "__setstate__")(given)
        else:
            _set_attributes(obj, given)
    if again is not None:
        _hash_again(obj, again)


def _fill(obj: Any, items: List[Any]) -> None:
    if is_a(obj, collections.OrderedDict):
        for key, value in items:
            collections.OrderedDict.__setitem__(obj, key, value)
    elif is_a(obj, dict):
        for key, value in items:
            dict.__setitem__(obj, key, value)
    else:
        list.__setitem__(obj, slice(None), items)


def _set_attributes(obj: Any, given: Any) -> None:
    attributes, slots = given if type(given) is tuple and len(given) == 2 else (given, None)
    if attributes:
        own_dict = instance_dict(obj)
        if own_dict is None:  # a class that gives its slots as a dictionary
            slots = {**attributes, **(slots or {})}
        else:
            own_dict.update(attributes)
    for name, value in (slots or {}).items():
        object.__setattr__(obj, name, value)


# -- objects that keep their own hash -----------------------------------------------------------------


def _hash_recipe(obj: Any, kind: type) -> Optional[Tuple[str, Any]]:
    """Return how an attribute that keeps the hash comes from the others: a text's hash is each process's own."""
    if not is_python(lookup(kind, "__hash__")):
        return None
    attributes = {**(instance_dict(obj) or {}), **dict(looking.slots(obj))}
    large = [name for name, value in attributes.items() if type(value) is int and abs(value) > 1 << 32]
    if not large:
        return None
    try:
        kept = hash(obj)
        names = [name for name in large if attributes[name] == kept]
        if not names:
            return None
        others = [name for name in attributes if name not in names]
        for recipe in (*others, tuple(others), *(tuple(others[:n]) for n in range(1, len(others)))):
            if _hash_by(attributes, recipe) == kept:
                return names[0], recipe
    except Exception:  # what can't be hashed keeps what it has
        pass
    return None


def _hash_by(attributes: Dict[str, Any], recipe: Any) -> Optional[int]:
    try:
        if type(recipe) is tuple:
            return hash(tuple(attributes[name] for name in recipe))
        return hash(attributes[recipe])
    except TypeError:
        return None


def _hash_again(obj: Any, again: Tuple[str, Any]) -> None:
    name, recipe = again
    attributes = {**(instance_dict(obj) or {}), **dict(looking.slots(obj))}
    object.__setattr__(obj, name, _hash_by(attributes, recipe))


# -- objects whose base knows only its own constructor ------------------------------------------------


def reduce_as_base(obj: Any, pickler: Any) -> Any:
    kind = type(obj)
    base = reduce_owner(kind)
    if base in LOSES or base is collections.OrderedDict:
        args: Tuple[Any, ...] = (obj.default_factory,) if is_a(obj, collections.defaultdict) else ()
        return _filled(built, (kind, base, args), _state(obj), _items(obj))
    reduced = looking.bound(obj, "__reduce_ex__")(5)
    if type(reduced) is not tuple:
        return NotImplemented
    whole: Tuple[Any, ...] = (*reduced, None, None, None)
    make, args, state, items, pairs = whole[:5]
    if len(reduced) > 5 and reduced[5] is not None:
        return reduced
    if make is copyreg.__newobj__ and args[0] is kind:  # type: ignore[attr-defined]
        make, args = made, (kind, base, args[1:], {})
    elif make is kind:
        make, args = built, (kind, base, args)
    else:
        return reduced
    found = list(items) if items is not None else list(pairs) if pairs is not None else None
    if is_a(obj, (dict, list)) or found is None:
        return _filled(make, args, _state(obj) if state is None else state, found)
    return (make, args, _state(obj) if state is None else state, iter(found))  # such as a deque


def _filled(make: Any, args: Any, state: Any, items: Any) -> Any:
    if state is None and not items:
        return make, args
    return make, args, (state, items, None), None, None, restore


def built(kind: type, base: type, args: Tuple[Any, ...]) -> Any:
    """Make an object by the constructor of a base of its class."""
    obj = base.__new__(kind, *args)
    if owner(base, "__init__") is not object:
        base.__init__(obj, *args)  # type: ignore[misc]
    return obj
