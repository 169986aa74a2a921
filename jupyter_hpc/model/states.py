"""States of a job."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class JobState(str, enum.Enum):
    """Slurm's words, on every backend. ``LOST``: the scheduler forgot the job and it left no result."""

    SUBMITTING = "SUBMITTING"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMEOUT = "TIMEOUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    NODE_FAIL = "NODE_FAIL"
    PREEMPTED = "PREEMPTED"
    LOST = "LOST"

    @property
    def is_final(self) -> bool:
        return self not in (JobState.SUBMITTING, JobState.PENDING, JobState.RUNNING)

    @property
    def words(self) -> str:
        """As a person says it: ``"timed out"``."""
        return state_words(self.value)

    def __str__(self) -> str:
        return self.value


_WORDS = {"TIMEOUT": "timed out", "NODE_FAIL": "node failed"}  # others as Slurm writes them


def state_words(written: str | None) -> str:
    """Return a state as a person says it, of the word that a record or a row has; empty where it has none."""
    return _WORDS.get(written or "") or (written or "").lower().replace("_", " ")


@dataclass(frozen=True)
class Status:
    """What is known of a job at one moment."""

    state: JobState
    reason: str = ""
    node: str = ""
    native_id: str = ""
    started_at: float | None = None
    ended_at: float | None = None
