"""The line that stands over a job: how it stands, what it is, where it runs, how much of its time is over."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from typing import Any

from ..backends.registry import backend_of
from ..model.resources import Resources, format_time
from ..model.states import Status
from .icons import icon
from .meters import bar
from .style import SOFT, STEP_PX, plain

_ROW = f"display:flex;gap:0 {STEP_PX}px;align-items:baseline;white-space:nowrap"
_KEPT = "flex:none;font-variant-numeric:tabular-nums"
_SHORTENED = "min-width:3em;overflow:hidden;text-overflow:ellipsis"  # so that the line stays one
SECONDS_UNTIL_S = 600  # from then on tens of seconds are enough: what changes seldom is sent seldom


def headline(record: Mapping[str, Any], status: Status) -> str:
    """Return state, name, place and time as one line of HTML, which also reads well without its style."""
    sign, colour = icon(status.state)
    state = status.state.words
    items = [f'<b style="{_KEPT}"><span style="color:{colour}" aria-hidden="true">{sign}</span> {state}</b>']
    if name := plain(record.get("name") or "", 80):
        items.append(_dotted(name, _SHORTENED))
    items.append(_dotted(_place(record, status), f"{_SHORTENED};flex-shrink:3;color:{SOFT}"))
    if time_words := _time(record, status):
        items.append(f'<span style="{_KEPT};color:{SOFT}">· {time_words}</span>')
    return f'<div style="{_ROW}">{" ".join(items)}</div>'


def _dotted(text: str, style: str) -> str:
    words = html.escape(text)
    return f'<span style="{style}" title="{words}">· {words}</span>'


def _place(record: Mapping[str, Any], status: Status) -> str:
    native = status.native_id if backend_of(record).shows_native_ids else ""
    target = record["target"]["name"] + (f" job {native}" if native else "")
    return " · ".join(plain(word, 80) for word in (target, status.node) if word)


def _time(record: Mapping[str, Any], status: Status) -> str:
    """Return how long it runs or ran; while it runs, of its limit, also as a bar."""
    if not status.started_at:
        return ""
    took = max(0.0, (status.ended_at or time.time()) - status.started_at)
    if status.state.is_final:
        return format_time(took)
    took -= took % (1 if took < SECONDS_UNTIL_S else 10)
    words = format_time(took) if took else "0 s"
    limit = Resources.from_json((record.get("spec") or {}).get("resources") or {}).time
    if not limit or record.get("array"):  # which is each task's
        return words
    words = f"{words} of {format_time(limit)}"
    return f"{bar(took / limit, f'time used: {words}')} {words}"
