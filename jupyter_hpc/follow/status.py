"""A run's status from what is written: its record, or its tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..model.states import JobState, Status

LONGEST = 200  # characters of a task's reason in the array's


def combined(statuses: Sequence[Status], native_id: str) -> Status:
    """Return the array's status from its tasks'."""
    counts = Counter(status.state for status in statuses)
    ended = sum(n for state, n in counts.items() if state.is_final)
    started = [s.started_at for s in statuses if s.started_at]
    nodes = sorted({s.node for s in statuses if s.node})
    node = ",".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
    words = ", ".join(f"{n} {state.words}" for state, n in counts.most_common())
    first = min(started, default=None)
    if ended < len(statuses):
        waiting = next((s.reason for s in statuses if s.state is JobState.PENDING and s.reason), "")
        is_running = ended or counts[JobState.RUNNING]
        state = JobState.RUNNING if is_running else next(iter(counts))
        reason = f"{len(statuses)} tasks: {words}" + (f"; {waiting}" if waiting else "")
        return Status(state, reason, node, native_id, first)
    last = max((s.ended_at for s in statuses if s.ended_at), default=None)
    others = [state for state in counts if state is not JobState.COMPLETED]
    state = JobState.COMPLETED if not others else others[0] if len(others) == 1 else JobState.FAILED
    why = f"{len(statuses)} tasks: {words}{_most(statuses)}" if others else ""
    return Status(state, why, node, native_id, first, last)


def _most(statuses: Sequence[Status]) -> str:
    """Return why most of those ended that did not end well, as the end of a sentence."""
    reasons = Counter(s.reason for s in statuses if s.state is not JobState.COMPLETED)
    (reason, count), *more = reasons.most_common()
    if not reason:
        return ""
    return f"; {count} of them: {reason[:LONGEST]}" if more else f"; {reason[:LONGEST]}"


def recorded_status(record: dict[str, Any]) -> Status | None:
    """Return the final status that a record holds."""
    state = record.get("state")
    if state not in JobState.__members__ or not JobState(state).is_final:
        return None
    return Status(
        JobState(state),
        record.get("reason") or "",
        record.get("node") or "",
        str(record.get("native_id") or ""),
        record.get("started_at"),
        record.get("ended_at"),
    )
