"""One look at a run: what every view of it is made from, read once and passed down."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..model.resources import format_time
from ..model.states import JobState, Status
from ..rundir.reader import PartsReader, RunReader
from ..rundir.run import Run
from .log import LogTail
from .style import plain

Part = tuple[Run, Status]


@dataclass(frozen=True)
class Picture:
    """A run as it stands at one moment.

    Attributes
    ----------
    record : dict
        Its record, as it is once the status is known.
    parts : sequence of (Run, Status)
        The tasks of an array, in order; empty for any other run.
    reader : RunReader or PartsReader
        What has read the worker's files so far.
    tail : LogTail
        The end of its log.
    """

    run: Run
    record: dict[str, Any]
    status: Status
    parts: Sequence[Part]
    reader: RunReader | PartsReader
    tail: LogTail

    @property
    def failed(self) -> list[Run]:
        """The tasks that ended, and not well."""
        return [run for run, status in self.parts if status.state.is_final and status.state is not JobState.COMPLETED]

    @property
    def verdict(self) -> dict[str, Any]:
        """How and why it ended; empty while it has not."""
        return self.record.get("verdict") or {}


def describe(record: dict[str, Any], status: Status) -> str:
    """Return one line: state, target, native id, node, time, reason."""
    native = status.native_id.partition(".")[0]  # the local backend's ends in a start time
    target = record["target"]["name"]
    parts = [status.state.words, f"{target} job {native}" if native else str(target)]
    if status.node:
        parts.append(f"on {status.node}")
    if status.started_at:
        parts.append(f"for {format_time((status.ended_at or time.time()) - status.started_at)}")
    return plain(" · ".join(parts) + (f" · {status.reason}" if status.reason else ""), 4000)
