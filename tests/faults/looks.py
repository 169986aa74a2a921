"""How soon an end is known, counted in looks: seconds on a busy machine say nothing of who was slow."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

import pytest

from jupyter_hpc.backends.budget import ROUTINE_S
from jupyter_hpc.follow.follower import Follower
from jupyter_hpc.follow.pulse import SILENCE_S
from jupyter_hpc.follow.watcher import TICK_S, Watcher
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from tests.faults.road import events, slurm, until

SOON = 8  # looks of a watcher: two seconds of rounds, where nothing else takes the machine's time
LIMIT = 6  # questions in a minute
GAPS = 3  # a scheduler that takes long to know is asked less often: the next gap is at most so many times what it took


class Looks:
    """Counts the looks at a job that found nothing new while nobody was asked: what a watcher waited."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._vain: dict[str, list[float]] = {}
        self._patience_s: dict[str, float] = {}
        self._silent: set[str] = set()
        look_at, has_odd = Watcher._look_at, Watcher._has_odd

        async def counted(watcher: Watcher, follower: Follower) -> None:
            before, run_id = follower.reader.size, follower.run.id
            await look_at(watcher, follower)
            self._patience_s[run_id] = follower._pulse._patience_s
            if follower.reader.size == before and not watcher._is_asking and run_id in watcher.live:
                self._vain.setdefault(run_id, []).append(time.time())

        def noted(watcher: Watcher) -> bool:
            found = has_odd(watcher)
            self._silent |= {run_id for run_id, follower in watcher.live.items() if found and follower.is_silent}
            return found

        patch.setattr(Watcher, "_look_at", counted)
        patch.setattr(Watcher, "_has_odd", noted)

    def since(self, job: Job, moment: float) -> int:
        return sum(t > moment for t in self._vain.get(job.run.id, ()))

    def worth(self, job: Job) -> int:
        """Return how many questions an ordinary job is worth at most: one, more where it waited long, six in need.

        In need is one whose heart was not heard because the machine was busy: it is asked for as if it had died.
        """
        if job.run.id in self._silent:
            return LIMIT
        waited = events(job, "started")[0]["t"] - job.record["submitted_at"]
        return 1 + sum(after <= waited for after in accumulate(ROUTINE_S[1:]))

    def known_soon(self, job: Job, asked: float, group: int = 0) -> str:
        """Wait for the job's end, which may come once its processes are gone and its scheduler knows; say how it was.

        Parameters
        ----------
        asked : float
            When the job's death began: what passes until the scheduler knows is the scheduler's.
        group : int
            The process group of its worker, if it has one.
        """
        until(lambda: job.wait(0) or not (_lives(group) or _is_live(job)), f"the death of {job}", 120)
        known = time.time()
        assert job.wait(120), job
        waited = self.since(job, known)
        others = self.since(job, asked) - waited
        silence = max(0.0, self._patience_s.get(job.run.id, 0.0) - SILENCE_S) / TICK_S  # its heart beat slowly before
        words = f"{waited} looks in vain, after {others} until it was known, in {time.time() - asked:.2f} s"
        assert waited <= SOON + silence + GAPS * others, words
        return words


def _lives(group: int) -> bool:
    """Whether any process of a group runs."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, of, *_ = path.read_text().rpartition(")")[2].split()
            if group and int(of) == group and state != "Z":
                return True
    return False


def _is_live(job: Job) -> bool:
    """Whether Slurm has not yet noticed that the job is over."""
    if job.target != "slurm":
        return False
    state = slurm("squeue", "-h", "-t", "all", "-j", job.native_id, "-o", "%T")
    return not (state in JobState.__members__ and JobState(state).is_final)


def group_of(pid: int) -> int:
    """Return a process's group, 0 where the process is gone already."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
