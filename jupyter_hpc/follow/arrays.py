"""Job arrays: one submission, one run directory, and in it a run for each task.

``ROOT/runs/ID/tasks/ID_3/`` is task 3: a run of its own in all but code and inputs, which it shares with the
array. So whatever reads a run directory reads a task's too.
"""

from __future__ import annotations

import concurrent.futures
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..explain.verdict import Verdict
from ..jobs.job import Job, JobState, Status
from ..model.exceptions import OptionError, TasksFailed
from ..model.resources import quote
from ..runs.run import TASKS, Run

if TYPE_CHECKING:
    from ..jobs.results import Outcome

MOST_TASKS = 10_000
SHOWN = 5
_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?")
_HINT = "Write it as sbatch does: 1-6, 0-15:4, 1,3,7, and %2 behind it for two at once."


@dataclass(frozen=True)
class Tasks:
    """An array's tasks, as sbatch writes them: ``1-6%3`` has six, three of them at once."""

    indices: tuple[int, ...]
    limit: int | None
    text: str


def parse_tasks(written: str) -> Tasks:
    """Read the value of ``--array``.

    Raises
    ------
    OptionError
        If it isn't what sbatch would take, or has more than `MOST_TASKS` tasks.
    """
    text = re.sub(r"\s+", "", written)
    ranges, percent, limit = text.partition("%")
    found: list[int] = []
    for part in ranges.split(","):
        match = _PART.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        step = int(match[3] or 1) if match else 1
        if match is None or last < first or step < 1:
            raise OptionError(f"--array {quote(written)} has no tasks that can be read.", hint=_HINT)
        if (last - first) // step >= MOST_TASKS:
            raise OptionError(f"--array {quote(written)} has more than {MOST_TASKS:,} tasks.", hint=_HINT)
        found += range(first, last + 1, step)
    if percent and not re.fullmatch(r"[1-9]\d{0,5}", limit):
        raise OptionError(f"--array {quote(written)}: behind % stands how many run at once.", hint=_HINT)
    indices = tuple(sorted(set(found)))
    if len(indices) > MOST_TASKS:
        raise OptionError(f"--array {quote(written)} has more than {MOST_TASKS:,} tasks.", hint=_HINT)
    return Tasks(indices, int(limit) if percent else None, text)


def prepare(run: Run, written: str) -> dict[str, Any]:
    """Make the tasks' run directories, before any of them can start, and return what the array's record has of them."""
    tasks = parse_tasks(written)
    folder = run.path / TASKS
    folder.mkdir(mode=0o700)
    for index in tasks.indices:
        path = folder / f"{run.id}_{index}"
        path.mkdir(mode=0o700)
        (path / "payload").symlink_to("../../payload")
    return {"text": tasks.text, "indices": list(tasks.indices)}


def tasks_of(job: Job, record: dict[str, Any] | None = None) -> list[Job]:
    """Return the tasks of an array in order; empty for any other job."""
    found = (record or job.record).get("array") or {}
    return [Job(job.run.task(index)) for index in found.get("indices", ())]


# -- how the array stands ------------------------------------------------------------------------


def combined(statuses: Sequence[Status], native_id: str) -> Status:
    """Return the array's status from its tasks'."""
    counts = Counter(status.state for status in statuses)
    ended = sum(n for state, n in counts.items() if state.is_final)
    started = [s.started_at for s in statuses if s.started_at]
    nodes = sorted({s.node for s in statuses if s.node})
    node = ",".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
    words = ", ".join(f"{n} {state.value.lower().replace('_', ' ')}" for state, n in counts.most_common())
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
    return Status(state, f"{len(statuses)} tasks: {words}" if others else "", node, native_id, first, last)


class Follows(Protocol):
    """What is used of a follower, an array's or one job's."""

    job: Job
    ended: concurrent.futures.Future[Status]
    listeners: list[Callable[[], None]]

    @property
    def status(self) -> Status: ...


class ArrayFollower:
    """Follows an array by its tasks' followers.

    Attributes
    ----------
    ended : Future of Status
        Done when every task is final.
    listeners : list of callable
        Called without arguments when anything changed.
    """

    def __init__(self, job: Job, tasks: Sequence[Follows], native_id: str) -> None:
        self.job = job
        self.native_id = native_id
        self.ended: concurrent.futures.Future[Status] = concurrent.futures.Future()
        self.listeners: list[Callable[[], None]] = []
        self._tasks = tasks
        self._changed = True
        self._last = Status(JobState.PENDING, native_id=native_id)
        for task in tasks:
            task.listeners.append(self._on_change)
        self._on_change()

    @property
    def status(self) -> Status:
        if self._changed:
            self._changed = False
            self._last = combined([t.status for t in self._tasks], self.native_id)
        return self._last

    def _on_change(self) -> None:
        self._changed = True
        if not self.ended.done() and all(t.ended.done() for t in self._tasks):
            status = self.status
            write_end(self.job, status)
            self.ended.set_result(status)
        for listener in list(self.listeners):
            listener()


def write_end(job: Job, status: Status) -> None:
    """Record how an array ended; what its tasks came to stands in their own records."""
    error = "" if status.state is JobState.COMPLETED else TasksFailed.__name__
    hint = f"`%hpc show {job.id}_N` shows task N; the names of the others are here." if error else ""
    (job.run.path / "env").unlink(missing_ok=True)  # values of --env may be secrets and have done their work
    job.run.update(
        state=status.state.value,
        reason=status.reason,
        node=status.node,
        started_at=status.started_at,
        ended_at=status.ended_at,
        verdict=Verdict(status.state, error, status.reason, hint).to_record(),
    )


# -- what the array made -------------------------------------------------------------------------


def outcome(job: Job, tasks: Sequence[Job]) -> Outcome:
    """Return what all tasks made: each name is a dict from task to value."""
    from ..jobs.results import Outcome, load, tail

    found = Outcome(is_call=job.record.get("kind") == "call", value={}, of_tasks=True)
    errors: dict[int, BaseException] = {}
    for task in tasks:
        index, one = int(task.run.index or 0), load(task)
        for name, value in one.names.items():
            found.names.setdefault(name, {})[index] = value
        if one.error is not None:
            errors[index] = one.error
        elif found.is_call:
            found.value[index] = one.value
        found.unsent.update({f"{name} of task {index}": why for name, why in one.unsent.items()})
        found.mutated += [name for name in one.mutated if name not in found.mutated]
        found.missing += [name for name in one.missing if name not in found.missing]
    found.missing = [name for name in found.missing if name not in found.names]
    if errors:
        first = Job(job.run.task(min(errors)))
        found.error = _failed(job, errors, len(tasks), tail(first))
    return found


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
