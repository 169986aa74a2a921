"""A notebook's namespace in a form that two runs can be compared by: values by what is in them, aliases by number.

Each object that can change, or that leads to one, gets a number where it is first met; where it is met again there is
only the number. So two portraits are equal only if the same paths lead to the same objects in both. The kernel loads
this file by itself: it takes nothing but the standard library.
"""

from __future__ import annotations

import collections
import hashlib
import json
import random
import types
from typing import Any

_PLAIN = (type(None), bool, int, float, complex, str, bytes, range, type(Ellipsis), type(NotImplemented))
_NOT_OURS = {  # what Python itself keeps of a class
    *("__dict__", "__weakref__", "__module__", "__doc__", "__slotnames__"),
    *("__firstlineno__", "__static_attributes__"),
}
_MADE_BY_DATACLASS = {"__init__", "__repr__", "__eq__", "__match_args__", "__hash__", "__replace__"}
_ITERATORS = tuple(type(iter(x)) for x in ([], (), range(0), "", b"", {}, reversed([]), enumerate([]), zip([])))


def portrait(namespace: dict[str, Any], hidden: Any = ()) -> str:
    """Return all names of a namespace that are the notebook's own, as JSON."""
    own = {n: v for n, v in namespace.items() if not n.startswith("_") and n not in hidden}
    painter = _Painter(namespace)
    return json.dumps({name: painter.paint(own[name]) for name in sorted(own)})


class _Painter:
    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._numbers: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._held: list[Any] = []  # so that no id is given twice

    def paint(self, value: Any) -> Any:
        if isinstance(value, _PLAIN) and type(value) in _PLAIN:
            return f"{type(value).__name__} {value!r}"
        if isinstance(value, types.ModuleType):
            return f"module {value.__name__}"
        if value is self._namespace:
            return "the namespace"
        if _is_of_a_library(value):
            return f"{value.__module__}.{value.__qualname__}"
        if type(value) in (tuple, frozenset) and _is_fixed(value):
            return (
                f"{type(value).__name__} {value!r}" if type(value) is tuple else f"frozenset {sorted(value, key=repr)}"
            )
        if id(value) in self._numbers:
            return f"#{self._numbers[id(value)]}"
        self._numbers[id(value)] = number = len(self._numbers)
        self._held.append(value)
        return {f"#{number} {_kind(value)}": self._inside(value)}

    def _all(self, values: Any) -> list[Any]:
        return [self.paint(each) for each in values]

    def _items(self, values: Any, *, in_order: bool = True) -> list[Any]:
        items = list(values.items()) if in_order else sorted(values.items())
        return [[self.paint(key), self.paint(value)] for key, value in items]

    def _inside(self, value: Any) -> Any:
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.CellType):
            try:
                return self.paint(value.cell_contents)
            except ValueError:
                return "empty"
        if isinstance(value, types.MethodType):
            return [self.paint(value.__self__), self.paint(value.__func__)]
        if isinstance(value, types.BuiltinMethodType):
            return [value.__name__, self.paint(value.__self__)]
        if isinstance(value, property):
            return self._all((value.fget, value.fset, value.fdel))
        if isinstance(value, (staticmethod, classmethod)):
            return self.paint(value.__func__)
        if isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType)):
            return value.__name__
        if isinstance(value, _ITERATORS):
            return self._all(value.__reduce__()[1:])
        if type(value).__module__.partition(".")[0] == "numpy":
            return self._numpy(value)
        return self._object(value)

    def _function(self, value: types.FunctionType) -> Any:
        found = {
            "code": _code(value.__code__),
            "name": [value.__name__, value.__qualname__, str(value.__module__), repr(value.__doc__)],
            "defaults": self.paint(value.__defaults__),
            "keywords": self.paint(value.__kwdefaults__),
            "closure": self._all(value.__closure__ or ()),
            "attributes": self._items(value.__dict__),
        }
        return {**found, "sees": value.__globals__ is self._namespace}

    def _class(self, value: type) -> Any:
        skipped = set(_NOT_OURS)
        if "__dataclass_params__" in vars(value):
            skipped |= _MADE_BY_DATACLASS | {n for n in vars(value) if n.startswith("__dataclass_")}
        own = {n: v for n, v in vars(value).items() if n not in skipped}
        return {
            "name": [value.__qualname__, value.__module__, repr(value.__doc__)],
            "bases": self._all(value.__bases__),
            "fields": list(getattr(value, "__dataclass_fields__", ())),
            "dict": self._items(own, in_order=False),
        }

    def _numpy(self, value: Any) -> Any:
        if type(value).__name__ == "ndarray":
            inside = self._all(value.ravel()) if value.dtype == object else value.tolist()
            memory = str(self._memory(value) if value.size else [])
            return [str(value.dtype), list(value.shape), inside, memory, value.flags.writeable]
        if hasattr(value, "bit_generator"):
            return [type(value.bit_generator).__name__, _short(repr(value.bit_generator.state))]
        return repr(value)  # its scalars

    def _memory(self, value: Any) -> list[int]:
        """Return a number for the place of each element: equal ones are one piece of memory, however it is laid out."""
        self._held.append(value)
        places = [value.ctypes.data]
        for count, step in zip(value.shape, value.strides):
            places = [place + n * step for place in places for n in range(count)]
        return [self._places.setdefault(place, len(self._places)) for place in places]

    def _object(self, value: Any) -> Any:
        found: dict[str, Any] = {"class": self.paint(type(value))}
        if isinstance(value, dict):
            found["items"] = self._items(dict.copy(value))
        elif isinstance(value, (list, tuple, collections.deque)):
            found["items"] = self._all(value)
        elif isinstance(value, (set, frozenset)):
            found["items"] = sorted(json.dumps(self.paint(each)) for each in value)
        elif isinstance(value, bytearray):
            found["items"] = bytes(value).hex()
        elif isinstance(value, random.Random):
            found["state"] = _short(repr(value.getstate()))
        elif isinstance(value, BaseException):
            found["args"] = self.paint(value.args)
        for name in ("default_factory", "maxlen", "func", "args", "keywords"):
            if hasattr(type(value), name) and type(value).__module__ in ("collections", "functools"):
                found[name] = self.paint(getattr(value, name))
        if hasattr(value, "__dict__") and not isinstance(value, BaseException):
            found["attributes"] = self._items(value.__dict__)
        slots = [s for c in type(value).__mro__ for s in _slots(c)]
        if slots:
            found["slots"] = [[s, self.paint(getattr(value, s))] for s in slots if hasattr(value, s)]
        return found


def _is_of_a_library(value: Any) -> bool:
    """What is met again by its name."""
    if isinstance(value, types.BuiltinFunctionType) and isinstance(value.__self__, (types.ModuleType, type(None))):
        return True
    return (
        isinstance(value, (type, types.FunctionType))
        and value.__module__ != "__main__"
        and "." not in (value.__qualname__)
    )


def _is_fixed(value: Any) -> bool:
    """Nothing in it can change, so nobody can tell two of it from one."""
    if type(value) in (tuple, frozenset):
        return all(map(_is_fixed, value))
    return type(value) in _PLAIN


def _kind(value: Any) -> str:
    return type(value).__name__


def _slots(kind: type) -> list[str]:
    found = vars(kind).get("__slots__", ()) if kind.__module__ == "__main__" else ()
    return [found] if isinstance(found, str) else list(found)


def _code(code: types.CodeType) -> Any:
    """What a function does, wherever and on whichever line it was compiled."""
    constants = [_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    names = [code.co_name, list(code.co_names), list(code.co_varnames), list(code.co_freevars)]
    return [names, code.co_argcount, code.co_kwonlyargcount, _short(code.co_code.hex()), constants]


def _short(text: str) -> str:
    return text if len(text) < 40 else hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]
