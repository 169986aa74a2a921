"""Many clients that poll cost the scheduler what one costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.conftest import cluster  # noqa: F401 a fixture
from tests.faults.road import Counter, says, submit
from tests.server.conftest import Server, started

CLIENTS = 20
ROUNDS = 4
BUDGET = 6  # squeue, sacct, scontrol and sinfo in any minute


def poll(server: Server) -> int:
    """What one open sidebar asks for in some seconds: the page, the live jobs, the clusters."""
    paths = ("/jobs", "/jobs?group=running", "/jobs?group=waiting", "/targets")
    return sum(server.hpc(path).status == 200 for _ in range(ROUNDS) for path in paths)


def test_twenty_clients_are_one_question(cluster: Path, tmp_path: Path) -> None:  # noqa: F811
    counter = Counter(tmp_path / "bin")
    counter.install("squeue", "sinfo", "scontrol", "sacct")
    live = submit("import time\nprint('ready', flush=True)\ntime.sleep(300)")
    says(live, "ready")
    with (
        started(tmp_path / "server", path=str(counter.folder)) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        answered = list(pool.map(lambda _: poll(server), range(CLIENTS)))
    live.cancel()
    assert answered == [4 * ROUNDS] * CLIENTS
    assert counter.count("squeue") >= 1
    assert counter.busiest_minute("squeue", "sacct", "scontrol", "sinfo") <= BUDGET
    assert counter.busiest_minute("sinfo") <= 2  # one cached answer; and what the site has, once an hour
