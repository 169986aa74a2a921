"""Which objects of the payload did the cell change, and under which names are they known?"""

from __future__ import annotations

import copyreg
import gc
import sys
import types

from . import aspects
from .aspects import CELL, CLASS, FUNCTION, is_notebooks, is_plain, parts_of
from .content import Array, Tensor, Whole, is_dense
from .memory import Memory, address_of

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, List, Set, Tuple

MOST_REACHED = 2_000_000  # objects looked at to tell under which names something changed
_FIRST = (
    "kind",
    "class",
    "function",
    "cell",
    "attributes",
    "slots",
)  # what may decide a hash comes before what asks for it
_LAST = ("members", "pairs")
_UNCHANGING: Dict[str, Any] = {
    "datetime": None,
    "decimal": {"Decimal"},
    "fractions": None,
    "uuid": None,
    "pathlib": None,
    "re": None,
    "typing": None,
    "enum": None,
    "weakref": None,
    "abc": None,
    "_thread": None,
    "ipaddress": None,
    "mmap": None,
    "inspect": None,
    "numpy.dtypes": None,
    "collections.abc": None,
}
_MUTABLE_BUILTINS = (list, dict, set, bytearray, BaseException)


class Change:
    """One object that differs from what was sent: its number, and the state of each aspect that changed."""

    __slots__ = ("aspects", "number", "obj")

    def __init__(self, number: int, obj: Any, changed: List[Tuple[Any, Any]]) -> None:
        self.number, self.obj, self.aspects = number, obj, changed

    def state(self) -> Tuple[int, Dict[str, Any]]:
        """Return what travels."""
        return self.number, {aspect.name: aspect.state(self.obj, taken) for aspect, taken in self.aspects}


class Watch:
    """Looks at the objects of a stream before and after a cell.

    Parameters
    ----------
    objects : list
        By number.
    buffers : iterable
        The stream's large buffers, of which mapped ones are not read.
    make_pickler : callable
        Makes a :class:`.pickling.ValuePickler`; not called before something needs it.
    """

    def __init__(self, objects: List[Any], buffers: Iterable[Any], make_pickler: Callable[..., Any]) -> None:
        self.objects = objects
        memory = self._memory = Memory(buffers)
        self._array, self._tensor = Array(memory), Tensor(memory)
        self._whole = Whole(objects, make_pickler, memory)
        self._kinds: Dict[type, Any] = {}
        self._taken: List[Tuple[int, Any, List[Tuple[Any, Any]]]] = []

    def take(self, skipped: Iterable[Any] = ()) -> None:
        """Take everything as it is now, but for the objects of ``skipped``."""
        seen = {*map(id, skipped), *self._held_by_others()}
        opaque: List[Tuple[int, Any, List[Tuple[Any, Any]]]] = []
        for number, obj in enumerate(self.objects):
            kind = type(obj)
            found = self._kinds.get(kind)
            if found is None:
                found = self._kinds[kind] = self._aspects(kind)
            if not found or id(obj) in seen or not _changes(obj):
                continue
            seen.add(id(obj))
            entry: Tuple[int, Any, List[Tuple[Any, Any]]] = (number, obj, [])
            if found == (self._tensor,) and not is_dense(obj):
                found = (self._whole,)
            if found == (self._whole,):
                opaque.append(entry)
            else:
                self._look(entry, found)
            self._taken.append(entry)
        if opaque:
            self._memory.look()  # loading may have written to what they hold
        self._whole.begin(len(opaque))
        for entry in opaque:
            self._look(entry, (self._whole,))

    def _held_by_others(self) -> Set[int]:
        """Return the bytearrays that are the memory of arrays and tensors, which are looked at themselves."""
        raw = [obj for obj in self.objects if type(obj) is bytearray]
        if not raw:
            return set()
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        held = set()
        for obj in self.objects:
            if numpy is not None and issubclass(type(obj), numpy.ndarray):
                held.add(obj.__array_interface__["data"][0])
            elif torch is not None and issubclass(type(obj), torch.Tensor) and is_dense(obj):
                held.add(obj.untyped_storage().data_ptr())
        return {id(each) for each in raw if address_of(each) in held}

    def _look(self, entry: Tuple[int, Any, List[Tuple[Any, Any]]], found: Iterable[Any]) -> None:
        for aspect in found:
            try:
                entry[2].append((aspect, aspect.take(entry[1])))
            except Exception:  # an object that can't be looked at is left alone: the others still are
                continue

    def _aspects(self, kind: type) -> Tuple[Any, ...]:
        """Return the aspects of a type's instances."""
        if kind is types.CellType:
            return (CELL,)
        if kind is types.FunctionType:
            return (FUNCTION,)
        if issubclass(kind, type):
            return (CLASS,)
        module = kind.__module__
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy is not None and kind in (numpy.ndarray, numpy.memmap):
            return (self._array,)
        if numpy is not None and issubclass(kind, (numpy.generic, numpy.dtype)):
            return ()
        if torch is not None and issubclass(kind, torch.Tensor):
            return (self._tensor,)
        if module == "builtins" and not issubclass(kind, _MUTABLE_BUILTINS) and not hasattr(kind, "__next__"):
            return ()
        if module in _UNCHANGING and (_UNCHANGING[module] is None or kind.__name__ in _UNCHANGING[module]):
            return ()
        if _is_enum(kind):
            return ()
        return parts_of(kind) if is_plain(kind) or issubclass(kind, BaseException) else (self._whole,)

    def changed(self) -> List[Change]:
        """Return what differs now."""
        self._memory.look()
        self._whole.begin(sum(aspect is self._whole for _, _, taken in self._taken for aspect, _ in taken))
        found = []
        for number, obj, taken in self._taken:
            differs = [(aspect, before) for aspect, before in taken if not _same(aspect, before, obj)]
            if differs:
                found.append(Change(number, obj, differs))
        return found


def _same(aspect: Any, before: Any, obj: Any) -> bool:
    try:
        return bool(aspect.same(before, aspect.take(obj)))
    except Exception:  # it can't be read any more, which is a change; what travels is tried and named later
        return False


def _changes(obj: Any) -> bool:
    """Tell whether an object is one whose changes concern the notebook: its own classes and functions, any value."""
    if isinstance(obj, (type, types.FunctionType)):
        return is_notebooks(obj) and not (isinstance(obj, type) and _is_enum(obj))
    return not isinstance(obj, types.ModuleType)


def _is_enum(kind: type) -> bool:
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(kind, enum.Enum)


def names_of(changes: List[Change], roots: Dict[str, Any], stop: Iterable[Any]) -> Dict[int, List[str]]:
    """Return the names from whose values each changed object can be reached, by its number.

    Parameters
    ----------
    roots : dict
        The values that were sent, by name.
    stop : iterable
        Objects through which nothing is reached, such as the namespace.
    """
    wanted = {id(change.obj): change.number for change in changes}
    found: Dict[int, List[str]] = {change.number: [] for change in changes}
    barred = {*map(id, stop)}
    budget = [MOST_REACHED]
    for through_types in (False, True):
        for name, value in roots.items():
            for number in _reached(value, wanted, barred, budget, through_types):
                found[number].append(name)
        wanted = {address: number for address, number in wanted.items() if not found[number]}
        if not wanted:
            break
    return found


def _reached(root: Any, wanted: Dict[int, int], barred: Set[int], budget: List[int], through_types: bool) -> Set[int]:
    found: Set[int] = set()
    seen = {id(root)}
    pending = [root]
    while pending and budget[0] > 0:
        obj = pending.pop()
        if id(obj) in wanted:
            found.add(wanted[id(obj)])
        if isinstance(obj, types.ModuleType) or (
            obj is not root and isinstance(obj, type) and not (through_types and is_notebooks(obj))
        ):
            continue
        for each in gc.get_referents(obj):
            if id(each) not in seen and id(each) not in barred:
                budget[0] -= 1
                seen.add(id(each))
                pending.append(each)
    return found


def put(objects: List[Any], states: Iterable[Tuple[int, Dict[str, Any]]]) -> Tuple[Dict[int, Any], Dict[int, str]]:
    """Change the receiver's own objects to the states that they have at the other end.

    Returns
    -------
    anew : dict
        For objects that can't be changed to that in place, another that has the state, by number.
    failed : dict
        Why an object could not be changed at all, by number.
    """
    anew: Dict[int, Any] = {}
    failed: Dict[int, str] = {}
    for number, name, state in sorted(
        ((number, name, state) for number, parts in states for name, state in parts.items()),
        key=lambda each: (each[1] in _LAST) - (each[1] in _FIRST),
    ):
        obj = objects[number]
        try:
            _BY_NAME[name](obj, state)
        except Exception as error:  # its type's own code may raise anything
            try:
                anew[number] = _ANEW[name](obj, state)
            except Exception:
                failed[number] = f"{type(error).__name__}: {error}"
    return anew, failed


def _whole_anew(obj: Any, state: Any) -> Any:
    return state


_PLAIN = (
    aspects.ITEMS,
    aspects.PAIRS,
    aspects.MEMBERS,
    aspects.RAW,
    aspects.ATTRIBUTES,
    aspects.SLOTS,
    CLASS,
    FUNCTION,
    CELL,
    aspects.KIND,
    aspects.FACTORY,
    aspects.ARGUMENTS,
)
_nowhere = Memory(())
_BY_NAME: Dict[str, Callable[[Any, Any], None]] = {
    aspect.name: aspect.put
    for aspect in (*_PLAIN, Array(_nowhere), Tensor(_nowhere), Whole([], copyreg.constructor, _nowhere))
}
_ANEW: Dict[str, Callable[[Any, Any], Any]] = {
    "array": Array.anew,
    "tensor": Tensor.anew,
    "whole": _whole_anew,
}
