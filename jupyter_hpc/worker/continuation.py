"""The result's pickle stream goes on where the payload's ended, so that what travelled keeps its identity.

Both ends of a stream number the same objects in the same order (the memo of pickler and unpickler). A result begins
with a prelude that gives the receiver's own objects the numbers that they had in the payload; after it, a number in
the stream is the very object that was sent: a class is the kernel's class and not one of its name, two names for
one object stay one, ``opt`` goes on holding ``net``'s parameters.
"""

from __future__ import annotations

import types

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Sequence, Tuple

PROTO = b"\x80\x05"
_NUMBERED = b"\x97\x940"  # NEXT_BUFFER MEMOIZE POP: the next of what the reader was given gets the next number
_END = b"N."


class Nowhere:
    """A file that keeps nothing: for a pickle that only shows whether there can be one."""

    def write(self, data: Any) -> int:
        return len(data.raw() if hasattr(data, "raw") else data)


class Hole:
    """Has a number that no object has any more."""


def numbered(memo: Dict[int, Tuple[int, Any]]) -> List[Any]:
    """Return the objects of a pickler's memo (``pickler.memo.copy()``) by their numbers."""
    return _listed(dict(memo.values()))


def numbered_there(memo: Dict[int, Any]) -> List[Any]:
    """Return the objects of an unpickler's memo by their numbers: the same objects, at the other end."""
    return _listed(memo)


def _listed(by_number: Dict[int, Any]) -> List[Any]:
    size = max(by_number) + 1 if by_number else 0
    return [by_number.get(number, Hole) for number in range(size)]


def prelude(count: int) -> bytes:
    """Return what a stream begins with whose reader gets ``count`` objects before the buffers."""
    return PROTO + _NUMBERED * count + _END if count else b""


def resume(pickler: Any, objects: Sequence[Any]) -> Any:
    """Let a fresh pickler know the objects of a stream, by their numbers."""
    memo: Dict[int, Tuple[int, Any]] = {}
    for number, obj in enumerate(objects):
        if id(obj) in memo:  # one object here that were two there, as small tuples are
            obj = Hole()
        memo[id(obj)] = (number, obj)
    pickler.memo = memo
    return pickler


def has_identity(obj: Any) -> bool:
    """Tell whether an object is known by being itself, wherever values are copies: classes, functions, sentinels."""
    return isinstance(obj, (type, types.FunctionType, types.ModuleType)) or type(obj) is object
