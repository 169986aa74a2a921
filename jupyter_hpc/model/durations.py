"""Durations as people write them, and as Slurm does."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

NUMBER = r"(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})"
_TIME_PIECE = re.compile(rf"({NUMBER})\s*([a-z]+)\s*", re.ASCII)
_SLURM_TIME = re.compile(r"(?:([0-9]{1,9})-)?([0-9]{1,9})(?::([0-9]{1,2}))?(?::([0-9]{1,2}))?")
_UNIT_NAMES = {
    "w week weeks": 604_800,
    "d day days": 86_400,
    "h hr hrs hour hours": 3600,
    "m min mins minute minutes": 60,
    "s sec secs second seconds": 1,
}
_UNITS = {name: size for names, size in _UNIT_NAMES.items() for name in names.split()}


def seconds_of(text: str) -> Fraction | None:
    """Return the seconds of ``1h30m`` or ``1:30:00``; None if it is neither."""
    return _slurm_seconds(text) if re.fullmatch("[0-9:-]+", text) else _unit_seconds(text)


def _slurm_seconds(text: str) -> Fraction | None:
    """``M:S``, ``H:M:S``, ``D-H``, ``D-H:M`` and ``D-H:M:S``."""
    match = _SLURM_TIME.fullmatch(text)
    if match is None:
        return None
    days, *rest = match.groups()
    fields = [int(field) for field in rest if field is not None]
    units = [3600, 60, 1] if days or len(fields) == 3 else [60, 1]
    limits = [24 if days else 10**9, 60, 60]
    if any(field >= limit for field, limit in zip(fields, limits, strict=False)):
        return None
    total = sum(field * unit for field, unit in zip(fields, units, strict=False))
    from fractions import Fraction

    return Fraction(int(days or 0) * 86_400 + total)


def _unit_seconds(text: str) -> Fraction | None:
    """``1h30m`` and the like: numbers with units, largest first."""
    from fractions import Fraction

    total, position, last = Fraction(0), 0, math.inf
    text = text.lower()
    while match := _TIME_PIECE.match(text, position):
        unit = _UNITS.get(match[2])
        if unit is None or unit >= last:
            return None
        total, position, last = total + Fraction(match[1]) * unit, match.end(), unit
    return total if text and position == len(text) else None
