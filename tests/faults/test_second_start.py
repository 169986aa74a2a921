"""Nothing runs twice unasked: a run is claimed by its first start, and what has a result keeps it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from jupyter_hpc import exceptions
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from tests.faults.occurrences import check, shows
from tests.faults.road import events, is_done, says, slurm, submit, until, worker_pid

REFUSED = 78
RESTARTS = 7  # where in the command the batch script is told whether it may be started again


def again(command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a batch script once more, as a scheduler would that starts a job a second time."""
    env = {**os.environ, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def counting(tmp_path: Path, then: str) -> tuple[str, Path]:
    """Return a cell that leaves a line in a file each time that it runs, and the file."""
    count = tmp_path / "ran"
    return f"import os, time\nopen({str(count)!r}, 'a').write('once ')\nprint('up', flush=True)\n{then}", count


@pytest.mark.parametrize("then", ["x = 1", "raise KeyError('k')"], ids=["result", "exception"])
def test_what_has_a_result_ends_at_once_with_it(cluster: Path, tmp_path: Path, then: str) -> None:
    cell, count = counting(tmp_path, then)
    job = submit(cell, "local")
    assert job.wait(120)
    until(lambda: is_done(job.run), "nobody writes there any more")
    before = sorted((path, path.stat().st_mtime_ns) for path in job.run.path.rglob("*"))
    code = json.loads((job.run.path / "end.json").read_bytes())["exit"]
    assert (code == 0) is (then == "x = 1")
    assert again(job.record["command"]).returncode == code
    restarted = list(job.record["command"])
    restarted[RESTARTS] = "1"
    assert again(restarted, SLURM_RESTART_COUNT="1").returncode == code
    assert sorted((path, path.stat().st_mtime_ns) for path in job.run.path.rglob("*")) == before
    assert count.read_text() == "once "
    assert isinstance(job.exception(), KeyError) if "raise" in then else job.result()["x"] == 1


def test_a_second_start_is_refused_while_the_first_runs(cluster: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    cell, count = counting(tmp_path, f"while not os.path.exists({str(go)!r}): time.sleep(.02)\nx = 2")
    job = submit(cell, "local")
    says(job, "up")
    done = again(job.record["command"])
    assert (done.returncode, count.read_text()) == (REFUSED, "once ")
    assert "jupyter_hpc: the job was started a second time" in done.stderr
    assert not (job.run.path / "end.json").exists()  # that is the first one's to write
    go.touch()
    assert job.result(120)["x"] == 2


def test_a_second_start_is_refused_after_the_first_died(cluster: Path, tmp_path: Path) -> None:
    cell, count = counting(tmp_path, "os.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)")
    job = submit(cell, "local")
    assert job.wait(120)
    assert again(job.record["command"]).returncode == REFUSED
    assert count.read_text() == "once "


def test_of_many_starts_at_once_one_runs(cluster: Path, tmp_path: Path) -> None:
    cell, count = counting(tmp_path, "time.sleep(300)")
    job = submit(cell, "local")
    says(job, "up")
    pid = worker_pid(job)
    os.kill(int(job.native_id.partition(".")[0]), 9)
    os.kill(pid, 9)
    assert job.wait(120)
    (job.run.path / "attempt.1").unlink()
    count.unlink()
    starts = [subprocess.Popen(job.record["command"], stderr=subprocess.DEVNULL) for _ in range(8)]
    until(lambda: [s.poll() for s in starts].count(REFUSED) == 7, "all but one are refused")
    until(count.exists, "that one runs")
    [only] = [start for start in starts if start.poll() is None]
    only.terminate()
    only.wait(120)
    assert count.read_text() == "once "


def test_further_attempts_where_they_are_allowed_each_once(cluster: Path, tmp_path: Path) -> None:
    """The scheduler's own count says which attempt it is."""
    cell, count = counting(tmp_path, "if not os.path.exists('/nonexistent'): os.kill(os.getpid(), 9)")
    job = submit(cell, "local")
    assert job.wait(120)
    command = list(job.record["command"])
    command[RESTARTS] = "1"
    assert again(command).returncode == REFUSED
    assert again(command, SLURM_RESTART_COUNT="1").returncode == 137
    assert again(command, SLURM_RESTART_COUNT="1").returncode == REFUSED
    assert count.read_text() == "once once "
    assert (job.run.path / "attempt.2").read_text().startswith("job ")


# -- Slurm ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "allowed"),
    [({}, 0), ({"requeue": True}, 1), ({"passthrough": ("--requeue",)}, 1), ({"passthrough": ("--no-requeue",)}, 0)],
    ids=["nothing asked", "asked", "asked after --", "refused after --"],
)
def test_slurm_and_the_batch_script_are_told_the_same(
    cluster: Path, options: Mapping[str, object], allowed: int
) -> None:
    job = submit("x = 1", **options)
    assert f"Requeue={allowed}" in slurm("scontrol", "show", "job", job.native_id)
    command = job.record["command"]
    at = command.index(str(job.run.path / "job.sh"))
    assert command[at + RESTARTS - 1] == str(allowed)
    assert job.result(120) == {"x": 1}


def test_slurm_refuses_to_requeue_what_did_not_ask_for_it(cluster: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    cell, count = counting(tmp_path, f"while not os.path.exists({str(go)!r}): time.sleep(.02)\nx = 2")
    job = submit(cell)
    says(job, "up")
    with pytest.raises(AssertionError, match=r"[Rr]equeue"):
        slurm("scontrol", "requeue", job.native_id)
    go.touch()
    assert job.result(120)["x"] == 2
    assert (count.read_text(), len(events(job, "started"))) == ("once ", 1)


@shows("started-twice")
def test_a_start_that_somebody_forces_does_nothing(cluster: Path, tmp_path: Path) -> None:
    cell, count = counting(tmp_path, "time.sleep(300)")
    job = submit(cell)
    says(job, "up")
    slurm("scontrol", "update", f"JobId={job.native_id}", "Requeue=1")
    slurm("scontrol", "requeue", job.native_id)
    assert job.wait(120)
    check(job, "started-twice", exceptions.JobLost, r"`%hpc logs`", "started a second time")
    assert (job.state, count.read_text()) == (JobState.LOST, "once ")


def test_a_completed_job_that_is_requeued_keeps_its_result(cluster: Path, tmp_path: Path) -> None:
    cell, count = counting(tmp_path, "x = 3")
    job = submit(cell, requeue=True)
    assert job.result(120)["x"] == 3
    until(lambda: _state(job) == "COMPLETED", "Slurm's end")
    slurm("scontrol", "requeue", job.native_id)
    until(lambda: _state(job) == "PENDING", "requeued")
    assert Job(job.run).result(5)["x"] == 3
    until(lambda: _state(job) in ("COMPLETED", "CANCELLED", ""), "its second start", 60)
    assert Job(job.run).result(5)["x"] == 3
    assert (count.read_text(), len(events(job, "started"))) == ("once ", 1)
    assert json.loads((job.run.path / "record.json").read_text())["state"] == "COMPLETED"


def _state(job: Job) -> str:
    return slurm("squeue", "-h", "-t", "all", "-j", job.native_id, "-o", "%T")
