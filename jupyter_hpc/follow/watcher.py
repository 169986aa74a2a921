"""One polite watcher per target and process: follows live jobs, by their files first.

The worker's own files say almost everything: they are read when the file system notifies, and all of them in
rounds (every ``TICK_S``, with many jobs more seldom), and the scheduler is asked about all jobs of the target at
once, seldom, and sooner when something is odd: a heartbeat that fell silent, an end without a result, a word from
the scheduler in its log.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping

from ..backends.base import NoAnswer
from ..model.exceptions import HPCError
from ..model.observation import Observation
from ..model.states import JobState, Status
from ..targets.connection import Connection
from ..targets.outage import slow_words
from .ending import end_poorly, write_verdict
from .follower import Follower, final_status, live_status
from .left_over import end_left_over
from .notifier import Notifier
from .trouble import Trouble, described

TICK_S = 0.25  # between rounds of looks at the files of all jobs, also of those of which nothing notifies
ROUND_SHARE = 1 / 20  # of the time, at most, that such rounds take: with hundreds of jobs there are fewer
SETTLE_S = 0.02  # between two looks at most, however much is notified
QUIET_S = 60.0  # between questions about jobs that run and beat
LONG_S = 600.0  # a job that has waited this long is asked about less often, in the measure of its age
LATE_S = 5.0  # an answer that took so long is worth a line in the record
SLOW_S = 2.0  # an answer takes milliseconds; a question to a controller that is down, seconds
JITTER = 0.15  # so that many kernels don't ask at the same moment
_chance = random.Random()  # noqa: S311 no secret; the notebook's own sequence stays as it is


class Watcher:
    """Follows the jobs of one target."""

    def __init__(self, connection: Connection) -> None:
        self.backend = connection.backend
        self.outage = connection.outage
        self.connection = connection
        self.clock = connection.clock
        connection.on_silence, connection.on_answer = self._silent, self._recovered
        connection.is_busy = lambda: bool(self.live)
        self.live: dict[str, Follower] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._question: asyncio.Task[dict[str, Observation] | None] | None = None
        self.answered = 0.0  # when the scheduler last told what it has; monotonic
        self._own_trouble = Trouble(f"the jobs on {connection.target.name}", self.clock)
        self.trouble = ""  # why the scheduler's answers don't come, in words
        self.sweeping: asyncio.Future[list[str]] | None = None  # the end of what is left of ended runs
        self._notifier = Notifier(self._wake)
        self._next_round = 0.0
        self._next_question = 0.0
        self._last_question = 0.0
        self._is_urgent = False

    def add(self, follower: Follower) -> None:
        self.live[follower.run.id] = follower
        follower.may_restore = True
        self._notifier.watch(follower.run)
        follower.say(self.trouble)
        self._next_question = min(self._next_question or 1e18, self.clock.monotonic() + self.backend.first_poll_s)
        self._next_round = 0.0
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def ask_soon(self) -> None:
        """Something was done to a job: ask at the next look."""
        self._is_urgent = True
        self.backend.budget.allow_urgent()
        self._last_question = self._next_round = 0.0
        for follower in self.live.values():
            follower.questions = 0
        self._wake.set()

    async def _run(self) -> None:
        while self.live:
            try:
                await self._look()
                self._own_trouble.over()
            except Exception as error:  # a border: the watcher must outlive any one bad look
                self._own_trouble.met(error)
            await self._settle()
            await self.clock.came(self._wake, TICK_S)
            self._wake.clear()

    async def _settle(self) -> None:
        """Wait, so that a talkative cell doesn't keep us busy; what says that a job is over is looked at now."""
        over = self._notifier.over
        if await self.clock.came(over, SETTLE_S):
            over.clear()
            self._wake.set()

    async def _look(self) -> None:
        """Look at the jobs whose files have changed, or at all if that is due."""
        began, touched = self.clock.monotonic(), self._notifier.touched
        is_round = began >= self._next_round
        looked_at = [f for f in self.live.values() if is_round or f.run.id in touched]
        touched.clear()
        for follower in [f for f in looked_at if f.trouble.is_due]:
            try:
                await self._look_at(follower)
                follower.trouble.over()
            except Exception as error:  # one broken run directory must not stop the others
                self._give_up(follower, error)
        if is_round:
            ended = self.clock.monotonic()
            self._next_round = max(began + TICK_S, ended + (ended - began) / ROUND_SHARE)
        if self.live and self._must_ask():  # beside the looks at files: a controller that is down takes seconds
            self._question = asyncio.get_running_loop().create_task(self._ask_and_wake({}))

    async def _look_at(self, follower: Follower) -> None:
        await self.backend.sync(follower.run)
        new, before = follower.poll(), follower.status
        if not follower.is_odd:
            follower.questions = 0
        if not self._conclude(follower) and (new or follower.status != before):
            follower.notify()

    def _must_ask(self) -> bool:
        if self.outage.since is not None or self._is_asking:
            return False
        if self._is_urgent or self._has_odd():
            if self.backend.budget.wait_s(urgent=True) > 0:
                return False
            self.backend.budget.mark_urgent()
            return True
        now, jobs = self.clock.monotonic(), self.live.values()
        quiet_s = max([QUIET_S, *((now - f.changed) / 10 for f in jobs)])
        is_quiet = all(f.is_quiet_life for f in jobs) and now - self._last_question < min(quiet_s, 5 * QUIET_S)
        return now >= self._next_question and not is_quiet and self.backend.budget.wait_s(urgent=False) <= 0

    def _has_odd(self) -> bool:
        """Some job's files say that something happened, and a scheduler has had the time to know it."""
        odd = [f for f in self.live.values() if f.is_odd]
        waits = [min(f.patience_s, self.backend.slowest_poll_s) for f in odd]
        since = max(self._last_question, min((f.odd_since for f in odd), default=0.0))
        return bool(waits) and self.clock.monotonic() - since >= min(waits)

    async def _ask_and_wake(self, others: Mapping[str, str]) -> dict[str, Observation] | None:
        """Ask, and say so if that takes long; None if there was no answer (`trouble` says why)."""
        asked, found = self.clock.time(), None
        question = asyncio.ensure_future(self._ask(others))
        if not await self.clock.done(question, SLOW_S):
            self._say(slow_words(self.backend, asked))
            await asyncio.wait([question])
        error = question.exception()
        if error is not None:  # a border: the watcher must outlive any one bad question
            self._own_trouble.met(error)
        else:
            found = question.result()
        if found is not None and self.clock.time() - asked > LATE_S:
            self._note_silence(asked)
        self._wake.set()
        return found

    async def _ask(self, others: Mapping[str, str]) -> dict[str, Observation] | None:
        """One question for all jobs, and for others that somebody looks at."""
        asked, self._is_urgent = self.clock.time(), False
        self._last_question = self.clock.monotonic()
        jobs = {f.run.id: f.native_id for f in self.live.values()}
        try:
            found = await self.backend.observe({**others, **jobs})
        except NoAnswer:
            self.connection.went_away(asked)
            return None
        except Exception as error:  # there is no scheduler (any more): say so, go on
            self._say(described(error) if not isinstance(error, HPCError) else error.message)
            self._next_question = self.clock.monotonic() + self.backend.slowest_poll_s
            return None
        finally:
            self._last_question = self.clock.monotonic()
        self.answered = self.clock.monotonic()
        self._say("")
        for follower in [f for f in self.live.values() if f.run.id in jobs]:
            try:
                await self._tell(follower, found.get(follower.run.id))
            except Exception as error:  # one broken run directory must not stop the others
                self._give_up(follower, error)
        self._next_question = self.clock.monotonic() + self._interval()
        if (held := self.backend.held()) and (self.sweeping is None or self.sweeping.done()):
            self.sweeping = asyncio.ensure_future(end_left_over(self.backend, self.live, held))
        return found

    async def _tell(self, follower: Follower, seen: Observation | None) -> None:
        if follower.may_be_under_way(seen):
            return
        follower.questions += follower.is_odd
        follower.observe(seen or Observation(None))
        if follower.is_forgotten and await self._restore(follower):
            return
        if follower.run.id in self.live and not self._conclude(follower):
            follower.notify()

    async def _restore(self, follower: Follower) -> bool:
        """Submit again what a crash of the scheduler took from it; nothing of the job has run."""
        asked, old = self.clock.time(), follower.native_id
        try:
            native_id = await self.backend.restore(follower.run)
        except NoAnswer:
            self.connection.went_away(asked)
            return True
        except HPCError as error:
            follower.incidents.note(asked, f"it could not be submitted again: {error.message}")
            native_id = None
        if native_id is None:
            follower.may_restore = False
            return False
        words = f"{self.backend.scheduler} was restarted and had forgotten job {old}; submitted again as {native_id}"
        follower.take_native_id(native_id)
        follower.incidents.note(asked, words)
        follower.notify()
        return True

    async def glance(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        """Return what the scheduler says of jobs that are not followed; its last answer if it was asked often.

        Somebody waits for us: a scheduler that doesn't answer within seconds is `trouble`.
        """
        if self._is_asking or self.outage.since is not None or self.backend.budget.wait_s(urgent=False) > 0:
            return self.backend.recall(jobs)
        self._question = asyncio.get_running_loop().create_task(self._ask_and_wake(jobs))
        is_done = await self.clock.done(self._question, SLOW_S + TICK_S)
        found = self._question.result() if is_done else None
        if found is None:
            return self.backend.recall(jobs)
        return {run_id: found.get(run_id, Observation(None)) for run_id in jobs}

    @property
    def _is_asking(self) -> bool:
        return self._question is not None and not self._question.done()

    def _interval(self) -> float:
        """Return how long to wait for the next routine question: it grows with the age of what is known."""
        now, busy = self.clock.monotonic(), [f for f in self.live.values() if not f.is_quiet_life]
        youngest = min((now - f.changed for f in busy), default=0.0)
        slowest = self.backend.slowest_poll_s * min(6.0, max(1.0, youngest / LONG_S))
        due = min((s + 1 for f in self.live.values() if (s := f.next_event_s()) is not None), default=slowest)
        wait = min(slowest, due, max(self.backend.first_poll_s, youngest))
        return wait * _chance.uniform(1 - JITTER, 1 + JITTER)

    def _silent(self, _: float) -> None:
        """A question got no answer: say so; no other is asked until a ping gets one."""
        self._say(self.outage.words)

    def _say(self, trouble: str) -> None:
        self.trouble = trouble
        for follower in self.live.values():
            follower.say(trouble)

    def _recovered(self, since: float) -> None:
        """The scheduler answers again."""
        self._note_silence(since)
        self._is_urgent = True
        self._wake.set()

    def _note_silence(self, since: float) -> None:
        self.trouble = ""
        words = f"{self.backend.scheduler} didn't answer for {self.clock.time() - since:.0f} s"
        for follower in list(self.live.values()):
            try:
                follower.recovered(since, words)
            except Exception as error:  # one broken run directory must not stop the others
                follower.trouble.met(error)
            follower.notify()

    def _conclude(self, follower: Follower) -> bool:
        """Update the status; when the job is over, write the verdict and let the follower go."""
        verdict = follower.verdict()
        if verdict is None:
            follower.set_status(live_status(follower))
            return False
        follower.poll()
        status = final_status(follower, verdict)
        write_verdict(follower, status, verdict)
        self._let_go(follower, status)
        return True

    def _give_up(self, follower: Follower, error: Exception) -> None:
        """Its run directory is gone or broken: nobody may wait for ever."""
        if not os.path.isdir(follower.run.path):
            self._let_go(follower, Status(JobState.LOST, f"its run directory can't be read: {error}"))
            return
        follower.trouble.met(error)
        if follower.trouble.is_lasting and (status := end_poorly(follower, error)) is not None:
            self._let_go(follower, status)

    def _let_go(self, follower: Follower, status: Status) -> None:
        follower.set_status(status)
        del self.live[follower.run.id]
        self._notifier.forget(follower.run)
        follower.ended.set_result(status)
        follower.notify()
