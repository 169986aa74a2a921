"""Hand a run to its backend, once, whatever the scheduler does meanwhile.

A scheduler that doesn't answer is waited for. It may have taken the job before its answer was lost, so the run's
mark is looked up before each further try; and where somebody gives up meanwhile, the job is taken back.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import queue
from collections.abc import Awaitable, Callable
from typing import Any

from ..backends.base import Backend, NoAnswer, Submission, Submitted
from ..model.exceptions import HPCError, OptionError, TargetError
from ..model.redaction import all_redacted
from ..model.resources import format_time, parse_time
from ..rundir.reader import RunReader
from ..runtime import portal
from ..targets.connection import Connection, connection_of
from ..targets.outage import clock as time_of_day
from ..targets.target import Target

PATIENCE_S = 120.0
INTERRUPT_S = 5.0  # how long an interrupt waits for a submission that is under way
WITHDRAW_S = 1800.0  # how long a job that nobody wants may still turn up
TICK_S = 0.2

Say = Callable[[str], object]
_logger = logging.getLogger(__name__)


def hand_over(submission: Submission, target: Target, say: Say | None = None) -> None:
    """Submit, and wait for a scheduler that doesn't answer; at an interrupt leave no job behind.

    Parameters
    ----------
    say : callable, optional
        Gets a sentence when there is something to wait for; called in the caller's thread. A warning of the log
        if left out.

    Raises
    ------
    TargetError
        If the scheduler doesn't answer within the target's ``submit_patience``.
    """
    handover = Handover(submission, target)
    future = portal.start(handover.run())
    try:
        while not future.done():
            concurrent.futures.wait([future], TICK_S)
            handover.tell(say or _logger.warning)
        future.result()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or handover.is_uncertain:
            withdrawn = portal.start(handover.withdraw(future))
            concurrent.futures.wait([withdrawn], INTERRUPT_S if isinstance(error, KeyboardInterrupt) else 0)
        raise


class Handover:
    """One run's way to its scheduler.

    Parameters
    ----------
    connect : callable
        Returns the connection of a target's name.
    """

    def __init__(
        self,
        submission: Submission,
        target: Target,
        connect: Callable[[str], Awaitable[Connection]] = connection_of,
    ) -> None:
        self.is_uncertain = False  # a try got no answer
        self._native_id = ""
        self._submission = submission
        self._target = target
        self._connect = connect
        self._patience_s = patience(target)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._began = 0.0

    def tell(self, say: Say) -> None:
        while not self._lines.empty():
            say(self._lines.get_nowait())

    async def run(self) -> None:
        connection = await self._connect(self._target.name)
        clock = connection.clock
        self._began = clock.time()
        deadline = clock.monotonic() + self._patience_s
        said = False
        while True:
            submitted = await self._try(connection)
            if submitted is not None:
                break
            if not said:
                self._lines.put(self._waiting_words(connection))
                said = True
            if not await connection.outage.wait(deadline - clock.monotonic()) or clock.monotonic() > deadline:
                raise self._given_up(connection)
        self._native_id = submitted.native_id
        if said:
            self._lines.put(f"Submitted as {self._target.name} job {submitted.native_id}.")
        try:
            self._record(submitted, connection, waited=said)
        except OSError:  # no other process could ever find it
            await self._take_back(connection)
            raise

    async def _try(self, connection: Connection) -> Submitted | None:
        """Submit, or find what an earlier try did; None if there is no answer."""
        if connection.outage.since is not None:
            return None
        asked = connection.clock.time()
        try:
            native_id = await self._earlier(connection.backend) if self.is_uncertain else None
            if native_id is not None:
                planned = connection.backend.preview(self._submission)
                return Submitted(native_id, planned.command, planned.script)
            submitted = await connection.backend.submit(self._submission)
        except NoAnswer:
            self.is_uncertain = True
            connection.went_away(asked)
            return None
        self.is_uncertain = False
        return submitted

    async def _earlier(self, backend: Backend) -> str | None:
        """Return the job that an earlier try made: the run's own files know one that has started."""
        reader = RunReader(self._submission.run, outputs=False)
        reader.poll()
        started = (reader.started or {}).get("job_id")
        return str(started) if started else await backend.find(self._submission.run)

    def _record(self, submitted: Submitted, connection: Connection, *, waited: bool) -> None:
        now = connection.clock.time()
        fields: dict[str, Any] = {
            "native_id": submitted.native_id,
            **({"native_uid": submitted.native_uid} if submitted.native_uid else {}),
            "submitted_at": now,
            "command": all_redacted(list(submitted.command)),
            "notes": list(submitted.notes),
        }
        if waited:
            what = f"{connection.backend.scheduler} didn't answer while the job was submitted"
            fields["incidents"] = [{"from": self._began, "until": now, "what": what}]
        self._submission.run.write(**fields)

    async def _take_back(self, connection: Connection) -> None:
        try:
            await connection.backend.cancel(self._submission.run, self._native_id)
        except NoAnswer:
            self.is_uncertain = True  # so it is withdrawn

    def _waiting_words(self, connection: Connection) -> str:
        who, since = connection.backend.scheduler, time_of_day(connection.outage.since)
        return (
            f"{who[0].upper()}{who[1:]} doesn't answer (since {since}). The cell is submitted"
            f" when it does, if that is within {format_time(self._patience_s)}; an interrupt gives up."
        )

    def _given_up(self, connection: Connection) -> TargetError:
        who = connection.backend.scheduler
        left = (
            " If it took the job before it went away, that job finds no run directory and does nothing."
            if self.is_uncertain
            else ""
        )
        return TargetError(
            f"{who[0].upper()}{who[1:]} hasn't answered since {time_of_day(self._began)}: nothing was submitted.{left}",
            hint=f"`%%local` works now. A target's `submit_patience` ({format_time(self._patience_s)} here)"
            " is how long a submission waits.",
        )

    async def withdraw(self, future: concurrent.futures.Future[None]) -> None:
        """Take back what was submitted, or may have been: nobody waits for it any more."""
        connection = await self._connect(self._target.name)
        if not self.is_uncertain and connection.outage.since is None:  # its answer is under way
            await connection.clock.done(asyncio.wrap_future(future), WITHDRAW_S)
        future.cancel()
        deadline = connection.clock.monotonic() + WITHDRAW_S
        run, backend, native_id = self._submission.run, connection.backend, self._native_id
        while native_id or self.is_uncertain:
            try:
                native_id = native_id or await self._earlier(backend) or ""
                if native_id:
                    await backend.cancel(run, native_id)
                return
            except NoAnswer:
                connection.went_away(connection.clock.time())
            except HPCError as error:
                _logger.warning("the job of %s, which was given up, may still be there: %s", run.id, error)
                return
            if not await connection.outage.wait(deadline - connection.clock.monotonic()):
                return


def patience(target: Target) -> float:
    """Return how long a submission waits for the target's scheduler (setting ``submit_patience``), in seconds.

    Raises
    ------
    OptionError
        If the setting is no time.
    """
    value = target.settings.get("submit_patience")
    if value is None:
        return PATIENCE_S
    if str(value) == "0":
        return 0.0
    try:
        return float(parse_time(value))
    except OptionError as error:
        raise OptionError(f"submit_patience of target {target.name!r}: {error.message}", hint=error.hint) from None
