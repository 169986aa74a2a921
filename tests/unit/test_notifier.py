"""Watched folders: one inotify instance for all watchers of a process, of which a user may have 128."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from jupyter_hpc.follow import notifier as module
from jupyter_hpc.follow.notifier import Notifier
from jupyter_hpc.rundir.run import Run


def instances() -> int:
    links = []
    for each in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{each}"))
        except FileNotFoundError:  # the folder's own
            pass
    return links.count("anon_inode:inotify")


def run_in(folder: Path) -> Run:
    folder.mkdir(exist_ok=True)
    return Run(folder)


async def woken(wake: asyncio.Event) -> None:
    await asyncio.wait_for(wake.wait(), 30)
    wake.clear()


def test_ten_watchers_take_one_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.05)

    async def main() -> None:
        before = instances()
        wakes = [asyncio.Event() for _ in range(10)]
        notifiers = [Notifier(wake) for wake in wakes]
        runs = [run_in(tmp_path / str(i)) for i in range(10)]
        for notifier, run in zip(notifiers, runs):
            notifier.watch(run)
        assert instances() == before + 1
        (tmp_path / "7" / "log").write_text("a line")
        await woken(wakes[7])
        assert not any(wake.is_set() for wake in wakes) and not notifiers[7].over.is_set()
        (tmp_path / "3" / "end.json").write_text("{}")
        await woken(wakes[3])
        assert [n.over.is_set() for n in notifiers] == [i == 3 for i in range(10)]
        for notifier, run in zip(notifiers, runs):
            notifier.forget(run)
        assert instances() == before + 1  # to close it takes milliseconds, in which a result would wait
        notifiers[0].watch(runs[0])
        await asyncio.sleep(0.1)
        assert instances() == before + 1
        notifiers[0].forget(runs[0])
        while instances() > before:  # noqa: ASYNC110 the kernel tells nobody
            await asyncio.sleep(0.01)

    asyncio.run(main())


def test_two_watch_one_folder_until_the_last_forgets_it(tmp_path: Path) -> None:
    async def main() -> None:
        run = run_in(tmp_path / "run")
        first, second = asyncio.Event(), asyncio.Event()
        one, two = Notifier(first), Notifier(second)
        one.watch(run)
        two.watch(run)
        one.forget(run)
        (run.path / "log").write_text("a line")
        await woken(second)
        assert not first.is_set()
        two.forget(run)
        third = asyncio.Event()
        three = Notifier(third)
        three.watch(run)
        (run.path / "log").write_text("another line")
        await woken(third)
        assert not first.is_set() and not second.is_set()
        three.forget(run)

    asyncio.run(main())
