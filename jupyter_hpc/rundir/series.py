"""The numbers that a run told of itself, as its events have them: series with their points, and what they came to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

MOST_SERIES = 64
MOST_POINTS = 600  # of one series; beyond, every second one is left out

MOST_TRENDS, TREND = 6, 24  # of how many series a record has a small line, and of how many points

Summary = dict[str, dict[str, Any]]  # name → last, min, max, count; trend; of an array how many tasks


@dataclass
class Series:
    """One name's points.

    Attributes
    ----------
    by : str
        What the points are counted by: ``step``, ``epoch``, …; empty if only one after the other.
    points : list of (moment, place, value)
        Thinned as they grow; the first and the last stay.
    """

    by: str = ""
    points: list[tuple[float, float, float]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    def add(self, t: float, x: float, value: float, by: str) -> None:
        """Take one more point."""
        self.by = by or self.by
        self.points.append((t, x, value))
        if len(self.points) > MOST_POINTS:
            del self.points[1:-1:2]

    @property
    def total(self) -> dict[str, Any]:
        """Last, least, largest and number of all points, also of those that were thinned out."""
        seen = [value for _, _, value in self.points]
        finite = [value for value in seen if math.isfinite(value)]
        own = {
            "last": plain(seen[-1]) if seen else None,
            "min": min(finite, default=None),
            "max": max(finite, default=None),
            "count": len(seen),
        }
        if not self.summary or self.summary["count"] < len(seen):  # it ended before it could say so
            return own
        return self.summary

    @property
    def trend(self) -> list[float]:
        """A few of the finite values, evenly, with four digits: what a line in a row shows; empty if it is none."""
        finite = [value for _, _, value in self.points if math.isfinite(value)]
        if len(finite) < 2:
            return []
        count = min(len(finite), TREND)
        return [float(f"{finite[i * (len(finite) - 1) // (count - 1)]:.4g}") for i in range(count)]


class SeriesOfRun(dict[str, Series]):
    """The series of one attempt of a run, by name, in the order in which they began."""

    _summary: Summary | None = None  # until there is news: lists of arrays ask a thousand tasks again and again

    def take(self, event: Mapping[str, Any]) -> None:
        """Take an event ``point`` or ``series``."""
        self._summary = None
        for name, found in event.get("v", {}).items():
            if (series := self._of(name)) is not None:
                series.add(event["t"], event["x"], float(found), event.get("by", ""))
        for name, summary in event.get("of", {}).items():
            if (series := self._of(name)) is not None:
                series.summary = {key: summary.get(key) for key in ("last", "min", "max", "count")}

    def _of(self, name: str) -> Series | None:
        if name not in self and len(self) >= MOST_SERIES:
            return None
        return self.setdefault(name, Series())

    def summary(self) -> Summary:
        """Return what the series came to, as a record has it; of the first ones also how they went."""
        if self._summary is None:
            self._summary = self._summed()
        return self._summary

    def _summed(self) -> Summary:
        found: Summary = {name: dict(series.total) for name, series in list(self.items())}
        for name in list(found)[:MOST_TRENDS]:
            if trend := self[name].trend:
                found[name]["trend"] = trend
        return found


def of_tasks(told: Iterable[Summary]) -> Summary:
    """Return what an array's tasks came to together: under each name the median of their last, and of how they went."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for summary in told:
        for name, total in summary.items():
            if name in by_name or len(by_name) < MOST_SERIES:
                by_name.setdefault(name, []).append(total)
    found: Summary = {}
    for i, (name, totals) in enumerate(by_name.items()):
        lows, highs = ([total[key] for total in totals if total.get(key) is not None] for key in ("min", "max"))
        lasts = [total["last"] for total in totals if is_finite(total["last"])]
        found[name] = {
            "last": median(lasts) if lasts else totals[0]["last"],
            "min": min((low for low in lows if is_finite(low)), default=None),
            "max": max((high for high in highs if is_finite(high)), default=None),
            "count": sum(total["count"] for total in totals),
            "tasks": len(totals),
        }
        if i < MOST_TRENDS and (trend := _middle([total["trend"] for total in totals if total.get("trend")])):
            found[name]["trend"] = trend
    return found


def _middle(trends: Sequence[Sequence[float]]) -> list[float]:
    """Return the median of lines, each as far along as the others."""
    count = max(map(len, trends), default=0)
    places = (
        (trend[round(i * (len(trend) - 1) / max(count - 1, 1))] for trend in trends if trend) for i in range(count)
    )
    return [float(f"{median(values):.4g}") for values in places]


def plain(value: float) -> float | str:
    """Return a number as any JSON has it: what is not finite as a word."""
    return value if math.isfinite(value) else str(value)


def measured(found: Any) -> bool:
    """Whether a value is a number as a worker writes it."""
    if type(found) is str:
        return found in ("nan", "inf", "-inf")
    return is_finite(found)


def is_finite(found: Any) -> bool:
    """Whether a value is a number that has a place on an axis."""
    try:
        return type(found) in (int, float) and math.isfinite(found)
    except OverflowError:  # an integer of a thousand digits
        return False
