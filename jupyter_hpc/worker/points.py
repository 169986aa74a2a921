"""Numbers that a cell tells of itself, with ``jupyter_hpc.log(loss=…)`` or in what it prints: points of series.

A series is thinned as it is written, so that a loop of any length leaves a short file: the first `EACH_STRIDE` points
as they come, as many of every second one, of every fourth. Last, least, largest and number of all of them are
written beside, now and then and at the end.
"""

from __future__ import annotations

import math
import sys
import time

from . import current

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Mapping, Optional, Set, Tuple, Union

    from .events import EventWriter, LogFile
    from .printed import Printed

    Number = Union[float, str]

MOST_NAMES = 64
LONGEST_NAME = 64
EACH_STRIDE = 256
FIRST_SUMMARY_S, LAST_SUMMARY_S = 1.0, 60.0  # how often the summary is written: ever less often


class _Series:
    """One name's numbers so far."""

    def __init__(self) -> None:
        self.count = 0
        self.last: Number = 0.0
        self.low: Optional[float] = None
        self.high: Optional[float] = None
        self._stride = 1
        self._written = 0

    def take(self, value: float) -> bool:
        """Take a number; tell whether it is one of those that are written."""
        is_due = self.count % self._stride == 0
        self.count += 1
        self.last = plain(value)
        if math.isfinite(value):
            self.low = value if self.low is None else min(self.low, value)
            self.high = value if self.high is None else max(self.high, value)
        if is_due:
            self._written += 1
            if self._written % EACH_STRIDE == 0:
                self._stride *= 2
        return is_due

    def summary(self) -> Dict[str, Any]:
        return {"last": self.last, "min": self.low, "max": self.high, "count": self.count}


class Points:
    """Writes what a cell tells of itself to its events, from any thread.

    Parameters
    ----------
    wanted : str
        ``on``; ``logged``, without what the cell prints; anything else is off.
    log : LogFile, optional
        What it prints.
    """

    def __init__(self, events: EventWriter, wanted: str = "on", log: Optional[LogFile] = None) -> None:
        self._events = events
        self._wanted = wanted
        self._log = log
        self._printed: Optional[Printed] = None
        if log is not None and wanted == "on":
            from .printed import Printed

            self._printed = Printed(log.path, self)
        self._series: Dict[str, _Series] = {}
        self._logged: Set[str] = set()
        self._began = time.monotonic()
        self._next_summary = 0.0
        self._has_news = False

    def log(self, values: Mapping[str, float], step: Optional[float] = None) -> Optional[str]:
        """Take what the cell logs; return why not all of it can be kept, or None."""
        if self._wanted not in ("on", "logged"):
            return None
        with self._events.lock:
            self._take(values, step, "step" if step is not None else "")
            kept = self._series.keys() & values.keys()
            self._logged |= kept
        return f"more than {MOST_NAMES} names are not kept" if len(kept) < len(values) else None

    def printed(self, values: Mapping[str, float], at: Optional[float], by: str) -> None:
        """Take what the cell printed; what it logs itself is told already."""
        with self._events.lock:
            self._take({n: v for n, v in values.items() if n not in self._logged}, at, by)

    def _take(self, values: Mapping[str, float], at: Optional[float], by: str) -> None:
        due: Dict[float, Dict[str, Number]] = {}
        for name, value in values.items():
            series = self._series.get(name)
            if series is None:
                if len(self._series) >= MOST_NAMES:
                    continue
                series = self._series[name] = _Series()
            if series.take(value):
                due.setdefault(series.count if at is None else at, {})[name] = plain(value)
            self._has_news = True
        for x, group in due.items():
            self._write("point", v=group, x=x, **({"by": by} if by else {}))

    def beat(self) -> None:
        """Take what was printed, and write how far the series are, if it is time again."""
        self._read()
        now = time.monotonic()
        if self._has_news and now >= self._next_summary:
            pause = min(max((now - self._began) / 200, FIRST_SUMMARY_S), LAST_SUMMARY_S)
            self._next_summary = now + pause
            self.write_summary()

    def end(self) -> None:
        """Take the last of what was printed, and write what the series came to."""
        if self._printed is not None and self._log is not None:
            try:
                self._log.flush()
            except OSError:  # more waits for room than may
                pass
            self._read(to_the_end=True)
            self._printed = None  # what follows in the log is no output of the cell's
        self.write_summary()

    def _read(self, *, to_the_end: bool = False) -> None:
        try:
            if self._printed is not None:
                self._printed.read(to_the_end=to_the_end)
        except Exception:  # a mistake of ours must not stop the heart
            self._printed = None

    def write_summary(self) -> None:
        """Write how far the series are."""
        with self._events.lock:
            if self._has_news:
                self._has_news = False
                self._write("series", of={name: series.summary() for name, series in self._series.items()})

    def _write(self, event: str, **fields: Any) -> None:
        try:
            self._events.write(event, **fields)
        except OSError:  # a full disk, at which the cell's own writing fails
            pass


# -- what the cell calls ---------------------------------------------------------------------------

_said: Set[str] = set()


def log(values: Optional[Mapping[str, Any]] = None, /, *, step: Any = None, **named: Any) -> None:
    """Tell numbers of this cell's progress, which are drawn as charts: ``log(loss=0.31, step=3)``."""
    at, numbers = _checked(step, {**(values or {}), **named} if _is_mapping(values) else named)
    points = current.current_points()
    if points is not None and numbers and (problem := points.log(numbers, at)):
        _say(problem)


def _is_mapping(values: Any) -> bool:
    if values is None or hasattr(values, "keys"):
        return True
    _say(f"{_article(values)} was given where names with numbers were expected, as in log(loss=0.31)")
    return False


def _checked(step: Any, values: Mapping[Any, Any]) -> Tuple[Optional[float], Dict[str, float]]:
    """Return what of a call is numbers, and say what isn't: a cell is not to fail for what it tells of itself."""
    found = {}
    for name, value in values.items():
        if not isinstance(name, str) or not name.isprintable() or not name.strip() or len(name) > LONGEST_NAME:
            _say(f"{name!r:.80} is no name: it needs 1 to {LONGEST_NAME} characters that can be printed")
            continue
        number = _number(name, value)
        if number is not None:
            found[name] = number
    at = None if step is None else _number("step", step)
    return (at if at is not None and math.isfinite(at) else None), found


def _number(name: str, value: Any) -> Optional[float]:
    try:
        return as_number(value)
    except Exception:  # a foreign __float__ may raise anything
        _say(f"{name} is {_article(value)}, not a number, and is not kept")
        return None


def as_number(value: Any) -> float:
    """Return a number, or what holds a single one as NumPy's, torch's and jax's scalars do.

    Raises
    ------
    Exception
        If it is none, whatever its type raises.
    """
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError("a text is no number")
    item = getattr(value, "item", None)  # which warns of nothing, as float() does for what has a gradient
    return float(item() if callable(item) else value)


def plain(value: float) -> Number:
    """Return a number as any JSON has it: what is not finite as a word."""
    return value if math.isfinite(value) else "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _article(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def _say(problem: str) -> None:
    if problem not in _said and len(_said) < MOST_NAMES:
        _said.add(problem)
        sys.stderr.write(f"jupyter_hpc.log: {problem}.\n")
