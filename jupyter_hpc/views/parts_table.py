"""The tasks of an array, a row each."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..model.resources import format_time
from ..model.states import JobState, Status
from .icons import icon
from .picture import Part
from .style import SMALL, escaped, plain

MOST_ROWS = 20
_CELL = "padding:0 10px 0 0;text-align:left;border:0;vertical-align:top"


def chosen(parts: Sequence[Part]) -> list[Part]:
    """Return the rows worth showing, in order: failures first where there are too many."""
    rows = list(parts)
    if len(rows) <= MOST_ROWS:
        return rows
    ranked = sorted(range(len(rows)), key=lambda i: (_dullness(rows[i][1].state), i))
    return [rows[i] for i in sorted(ranked[:MOST_ROWS])]


def _dullness(state: JobState) -> int:
    if state is JobState.COMPLETED:
        return 3
    return 2 if state is JobState.PENDING else 1 if not state.is_final else 0


def _took(status: Status) -> str:
    if not status.started_at:
        return ""
    return format_time(max(0.0, (status.ended_at or time.time()) - status.started_at))


def tasks_html(parts: Sequence[Part]) -> str:
    """Return a table of the tasks as HTML without scripts."""
    rows = []
    shown = chosen(parts)
    for run, status in shown:
        sign, colour = icon(status.state)
        state = f'<span style="color:{colour}">{sign}</span> {status.state.words}'
        words = (f"task {run.index}", status.node, _took(status), status.reason[:160])
        cells = [escaped(word) for word in words]
        cells.insert(1, state)
        rows.append("<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>")
    more = f"<div>and {len(parts) - len(shown)} more</div>" if len(parts) > len(shown) else ""
    return f'<table style="font-size:{SMALL};border:0;margin:0;border-collapse:collapse">{"".join(rows)}</table>{more}'


def tasks_text(parts: Sequence[Part]) -> list[str]:
    """Return the tasks as text, a line each."""
    shown = chosen(parts)
    lines = [
        f"  {icon(status.state)[0]} task {run.index}: "
        + plain(" · ".join(x for x in (status.state.words, status.node, _took(status), status.reason[:160]) if x))
        for run, status in shown
    ]
    return lines + ([f"  and {len(parts) - len(shown)} more"] if len(parts) > len(shown) else [])


def array_facts(parts: Sequence[Part], verb: str) -> list[str]:
    """Return what the tasks brought, a line each; the verb is as in ``received x``."""
    names: dict[str, int] = {}
    for run, _ in parts:
        manifest = run.manifest() or {}
        for name in (n["name"] for n in manifest.get("names", []) if not n["name"].startswith("<")):
            names[name] = names.get(name, 0) + 1
    if not names:
        return []
    brought = ", ".join(f"{name} of {count} tasks" for name, count in list(names.items())[:12])
    return [f"{verb} {brought}; each is a dict from task to value"]
