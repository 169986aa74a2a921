"""``%hpc why``: why a job waits, or why it ended."""

from __future__ import annotations

import time

from ..follow.explained import explained
from ..jobs.job import Job
from ..model.resources import format_time
from ..model.states import JobState
from ..views.style import plain
from ..views.waiting import waiting_lines


def why_text(job: Job) -> str:
    """Return the answer for a job of any state."""
    status = job.status
    if status.state.is_final:
        return _ended(job)
    if status.state is not JobState.PENDING or not status.native_id:
        return _standing(job)
    from ..runtime import portal

    lines = waiting_lines(portal.call(explained(job.run, job.target, status.native_id), 30))
    return "\n".join([f"{job.id} · {job.target} job {status.native_id}", *lines])


def _standing(job: Job) -> str:
    status = job.status
    lines = [f"{job.id} doesn't wait: {job.describe()}"]
    limit = job.record["spec"].get("resources", {}).get("time")
    if status.started_at and limit and not job.record.get("array"):  # a limit is each task's
        left = status.started_at + limit - time.time()
        lines.append(f"{format_time(left)} of its {format_time(limit)} are left." if left > 0 else "Its time is over.")
    return "\n".join(lines)


def _ended(job: Job) -> str:
    verdict = job.record.get("verdict") or {}
    lines = [f"{job.id} has ended: {job.describe()}"]
    if verdict.get("hint"):
        lines.append(f"→ {verdict['hint']}")
    lines += [f"evidence: {plain(x)}" for x in verdict.get("evidence", [])]
    return "\n".join(lines)
