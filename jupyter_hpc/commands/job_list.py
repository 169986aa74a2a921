"""``jobs``: the list of all jobs, in the order and by the words of the sidebar's."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

from ..follow.glance import refresh
from ..model.resources import format_time
from ..rundir.store import store
from ..views.job_order import SORTED_BY, duration, finder, is_final, ordered, searched
from ..views.job_row import Row, job_row, live_fields
from ..views.style import plain
from ..views.time_words import when_words
from .definition import table


@dataclass(frozen=True)
class Listed:
    """The jobs that were asked for, how many there are, and what can't be read."""

    rows: list[Row] = field(default_factory=list)
    total: int = 0
    damaged: list[str] = field(default_factory=list)


def listed(arguments: argparse.Namespace) -> Listed:
    """Return the rows that the arguments mean, as the jobs stand now."""
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
    return Listed(found[: max(0, arguments.number)], len(found), damaged)


def _jobs(arguments: argparse.Namespace) -> str:
    found = listed(arguments)
    if not found.rows:
        words = " ".join(arguments.words)
        return "\n".join([f"No job matches {plain(words, 80)}." if words else "No jobs yet.", *found.damaged])
    lines = [table([_HEAD, *map(_cells, found.rows)])]
    if found.total > len(found.rows):
        lines.append(f"… {found.total - len(found.rows)} more: -n {found.total} shows all.")
    return "\n".join([*lines, *found.damaged])


_HEAD = ("id", "target", "native", "state", "time", "when", "name or code", "reason")


def _cells(row: Row) -> tuple[str, ...]:
    took = duration(row)
    return (
        row["id"],
        row["target"],
        row["native_id"].partition(".")[0],
        row["state"],
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
    parser.add_argument("-n", "--number", type=int, default=20, help="how many (20)")
    parser.add_argument(
        *("--sort",), choices=SORTED_BY, default="time", help="time: what goes on, then what ended last (the default)"
    )
