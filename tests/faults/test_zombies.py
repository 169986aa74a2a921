"""Processes that ended are not left behind."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.road import submit


def zombies() -> int:
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended meanwhile
            continue
        count += state == "Z" and int(parent) == os.getpid()
    return count


def test_a_local_job_that_ended_is_no_zombie_when_the_next_one_starts(cluster: Path) -> None:
    before = zombies()
    for _ in range(4):
        assert submit("x = 1", "local").wait(120)
    assert zombies() <= before + 1
