"""The names of the cell magics: ``hpc``, and one for each target whose name can be a magic's."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container
from functools import lru_cache

from ..model.exceptions import HPCError
from ..runtime.settings import BUILT_IN_TARGETS, target_names

ANY_TARGET = "hpc"  # its --on names the target
_names: tuple[str, ...] = (*BUILT_IN_TARGETS, ANY_TARGET)


def choose(others: Container[str]) -> tuple[str, ...]:
    """Choose the names, as the targets are configured now, and return them.

    Parameters
    ----------
    others : container of str
        Magics of somebody else: a configured target takes the name of none.
    """
    global _names
    try:
        targets = target_names()
    except HPCError:  # a file that can't be read: the first cell says so
        targets = []
    fixed = (*BUILT_IN_TARGETS, ANY_TARGET)
    own = (name for name in targets if name not in fixed and name not in others)
    _names = (*fixed, *(name for name in own if name.isidentifier() and not keyword.iskeyword(name)))
    return _names


def opening(text: str) -> re.Match[str] | None:
    """Match the magic of ours that a cell or line begins with: its ``sign``, ``%`` or ``%%``, and its ``name``."""
    return _pattern(_names).match(text)


@lru_cache(maxsize=2)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?P<sign>%%?)(?P<name>{'|'.join(names)})\b")
