"""``jobs``: the list of all jobs, in the order and by the words of the sidebar's."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from ..follow.glance import refresh
from ..jobs.job import Job
from ..model.printable import printable
from ..model.resources import format_time
from ..model.states import state_words
from ..rundir.run import Run
from ..rundir.store import store
from ..views.job_list_html import jobs_html
from ..views.job_order import SORTED_BY, duration, finder, is_final, ordered, searched
from ..views.job_row import FIELDS, Row, job_row, live_fields
from ..views.job_table import more
from ..views.style import plain
from ..views.time_words import when_words
from .definition import table


@dataclass(frozen=True, repr=False)
class JobList(Sequence[Job]):
    """The jobs that were asked for: a sequence of them, which a notebook shows as a table and anything else as text.

    Attributes
    ----------
    rows : list of dict
        What the table shows of each, with its parameters and metrics: what ``jobs --json`` prints.
    total : int
        How many there are, whatever was asked for.
    notes : tuple of str
        What else there is to say, as of runs that can't be read.
    """

    rows: list[Row] = field(default_factory=list)
    total: int = 0
    notes: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Job: ...

    @overload
    def __getitem__(self, index: slice) -> JobList: ...

    def __getitem__(self, index: int | slice) -> Job | JobList:
        if isinstance(index, slice):
            return JobList(self.rows[index], self.total, self.notes)
        return Job(store().run(self.rows[index]["id"]))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def text(self) -> str:
        """The table, aligned, for a terminal."""
        lines = [table([_HEAD, *map(_cells, self.rows)])] if self.rows else []
        return printable("\n".join([*lines, *self.notes]))

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return jobs_html(self.rows, " ".join(self.notes))


def listed(arguments: argparse.Namespace) -> JobList:
    """Return the jobs that the arguments mean, as they stand now."""
    from ..lineage.index import tags

    readable, unreadable = store().records()
    damaged = [f"{run.id} can't be read: {why}." for run, why in unreadable]
    tagged = tags.by_run(store().root / tags.FILE)
    rows = {run.id: {**job_row(run, record), "tags": tagged.get(run.id, [])} for run, record in readable}
    live = [(run, record) for run, record in readable if not is_final(rows[run.id])]
    statuses = refresh([run for run, _ in live], {run.id: record for run, record in live})
    for (run, _), status in zip(live, statuses):
        rows[run.id].update(live_fields(status))
    finds = finder(" ".join(arguments.words))
    found = [row for row in ordered(rows.values(), arguments.sort) if finds(row, searched(row))]
    shown = found[: max(0, arguments.number)]
    records = {run.id: (run, record) for run, record in readable}
    whole = [_whole(row, *records[row["id"]]) for row in shown]
    return JobList(whole, len(found), (*_notes(arguments, shown, found), *damaged))


def _whole(row: Row, run: Run, record: dict[str, Any]) -> Row:
    found = {**row, **more(run, record)}
    return {**found, "metrics": found["numbers"]}  # one number each; the sidebar's row has how they went, too


def _notes(arguments: argparse.Namespace, shown: list[Row], found: list[Row]) -> list[str]:
    if not found:
        words = plain(" ".join(arguments.words), 80)
        return [f"No job matches {words}." if words else "No jobs yet."]
    left = len(found) - len(shown)
    return [f"… {left} more: -n {len(found)} shows all."] if left else []


def _jobs(arguments: argparse.Namespace) -> str:
    found = listed(arguments)
    if arguments.json:
        return json.dumps([{name: row[name] for name in FIELDS} for row in found.rows], indent=1)
    return found.text


_HEAD = ("id", "target", "native", "state", "time", "when", "name or code", "reason")


def _cells(row: Row) -> tuple[str, ...]:
    took = duration(row)
    return (
        row["id"],
        row["target"],
        row["native_id"].partition(".")[0],
        state_words(row["state"]),
        "" if took is None else format_time(took),
        when_words(row["ended_at"] or row["started_at"] or row["created"], time.time()),
        plain(row["name"], 36),
        plain(row["reason"], 60),
    )


def _jobs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        *("words",),
        nargs="*",
        metavar="WORD",
        help="only jobs with every word: a state (failed), a target, the scheduler's id, a part of a name, node, tag",
    )
    parser.add_argument("--json", action="store_true", help=f"one JSON array of objects: {', '.join(FIELDS)}")
    parser.add_argument("-n", "--number", type=int, default=20, help="how many (20)")
    parser.add_argument(
        *("--sort",), choices=SORTED_BY, default="time", help="time: what goes on, then what ended last (the default)"
    )
