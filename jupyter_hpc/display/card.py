"""The static card: how a job went, readable without kernel, script or style sheet."""

from __future__ import annotations

import html
import re
import time
from typing import Any

from ..jobs import Job, JobState, Status
from ..reader import RunReader
from ..resources import format_size, format_time
from ..store import read_json
from .text import LogTail

_ICONS = {
    JobState.SUBMITTING: ("↑", "#888"),
    JobState.PENDING: ("◷", "#b58900"),
    JobState.RUNNING: ("▶", "#208ffb"),
    JobState.COMPLETED: ("✓", "#00a250"),
    JobState.CANCELLED: ("⊘", "#888"),
}
_FAILED = ("✗", "#e75c58")
_BOX = (
    "border:1px solid rgba(128,128,128,.35);border-radius:4px;padding:6px 10px;margin:2px 0;"
    "font-size:13px;line-height:1.5"
)
_PRE = (
    "margin:4px 0 0;padding:4px 8px;max-height:22em;overflow:auto;white-space:pre-wrap;"
    "overflow-wrap:anywhere;font-size:12px;background:rgba(128,128,128,.07)"
)


def icon(state: JobState) -> tuple[str, str]:
    """Return the sign and the colour of a state; the word always stands beside them."""
    return _ICONS.get(state, _FAILED)


def headline(job: Job, status: Status) -> str:
    """Return state, place, node and time as escaped HTML."""
    sign, colour = icon(status.state)
    record = job.record
    parts = [f'<b style="color:{colour}">{sign} {status.state.value.lower().replace("_", " ")}</b>']
    where = record["target"]["name"] + (
        f" job {status.native_id}" if status.native_id and record["target"]["backend"] != "local" else ""
    )
    parts.append(html.escape(where))
    if record.get("name"):
        parts.append(html.escape(str(record["name"])[:80]))
    if status.node:
        parts.append(html.escape(status.node))
    if status.started_at:
        took = max(0.0, (status.ended_at or time.time()) - status.started_at)
        limit = record["spec"]["resources"].get("time")
        of = f" of {format_time(limit)}" if limit and not status.state.is_final else ""
        parts.append(html.escape(format_time(took) + of))
    return " · ".join(parts)


def facts(job: Job) -> list[str]:
    """Return what an ended job brought, plain, a line each."""
    manifest = read_json(job.run.result / "manifest.json") or {}
    lines = []
    names = [_sized(n) for n in manifest.get("names", []) if not n["name"].startswith("<")]
    names += sorted(manifest.get("modules", {}))
    if names:
        shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        lines.append(f"received {shown}")
    lines += [f"{name} did not come back: {why}" for name, why in (manifest.get("unsent") or {}).items()]
    if manifest.get("missing"):
        lines.append(f"not assigned by the cell: {', '.join(manifest['missing'])}")
    mutated = ",".join(manifest.get("mutated") or [])
    if mutated:
        lines.append(f"{mutated} changed on the node and not here; -o {mutated} brings it back")
    return lines


def _sized(record: dict[str, Any]) -> str:
    return (
        f"{record['name']} ({format_size(record['nbytes'])})"
        if record["nbytes"] >= 1 << 20
        else str(record["name"])
    )


def read_tail(job: Job) -> LogTail:
    """Return the last lines of a job's text."""
    tail = LogTail()
    tail.add(RunReader(job.run).poll(everything=True))
    return tail


def card_html(job: Job, tail: LogTail | None = None) -> str:
    """Return the card as HTML without scripts."""
    status = job.status
    tail = tail or read_tail(job)
    rows = [f"<div>{headline(job, status)}</div>"]
    if status.reason:
        rows.append(f"<div>{html.escape(status.reason)}</div>")
    hint = (job.record.get("verdict") or {}).get("hint")
    if hint:
        rows.append(f"<div>→ {_with_code(hint)}</div>")
    rows += [f'<div style="opacity:.8">{html.escape(line)}</div>' for line in facts(job)]
    if tail.pieces:
        rows.append(_log_html(job, tail))
    commands = f"%hpc show {job.id}"
    rows.append(f'<div style="opacity:.6;font-size:11px">run {job.id} · <code>{commands}</code></div>')
    return f'<div class="jp-HPCCard" style="{_BOX}">{"".join(rows)}</div>'


def _with_code(text: str) -> str:
    """Return escaped HTML in which what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _log_html(job: Job, tail: LogTail) -> str:
    count = f"{tail.lines} line{'s' if tail.lines != 1 else ''}"
    more = f"; the last are shown, <code>%hpc logs {job.id}</code> has all" if tail.dropped else ""
    is_open = " open" if tail.lines <= 40 else ""
    return f'<details{is_open}><summary>log ({count}{more})</summary><pre style="{_PRE}">{tail.html()}</pre></details>'


def card_text(job: Job, tail: LogTail | None = None) -> str:
    """Return the card as plain text."""
    tail = tail or read_tail(job)
    lines = [f"{icon(job.status.state)[0]} {job.describe()}", *facts(job)]
    text = tail.plain().rstrip("\n")
    if text:
        lines.append(text)
    return "\n".join(lines)
