"""Jobs as a table in a notebook, whose names open the jobs where JupyterLab shows it."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Sequence

from ..model.resources import format_time
from ..model.states import JobState, state_words
from .icons import icon
from .job_order import duration
from .job_row import Row
from .style import BOX, LINE, QUIET, escaped
from .time_words import when_words

HEAD = ("state", "name", "target", "parameters", "metrics", "when", "time", "node", "tags")
_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;white-space:nowrap"
_WIDE = "max-width:22em;overflow:hidden;text-overflow:ellipsis"


def jobs_html(rows: Sequence[Row], note: str = "") -> str:
    """Return rows with parameters and metrics as a table without scripts."""
    now = time.time()
    heads = "".join(f'<th scope="col" style="{_CELL};border-bottom:1px solid {LINE}">{name}</th>' for name in HEAD)
    body = "".join(f"<tr>{''.join(_cells(row, now))}</tr>" for row in rows)
    foot = f'<div style="{QUIET}">{escaped(note)}</div>' if note else ""
    table = f'<table style="border-collapse:collapse"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="jp-HPCJobs" style="{BOX};overflow-x:auto">{table}{foot}</div>'


def _cells(row: Row, now: float) -> list[str]:
    sign, colour = icon(JobState(row["state"]))
    word = html.escape(state_words(row["state"]))
    took = duration(row, now)
    moment = row["ended_at"] or row["started_at"] or row["created"]
    whole = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(moment)) if moment else ""
    return [
        f'<td style="{_CELL}" title="{escaped(row["reason"])}"><span style="color:{colour}">{sign}</span> {word}</td>',
        f'<td style="{_CELL};{_WIDE}">{_link(row)}</td>',
        _cell(f"{row['target']} {row['native_id'].partition('.')[0]}"),
        _cell(_pairs(row["parameters"], "=")),
        _cell(_numbers(row)),
        f'<td style="{_CELL}" title="{whole}">{when_words(moment, now)}</td>',
        _cell("" if took is None else format_time(took)),
        _cell(row["node"]),
        _cell(", ".join(row["tags"])),
    ]


def _cell(text: str) -> str:
    return f'<td style="{_CELL};{_WIDE}" title="{escaped(text)}">{escaped(text, 200)}</td>'


def _link(row: Row) -> str:
    """A link that JupyterLab makes of it; anything else shows the name, and the id on top of it."""
    arguments = html.escape(json.dumps({"id": row["id"]}))
    return (
        f'<a href="#" title="{escaped(row["id"])}" data-commandlinker-command="jupyter-hpc:open-job"'
        f' data-commandlinker-args="{arguments}">{escaped(row["name"] or row["id"], 80)}</a>'
    )


def _pairs(values: dict[str, str], between: str) -> str:
    return ", ".join(f"{name}{between}{value}" for name, value in values.items())


def _numbers(row: Row) -> str:
    """What it told; of an array the medians of its tasks."""
    words = _pairs({name: _short(value) for name, value in row["numbers"].items()}, " ")
    return f"median {words}" if words and row["tasks"] else words


def _short(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
