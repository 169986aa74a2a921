"""Why a job waits, how it stands, or why it ended: the text of ``%hpc why``."""

from __future__ import annotations

import time

from ..backends.base import Suggestion, Waiting, start_words
from ..jobs.job import Job, JobState
from ..model.resources import format_time


def why_text(job: Job) -> str:
    """Return the answer for a job of any state."""
    status = job.status
    if status.state.is_final:
        return _ended(job)
    if status.state is not JobState.PENDING or not status.native_id:
        return _standing(job)
    from ..runtime import portal

    lines = portal.call(explained(job, status.native_id), 30)
    return "\n".join([f"{job.id} · {job.target} job {status.native_id}", *lines])


async def explained(job: Job, native_id: str) -> list[str]:
    """Ask the scheduler why a job waits and what would help, and return it in lines."""
    from ..follow.watcher import watcher_of

    return waiting_lines(await (await watcher_of(job.target)).backend.explain(job.run, native_id))


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


def _why(suggestion: Suggestion, now: float) -> str:
    if suggestion.expected_start is None:
        return suggestion.why
    return f"{suggestion.why}; the scheduler's estimate: {start_words(suggestion.expected_start, now)}"


def _standing(job: Job) -> str:
    status = job.status
    lines = [f"{job.id} doesn't wait: {job.describe()}"]
    limit = job.record["spec"].get("resources", {}).get("time")
    if status.started_at and limit:
        left = status.started_at + limit - time.time()
        lines.append(
            f"{format_time(left)} of its {format_time(limit)} are left." if left > 0 else "Its time is over."
        )
    return "\n".join(lines)


def _ended(job: Job) -> str:
    verdict = job.record.get("verdict") or {}
    lines = [f"{job.id} has ended: {job.describe()}"]
    if verdict.get("hint"):
        lines.append(f"→ {verdict['hint']}")
    lines += [f"evidence: {x}" for x in verdict.get("evidence", [])]
    return "\n".join(lines)
