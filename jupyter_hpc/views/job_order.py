"""In which order jobs are listed, under which headings, and which of them some words mean: everywhere the same."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..model.states import JobState
from .job_row import Row

GROUPS = {
    "waiting": {JobState.SUBMITTING, JobState.PENDING},
    "running": {JobState.RUNNING},
    "ended": {state for state in JobState if state.is_final},
}
GROUP_OF = {state.value: group for group, states in GROUPS.items() for state in states}
GROUPED_BY = ("target", "state", "notebook")
SORTED_BY = ("time", "name", "state", "duration")
# by what they mean to whoever looks: what goes on, what waits, what went wrong, what is done
_RANKS = {
    state.value: rank
    for rank, state in enumerate(
        (
            *(JobState.RUNNING, JobState.PENDING, JobState.SUBMITTING),
            *(JobState.FAILED, JobState.TIMEOUT, JobState.OUT_OF_MEMORY, JobState.NODE_FAIL),
            *(JobState.PREEMPTED, JobState.LOST, JobState.COMPLETED, JobState.CANCELLED),
        )
    )
}
_STATE_WORDS = {
    "SUBMITTING": "submitting pending waiting queued",
    "PENDING": "pending waiting queued",
    "RUNNING": "running",
    "COMPLETED": "completed done succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled canceled",
    "TIMEOUT": "timed out timeout failed",
    "OUT_OF_MEMORY": "out of memory oom out_of_memory failed",
    "NODE_FAIL": "node failed node_fail",
    "PREEMPTED": "preempted failed",
    "LOST": "lost failed",
}
_SEARCHED = ("name", "target", "node", "partition", "reason", "error", "notebook", "gpu_type")
_NAMED = {"tag": "tags", "gpu": "gpu_type", "job": "native_id"}  # in `tag:v3`; other fields are called as they are
_AS_IN_HEAD = re.compile(r"·|\bjob\s+(?=\d)")  # `slurm job 61 · node3`
_SHORT_ID = 4  # a shorter word would be found in nearly every id
_DIGITS = re.compile(r"(\d+)")


def is_final(row: Row) -> bool:
    return in_group(row, "ended")


def in_group(row: Row, group: str) -> bool:
    return GROUP_OF.get(row["state"]) == group


# -- order -------------------------------------------------------------------------------------------


def by_time(row: Row) -> tuple[int, float]:
    """What goes on comes first, then what waits, then what has ended; the newest first within each."""
    rank = ("running", "waiting", "ended").index(GROUP_OF.get(row["state"], "ended"))
    when = (row["ended_at"] if rank == 2 else None) or row["created"] or 0.0
    return rank, -when


def by_name(row: Row) -> list[tuple[int, str]]:
    """``step 2`` comes before ``step 10``."""
    parts = _DIGITS.split(row["name"].lower())
    return [_number(part) if i % 2 else (-1, part) for i, part in enumerate(parts)]


def _number(digits: str) -> tuple[int, str]:
    significant = digits.lstrip("0")
    return len(significant), significant


def _by_name(row: Row) -> tuple[Any, ...]:
    return by_name(row), *by_time(row)


def _by_state(row: Row) -> tuple[int, float]:
    return rank_of(row["state"]), by_time(row)[1]


def _by_duration(row: Row) -> tuple[float, float]:
    """The longest first; what never ran comes last."""
    took = duration(row)
    return (1.0 if took is None else -took), by_time(row)[1]


_KEYS: dict[str, Callable[[Row], Any]] = {
    "time": by_time,
    "name": _by_name,
    "state": _by_state,
    "duration": _by_duration,
}


def duration(row: Row, now: float | None = None) -> float | None:
    """Return the seconds that a job has run or ran; None before it starts."""
    if not row["started_at"]:
        return None
    end = row["ended_at"] or (time.time() if now is None else now)
    return max(0.0, float(end - row["started_at"]))


def rank_of(state: str) -> int:
    return _RANKS.get(state, len(_RANKS))


def ordered(rows: Iterable[Row], sort: str = "time") -> list[Row]:
    """Return the rows in one of the orders of ``SORTED_BY``."""
    return sorted(rows, key=_KEYS[sort or "time"])


def grouped(rows: Sequence[Row], by: str) -> list[Row]:
    """Return the rows by target, state or notebook, each group under a heading of its own; states by what they mean."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row[by]), []).append(row)

    def place(name: str) -> tuple[int, str]:
        return (rank_of(name) if by == "state" else not name), name  # what has none comes last

    return [
        each
        for name in sorted(groups, key=place)
        for each in ({"heading": name, "count": len(groups[name])}, *groups[name])
    ]


# -- search ------------------------------------------------------------------------------------------


def searched(row: Row) -> str:
    """Return the text of a row that words are looked for in."""
    places = (*(row.get(key) or "" for key in _SEARCHED), *row["tags"], _STATE_WORDS.get(row["state"], ""))
    return _folded("\n".join(map(str, places)))


def _folded(text: str) -> str:
    """Return a text as it is compared: whatever its case, and however its letters are composed."""
    return unicodedata.normalize("NFKC", text).casefold()


def finder(text: str) -> Callable[[Row, str], bool]:
    """Return what tells whether a row with this text of :func:`searched` is meant: every word must be there somewhere.

    A number is the beginning of what the scheduler calls a job, or a part of anything but a run's id. In
    ``state:failed`` it is said where to look.
    """
    words = _AS_IN_HEAD.sub(" ", _folded(text)).split()

    def finds(row: Row, places: str) -> bool:
        return all(word in places or _is_id(word, row) or _is_in_field(word, row) for word in words)

    return finds


def _is_id(word: str, row: Row) -> bool:
    native = row["native_id"].lower()
    if native.startswith(word) if word.isdecimal() else word in native:
        return True
    return len(word) >= _SHORT_ID and word in row["id"].lower()


def _is_in_field(word: str, row: Row) -> bool:
    field, _, value = word.partition(":")
    if not value:
        return False
    there = row.get(_NAMED.get(field, field))
    words = [_STATE_WORDS.get(row["state"], "")] if field == "state" else there if isinstance(there, list) else [there]
    return any(value in _folded(each) for each in words if isinstance(each, str))
