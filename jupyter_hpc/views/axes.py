"""Scales of a chart: what range it shows, where its few ticks stand, and how a number is written beside one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

WIDE = 100.0  # values above nothing that span more than two decades are read on a log scale


@dataclass(frozen=True)
class Scale:
    """From values to parts of an axis.

    Attributes
    ----------
    low, high : float
        What stands at its ends.
    """

    low: float
    high: float
    is_log: bool = False

    def part(self, value: float) -> float:
        """Return where a value stands, from 0 to 1."""
        if self.is_log:
            low = math.log(self.low)
            part = (math.log(max(value, self.low)) - low) / (math.log(self.high) - low)
        else:
            part = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves: their sum has room
        return min(max(part, 0.0), 1.0)

    @property
    def ticks(self) -> list[float]:
        """Two or three round values."""
        return _log_ticks(self.low, self.high) if self.is_log else _ticks(self.low, self.high)


def scale(values: Iterable[float], *, may_be_log: bool = True) -> Scale:
    """Return the scale that shows all of some finite values."""
    found = list(values)
    low, high = min(found, default=0.0), max(found, default=1.0)
    if low == high:
        room = abs(low) / 2 or 1.0
        return Scale(low - room, high + room)
    if may_be_log and low > 0 and high / low > WIDE:
        return Scale(low, high, is_log=True)
    return Scale(low, high)


def _ticks(low: float, high: float) -> list[float]:
    span = high / 4 - low / 4  # a quarter: the whole may be more than a float can be
    size = 10.0 ** math.floor(math.log10(span)) if span > 0 else 1.0
    for step in (size * n for n in (1, 2, 5, 10, 20, 50)):
        first = math.ceil(low / step)
        count = math.floor(high / step) - first + 1
        if count <= 3:
            return [round((first + i) * step, 12) + 0.0 for i in range(count)] or [low, high]
    return [low, high]


def _log_ticks(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = max(-(-(last - first + 1) // 3), 1)
    return [10.0**power for power in range(first, last + 1, step)]


def written(value: float | str | None) -> str:
    """Return a number as a chart says it: three digits, and no more zeros than can be counted."""
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        digits = max(3, len(str(int(abs(value)))) if abs(value) < 1e6 else 3)
        return f"{value:.{digits}g}"
    mantissa, _, power = f"{value:.2e}".partition("e")
    return f"{float(mantissa):g}e{int(power)}"
