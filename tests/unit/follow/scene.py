"""A watcher of a scheduler that says what a test wrote down; hours pass in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from jupyter_hpc.follow.follower import Follower
from jupyter_hpc.follow.watcher import Watcher
from jupyter_hpc.model.states import JobState, Status
from jupyter_hpc.testing.fake import FakeBackend, FakeClock, FakeWorker, Moment


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.backend = FakeBackend(self.clock)
        self.connection = self.backend.connection()
        self.watcher = Watcher(self.connection)
        self._jobs = 0

    def job(self, *script: Moment, **fields: Any) -> tuple[Follower, FakeWorker]:
        """A job that was submitted now and is followed."""
        self._jobs += 1
        run, _ = self.backend.job(self.folder / f"run{self._jobs}", *script, **fields)
        follower = Follower(run, run.record(), clock=self.clock)
        self.watcher.add(follower)
        return follower, FakeWorker(run, self.clock)

    async def running(self, *script: Moment, **fields: Any) -> tuple[Follower, FakeWorker]:
        """A job that runs and beats, and that the scheduler was asked about while it did."""
        follower, worker = self.job(*(script or ((0, JobState.RUNNING),)), **fields)
        worker.starts()
        await worker.lives(2)
        assert follower.status.state is JobState.RUNNING
        return follower, worker

    async def ended(self, follower: Follower, within_s: float) -> Status:
        """Wait until it is over, and return how it ended."""
        await self.clock.until(follower.ended.done, within_s)
        return follower.ended.result()

    def leave(self) -> None:
        for follower in list(self.watcher.live.values()):  # gives back what the notifier holds
            self.watcher._let_go(follower, follower.status)


def played(act: Callable[[Scene], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """Make a test of a coroutine that plays in a scene."""

    async def play(folder: Path) -> None:
        scene = Scene(folder)
        try:
            await act(scene)
        finally:
            scene.leave()

    def test(tmp_path: Path) -> None:
        asyncio.run(play(tmp_path))

    test.__name__, test.__doc__ = act.__name__, act.__doc__
    return test
