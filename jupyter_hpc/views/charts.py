"""Charts of what runs told of themselves: small SVG lines without scripts, and the same in words."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..rundir.reader import PartsReader, RunReader
from ..rundir.series import Series
from .axes import Scale, scale, written
from .style import BAD, GOOD, LINE, LIVE, QUIET, SMALL, SOFT, STEP_PX, WAITING, escaped, plain

WIDTH, HEIGHT = 240, 104
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 6, 18  # what is beside the plot itself
MOST_CHARTS = 4  # in a panel or card
MOST_LINES = 8  # that are told apart
CROWD = 32  # of more than those so many are drawn, all alike
MOST_BUCKETS, IN_A_CROWD = 90, 24  # of a line: the least and the largest of each are drawn
# each line of several is told apart by its dashes too
LOOKS = (
    (LIVE, ""),
    (WAITING, "6 3"),
    (GOOD, "2 3"),
    (BAD, "9 3 2 3"),
    (SOFT, ""),
    (LIVE, "3 3"),
    (WAITING, ""),
    (GOOD, "8 4"),
)

Told = Mapping[str, Mapping[str, Series]]  # by the label of a run, what it told


@dataclass(frozen=True)
class Line:
    """One run's numbers in a chart; a place has no value where it was none."""

    label: str
    points: Sequence[tuple[float, float]]
    total: Mapping[str, Any]  # last, min, max, count of all that there were

    @property
    def last(self) -> str:
        return written(self.total["last"])


@dataclass(frozen=True)
class Chart:
    """The numbers of one name, of one run, of several, or of an array's tasks.

    Attributes
    ----------
    lines
        Those that are drawn: of a large crowd not all.
    low, high, number
        Of all runs or tasks: the least, the largest, and how many they are.
    """

    name: str
    lines: Sequence[Line]
    by: str
    count: int
    low: float | None
    high: float | None
    number: int = 1
    of: str = "runs"

    @property
    def is_crowd(self) -> bool:
        """There are more lines than can be told apart."""
        return len(self.lines) > MOST_LINES

    @property
    def words(self) -> str:
        """Last value and range, as it is read out and stands above."""
        spread = f", from {written(self.low)} to {written(self.high)}" if self.low != self.high else ""
        drawn = f" ({len(self.lines)} drawn)" if 1 < len(self.lines) < self.number else ""
        last = f"{self.number} {self.of}{drawn}{spread}" if self.number > 1 else f"{self.lines[0].last}{spread}"
        return f"{plain(self.name, 64)} {last}"


def told_by(reader: RunReader | PartsReader) -> Told:
    """Return what a run told of itself, or each task of an array."""
    if isinstance(reader, PartsReader):
        return {f"task {index}": task.series for index, task in reader.readers.items() if task.series}
    return {"": reader.series} if reader.series else {}


def charts_by(reader: RunReader | PartsReader) -> list[Chart]:
    """Return the charts of one run; of an array with a line for each task."""
    return charts_of(told_by(reader), of="tasks" if isinstance(reader, PartsReader) else "runs")


def charts_of(told: Told, names: Sequence[str] = (), *, of: str = "runs") -> list[Chart]:
    """Return a chart for each name, in the order in which they came; of these names only, if some are given."""
    wanted = names or list(dict.fromkeys(name for series in told.values() for name in series))
    found = [(name, {label: series[name] for label, series in told.items() if name in series}) for name in wanted]
    return [_chart(name, series, of) for name, series in found if series]


def _chart(name: str, series: Mapping[str, Series], of: str) -> Chart:
    totals = [each.total for each in series.values()]
    by, lines = _over_tasks(series) if of == "tasks" and _are_single(series) else _lines(series)
    return Chart(
        name,
        lines,
        by,
        count=max(total["count"] for total in totals),
        low=min((total["min"] for total in totals if total["min"] is not None), default=None),
        high=max((total["max"] for total in totals if total["max"] is not None), default=None),
        number=len(series),
        of=of,
    )


def _lines(series: Mapping[str, Series]) -> tuple[str, list[Line]]:
    """Return a line for each, of a large crowd for some, and what their places count."""
    drawn = {label: series[label] for label in list(series)[:: -(-len(series) // CROWD)]}
    kinds = {each.by for each in drawn.values()}
    by = kinds.pop() if len(kinds) == 1 and all(map(_is_forward, drawn.values())) else "time"
    return by, [Line(label, _placed(each, by), each.total) for label, each in drawn.items()]


def _are_single(series: Mapping[str, Series]) -> bool:
    return len(series) > 1 and all(len(each.points) == 1 for each in series.values())


def _over_tasks(series: Mapping[str, Series]) -> tuple[str, list[Line]]:
    """Return what tasks told once as a line from task to task."""
    points = [(float(label.rpartition(" ")[2]), each.points[0][2]) for label, each in series.items()]
    return "task", [Line("", points, list(series.values())[-1].total)]


def _is_forward(series: Series) -> bool:
    """Whether its places only grow: a step that begins anew in each epoch is no axis."""
    places = [x for _, x, _ in series.points]
    return all(a <= b for a, b in pairwise(places))


def _placed(series: Series, by: str) -> list[tuple[float, float]]:
    if by == "time":
        start = series.points[0][0] if series.points else 0.0
        return [(t - start, value) for t, _, value in series.points]
    return [(x, value) for _, x, value in series.points]


# -- as HTML ---------------------------------------------------------------------------------------


def charts_html(charts: Sequence[Chart], run_id: str = "", most: int = MOST_CHARTS) -> str:
    """Return charts side by side, each with its words above; those of a single value are words only."""
    drawn = [chart for chart in charts if any(len(line.points) > 1 for line in chart.lines)]
    single = [chart for chart in charts if chart not in drawn]
    figures = "".join(_figure(chart) for chart in drawn[:most])
    row = f"display:flex;flex-wrap:wrap;gap:{STEP_PX}px {4 * STEP_PX}px;margin:{STEP_PX}px 0"
    rows = [f'<div style="{row}">{figures}</div>'] if figures else []
    if single:
        words = " · ".join(escaped(chart.words, 200) for chart in single[:12])
        rows.append(f'<div style="{QUIET}">{words}</div>')
    if len(drawn) > most:
        more = f"and {len(drawn) - most} more" + (f": <code>%hpc plot {escaped(run_id)}</code>" if run_id else "")
        rows.append(f'<div style="{QUIET}">{more}</div>')
    return "".join(rows)


def _figure(chart: Chart) -> str:
    name, _, rest = chart.words.partition(f"{plain(chart.name, 64)} ")
    words = f'<b>{escaped(chart.name, 64)}</b> <span style="color:{SOFT}">{html.escape(rest or name)}</span>'
    caption = f'<figcaption style="font-size:{SMALL};font-variant-numeric:tabular-nums">{words}</figcaption>'
    legend = _legend(chart) if 1 < len(chart.lines) <= MOST_LINES else ""
    return f'<figure style="margin:0;width:{WIDTH}px">{caption}{svg(chart)}{legend}</figure>'


def _legend(chart: Chart) -> str:
    entries = [
        f'<span style="white-space:nowrap">{_sample(i)} {escaped(line.label, 60)} {line.last}</span>'
        for i, line in enumerate(chart.lines)
    ]
    row = f"display:flex;flex-wrap:wrap;gap:0 {3 * STEP_PX}px;font-size:{SMALL}"
    return f'<div style="{row}">{" ".join(entries)}</div>'


def _sample(i: int) -> str:
    return (
        f'<svg aria-hidden="true" width="18" height="8" style="vertical-align:1px"><path d="M0 4H18" {_pen(i)}/></svg>'
    )


_CROWD_PEN = f'fill="none" style="stroke:{LIVE}" stroke-width="1" stroke-opacity="0.5"'


def _pen(i: int) -> str:
    colour, dashes = LOOKS[i % len(LOOKS)]
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'fill="none" style="stroke:{colour}" stroke-width="1.5"{dashed}'


def svg(chart: Chart) -> str:
    """Return a chart as SVG: axes with units, two or three ticks on each, and a line for each run."""
    unit, per = _time_unit(chart) if chart.by == "time" else (chart.by or "values", 1.0)
    across = scale((x / per for line in chart.lines for x, _ in line.points), may_be_log=False)
    up = scale(y for line in chart.lines for _, y in line.points if math.isfinite(y))
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [f'<path d="M{LEFT} {TOP}V{floor}H{right}" fill="none" style="stroke:{LINE}"/>']
    for tick in up.ticks:
        y = _down(up, tick)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" style="stroke:{LINE}" stroke-dasharray="1 3"/>')
        parts.append(_label(LEFT - 4, y + 3.5, written(tick), "end"))
    shown = [
        tick for tick in across.ticks if across.part(tick) < 0.7
    ]  # the end and its unit stand where the last would
    parts += [_label(_right(across, tick), HEIGHT - 5, written(tick), "middle") for tick in shown]
    parts.append(_label(right, HEIGHT - 5, f"{written(across.high)} {unit}", "end"))
    if up.is_log:
        parts.append(_label(right, TOP + 6, "log scale", "end"))
    buckets = IN_A_CROWD if chart.is_crowd else MOST_BUCKETS
    for i, line in enumerate(chart.lines):
        pen = _CROWD_PEN if chart.is_crowd else _pen(i)
        whose = f"<title>{escaped(line.label, 60)} {line.last}</title>" if chart.is_crowd else ""
        parts.append(f'<path d="{_path(line, across, up, per, buckets)}" stroke-linejoin="round" {pen}>{whose}</path>')
    label = html.escape(f"{chart.words}, by {unit}{', log scale' if up.is_log else ''}")
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'style="display:block;max-width:100%">{"".join(parts)}</svg>'
    )


def _time_unit(chart: Chart) -> tuple[str, float]:
    longest = max((line.points[-1][0] for line in chart.lines if line.points), default=0.0)
    return ("s", 1.0) if longest < 120 else ("min", 60.0) if longest < 7200 else ("h", 3600.0)


def _label(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="10" style="fill:{SOFT}">{html.escape(text)}</text>'


def _down(up: Scale, value: float) -> float:
    return TOP + (1 - up.part(value)) * (HEIGHT - BOTTOM - TOP)


def _right(across: Scale, value: float) -> float:
    return LEFT + across.part(value) * (WIDTH - LEFT - RIGHT)


def _path(line: Line, across: Scale, up: Scale, per: float, buckets: int) -> str:
    """Return a line's path, which is broken where a value is none; what is alone there is a dot."""
    path, is_down = [], False
    for x, y in thinned(line.points, buckets):
        if not math.isfinite(y):
            is_down = False
            continue
        place = f"{_right(across, x / per):.1f} {_down(up, y):.1f}"
        path.append(f"L{place}" if is_down else f"M{place}h.1")
        is_down = True
    return "".join(path)


def thinned(points: Sequence[tuple[float, float]], buckets: int = MOST_BUCKETS) -> list[tuple[float, float]]:
    """Return so many points that a small chart can show: the least and the largest of each stretch, and the ends."""
    if len(points) <= 2 * buckets:
        return list(points)
    size = -(-len(points) // buckets)
    found = [points[0]]
    for start in range(0, len(points), size):
        part = points[start : start + size]
        finite = [point for point in part if math.isfinite(point[1])]
        if not finite:
            found.append(part[0])
            continue
        found += sorted({min(finite, key=_height), max(finite, key=_height)})
    return [*found, points[-1]]


def _height(point: tuple[float, float]) -> float:
    return point[1]


# -- in words --------------------------------------------------------------------------------------


def charts_text(charts: Sequence[Chart]) -> list[str]:
    """Return a line for each chart of one run: last value and range."""
    return [f"{chart.words}{f' ({chart.count} values)' if chart.count > 1 else ''}" for chart in charts]
