"""Classes and enums of the notebook, made again without the hooks that made them the first time.

cloudpickle makes a class by calling its metaclass with nothing, and sets its attributes afterwards. A metaclass or an
``__init_subclass__`` of the notebook that takes arguments can't be called so, and one that registers classes would
register it twice: all it did is in the class's attributes. A library's is called, as it may keep books outside, unless
that fails. An enum is made member by member: its ``__new__`` and ``__init__`` have run, and its members are these.
"""

from __future__ import annotations

import abc
import types
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Tuple

from cloudpickle import cloudpickle as _cp

from . import looking
from .instances import builtin_base
from .looking import lookup, module_of, mro, own, owner

_ENUM_TABLES = {"_member_map_", "_value2member_map_"}
_NEVER = {"__dict__", "__weakref__", "__class__", "__annotate_func__", "__annotations_cache__"}
_filling: Dict[int, type] = {}  # enums that were made here and wait for their attributes


def compiled(cls: type) -> Any:
    """Return what a class that numba compiled is to be pickled as; None for others."""
    if not module_of(type(cls)).startswith("numba."):
        return None
    from .compiled import reduce_class

    return reduce_class(cls)


def adapted(cls: type, reduced: Any) -> Any:
    """Return what a class is to be pickled as, given cloudpickle's way."""
    if not isinstance(reduced, tuple) or reduced[0] not in (
        _cp._make_skeleton_class,
        _cp._make_skeleton_enum,
    ):
        return reduced
    if reduced[0] is _cp._make_skeleton_enum:
        return _reduce_enum(cls)
    arguments = list(reduced[1])
    if "__slots__" in own(cls) and not (issubclass(cls, tuple) and "_fields" in own(cls)):
        # cloudpickle adds them too late, and instances then have a ``__dict__``; NamedTuple sets its own
        arguments[3] = {**arguments[3], "__slots__": own(cls)["__slots__"]}
    meta = type(cls)
    plain = meta in (type, abc.ABCMeta) or not _is_made_here(meta)
    hook = next((each for each in mro(cls)[1:] if "__init_subclass__" in own(each)), object)
    lie = own(cls).get("__class__")
    if type(lie) is property and not getattr(lie.fget, "__closure__", None):  # a proxy's; it can't be set later
        arguments[3] = {**arguments[3], "__class__": lie}
        left = {k: v for k, v in reduced[2][0].items() if k != "__class__"}
        reduced = (*reduced[:2], (left, reduced[2][1]), *reduced[3:])
    if _is_sure(cls):
        return (_cp._make_skeleton_class, tuple(arguments), *reduced[2:])
    state = ({**_inherited(cls, reduced[2][0]), **reduced[2][0]}, reduced[2][1])
    reduced = (*reduced[:2], state, *reduced[3:])
    make = class_or_bare if plain and not _is_made_here(hook) else bare_class
    # cloudpickle leaves out what a base has as well, but the metaclass may set it otherwise on the way
    same = {name: value for name, value in own(cls).items() if value is None or type(value) is bool}
    state = ({**same, **reduced[2][0]}, *reduced[2][1:])
    return (make, (*arguments, _known_meta(meta)), state, *reduced[3:5], set_class)


def _inherited(cls: type, state: Dict[str, Any]) -> Dict[str, Any]:
    """Return attributes that are the same in a base, which cloudpickle leaves out: the metaclass may set others."""
    slots = own(cls).get("__slots__", ())
    left_out = {*_NEVER, *((slots,) if isinstance(slots, str) else slots)}
    return {
        name: value
        for name, value in own(cls).items()
        if name not in state and name not in left_out and not name.startswith("_abc_")
    }


def _is_sure(cls: type) -> bool:
    """Tell whether nobody but Python itself has a say when such a class is made."""
    return type(cls) in (type, abc.ABCMeta) and all(
        "__init_subclass__" not in own(each) or module_of(each) in ("typing", "builtins", "abc")
        for each in mro(cls)[1:]
    )


def _is_made_here(kind: type) -> bool:
    """Tell whether a class travels as a whole, rather than by its name."""
    return bool(kind.__flags__ & looking.HEAP_TYPE) and not _cp._should_pickle_by_reference(kind)


def _known_meta(meta: type) -> type:
    """Return the metaclass's nearest base that is imported."""
    return next(each for each in mro(meta) if not _is_made_here(each))


def class_or_bare(
    meta: Any, name: str, bases: Any, namespace: Dict[str, Any], tracker: Any, extra: Any, known_meta: Any
) -> type:
    """Make a class as cloudpickle does; a library's hook that wants more than it knows is left out."""
    try:
        found: type = _cp._make_skeleton_class(meta, name, bases, namespace, tracker, extra)
        return found
    except Exception:
        return bare_class(meta, name, bases, namespace, tracker, extra, known_meta)


def bare_class(
    meta: Any, name: str, bases: Any, namespace: Dict[str, Any], tracker: Any, extra: Any, known_meta: Any
) -> type:
    """Make a class without running hooks of the notebook."""
    if tracker is not None and tracker in _cp._DYNAMIC_CLASS_TRACKER_BY_ID:
        known: type = _cp._DYNAMIC_CLASS_TRACKER_BY_ID[tracker]
        return known
    resolved = types.resolve_bases(bases)
    content = dict(namespace)
    if resolved is not bases:
        content["__orig_bases__"] = bases
    with _no_hook(resolved):
        try:
            cls = known_meta.__new__(meta, name, resolved, content)
        except Exception:  # one that takes arguments: then only what makes a class a class
            cls = type.__new__(meta, name, resolved, content)
            if issubclass(meta, abc.ABCMeta):
                import _abc  # type: ignore[import-not-found]

                _abc._abc_init(cls)
    found: type = _cp._lookup_class_or_track(tracker, cls)
    return found


@contextmanager
def _no_hook(bases: Tuple[type, ...]) -> Iterator[None]:
    """Keep ``__init_subclass__`` of the bases from being called."""
    hooked = []
    for base in bases:
        giving = owner(base, "__init_subclass__")
        if giving is not object and giving not in hooked and giving.__flags__ & looking.HEAP_TYPE:
            hooked.append(giving)
    saved = [(each, own(each)["__init_subclass__"]) for each in hooked]
    try:
        for each, _ in saved:
            type.__setattr__(each, "__init_subclass__", classmethod(lambda cls, **_: None))
        yield
    finally:
        for each, hook in saved:
            type.__setattr__(each, "__init_subclass__", hook)


def set_class(cls: type, state: Tuple[Dict[str, Any], Any]) -> None:
    """Give a class its attributes, whatever its metaclass thinks of that."""
    if lookup(type(cls), "__setattr__") is own(type)["__setattr__"]:
        _cp._class_setstate(cls, state)
        return
    attributes = dict(state[0])
    registered = attributes.pop("_abc_impl", None)
    first_line = attributes.get("__firstlineno__")
    for name, value in attributes.items():
        type.__setattr__(cls, name, value)
    if first_line is not None:  # setting anything takes it away
        type.__setattr__(cls, "__firstlineno__", first_line)
    for subclass in registered or ():
        abc.ABCMeta.register(cls, subclass)  # type: ignore[arg-type]


# -- enums --------------------------------------------------------------------------------------------


def reduce_member(member: Any, pickler: Any) -> Any:
    """A member is known by its name; what was combined of several (``R | W``) by its value, as pickle does it."""
    cls = type(member)
    name = (looking.instance_dict(member) or {}).get("_name_")
    if isinstance(name, str) and own(cls)["_member_map_"].get(name) is member:
        return member_of, (cls, name)
    return NotImplemented


def member_of(cls: type, name: str) -> Any:
    """Return an enum's member."""
    return own(cls)["_member_map_"][name]


def _reduce_enum(cls: Any) -> Any:
    members = own(cls)["_member_map_"]
    distinct = list({id(m): m for m in members.values()}.values())
    contents = [(m._name_, _content(m)) for m in distinct]
    attributes, more = _cp._class_getstate(cls)
    for table in _ENUM_TABLES | set(members):
        attributes.pop(table, None)
    # a member is in the class's dictionary, too; Python 3.11 and later have a property there where a base has the name
    others = {n: own(cls)[n] for n in members if n in own(cls) and own(cls)[n] is not members[n]}
    by_value = [(v, m._name_) for v, m in own(cls).get("_value2member_map_", {}).items() if m in distinct]
    state = (
        [(m._name_, dict(looking.instance_dict(m) or {})) for m in distinct],
        {**attributes, **others},
        by_value,
    )
    names = [(name, member._name_) for name, member in members.items()]
    in_dict = [name for name in members if own(cls).get(name) is members[name]]
    identifier = _cp._get_or_create_tracker_id(cls)
    namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    arguments = (type(cls), cls.__name__, cls.__bases__, namespace, contents, names, in_dict, identifier)
    return make_enum, arguments, state, None, None, set_enum


def _content(member: Any) -> Tuple[Any, ...]:
    """Return what the ``__new__`` of the data type below a member takes; nothing for a plain one."""
    kinds: Tuple[Any, ...] = (int, str, bytes, float, complex, tuple, frozenset)
    for kind in kinds:
        if isinstance(member, kind):
            return (kind, kind.__new__(kind, *_bare(kind, member)))
    return ()


def _bare(kind: Any, member: Any) -> Tuple[Any, ...]:
    if kind in (tuple, frozenset):
        return (list(kind.__iter__(member)),)
    if kind is str:
        return (str.__str__(member),)
    if kind is bytes:
        return (bytes.__getitem__(member, slice(None)),)
    if kind is complex:
        return (member.real, member.imag)
    return (kind.__pos__(member),)


def make_enum(
    meta: Any,
    name: str,
    bases: Any,
    namespace: Any,
    contents: List[Any],
    names: Any,
    in_dict: Any,
    tracker: Any,
) -> type:
    """Make an enum with its members, which have no attributes yet."""
    known = _cp._DYNAMIC_CLASS_TRACKER_BY_ID.get(tracker)
    if known is not None:
        found: type = known
        return found
    with _no_hook(bases):
        cls = type.__new__(meta, name, bases, dict(namespace))
    members: Dict[str, Any] = {}
    for member, content in contents:
        made = content[0].__new__(cls, content[1]) if content else _plain_member(cls)
        members[member] = made
    table = {alias: members[member] for alias, member in names}
    type.__setattr__(cls, "_member_map_", table)
    type.__setattr__(cls, "_member_names_", [])
    type.__setattr__(cls, "_value2member_map_", {})
    for each in in_dict:
        type.__setattr__(cls, each, table[each])
    _filling[id(cls)] = cls
    tracked: type = _cp._lookup_class_or_track(tracker, cls)
    return tracked


def _plain_member(cls: type) -> Any:
    return builtin_base(cls).__new__(cls)


def set_enum(cls: Any, state: Tuple[Any, Dict[str, Any], List[Any]]) -> None:
    """Give an enum and its members their attributes; one that was here before keeps what it has."""
    if _filling.pop(id(cls), None) is None:
        return
    attributes, own_attributes, by_value = state
    members = own(cls)["_member_map_"]
    for name, value in own_attributes.items():
        type.__setattr__(cls, name, value)
    for name, given in attributes:
        looking.instance_dict(members[name]).update(given)
    for value, name in by_value:
        own(cls)["_value2member_map_"][value] = members[name]
