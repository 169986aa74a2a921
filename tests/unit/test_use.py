"""Right-sizing: what a job used of what it asked for, and the options that would have been enough."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.explain.use import Gpu, Measured, enough_memory, right_size, used
from jupyter_hpc.model.states import JobState, Status

GIB = 1 << 30
DONE = Status(JobState.COMPLETED, started_at=1000.0, ended_at=1000.0 + 1200)


def lines(status: Status = DONE, measured: Measured | None = None, **asked: Any) -> tuple[list[str], str]:
    found = used({"spec": {"resources": asked}}, status, measured)
    return [line.words for line in found], right_size(found)


def test_a_peak_far_below_says_what_would_do() -> None:
    measured = Measured(seconds=1200, samples=90, peak_rss=int(3.1 * GIB), cpu_s=1300, cpus_peak=1.4)
    words, enough = lines(measured=measured, memory=32 * GIB, cpus=8, time=4 * 3600)
    assert words == ["memory: peak 3.1 of 32 GiB", "cpus: 1.1 of 8 on average", "time: 20 min of 4 h"]
    assert enough == "--mem 4G --cpus 2 --time 30m"


def test_what_fits_is_left_alone() -> None:
    measured = Measured(seconds=1200, samples=90, peak_rss=20 * GIB, cpu_s=1200 * 6, cpus_peak=7.8)
    assert lines(measured=measured, memory=32 * GIB, cpus=8, time=1800)[1] == ""


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.OUT_OF_MEMORY, JobState.CANCELLED])
def test_a_job_that_did_not_go_well_tells_nothing(state: JobState) -> None:
    measured = Measured(seconds=60, samples=50, peak_rss=GIB)
    status = Status(state, started_at=1.0, ended_at=61.0)
    assert lines(status, measured, memory=32 * GIB, cpus=8, time=7200)[1] == ""


def test_few_samples_say_nothing_of_cpus_and_gpus() -> None:
    measured = Measured(seconds=2, samples=2, peak_rss=GIB, cpu_s=1, gpus=(Gpu(0, 0, 81920),) * 4)
    assert lines(measured=measured, cpus=8, gpus=4)[1] == ""


def test_idle_gpus_are_told() -> None:
    busy, idle = Gpu(93.0, 40960.0, 81920.0), Gpu(0.0, 450.0, 81920.0)
    measured = Measured(seconds=600, samples=60, peak_rss=GIB, gpus=(busy, idle, idle, idle))
    words, enough = lines(measured=measured, gpus=4, gpu_type="a100")
    assert "gpu 0: 93 % at most, 40 of 80 GiB" in words
    assert enough == "--gpus a100:1"


def test_other_nodes_are_not_seen() -> None:
    assert lines(measured=Measured(seconds=600, samples=60, peak_rss=GIB), memory=64 * GIB, nodes=2)[1] == ""


@pytest.mark.parametrize("peak", [1, 50 << 20, 3 * GIB, 700 * GIB])
def test_enough_leaves_room(peak: int) -> None:
    assert peak * 1.25 <= enough_memory(peak) << 20 <= max(64 << 20, peak * 2)
