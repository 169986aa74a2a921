"""A cell that waits for its job: show it live, take the interrupt, bring the names back."""

from __future__ import annotations

import signal
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
    with _Interrupts(wake) as interrupts:
        while True:
            ended = follower.ended.done()
            new = reader.poll(everything=ended)
            value = next((o for o in new if o.kind == "value"), value)
            view.update(follower.status, new)
            if ended:
                return value
            if interrupts.take():
                view.say(
                    f"Interrupted: detaching. Interrupt again within {SECOND_INTERRUPT_S:g} s to cancel the job."
                )
            if interrupts.wants_cancel():
                view.say("Cancelling …")
                job.cancel()
            if interrupts.wants_detach():
                follower.listeners.remove(wake.set)
                raise Detached(job)
            wake.wait(TICK_S)
            wake.clear()


class _Interrupts:
    """Collects SIGINT while a cell waits: nothing is torn out of the middle of an update.

    In a thread other than the main one no signal arrives, and nothing is installed.
    """

    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake
        self._times: list[float] = []
        self._seen = 0
        self._cancelled = False
        self._previous: Any = None

    def __enter__(self) -> _Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _on_signal(self, number: int, frame: Any) -> None:
        self._times.append(time.monotonic())
        self._wake.set()

    def take(self) -> bool:
        """Return True once, at the first interrupt."""
        first = self._seen == 0 and len(self._times) > 0
        self._seen = max(self._seen, min(len(self._times), 1))
        return first

    def wants_cancel(self) -> bool:
        """Return True once, at a second interrupt."""
        wanted = len(self._times) > 1 and not self._cancelled
        self._cancelled |= wanted
        return wanted

    def wants_detach(self) -> bool:
        """Return True when the time for a second interrupt is over, or a third one came while cancelling."""
        if self._cancelled:
            return len(self._times) > 2
        return bool(self._times) and time.monotonic() - self._times[0] > SECOND_INTERRUPT_S


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
