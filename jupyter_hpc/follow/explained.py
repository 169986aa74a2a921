"""Ask the scheduler why a job waits."""

from __future__ import annotations

from ..rundir.run import Run
from ..targets.connection import connection_of
from ..views.waiting import waiting_lines


async def explained(run: Run, target: str, native_id: str) -> list[str]:
    """Ask the scheduler why a job waits and what would help, and return it in lines."""
    return waiting_lines(await (await connection_of(target)).backend.explain(run, native_id))
