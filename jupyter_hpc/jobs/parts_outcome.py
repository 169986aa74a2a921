"""What all tasks of an array made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..model.exceptions import TasksFailed
from .job import Job

if TYPE_CHECKING:
    from .outcome import Outcome


SHOWN = 5


def outcome(job: Job, tasks: Sequence[Job]) -> Outcome:
    """Return what all tasks made: each name is a dict from task to value."""
    from .errors import tail
    from .outcome import Outcome
    from .results import load

    whole = Outcome(is_call=job.record.get("kind") == "call", value={}, of_tasks=True)
    errors: dict[int, BaseException] = {}
    for task in tasks:
        index, one = int(task.run.index or 0), load(task)
        for name, value in one.names.items():
            whole.names.setdefault(name, {})[index] = value
        if one.error is not None:
            errors[index] = one.error
        elif whole.is_call:
            whole.value[index] = one.value
        whole.unsent.update({f"{name} of task {index}": why for name, why in one.unsent.items()})
        whole.mutated += [name for name in one.mutated if name not in whole.mutated]
        whole.missing += [name for name in one.missing if name not in whole.missing]
    whole.missing = [name for name in whole.missing if name not in whole.names]
    if errors:
        first = Job(job.run.part(min(errors)))
        whole.error = _failed(job, errors, len(tasks), tail(first))
    return whole


def _failed(job: Job, errors: dict[int, BaseException], count: int, log_tail: str) -> TasksFailed:
    shown = [f"task {i}: {type(e).__name__}: {_first_line(e)}" for i, e in sorted(errors.items())[:SHOWN]]
    more = f"; and {len(errors) - SHOWN} more" if len(errors) > SHOWN else ""
    error = TasksFailed(
        f"{len(errors)} of {count} tasks failed: {'; '.join(shown)}{more}.",
        hint="The names of the other tasks are here; `.errors` has each task's exception. "
        f"`%hpc logs {job.id}_{min(errors)}` shows the first one's log.",
        job=job,
        log_tail=log_tail,
    )
    error.errors = errors
    error.__cause__ = errors[min(errors)]
    return error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")
