"""``%hpc plot``: what runs told of themselves in numbers, in one picture."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from ..model.exceptions import OptionError
from ..model.resources import did_you_mean
from ..rundir.reader import PartsReader, reader_of
from ..rundir.series import Series
from ..rundir.store import store
from ..views.axes import written
from ..views.charts import Chart, Told, charts_html, charts_of, told_by
from ..views.style import plain
from .definition import table

MOST = 40  # charts


@dataclass(frozen=True)
class Plot:
    """Charts, which a notebook shows as such and anything else as a table."""

    charts: list[Chart]
    told: Told

    @property
    def text(self) -> str:
        """A table of every run's series."""
        rows = [("metric", "run", "last", "min", "max", "values")]
        for chart in self.charts:
            for label, series in self.told.items():
                if chart.name in series:
                    total = series[chart.name].total
                    low, high = (written(total[key]) for key in ("min", "max"))
                    cells = (plain(chart.name, 64), plain(label, 64))
                    rows.append((*cells, written(total["last"]), low, high, str(total["count"])))
        return table(rows)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<div class="jp-HPCPlot">{charts_html(self.charts, most=MOST)}</div>'


def plot(names: list[str], metrics: list[str]) -> Plot:
    """Return the charts of some runs, one for each metric with a line for each run; an array's tasks are lines too.

    Raises
    ------
    JobNotFound
        If there is no such run.
    OptionError
        If none of them has told any number, or none of that name.
    """
    told: dict[str, Mapping[str, Series]] = {}
    are_tasks = False
    for name in names:
        run = store().find(name)
        record = run.record()
        reader = reader_of(run, record, outputs=False)
        reader.poll()
        are_tasks = isinstance(reader, PartsReader) and len(names) == 1
        title = "" if are_tasks else str(record.get("name") or run.id)
        for part, series in told_by(reader).items():
            label = f"{title} {part}".strip()
            told[label if label not in told else f"{run.id} {part}".rstrip()] = series
    known = list(dict.fromkeys(metric for series in told.values() for metric in series))
    if not known:
        raise OptionError(
            f"{', '.join(names)} told no numbers.",
            hint='`print(f"loss={loss}")` or `jupyter_hpc.log(loss=loss)` in a cell does, unless `metrics` is off.',
        )
    for metric in metrics:
        if metric not in known:
            guess = did_you_mean(metric, known)
            raise OptionError(
                f"There is no metric {metric[:64]!r}.", hint=f"{guess} There are {', '.join(known)}.".lstrip()
            )
    return Plot(charts_of(told, metrics, of="tasks" if are_tasks else "runs"), told)


def drawn(arguments: argparse.Namespace) -> Plot:
    """Return what a command line asks for."""
    return plot(arguments.runs, arguments.metric or [])


def _plot(arguments: argparse.Namespace) -> str:
    return drawn(arguments).text


def _plot_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run ids, parts of them, schedulers' ids or names")
    parser.add_argument("--metric", action="append", metavar="NAME", help="only this one; more than once for several")
