"""A job that the scheduler takes back and starts again: its first attempt is not its end."""

from __future__ import annotations

from pathlib import Path

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
    assert job.result(60)["y"] == 6  # Slurm holds it for some seconds: started sooner, it fails to launch
    assert len(events(job, "started")) == 2
    assert job.state is JobState.COMPLETED


def _is_pending(native_id: str) -> bool:
    return slurm("squeue", "-h", "-j", native_id, "-o", "%T") == "PENDING"
