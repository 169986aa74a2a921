"""Pickle what is nested deeper than the C pickler may recurse: a linked list of some thousand nodes is plain data.

The C pickler recurses on the C stack, which Python 3.12 and 3.13 bound by a constant. The pure Python one recurses in
Python, where the bound can be raised, and in a thread whose stack is as large as that needs. It writes the same stream,
and numbers objects alike. Reading needs none of this: an unpickler doesn't recurse.
"""

from __future__ import annotations

import pickle
import sys
import threading
from typing import Any, Callable, List, Tuple

STACK_BYTES = 1 << 30  # only what is touched takes memory
FRAMES = 1_000_000 if sys.version_info >= (3, 11) else 400_000  # before 3.11 each takes a KiB of the stack or so
_BUILT_IN = {type(None), bool, int, float, str, bytes, tuple, list, dict, set, frozenset, bytearray}


class DeepPickler(pickle._Pickler):
    """The pure Python pickler, with what another pickler knows of how objects are reduced."""

    def __init__(self, file: Any, inner: Any, buffer_callback: Any) -> None:
        super().__init__(file, 5, buffer_callback=buffer_callback)
        self._inner = inner
        self.dispatch_table = getattr(inner, "dispatch_table", None) or {}
        self.memo = inner.memo.copy()

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Save an object by calls that Python makes without recursing in C, which the library's own has one of."""
        self.framer.commit_frame()
        known = self.memo.get(id(obj))
        if known is not None:
            self.write(self.get(known[0]))
            return
        kind = type(obj)
        reduced = NotImplemented if kind in _BUILT_IN else self._inner.reducer_override(obj)
        if reduced is NotImplemented:
            plainly: Any = self.dispatch.get(kind)
            if plainly is not None:
                plainly(self, obj)
                return
            if issubclass(kind, type):
                self.save_global(obj)
                return
            reduce = self.dispatch_table.get(kind)
            reduced = obj.__reduce_ex__(5) if reduce is None else reduce(obj)
        if isinstance(reduced, str):
            self.save_global(obj, reduced)
            return
        make, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
        self.save_reduce(make, args, state, items, pairs, setter, obj=obj)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)


def deeply(make_pickler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a maker of picklers that may recurse as deep as ``with_room`` lets them."""

    def make(file: Any, **options: Any) -> DeepPickler:
        return DeepPickler(file, make_pickler(file, **options), options.get("buffer_callback"))

    return make


def with_room(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function where it may recurse deep."""
    found: List[Tuple[Any, Any]] = []

    def call() -> None:
        try:
            found.append((function(*args), None))
        except BaseException as error:
            found.append((None, error))

    limit, size = sys.getrecursionlimit(), threading.stack_size()
    thread = threading.Thread(target=call, name="jupyter_hpc deep")
    try:
        threading.stack_size(STACK_BYTES)
        sys.setrecursionlimit(max(limit, FRAMES))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    value, error = found[0]
    if error is not None:
        raise error
    return value
