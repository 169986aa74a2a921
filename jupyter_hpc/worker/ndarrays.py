"""Arrays that share memory here share it there: a view travels as a view, where what it is a view of travels as well.

Pickle copies each array for itself. Of the arrays of one piece of memory, the one that spans most of it stands for the
others, if it holds theirs. Nothing is sent for a view's sake that isn't sent anyway, except that the memory below them
goes where views overlap and hold none the other, unless that is much more than they are; and below a single view with
strides of its own (``a[::-1]``, axes in another order), unless that is more than twice as much.
"""

from __future__ import annotations

import sys
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

from . import looking

_MOST = 10_000  # values that are looked at
_DEEPEST = 3  # containers in containers
_WASTE = 4  # times the bytes of views that overlap
_WASTE_ALONE = 2


def plan(kind: type) -> Any:
    """Return how arrays are to be pickled; other types of numpy are its own business."""
    name = looking.type_name(kind)
    if name in ("numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"):
        return _reduce_masked
    return _reduce if name == "numpy.ndarray" else None


def _reduce_masked(array: Any, pickler: Any) -> Any:
    """Numpy's own way gives an array without a mask one that is False everywhere, which shows differently."""
    ma = sys.modules["numpy.ma"]
    mask = array._mask
    known = {key: value for key, value in vars(array).items() if key not in ("_mask", "_basedict")}
    return masked, (ma.getdata(array, subok=False), None if mask is ma.nomask else mask, known)


def masked(data: Any, mask: Any, known: Dict[str, Any]) -> Any:
    """Make a masked array with the attributes that another had."""
    import numpy.ma as ma

    found = ma.MaskedArray(data, mask=ma.nomask if mask is None else mask, copy=False)
    vars(found).update(known)
    return found


def _reduce(array: Any, pickler: Any) -> Any:
    base = pickler.shared.get(id(array))
    if base is None:
        if not _is_whole(array):
            pickler.strided.append(array)
        is_copied = array.dtype.hasobject or not _is_whole(array)  # a buffer says itself that it may not be written
        if array.flags.writeable or not is_copied:
            return NotImplemented
        return (*array.__reduce__(), None, None, fill_read_only)
    place = (_first(array) - _low(base), array.shape, array.strides, array.dtype)
    return view_of, (base, *place, bool(array.flags.writeable))


def fill_read_only(array: Any, state: Any) -> None:
    """Give an array its content, which nobody may write then."""
    array.__setstate__(state)
    array.flags.writeable = False


def view_of(base: Any, offset: int, shape: Any, strides: Any, dtype: Any, is_writable: bool) -> Any:
    """Make an array of another one's memory."""
    numpy = sys.modules["numpy"]
    raw = base.reshape(-1, order="A").view("u1")
    found = numpy.ndarray(shape, dtype, buffer=raw, offset=offset, strides=strides)
    if not is_writable:
        found.flags.writeable = False
    return found


def shared(values: Iterable[Any], known: Iterable[Any]) -> Dict[int, Any]:
    """Return, by the id of each array that is to travel as a view, the array that it is a view of.

    Parameters
    ----------
    values : iterable
        What travels.
    known : iterable
        What the receiver has already, laid out as it is here.
    """
    numpy: Any = sys.modules.get("numpy")
    if numpy is None:
        return {}
    ours = [a for a in _inside(values, 0, [_MOST]) if type(a) is numpy.ndarray and a.nbytes and not a.dtype.hasobject]
    if not any(a.base is not None for a in ours):
        return {}
    groups: Dict[int, List[Any]] = {}
    theirs = [a for a in known if type(a) is numpy.ndarray and a.nbytes and not a.dtype.hasobject]
    for array in [*theirs, *ours]:
        groups.setdefault(id(_root(array)), []).append(array)
    found: Dict[int, Any] = {}
    new = {id(a) for a in ours} - {id(a) for a in theirs}
    for arrays in groups.values():
        distinct = list({id(a): a for a in arrays}.values())
        if len(distinct) > 1 or not _is_whole(distinct[0]):
            found.update({i: base for i, base in _views(distinct) if i in new})
    return found


def _views(arrays: List[Any]) -> Iterator[Tuple[int, Any]]:
    """Yield the arrays of one memory that are views of another of them, or of what is below."""
    ordered = sorted(arrays, key=lambda a: (not _is_whole(a), -a.nbytes))
    largest: Optional[Any] = ordered[0] if _is_whole(ordered[0]) else None
    if largest is None or any(_overlap(a, b) for a, b in _outside(largest, ordered)):
        below = _root(arrays[0])
        kind = type(arrays[0])
        if type(below) is not kind or not _is_whole(below) or not _is_worth(below, arrays):
            if largest is None:
                return
        else:
            largest = below
    for array in ordered:
        if array is not largest and _holds(largest, array):
            yield id(array), largest


def _outside(largest: Any, arrays: List[Any]) -> Iterator[Tuple[Any, Any]]:
    """Yield pairs of which one isn't within the largest."""
    for n, array in enumerate(arrays[:100]):
        if not _holds(largest, array):
            yield from ((array, other) for m, other in enumerate(arrays[:100]) if m != n)


def _is_worth(below: Any, arrays: List[Any]) -> bool:
    if len(arrays) == 1:
        return bool(below.nbytes <= _WASTE_ALONE * arrays[0].nbytes)
    return bool(below.nbytes <= _WASTE * sum(a.nbytes for a in arrays)) and any(
        _overlap(a, b) for n, a in enumerate(arrays[:100]) for b in arrays[n + 1 : 100]
    )


def _inside(values: Iterable[Any], depth: int, left: List[int]) -> Iterator[Any]:
    for value in values:
        left[0] -= 1
        if left[0] < 0:
            return
        yield value
        if depth < _DEEPEST:
            parts: Any = ()
            if type(value) in (list, tuple):
                parts = value
            elif looking.is_a(value, dict):
                parts = dict.values(value)
            elif looking.module_of(type(value)) == "__main__":
                parts = (looking.instance_dict(value) or {}).values()
            yield from _inside(list(parts), depth + 1, left)


def _root(array: Any) -> Any:
    """Return the array that has the memory, or else whatever has it."""
    while array.base is not None:
        below = array.base
        if type(below) is not type(array):
            return below if type(below).__name__ != "memoryview" else below.obj
        array = below
    return array


def _is_whole(array: Any) -> bool:
    return bool(array.flags.c_contiguous or array.flags.f_contiguous)


def _first(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _bounds(array: Any) -> Tuple[int, int]:
    """Return where an array's memory begins and ends."""
    low = high = _first(array)
    for length, stride in zip(array.shape, array.strides):
        step = (length - 1) * stride
        low, high = low + min(step, 0), high + max(step, 0)
    return low, high + array.itemsize


def _low(array: Any) -> int:
    return _bounds(array)[0]


def _holds(base: Any, array: Any) -> bool:
    (low, high), (first, last) = _bounds(base), _bounds(array)
    return low <= first and last <= high


def _overlap(one: Any, other: Any) -> bool:
    (low, high), (first, last) = _bounds(one), _bounds(other)
    return low < last and first < high
