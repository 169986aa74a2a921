"""Ask the scheduler why a job waits."""

from __future__ import annotations

from ..jobs.job import Job
from ..views.waiting import waiting_lines


async def explained(job: Job, native_id: str) -> list[str]:
    """Ask the scheduler why a job waits and what would help, and return it in lines."""
    from .following import watcher_of

    return waiting_lines(await (await watcher_of(job.target)).backend.explain(job.run, native_id))
