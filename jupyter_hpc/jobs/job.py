"""``Job``: the user's handle on one submission, a view of its run directory."""

from __future__ import annotations

import concurrent.futures
import html
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..model.states import JobState, Status
from ..rundir.run import Run
from ..worker.regular import open_regular

if TYPE_CHECKING:
    from ..explain.use import Measured
    from ..rundir.reader import Output


class Job:
    """A submission. Every attribute is read from the run directory, so a job can be picked up anywhere.

    Parameters
    ----------
    run : Run
        Its run directory.

    Examples
    --------
    >>> job = jupyter_hpc.submit(train, data, on="slurm", gpus=1)   # doctest: +SKIP
    >>> job.wait(60)                                                # doctest: +SKIP
    True
    >>> job.result()                                                # doctest: +SKIP
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    @classmethod
    def _from_path(cls, path: Any) -> Job:
        return cls(Run(path))

    def __reduce__(self) -> tuple[Any, ...]:
        return Job._from_path, (self.run.path,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and other.run == self.run

    def __hash__(self) -> int:
        return hash(self.run)

    # -- what it is ------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The run id, the same on every backend."""
        return self.run.id

    @property
    def record(self) -> dict[str, Any]:
        """The run's record: code, inputs, environment, execution, outputs."""
        return self.run.record()

    @property
    def target(self) -> str:
        return str(self.record["target"]["name"])

    @property
    def native_id(self) -> str:
        """The scheduler's id; empty while it is being submitted."""
        return str(self.record.get("native_id") or "")

    @property
    def status(self) -> Status:
        """The latest status; its files are read, and the scheduler is asked as seldom as its budget allows."""
        from ..follow.glance import refresh

        return refresh([self.run])[0]

    @property
    def state(self) -> JobState:
        return self.status.state

    @property
    def reason(self) -> str:
        """Why it waits, or why it ended, in words."""
        return self.status.reason

    @property
    def tasks(self) -> list[Job]:
        """The tasks of an array, each a job of its own; empty for any other job."""
        from ..rundir.parts import parts_of

        return [Job(run) for run in parts_of(self.run)]

    @property
    def verdict(self) -> dict[str, Any]:
        """How and why it ended: state, cause, message, hint, evidence; empty while it has not."""
        return self.record.get("verdict") or {}

    @property
    def replacement(self) -> Job | None:
        """The job that was submitted in its place while it waited, or None; its result is that one's."""
        from ..capture import sent

        run = self.run.whole or self.run
        new = (run.record_or_none() or {}).get("replaced_by")
        if not new:
            return None
        sent.also_to(new, run.id)
        return Job(Run(run.path.parent / new))

    @property
    def use(self) -> Measured | None:
        """What the worker measured so far: seconds, peak memory in bytes, CPU seconds, GPUs; None if nothing yet.

        Of the last attempt; of an array, its largest task.
        """
        from ..explain.use import measured
        from ..rundir.reader import reader_of

        reader = reader_of(self.run, outputs=False)
        reader.poll()
        return measured(reader)

    # -- waiting ---------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job has ended; return False if ``timeout`` seconds pass before."""
        future = self._end()
        try:
            future.result(timeout)
        except concurrent.futures.TimeoutError:
            return False
        return True

    def _end(self) -> concurrent.futures.Future[Status]:
        from ..follow.following import follow

        return follow(self.run).ended

    def __await__(self) -> Generator[Any, None, Any]:
        import asyncio

        async def outcome() -> Any:
            await asyncio.wrap_future(self._end())
            return await asyncio.to_thread(self.result)

        return outcome().__await__()

    # -- results ---------------------------------------------------------------------------------

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the job and return what it made.

        Returns
        -------
        dict or object
            The names that came back with their values; for ``submit(function, …)`` what it returned.
            For an array each is a dict from task to value.

        Raises
        ------
        TimeoutError
            If it has not ended after ``timeout`` seconds.
        Exception
            What the cell raised, as its own type with the remote traceback as its cause; a ``JobError`` that
            names the cause if the job died.
        """
        outcome = self.outcome(timeout)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value if outcome.is_call else outcome.names

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the job and return what it raised, or None."""
        error: BaseException | None = self.outcome(timeout).error
        return error

    def outcome(self, timeout: float | None = None, *, here: bool = False) -> Any:
        """Wait for the job and return names, error and what could not come back (``results.Outcome``).

        Parameters
        ----------
        here : bool
            What came back holds the kernel's own objects, and changes wait to be put into them
            (``Outcome.bring``); else it holds copies of what was sent, with the changes in them.
        """
        from . import results

        began = time.monotonic()
        if not self.wait(timeout):
            raise TimeoutError(f"{self.id} has not ended after {timeout:g} s; it goes on ({self.state.words}).")
        if (new := self.replacement) is not None:
            return new.outcome(timeout and max(timeout - (time.monotonic() - began), 0), here=here)
        if tasks := self.tasks:
            from .parts_outcome import outcome

            return outcome(self, tasks)
        return results.load(self, here=here)

    def logs(self) -> str:
        """Return the text that the cell wrote so far (stdout and stderr in order); an array's, task by task."""
        if tasks := self.tasks:
            texts = ((task, task.logs().rstrip()) for task in tasks)  # who prints nothing has no place in it
            return "".join(f"── task {task.run.index} ──\n{text}\n" for task, text in texts if text)
        try:
            with open_regular(self.run.log) as file:
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def outputs(self) -> list[Output]:
        """Return text, displays and value in the order in which the cell made them."""
        from ..rundir.reader import reader_of

        return reader_of(self.run).poll(everything=True)

    def cancel(self) -> None:
        """Ask the scheduler to end the job; returns when it has accepted that.

        Raises
        ------
        HPCError
            If the scheduler can't be reached.
        """
        from ..follow.following import cancel
        from ..runtime import portal

        portal.call(cancel(self.run), 60)

    # -- how it looks ----------------------------------------------------------------------------

    def describe(self) -> str:
        """Return one line: state, target, native id, node, time."""
        from ..follow.glance import refresh
        from ..views.picture import describe

        record = self.record
        return describe(record, refresh([self.run], {self.id: record})[0])

    def __repr__(self) -> str:
        try:
            return f"<Job {self.id}: {self.describe()}>"
        except (OSError, LookupError) as error:
            return f"<Job {self.id}: {error}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from ..follow.glance import look
        from ..views.card import card_html
        from ..views.mime import job_mime
        from ..views.picture import describe

        try:
            picture = look(self.run)
            text = f"<Job {self.id}: {describe(picture.record, picture.status)}>"
            return {
                "text/plain": text,
                "text/html": card_html(picture),
                **job_mime(self.id, picture.status.state),
            }
        except (OSError, LookupError) as error:
            text = f"<Job {self.id}: {error}>"
            return {"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"}
