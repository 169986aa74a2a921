"""What of a JSON value has a shape: anything that doesn't fit is left out, as if it had never been written.

A shape is a test of a single value, a list with the shape of its items, a dict with the shapes of its keys, or one of
the classes below. Keys that no shape names are another version's: they stay, unless they are too deep for Python.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import copy
from types import FunctionType
from typing import Any

DEEPEST = 100  # of what is kept as it is: json and copy give up at about a thousand, with less room at each call
_MOST = 1 << 53  # beyond it JSON's numbers are not the same everywhere
_LATEST = 253402300799.0  # the last second that a calendar has

Shape = Any


class Missing:
    """Stands for a value that doesn't fit."""


class Maybe:
    """Null, or another shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape


class Each:
    """An object with any keys, whose values have one shape."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape


class Needs:
    """An object that is nothing without some of its keys, and has a value of others also where they don't fit."""

    def __init__(self, shape: Mapping[str, Shape], *keys: str, **defaults: Any) -> None:
        self.shape, self.keys, self.defaults = dict(shape), keys, defaults


class Only:
    """An object of which nobody asks for more than the keys of a shape: for who reads thousands of files."""

    def __init__(self, shape: Mapping[str, Shape] | Needs) -> None:
        self.shape = shape
        self.keys = (shape.shape if isinstance(shape, Needs) else shape).keys()


def parsed(data: bytes) -> Any:
    """Return JSON.

    Raises
    ------
    ValueError
        If it isn't any, or nested too deeply to be read.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def fitted(found: Any, shape: Shape) -> Any:
    """Return what of a value has a shape; `Missing` if nothing has."""
    kind = type(shape)
    if kind is Maybe:
        if found is None:
            return None
        shape = shape.shape
        kind = type(shape)
    if kind is FunctionType:  # as most are
        return found if shape(found) else Missing
    if kind is dict:
        return _object(found, shape)
    if kind is list:
        if type(found) is not list:
            return Missing
        return [one for each in found if (one := fitted(each, shape[0])) is not Missing]
    if kind is Each:
        if type(found) is not dict:
            return Missing
        return {key: one for key, each in found.items() if (one := fitted(each, shape.shape)) is not Missing}
    if kind is Needs:
        fit = _object(found, shape.shape)
        if fit is Missing or any(key not in fit for key in shape.keys):
            return Missing
        for key, value in shape.defaults.items():
            if key not in fit:
                fit[key] = copy(value)
        return fit
    if kind is Only:
        if type(found) is not dict:
            return Missing
        return fitted({key: found[key] for key in shape.keys if key in found}, shape.shape)
    return found if shape(found) else Missing


def _object(found: Any, shape: Mapping[str, Shape]) -> Any:
    if type(found) is not dict:
        return Missing
    fit = {}
    for key, each in found.items():
        of_key = shape.get(key, shallow)
        if type(of_key) is FunctionType:  # without a call more: of all that is read, most is tested here
            if of_key(each):
                fit[key] = each
        elif (one := fitted(each, of_key)) is not Missing:
            fit[key] = one
    return fit


# -- tests of a single value -----------------------------------------------------------------------


def text(found: Any) -> bool:
    return type(found) is str


def word(found: Any) -> bool:
    """A digest, an id: what is looked up, and never a name that somebody chose."""
    return type(found) is str and found.isascii()


def flag(found: Any) -> bool:
    return type(found) is bool


def number(found: Any) -> bool:
    return type(found) in (int, float) and abs(found) < _MOST  # nor is an infinity, or what is no number


def whole(found: Any) -> bool:
    return type(found) is int and abs(found) < _MOST


def count(found: Any) -> bool:
    return type(found) is int and 0 <= found < _MOST


def moment(found: Any) -> bool:
    """Seconds since the epoch."""
    return type(found) in (int, float) and 0 <= found <= _LATEST


def shallow(found: Any) -> bool:
    """Anything, but not so deep that nobody could write it again."""
    if type(found) not in (dict, list):
        return True
    level = [found]
    for _ in range(DEEPEST):
        level = [
            child
            for each in level
            if type(each) in (dict, list)
            for child in (each.values() if type(each) is dict else each)
        ]
        if not level:
            return True
    return False


def one_of(*words: str) -> Callable[[Any], bool]:
    return lambda found: type(found) is str and found in words
