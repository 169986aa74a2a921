"""What all tasks of an array made."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from ..model.exceptions import HPCError, ResultError, TasksFailed
from ..rundir.run import PARTS
from .job import Job

if TYPE_CHECKING:
    from .outcome import Outcome


SHOWN = 5


def outcome(job: Job, tasks: Sequence[Job]) -> Outcome:
    """Return what all tasks made: each name is a dict from task to value, but for a module that they imported."""
    from .errors import tail
    from .outcome import Outcome
    from .results import load

    whole = Outcome(is_call=job.record.get("kind") == "call", value={}, of_tasks=True)
    errors: dict[int, BaseException] = {}
    _check_all(job, tasks)
    for task in tasks:
        index = int(task.run.index or 0)
        try:
            one = load(task)
        except HPCError as error:  # it is missing or damaged: the others' names still come, with that error
            errors[index] = error
            continue
        for name, value in one.names.items():
            whole.names.setdefault(name, {})[index] = value
        if one.error is not None:
            errors[index] = one.error
        elif whole.is_call:
            whole.value[index] = one.value
        whole.unsent.update({f"{name} of task {index}": why for name, why in one.unsent.items()})
        whole.mutated += [name for name in one.mutated if name not in whole.mutated]
        whole.missing += [name for name in one.missing if name not in whole.missing]
    for name, values in whole.names.items():
        first = next(iter(values.values()))
        if isinstance(first, ModuleType) and all(value is first for value in values.values()):
            whole.names[name] = first  # that each task imported it is no reason to have it by task
    whole.missing = [name for name in whole.missing if name not in whole.names]
    if errors:
        first = Job(job.run.part(min(errors)))
        whole.error = _failed(job, errors, len(tasks), tail(first))
    return whole


def _check_all(job: Job, tasks: Sequence[Job]) -> None:
    """Refuse to take some of the tasks for all of them."""
    known = {task.id for task in tasks}
    there = {path.name for path in job.run.path.glob(f"{PARTS}/{job.id}_*")}
    if there - known:
        raise ResultError(
            f"The record of {job.id} is damaged: it has {len(known)} tasks, and the run directory has more.",
            hint=f"`Job.tasks` and {job.run.path / PARTS} have what there is.",
        )


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
