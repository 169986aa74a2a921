"""A cell that waits for its job: show it live, take the interrupt, bring the names back."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..follow.following import follow
from ..follow.parts_follower import Follows
from ..jobs.errors import say_once
from ..jobs.job import Job
from ..jobs.outcome import Outcome
from ..lineage.record.session import session
from ..model.printable import printable
from ..rundir.reader import Output, PartsReader, RunReader, reader_of
from ..rundir.run import WAITS, Run
from ..rundir.unwritten import remove
from ..runtime.process import identity_of
from ..worker.apart import apart
from .panel import View, make_view
from .shell import show

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
            f"  %hpc attach {self.job.id}   watch it again, and get what it makes",
            f"  %hpc cancel {self.job.id}   end it",
        ]


def run_attached(shell: Any, job: Job, *, quiet: bool = False, brings: bool = True, submitted: bool = False) -> Job:
    """Wait for a job in the foreground and put what it made into the kernel, unless ``brings`` is False.

    Parameters
    ----------
    submitted : bool
        By this very cell: nothing else of the user's can have changed anything here meanwhile.

    Raises
    ------
    Detached
        At an interrupt; a second one within two seconds cancels the job.
    BaseException
        What the cell raised.
    """
    reader = reader_of(job.run)
    view = make_view(job, reader, quiet=quiet)
    value, new = _watch(follow(job.run), reader, view, job)
    while new is not None:
        job, reader = new, reader_of(new.run)
        shell.user_ns["_hpc"] = job
        view = view.go_on(job, reader)
        value, new = _watch(follow(job.run), reader, view, job)
    outcome = None
    try:
        if brings:
            outcome = job.outcome(here=True)
            bring(shell, outcome, check=not submitted)
            apart("what could not be changed, on the card,", _note_changes, job, outcome)
    finally:
        apart("the card", view.finish)  # only now, as it says what came back
    if outcome is None:
        return job
    for note in outcome.notes() if quiet else ():
        view.say(note)
    if outcome.error is not None:
        say_once(outcome.error, card=view.has_card)
        raise outcome.error
    if value is not None:
        show(shell, value, outcome.shown)
    _hide_once(job, shell.execution_count)
    return job


def _note_changes(job: Job, outcome: Outcome) -> None:
    """Keep in the record what the card says of changes that are not here, or not in the same object."""
    if notes := outcome.changes.notes():
        job.run.update(changes=notes)


def bring(shell: Any, outcome: Outcome, *, check: bool = True, force: Sequence[str] = ()) -> None:
    """Put what a job made into the kernel, which knows from then on where it comes from."""
    from ..capture.carried_settings import bring_back

    outcome.bring(shell.user_ns, check=check, force=force)
    apart("the origin of names", session.bound, outcome.known)
    for note in apart("what settings changed", bring_back, outcome.settings, default=()):
        print(printable(note), file=sys.stderr)  # noqa: T201


def _watch(
    follower: Follows, reader: RunReader | PartsReader, view: View, job: Job
) -> tuple[Output | None, Job | None]:
    """Show a job until it has ended, and return the value that it showed; or the job that took its place."""
    wake = threading.Event()
    follower.listeners.append(wake.set)
    value: Output | None = None
    with _said_to_wait(job.run) as told, _Interrupts(wake) as interrupts:
        while True:
            ended = follower.ended.done()
            new = apart("output", reader.poll, everything=ended, default=[])
            if any(o.kind == "attempt" for o in new):  # what an attempt that was taken back showed is no result
                value = None
            value = next((o for o in new if o.kind == "value"), value)
            apart("the panel", view.update, follower.status, new)
            word = told()
            if (ended or word) and (replacement := job.replacement) is not None:
                follower.listeners.remove(wake.set)
                return None, replacement
            if ended:
                return value, None
            if interrupts.take():
                view.say(f"Interrupted: detaching. Interrupt again within {SECOND_INTERRUPT_S:g} s to cancel the job.")
            if interrupts.wants_cancel():
                view.say("Cancelling …")
                job.cancel()
            if interrupts.wants_detach() or view.wants_detach or word == "":
                follower.listeners.remove(wake.set)
                view.detach()
                raise Detached(job)
            wake.wait(TICK_S)
            wake.clear()


@contextmanager
def _said_to_wait(run: Run) -> Iterator[Callable[[], str | None]]:
    """Say in the run's directory that a cell waits; what is yielded tells what became of that.

    None: it waits. Empty: somebody removed the mark, and the cell goes on without the job. A run: that took the
    job's place.
    """
    mark = run.path / f"{WAITS}{identity_of(os.getpid())}"
    try:
        mark.touch(0o600)
    except OSError:  # no room: nobody sees that we wait, and nobody can end it from elsewhere
        yield lambda: None
        return

    def told() -> str | None:
        try:
            return mark.read_text("ascii") if mark.stat().st_size else None
        except OSError:
            return "" if run.path.exists() else None

    try:
        yield told
    finally:
        remove(mark)


class _Interrupts:
    """Collects SIGINT while a cell waits: nothing is torn out of the middle of an update.

    In a thread other than the main one no signal arrives, and nothing is installed.
    """

    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake
        self._count = 0
        self._told: float | None = None  # when the first one was, which on a busy machine is later than it came
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
        self._count += 1
        self._wake.set()

    def take(self) -> bool:
        """Return True once, at the first interrupt: whoever takes it tells of it now."""
        is_new = self._count > 0 and self._told is None
        if is_new:
            self._told = time.monotonic()
        return is_new

    def wants_cancel(self) -> bool:
        """Return True once, at a second interrupt."""
        wanted = self._count > 1 and not self._cancelled
        self._cancelled |= wanted
        return wanted

    def wants_detach(self) -> bool:
        """Return True when the time for a second interrupt is over, or a third one came while cancelling."""
        if self._cancelled:
            return self._count > 2
        return self._told is not None and time.monotonic() - self._told > SECOND_INTERRUPT_S


def _hide_once(job: Job, count: int) -> None:
    """Let a magic return the job, which has its panel, and the notebook show nothing more of it in this cell."""
    from IPython.core.getipython import get_ipython

    def nothing() -> None:
        shell = get_ipython()
        if shell is None or shell.execution_count != count:
            raise NotImplementedError  # IPython then goes on to the other formats

    job._ipython_display_ = nothing  # type: ignore[attr-defined]
