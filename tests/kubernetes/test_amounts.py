"""Much: large arrays each way, a long log, many jobs."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import pytest

from jupyter_hpc.backends.kubernetes.client import Client
from jupyter_hpc.follow.following import watcher_of
from jupyter_hpc.runtime import portal
from tests.faults.road import submit
from tests.kubernetes.conftest import Targets

SLOW_S = 280


@pytest.mark.campaign
def test_half_a_gigabyte_each_way(targets: Targets) -> None:
    data = bytearray(b"0123456789abcdef" * (1 << 25))
    began = time.monotonic()
    job = submit("y = data[::-1]", "k8s", {"data": data})
    assert job.wait(SLOW_S), job
    print(f"MEASURED 512 MiB each way in {time.monotonic() - began:.1f} s")
    y = job.result()["y"]
    assert (len(y), y[:4], y[-4:]) == (1 << 29, b"fedc", b"3210")


def test_a_hundred_thousand_lines_are_complete_and_in_order(targets: Targets) -> None:
    job = submit("for i in range(100_000): print('line', i)", "k8s")
    assert job.wait(SLOW_S), job
    assert job.logs() == "".join(f"line {i}\n" for i in range(100_000))


def test_carriage_returns_and_colours_come_as_they_are(targets: Targets) -> None:
    text = "10%\\r\\x1b[32m100%\\x1b[0m\\nü no end"
    job = submit(f"print('{text}', end='')", "k8s")
    assert job.wait(SLOW_S), job
    assert job.logs() == text.encode().decode("unicode_escape").encode("latin-1").decode()


def test_thirty_jobs_at_once_are_one_watch(targets: Targets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets of tests before may have a watch of their own for two minutes yet: each client is counted by itself."""
    watches: dict[Client, list[str]] = defaultdict(list)
    lists: dict[Client, list[str]] = defaultdict(list)
    open_now: dict[Client, int] = defaultdict(int)
    most: dict[Client, int] = defaultdict(int)
    lines, request = Client.lines, Client.request

    async def counting(self: Client, path: str, query: Any, silent_s: float) -> Any:
        kind = path.rpartition("/")[2]
        if not query.get("watch"):
            async for line in lines(self, path, query, silent_s):
                yield line
            return
        watches[self].append(kind)
        open_now[self] += 1
        most[self] = max(most[self], open_now[self])
        try:
            async for line in lines(self, path, query, silent_s):
                yield line
        finally:
            open_now[self] -= 1

    async def listing(self: Client, method: str, path: str, *rest: Any, **options: Any) -> Any:
        if method == "GET" and path.endswith(("/jobs", "/pods")):
            lists[self].append(path.rpartition("/")[2])
        return await request(self, method, path, *rest, **options)

    monkeypatch.setattr(Client, "lines", counting)
    monkeypatch.setattr(Client, "request", listing)
    target = targets.add("many")
    began = time.monotonic()
    jobs = [submit(f"x = {i}", target) for i in range(30)]
    assert all(job.wait(SLOW_S) for job in jobs)
    took = time.monotonic() - began
    backend: Any = portal.call(watcher_of(target)).backend
    own = backend._client
    listed = lists[own].count("jobs")
    print(f"MEASURED 30 jobs in {took:.1f} s; watches: {watches[own]}; lists of Jobs: {listed}")
    assert [job.result()["x"] for job in jobs] == list(range(30))
    assert len(backend._namespaces) == 1
    assert set(watches[own]) == {"pods"}
    assert most[own] == 1  # one connection at a time, which the server ends after a minute
    assert listed <= 30 + took / 0.5  # a new job may be looked for once; else they share a list
