"""Job arrays: one submission, one run directory, and in it a run for each task.

``ROOT/runs/ID/tasks/ID_3/`` is task 3: a run of its own in all but code and inputs, which it shares with the
array. So whatever reads a run directory reads a task's too.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Sequence
from typing import Protocol

from ..explain.verdict import Verdict
from ..model.exceptions import TasksFailed
from ..model.states import JobState, Status
from ..rundir.parts import parts_of
from ..rundir.run import Run
from ..rundir.series import Summary, of_tasks
from ..worker.apart import apart
from .ending import remove_secrets
from .status import combined

# -- how the array stands ------------------------------------------------------------------------


class Follows(Protocol):
    """What is used of a follower, an array's or one job's."""

    run: Run
    ended: concurrent.futures.Future[Status]
    listeners: list[Callable[[], None]]

    @property
    def status(self) -> Status: ...

    @property
    def told(self) -> Summary: ...


class PartsFollower:
    """Follows an array by its tasks' followers.

    Attributes
    ----------
    ended : Future of Status
        Done when every task is final.
    listeners : list of callable
        Called without arguments when anything changed.
    """

    def __init__(self, run: Run, tasks: Sequence[Follows], native_id: str) -> None:
        self.run = run
        self.native_id = native_id
        self.ended: concurrent.futures.Future[Status] = concurrent.futures.Future()
        self.listeners: list[Callable[[], None]] = []
        self._tasks = tasks
        self._told: dict[str, Summary] = {}  # of those that have ended
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

    @property
    def told(self) -> Summary:
        """The numbers that its tasks told so far, together."""
        return of_tasks(map(self._told_by, self._tasks))

    def _told_by(self, task: Follows) -> Summary:
        if task.run.id not in self._told:
            if not task.ended.done():
                return task.told
            record = task.run.record_or_none() or {}  # it may have ended before it was followed
            self._told[task.run.id] = record.get("metrics") or {}
        return self._told[task.run.id]

    def _on_change(self) -> None:
        self._changed = True
        if not self.ended.done() and all(t.ended.done() for t in self._tasks):
            status = self.status
            try:
                write_end(self.run, status)
            finally:  # whatever keeps it from being written: nobody waits for ever
                self.ended.set_result(status)
        for listener in list(self.listeners):
            listener()


def write_end(run: Run, status: Status) -> None:
    """Record how an array ended, and the numbers that its tasks told together; the rest stands in their own records."""
    error = "" if status.state is JobState.COMPLETED else TasksFailed.__name__
    hint = f"`%hpc show {run.id}_N` shows task N; the names of the others are here." if error else ""
    remove_secrets(run)
    told = apart("what its tasks told", _tasks_told, run, default={})
    run.conclude(
        **({"task_metrics": told} if told else {}),
        state=status.state.value,
        reason=status.reason,
        node=status.node,
        started_at=status.started_at,
        ended_at=status.ended_at,
        verdict=Verdict(status.state, error, status.reason, hint).to_record(),
    )


def _tasks_told(run: Run) -> Summary:
    record = run.record()
    tasks = (part.record_within(record) or {} for part in parts_of(run, record))
    return of_tasks(task.get("metrics") or {} for task in tasks)


# -- what the array made -------------------------------------------------------------------------
