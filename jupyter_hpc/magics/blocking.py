"""A cell that waits for its job: show it live, take the interrupt, bring the names back."""

from __future__ import annotations

import threading
import time
from typing import Any

from ..display.panel import View, make_view
from ..jobs import Job
from ..reader import Output, RunReader
from ..watcher import Follower, follow

SECOND_INTERRUPT_S = 2.0
TICK_S = 0.25


class Detached(KeyboardInterrupt):
    """The cell was interrupted; its job goes on."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"detached from {job.id}")
        self.job = job

    def _render_traceback_(self) -> list[str]:
        return [
            f"Detached: the job goes on as {self.job.id}.",
            f"  %hpc attach {self.job.id}   watch it again; names come back",
            f"  %hpc cancel {self.job.id}   end it",
        ]


def run_attached(shell: Any, job: Job, *, quiet: bool = False) -> Job:
    """Wait for a job in the foreground and put what it made into the kernel.

    Raises
    ------
    Detached
        At an interrupt; a second one within two seconds cancels the job.
    BaseException
        What the cell raised.
    """
    follower, reader = follow(job), RunReader(job.run)
    view = make_view(job, quiet=quiet)
    value = _watch(follower, reader, view, job)
    view.finish()
    outcome = job.outcome()
    shell.user_ns.update(outcome.names)
    if quiet:
        for note in outcome.notes():
            view.say(note)
    if outcome.error is not None:
        raise outcome.error
    _show_once(job, value, shell.execution_count)
    return job


def _watch(follower: Follower, reader: RunReader, view: View, job: Job) -> Output | None:
    wake = threading.Event()
    follower.listeners.append(wake.set)
    value: Output | None = None
    interrupted = 0.0
    try:
        while True:
            ended = follower.ended.done()
            try:
                new = reader.poll(everything=ended)
                value = next((o for o in new if o.kind == "value"), value)
                view.update(follower.status, new)
                if ended:
                    return value
                if interrupted and time.monotonic() - interrupted > SECOND_INTERRUPT_S:
                    raise Detached(job)
                wake.wait(TICK_S)
                wake.clear()
            except Detached:
                raise
            except KeyboardInterrupt:
                if interrupted:
                    view.say("Cancelling …")
                    job.cancel()
                    interrupted = 0.0
                else:
                    interrupted = time.monotonic()
                    view.say(
                        f"Interrupted: detaching. Interrupt again within {SECOND_INTERRUPT_S:g} s to cancel the job."
                    )
    finally:
        follower.listeners.remove(wake.set) if wake.set in follower.listeners else None


def _show_once(job: Job, value: Output | None, count: int) -> None:
    """Let the magic return the job and the notebook show the cell's value as ``Out[n]``, in this cell only."""
    from IPython.core.getipython import get_ipython

    def here() -> bool:
        shell = get_ipython()
        return shell is not None and shell.execution_count == count

    if value is not None:

        def bundle(include: Any = None, exclude: Any = None) -> Any:
            if here():
                return value.data, value.metadata
            return Job._repr_mimebundle_(job)

        job._repr_mimebundle_ = bundle  # type: ignore[method-assign]
        return

    def nothing() -> None:
        if not here():
            raise NotImplementedError  # IPython then goes on to the other formats

    job._ipython_display_ = nothing  # type: ignore[attr-defined]
