"""Ask the scheduler why a job waits, and write it down for every view."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..model.exceptions import JobNotFound
from ..model.observation import Waiting
from ..model.states import JobState, Status
from ..rundir.run import Run
from ..runtime import portal
from ..targets.connection import connection_of

AFTER_S = 15.0  # what waits so long is worth a look at the queue; a cell's own panel looks before
EVERY_S = 180.0
_asked: dict[str, float] = {}


async def explained(run: Run, target: str, native_id: str) -> Waiting:
    """Ask the scheduler why a job waits and what would help, and keep it in the run's record."""
    waiting = await (await connection_of(target)).backend.explain(run, native_id)
    with suppress(OSError, JobNotFound):  # it was forgotten meanwhile
        await asyncio.to_thread(run.update, waiting={**waiting.to_record(), "asked_at": time.time()})
    return waiting


def explain_now_and_then(run: Run, record: Mapping[str, Any], status: Status) -> None:
    """Let the record of a job that waits say why, if nobody asked lately; nobody waits for the answer."""
    if status.state is not JobState.PENDING or not status.native_id or run.whole or record.get("array"):
        return
    now, began = time.time(), record.get("submitted_at") or record.get("created") or 0.0
    asked = (record.get("waiting") or {}).get("asked_at") or 0.0
    if now - began >= AFTER_S and now - max(asked, _asked.get(run.id, 0.0)) >= EVERY_S:
        _asked[run.id] = now
        portal.start(explained(run, str(record["target"]["name"]), status.native_id))
