"""The static card: how a job went, readable without kernel, script or style sheet."""

from __future__ import annotations

import html
import time

from ..explain.again import advice, suggestion
from ..explain.use import right_size
from ..model.states import JobState
from ..worker.apart import apart
from .charts import charts_by, charts_html, charts_text
from .head import headline
from .icons import icon
from .log import LogTail, lines_above
from .parts_table import tasks_html, tasks_text
from .picture import Picture, describe
from .style import BOX, LIST, PRE, QUIET, command, escaped, plain, with_code
from .summary import facts, sent_html, uses

MOST_EVIDENCE = 8


def card_html(picture: Picture) -> str:
    """Return the card as HTML without scripts."""
    tail = picture.tail
    rows = [headline(picture.record, picture.status), *_cause(picture)]
    if picture.parts:
        rows.append(tasks_html(picture.parts))
    rows += [_quiet(row) for row in (*_used(picture), *_came_back(picture)) if row]
    rows.append(apart("what the cell told of itself", _charts, picture) or "")
    if tail.lines:
        rows.append(_log(picture.run.id, tail))
    rows.append(_quiet(_way_back(picture)))
    return f'<div class="jp-HPCCard" style="{BOX}">{"".join(rows)}</div>'


def _quiet(inner: str) -> str:
    return f'<div style="{QUIET}">{inner}</div>'


def _cause(picture: Picture) -> list[str]:
    """Why it ended or waits, what shows that, and what to do."""
    reason, verdict = picture.status.reason, picture.verdict
    rows = [f"<div>{escaped(reason)}</div>"] if reason else []
    evidence = [escaped(line) for line in verdict.get("evidence") or []]
    if evidence:
        listed = "".join(f"<li>{line}</li>" for line in evidence[:MOST_EVIDENCE])
        rows.append(f'<ul style="{LIST};{QUIET}">{listed}</ul>')
    if hint := advice(picture.record):
        rows.append(f"<div>→ {with_code(hint)}</div>")
    if line := suggestion(picture.record):
        rows.append(f"<div>Resubmit with {command(line)}</div>")
    return rows


def _used(picture: Picture) -> list[str]:
    """What it used of what it asked for, in a line, and what would have been enough."""
    lines = apart("what the job used", uses, picture, default=[])
    rows = [" · ".join(escaped(line.words) for line in lines)]
    if enough := right_size(lines):
        rows.append(f"{command(enough)} would have been enough")
    return rows


def _came_back(picture: Picture) -> list[str]:
    """What it brought, and what was sent."""
    lines = [html.escape(line) for line in apart("what came back", facts, picture, default=[])]
    return [*lines, apart("what was sent", sent_html, picture.record) or ""]


def _charts(picture: Picture) -> str:
    """What the cell printed or logged in numbers."""
    return charts_html(charts_by(picture.reader), picture.run.id)


def _log(run_id: str, tail: LogTail) -> str:
    """The log's end, whole where it is short: how it went stands in its last lines."""
    end = tail.end()
    above = _quiet(f"… {lines_above(end.above)}: {command(f'%hpc logs {run_id}')}") if end.above else ""
    shown = f'<pre style="{PRE}" aria-label="log">{end.html}</pre>' if end.text else ""
    return above + shown


def _way_back(picture: Picture) -> str:
    """The run's id, and the command that brings back what it made; of a live job, when it stood so: it may be saved."""
    run_id, state = picture.run.id, picture.status.state
    if not state.is_final:
        moment = time.strftime("on %Y-%m-%d at %H:%M")
        return (
            f"run {run_id} as it stood {moment} · {command(f'%hpc attach {run_id}')} watches it and gets what it makes"
        )
    if state is JobState.COMPLETED:
        return f"run {run_id} · {command(f'%hpc attach {run_id}')} gets what it made, in another kernel too"
    return f"run {run_id} · {command(f'%hpc show {run_id}')}"


def _told(picture: Picture) -> list[str]:
    return charts_text(charts_by(picture.reader))


def card_text(picture: Picture) -> str:
    """Return the card as plain text."""
    words = describe(picture.record, picture.status)
    lines = [f"{icon(picture.status.state)[0]} {words}", *tasks_text(picture.parts)]
    if line := suggestion(picture.record):
        lines.append(plain(f"Resubmit with {line}"))
    found = apart("what the job used", uses, picture, default=[])
    lines += [plain(" · ".join(line.words for line in found))] if found else []
    if enough := right_size(found):
        lines.append(f"{enough} would have been enough")
    lines += apart("what came back", facts, picture, default=[])
    lines += apart("what the cell told of itself", _told, picture, default=[])
    end = picture.tail.end()
    lines += [f"… {lines_above(end.above)}: %hpc logs {picture.run.id}"] if end.above else []
    lines += [end.text] if end.text else []
    return "\n".join(lines)
