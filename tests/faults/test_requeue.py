"""A job that the scheduler takes back and starts again: its first attempt is not its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from tests.faults.road import events, says, slurm, submit, until


def test_requeued(cluster: Path) -> None:
    """The first attempt saves partial names at SIGTERM; they are not the result."""
    cell = """\
import os, time
attempt = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
print("attempt", attempt, flush=True)
if attempt == 0:
    time.sleep(300)
y = 6
"""
    job = submit(cell, passthrough=("--requeue",))
    says(job, "attempt 0")
    slurm("scontrol", "requeue", job.native_id)
    until(lambda: job.wait(0) or _is_pending(job.native_id), "requeued")
    assert not job.wait(0), job
    until(lambda: job.state is JobState.PENDING, "shown as pending")
    assert job.result(120)["y"] == 6  # Slurm holds it for some seconds: started sooner, it fails to launch
    assert len(events(job, "started")) == 2
    assert job.state is JobState.COMPLETED


def _is_pending(native_id: str) -> bool:
    return slurm("squeue", "-h", "-j", native_id, "-o", "%T") == "PENDING"


@pytest.mark.parametrize("cell", ["y = 6", "print(1 / 0)"])
def test_a_job_that_has_its_result_does_not_run_again(cluster: Path, tmp_path: Path, cell: str) -> None:
    """`scontrol requeue` starts what has ended once more: it ends at once, and its result is there all the while."""
    ran = tmp_path / "ran"
    job = submit(f"open({str(ran)!r}, 'a').write('once\\n')\n{cell}", passthrough=("--requeue",))
    assert job.wait(120), job
    before = answer(job)
    until(lambda: _is_gone(job.native_id), "it has left the queue")
    manifest = job.run.result / "manifest.json"
    stamp = manifest.stat().st_mtime_ns
    slurm("scontrol", "requeue", job.native_id)
    until(lambda: "has its result already" in _said(job), "the second attempt", 120)
    until(lambda: _is_gone(job.native_id), "its end")
    assert ran.read_text() == "once\n" and manifest.stat().st_mtime_ns == stamp
    assert len(events(job, "started")) == 1
    assert answer(Job(job.run)) == before


def answer(job: Job) -> str:
    error = job.exception(20)
    return repr(error) if error is not None else str(job.result(120))


def _said(job: Job) -> str:
    return "".join(path.read_text() for path in job.run.path.glob("scheduler.log*"))


def _is_gone(native_id: str) -> bool:
    return slurm("squeue", "-h", "-j", native_id, "-t", "PENDING,RUNNING,COMPLETING", "-o", "%T") == ""
