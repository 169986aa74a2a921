"""Why a job waits, how it stands, or why it ended: the text of ``%hpc why``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..model.observation import Suggestion, Waiting, start_words
from .style import escaped, with_code


def again_words(record: Mapping[str, Any]) -> str:
    """Return in words what a job was submitted again with, and in whose place; empty for any other."""
    with_what = f" with {changed}" if (changed := record.get("changed_options")) else ""
    if replaced := record.get("replaces"):
        return f"submitted again as {record['id']}{with_what}, in place of {replaced}"
    return f"submitted again{with_what}" if record.get("resubmits") else ""


def waiting_lines(waiting: Waiting, now: float | None = None) -> list[str]:
    """Return the lines that say why a job waits and what would help."""
    now = time.time() if now is None else now
    reason = waiting.reason or "The scheduler has given no reason yet."
    lines = [f"Waits: {reason}"]
    if waiting.place is not None:
        before = "nobody is before it" if not waiting.ahead else f"{waiting.ahead} before it"
        lines.append(f"Place in the queue: {waiting.place} ({before}).")
    if waiting.expected_start is not None:
        lines.append(f"Expected start: {start_words(waiting.expected_start, now)}.")
    if waiting.hint:
        lines.append(f"→ {waiting.hint}")
    for title, confirmed in (("Would start now", True), ("May help", False)):
        some = [s for s in waiting.suggestions if s.confirmed is confirmed]
        if some:
            width = max(len(s.options) for s in some)
            lines += [f"{title}, if you cancel this one and submit the cell with"]
            lines += [f"  {s.options.ljust(width)}  {_why(s, now)}" for s in some]
    return lines


def waiting_html(waiting: Waiting, now: float | None = None) -> str:
    """Return its place, when it starts, and what to type, as HTML; the reason stands above, with the state."""
    now = time.time() if now is None else now
    facts = []
    if waiting.place is not None:
        of = f" of {waiting.of}" if waiting.of else ""
        facts.append(f"<b>{ordinal(waiting.place)}{of}</b> in the queue")
    if waiting.expected_start is not None:
        facts.append(escaped(_start(waiting.expected_start, now)))
    hint = f"<div>{with_code(waiting.hint)}</div>" if waiting.hint else ""
    return (f"<div>{' · '.join(facts)}</div>" if facts else "") + hint


def ordinal(n: int) -> str:
    """Return ``3rd``."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{n}{'th' if n // 10 % 10 == 1 else ends.get(n % 10, 'th')}"


def why_words(suggestion: Suggestion, now: float | None = None) -> str:
    """Return what speaks for a suggestion, and when it would start."""
    return _why(suggestion, time.time() if now is None else now)


def _why(suggestion: Suggestion, now: float) -> str:
    if suggestion.expected_start is None:
        return suggestion.why
    return f"{suggestion.why}; {_start(suggestion.expected_start, now)}"


def _start(expected: float, now: float) -> str:
    """Return the scheduler's estimate as the front end says it: ``starts in about 20 min (14:30)``."""
    words = start_words(expected, now)
    return f"starts in about {words[3:]}" if words.startswith("in ") else f"starts {words}"
