"""What of an object can change in place: taken before the cell, compared after it, put into the object at home.

An *aspect* is one such part: the items of a list, the attributes of an instance, the bytes of an array. Children are
compared by identity, since they are objects of the stream themselves; only bytes are compared by content.
User code is not run for it: containers are read by their base type's own methods, whatever a subclass overrides.
"""

from __future__ import annotations

import array
import collections
import copyreg
import types

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

_SKIPPED = frozenset(  # of a class: what Python itself keeps there
    "__dict__ __weakref__ __module__ __qualname__ __slotnames__ __abstractmethods__ _abc_impl "
    "__annotations_cache__ __annotate_func__ __static_attributes__ __firstlineno__".split()
)
_DEFAULT_FACTORY: Any = vars(collections.defaultdict)["default_factory"]
_ARGUMENTS: Any = vars(BaseException)["args"]


class Immutable(Exception):
    """The object here can't be changed to that state in place."""


class Aspect:
    """One way to change: subclasses say how it is read and put."""

    name = ""

    def take(self, obj: Any) -> Any:
        """Return what is compared later."""
        raise NotImplementedError

    def same(self, taken: Any, now: Any) -> bool:
        return len(taken) == len(now) and all(a is b for a, b in zip(taken, now))

    def state(self, obj: Any, taken: Any) -> Any:
        """Return what travels."""
        return self.take(obj)

    def put(self, obj: Any, state: Any) -> None:
        """Change an object to a state.

        Raises
        ------
        Exception
            Whatever its type raises where it can't be changed.
        """
        raise NotImplementedError


class _Items(Aspect):
    name = "items"

    def take(self, obj: Any) -> Any:
        base = list if isinstance(obj, list) else collections.deque
        return tuple(base.__iter__(obj))

    def put(self, obj: Any, state: Any) -> None:
        if isinstance(obj, list):
            list.__setitem__(obj, slice(None), state)
        else:
            collections.deque.clear(obj)
            collections.deque.extend(obj, state)


class _Pairs(Aspect):
    """Keys and values of a dict, in its order."""

    name = "pairs"

    @staticmethod
    def _base(obj: Any) -> Any:
        return collections.OrderedDict if isinstance(obj, collections.OrderedDict) else dict

    def take(self, obj: Any) -> Any:
        base = self._base(obj)
        return (*base.keys(obj), *base.values(obj))

    def put(self, obj: Any, state: Any) -> None:
        base, half = self._base(obj), len(state) // 2
        base.clear(obj)
        for key, value in zip(state[:half], state[half:]):
            base.__setitem__(obj, key, value)


class _Members(Aspect):
    name = "members"

    def take(self, obj: Any) -> Any:
        return tuple(set.__iter__(obj))

    def same(self, taken: Any, now: Any) -> bool:
        return len(taken) == len(now) and {*map(id, taken)} == {*map(id, now)}

    def put(self, obj: Any, state: Any) -> None:
        set.clear(obj)
        set.update(obj, state)


class _Raw(Aspect):
    """The bytes of a bytearray or an array.array."""

    name = "raw"

    def take(self, obj: Any) -> Any:
        return bytes(obj) if isinstance(obj, bytearray) else obj.tobytes()

    def same(self, taken: Any, now: Any) -> bool:
        return bool(taken == now)

    def put(self, obj: Any, state: Any) -> None:
        if isinstance(obj, bytearray):
            bytearray.__setitem__(obj, slice(None), state)
        else:
            del obj[:]
            obj.frombytes(state)


class _Named(Aspect):
    """A part that is a dict from name to value."""

    def take(self, obj: Any) -> Dict[Any, Any]:
        raise NotImplementedError

    def same(self, taken: Any, now: Any) -> bool:
        is_same_order = len(taken) == len(now) and all(a is b for a, b in zip(taken, now))
        return is_same_order and all(taken[name] is now[name] for name in now)

    def state(self, obj: Any, taken: Any) -> Any:
        now = self.take(obj)
        stayed = [k for k in taken if k in now]
        first = next((i for i, (old, new) in enumerate(zip(stayed, now)) if old is not new), len(stayed))
        moved = stayed[first:]  # deleted and made again: they come after the others, as there
        changed = {k: v for k, v in now.items() if k not in taken or taken[k] is not v or k in moved}
        return changed, [*(k for k in taken if k not in now), *moved]


class _Attributes(_Named):
    name = "attributes"

    def take(self, obj: Any) -> Dict[Any, Any]:
        return dict(_dict_of(obj))

    def put(self, obj: Any, state: Any) -> None:
        changed, gone = state
        own = _dict_of(obj)
        for name in gone:
            own.pop(name, None)
        own.update(changed)


class _Slots(_Named):
    name = "slots"

    def take(self, obj: Any) -> Dict[Any, Any]:
        found = {}
        for name in copyreg._slotnames(type(obj)):  # type: ignore[attr-defined]
            try:
                found[name] = object.__getattribute__(obj, name)
            except AttributeError:
                continue
        return found

    def put(self, obj: Any, state: Any) -> None:
        changed, gone = state
        for name in gone:
            object.__delattr__(obj, name)
        for name, value in changed.items():
            object.__setattr__(obj, name, value)


class _Class(_Named):
    """The attributes of a class of the notebook."""

    name = "class"

    def take(self, obj: Any) -> Dict[Any, Any]:
        return {k: v for k, v in type.__dict__["__dict__"].__get__(obj).items() if k not in _SKIPPED}

    def put(self, obj: Any, state: Any) -> None:
        changed, gone = state
        for name in gone:
            if name in vars(obj):
                type.__delattr__(obj, name)
        for name, value in changed.items():
            type.__setattr__(obj, name, value)


class _Function(_Named):
    """Attributes and defaults of a function of the notebook, and what it does and is called."""

    name = "function"
    _own = ("__defaults__", "__kwdefaults__", "__code__", "__doc__", "__name__", "__qualname__")

    def take(self, obj: Any) -> Dict[Any, Any]:
        return {**{name: getattr(obj, name) for name in self._own}, **vars(obj)}

    def put(self, obj: Any, state: Any) -> None:
        changed, gone = state
        for name in gone:
            vars(obj).pop(name, None)
        for name, value in changed.items():
            setattr(obj, name, value)


class _Cell(Aspect):
    """The value that closures share."""

    name = "cell"

    def take(self, obj: Any) -> Any:
        try:
            return (obj.cell_contents,)
        except ValueError:  # empty
            return ()

    def put(self, obj: Any, state: Any) -> None:
        if state:
            obj.cell_contents = state[0]
        else:
            del obj.cell_contents


class _Kind(Aspect):
    """The class of an instance, which it may leave for another."""

    name = "kind"

    def take(self, obj: Any) -> Any:
        return (type(obj),)

    def put(self, obj: Any, state: Any) -> None:
        object.__setattr__(obj, "__class__", state[0])


class _Factory(Aspect):
    """What a defaultdict makes its values with."""

    name = "factory"

    def take(self, obj: Any) -> Any:
        return (_DEFAULT_FACTORY.__get__(obj),)

    def put(self, obj: Any, state: Any) -> None:
        _DEFAULT_FACTORY.__set__(obj, state[0])


class _Arguments(Aspect):
    """What an exception was made with."""

    name = "arguments"

    def take(self, obj: Any) -> Any:
        return (_ARGUMENTS.__get__(obj),)

    def put(self, obj: Any, state: Any) -> None:
        _ARGUMENTS.__set__(obj, state[0])


KIND, FACTORY, ARGUMENTS = _Kind(), _Factory(), _Arguments()
ITEMS, PAIRS, MEMBERS, RAW = _Items(), _Pairs(), _Members(), _Raw()
ATTRIBUTES, SLOTS, CLASS, FUNCTION, CELL = _Attributes(), _Slots(), _Class(), _Function(), _Cell()
_CONTAINERS = (
    (list, ITEMS),
    (collections.deque, ITEMS),
    (dict, PAIRS),
    (set, MEMBERS),
    (bytearray, RAW),
    (array.array, RAW),
    (collections.defaultdict, FACTORY),
    (BaseException, ARGUMENTS),
)


def _dict_of(obj: Any) -> Any:
    """Return the ``__dict__`` itself, whatever the class answers for that name."""
    for cls in type(obj).__mro__:
        found = cls.__dict__.get("__dict__")
        if isinstance(found, types.GetSetDescriptorType):
            return found.__get__(obj)
    return object.__getattribute__(obj, "__dict__")


_PLAIN_REDUCE: List[Any] = [t.__reduce__ for t in (object, collections.deque, set, bytearray)] + [
    collections.OrderedDict.__reduce__,
    collections.defaultdict.__reduce__,
    collections.Counter.__reduce__,
]
_PLAIN_REDUCE_EX: List[Any] = [object.__reduce_ex__, bytearray.__reduce_ex__, array.array.__reduce_ex__]


def is_plain(kind: type) -> bool:
    """Tell whether containers and attributes are all the state that instances have, as their type pickles them."""
    return (
        kind.__reduce_ex__ in _PLAIN_REDUCE_EX
        and (kind.__reduce__ in _PLAIN_REDUCE or issubclass(kind, array.array))
        and getattr(kind, "__getstate__", None) in (None, getattr(object, "__getstate__", None))
        and not hasattr(kind, "__setstate__")
        and kind not in copyreg.dispatch_table
    )


def parts_of(kind: type) -> Tuple[Aspect, ...]:
    """Return the aspects that an instance has by its built-in base, its ``__dict__`` and its slots."""
    found: List[Aspect] = [KIND] if is_notebooks(kind) else []
    found += [aspect for base, aspect in _CONTAINERS if issubclass(kind, base)]
    if kind.__dictoffset__ or _has_dict(kind):
        found.append(ATTRIBUTES)
    if any("__slots__" in vars(cls) for cls in kind.__mro__) and copyreg._slotnames(kind):  # type: ignore[attr-defined]
        found.append(SLOTS)
    return tuple(found)


def _has_dict(kind: type) -> bool:
    return any(isinstance(vars(cls).get("__dict__"), types.GetSetDescriptorType) for cls in kind.__mro__)


def is_notebooks(obj: Any) -> bool:
    """Tell whether a function or class was made in a notebook, and so travels by value."""
    try:
        return bool(obj.__module__ == "__main__")
    except Exception:  # a metaclass may answer anything
        return False
