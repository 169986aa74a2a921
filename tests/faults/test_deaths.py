"""How a job can die on a real Slurm: each death has its own error, and is known soon."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import (
    EnvironmentMismatch,
    JobCancelled,
    JobError,
    OutOfMemory,
    ProcessDied,
    SegmentationFault,
    TimeLimitExceeded,
)
from jupyter_hpc.model.states import JobState
from tests.faults.looks import SOON, Looks, group_of
from tests.faults.road import events, says, slurm, submit, until, until_file, worker_pid

WAITS = "import time\nbefore = 41\nprint('ready', flush=True)\ntime.sleep(300)\nafter = 1"
STUBBORN = WAITS.replace("time.sleep(300)", "sum(iter(int, 1))")  # in C: no signal handler runs


def died(job: Job, error: type[JobError], act: Callable[[], object], looks: Looks) -> JobError:
    """Do it, and return the error, which is known soon."""
    asked, group = time.time(), group_of(worker_pid(job))
    act()
    how = looks.known_soon(job, asked, group)
    found = job.outcome().error
    print(f"MEASURED {error.__name__}, {how}: {found}")
    assert type(found) is error, repr(found)
    assert found.hint
    assert "ready" in found.log_tail
    assert found.job is job
    with pytest.raises(error):
        job.result()
    return found


@pytest.fixture(scope="module")
def limited(cluster: Path) -> Job:
    """A job that reaches its limit some 70 s after the first test has begun."""
    return submit(WAITS, time="1m", name="limited")


@pytest.fixture(params=["slurm", "local"])
def target(request: pytest.FixtureRequest, cluster: Path, limited: Job) -> str:
    return str(request.param)


@pytest.mark.parametrize("cell", [WAITS, STUBBORN], ids=["sleeping", "in C code"])
def test_cancel(target: str, cell: str, looks: Looks) -> None:
    job = submit(cell, target)
    says(job, "ready")
    died(job, JobCancelled, job.cancel, looks)
    assert job.state is JobState.CANCELLED
    if cell == WAITS:
        assert job.outcome().names["before"] == 41
        assert "after" not in job.outcome().names


class Loads:
    """A value whose loading takes long, and says when it has begun."""

    def __init__(self, begun: Path) -> None:
        self.code = f"import time; open({str(begun)!r}, 'w'); time.sleep(300)"

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self.code,)


def test_cancel_while_values_are_loaded(target: str, tmp_path: Path) -> None:
    """Nothing has run: no environment is blamed, and no cell."""
    job = submit("y = value", target, {"value": Loads(tmp_path / "begun")})
    until((tmp_path / "begun").exists, "it loads")
    job.cancel()
    assert job.wait(120)
    assert type(job.outcome().error) is JobCancelled
    assert job.state is JobState.CANCELLED


STOPPED_AT = """\
import os, signal
from jupyter_hpc_worker import loose_ends, main, recording
def told(*_, **__): os.kill(os.getpid(), signal.SIGTERM)
before = 41
"""


@pytest.mark.parametrize(
    "end",
    [
        "loose_ends.LooseEnds.wait = told",
        "main._Worker._after_failure = told; raise ValueError('its own')",
        "signal.signal(signal.SIGTERM, lambda *_: exit(3)); main._Worker._after_failure = told; raise ValueError('its own')",
    ],
    ids=["as it ends", "as it fails", "with a handler of its own"],
)
def test_told_to_end_when_the_cell_is_over(target: str, end: str) -> None:
    """What the cell has made comes back, wherever the signal finds the worker."""
    job = submit(STOPPED_AT + end, target)
    assert job.wait(120)
    outcome = job.outcome()
    assert outcome.names["before"] == 41
    assert isinstance(outcome.error, JobError) and type(outcome.error) is not EnvironmentMismatch


def test_scancel(cluster: Path, limited: Job, looks: Looks) -> None:
    job = submit(WAITS)
    says(job, "ready")
    died(job, JobCancelled, lambda: slurm("scancel", job.native_id), looks)
    assert job.outcome().names["before"] == 41


def test_scancel_in_c_code(cluster: Path, limited: Job, looks: Looks) -> None:
    """The worker can't answer: Slurm kills it after KillWait, two seconds here."""
    job = submit(STUBBORN)
    says(job, "ready")
    died(job, JobCancelled, lambda: slurm("scancel", job.native_id), looks)


def test_kill_of_the_worker(target: str, looks: Looks) -> None:
    job = submit(WAITS, target)
    says(job, "ready")
    pid = worker_pid(job)
    error = died(job, ProcessDied, lambda: os.kill(pid, signal.SIGKILL), looks)
    assert isinstance(error, ProcessDied) and error.signal == signal.SIGKILL
    assert "SIGKILL" in error.message and "--mem" in error.hint


def test_scancel_with_kill(cluster: Path, limited: Job, looks: Looks) -> None:
    """Slurm's own log says that it was cancelled, though no process could say so."""
    job = submit(WAITS)
    says(job, "ready")
    kill = ("scancel", "--signal=KILL", "--full", job.native_id)
    died(job, JobCancelled, lambda: slurm(*kill), looks)


def test_kill_of_the_whole_job(cluster: Path, limited: Job, looks: Looks) -> None:
    """Worker and shell are gone at once: only the heartbeat that stops can tell."""
    job = submit(WAITS)
    says(job, "ready")
    group = os.getpgid(worker_pid(job))
    error = died(job, ProcessDied, lambda: os.killpg(group, signal.SIGKILL), looks)
    assert isinstance(error, ProcessDied) and error.signal == signal.SIGKILL


def test_kill_of_the_whole_local_job(cluster: Path, looks: Looks) -> None:
    job = submit(WAITS, "local")
    says(job, "ready")
    group = os.getpgid(worker_pid(job))
    died(job, ProcessDied, lambda: os.killpg(group, signal.SIGKILL), looks)


def test_segfault(target: str, looks: Looks, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(until_file(go, "import ctypes\nctypes.string_at(0)"), target)
    says(job, "ready")
    error = died(job, SegmentationFault, go.touch, looks)
    assert isinstance(error, SegmentationFault) and error.signal == signal.SIGSEGV
    assert "Segmentation fault" in error.log_tail or "string_at" in error.log_tail


def test_os_exit(target: str, looks: Looks, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(until_file(go, "os._exit(7)"), target)
    says(job, "ready")
    error = died(job, ProcessDied, go.touch, looks)
    assert isinstance(error, ProcessDied) and error.exit_code == 7
    assert "os._exit" in error.hint


def test_out_of_memory(cluster: Path, limited: Job, looks: Looks) -> None:
    text = "print('ready', flush=True)\nx = bytearray(700 << 20)\nimport time\ntime.sleep(300)"
    job = submit(text, memory="300M")
    error = died(job, OutOfMemory, lambda: None, looks)
    assert job.state is JobState.OUT_OF_MEMORY
    assert "300 MiB" in error.message and "--mem" in error.hint
    assert isinstance(error, MemoryError)


def test_memory_error_of_the_cell_is_itself(target: str) -> None:
    job = submit("x = bytearray(1 << 60)", target)
    with pytest.raises(MemoryError) as caught:
        job.result(120)
    assert type(caught.value) is MemoryError


def test_cancelled_while_pending(cluster: Path, limited: Job, looks: Looks) -> None:
    job = submit("x = 1", passthrough=("--begin=now+1hour",))
    until(lambda: job.state is JobState.PENDING and "BeginTime" in job.reason, "a reason")
    asked = time.time()
    job.cancel()
    print(f"MEASURED pending, {looks.known_soon(job, asked)}")
    with pytest.raises(JobCancelled, match="before it started"):
        job.result()


def test_scancelled_while_pending(cluster: Path, limited: Job, looks: Looks) -> None:
    """Nothing but squeue can tell, and a job that waits long is asked about every ten seconds."""
    job = submit("x = 1", passthrough=("--begin=now+1hour",))
    asked = time.time()
    slurm("scancel", job.native_id)
    print(f"MEASURED pending, from outside, {looks.known_soon(job, asked)}")
    with pytest.raises(JobCancelled):
        job.result()


@pytest.mark.parametrize("cell", [WAITS, STUBBORN], ids=["sleeping", "in C code"])
def test_local_time_limit(cluster: Path, cell: str, looks: Looks) -> None:
    job = submit(cell, "local", time="6s")  # of which Python needs some to begin
    says(job, "ready")
    limit = job.run.path / "time-limit"
    error = died(job, TimeLimitExceeded, lambda: until(limit.exists, "the limit", 120), looks)
    assert "6 s" in error.message and "--time" in error.hint
    if cell == WAITS:
        assert job.outcome().names["before"] == 41


@pytest.mark.campaign
def test_time_limit(limited: Job, looks: Looks) -> None:
    """The last test of this file, so that the minute passes beside the others."""
    assert limited.wait(200)
    assert events(limited, "signal")
    [done] = events(limited, "done")
    assert looks.since(limited, done["t"]) <= SOON
    error = limited.outcome().error
    assert type(error) is TimeLimitExceeded
    assert "1 min" in error.message and "--time" in error.hint and "ready" in error.log_tail
    assert limited.state is JobState.TIMEOUT
    assert limited.outcome().names["before"] == 41


# -- limits in seconds -----------------------------------------------------------------------------


HANDLED = """import signal, time
caught = []
signal.signal(signal.SIGUSR1, lambda number, frame: caught.append(number))
print('ready', flush=True)
end = time.monotonic() + 300
while time.monotonic() < end:
    time.sleep(.1)
"""


def test_a_limit_in_seconds_holds(target: str) -> None:
    """Slurm alone would let it run until its whole minute is over, and for half of another."""
    job = submit(WAITS, on=target, time="12s")
    assert job.wait(120), job
    found = job.outcome()
    assert type(found.error) is TimeLimitExceeded and "reached its time limit of 12 s" in str(found.error)
    assert job.state is JobState.TIMEOUT
    record = job.record
    assert record["ended_at"] - record["submitted_at"] >= 12
    assert record["ended_at"] - record["started_at"] < 60  # before Slurm's own minute is over
    assert found.names["before"] == 41  # it was told, and saved what it had


def test_a_limit_in_seconds_is_warned_of(cluster: Path) -> None:
    job = submit(HANDLED, time="20s", signal="USR1@10")
    assert job.wait(120), job
    found = job.outcome()
    assert type(found.error) is TimeLimitExceeded
    assert found.names["caught"] == [signal.SIGUSR1]
    assert job.record["ended_at"] - job.record["started_at"] < 60
