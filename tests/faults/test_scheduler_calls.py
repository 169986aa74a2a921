"""How often the scheduler is asked, and what happens when it answers badly or not at all."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from jupyter_hpc import practice, watcher
from jupyter_hpc.exceptions import JobLost, ProcessDied, SubmissionError, TargetError
from jupyter_hpc.jobs import JobState
from tests.faults.road import Counter, run_directories, says, slurm, submit, until, worker_pid


def test_an_ordinary_job(counted: Counter) -> None:
    job = submit("y = 6 * 7")
    assert job.result(20) == {"y": 42}
    assert counted.count("sbatch") == 1
    assert counted.count("squeue") <= 1
    assert counted.count("sacct") + counted.count("scontrol") + counted.count("sinfo") == 0


def test_a_job_that_runs_some_seconds(counted: Counter) -> None:
    """It runs and beats: one question while it was pending, and one if a beat came late on a busy machine."""
    job = submit("import time\nfor i in range(12): print(i); time.sleep(.25)")
    job.result(20)
    assert counted.count("squeue") <= 2


def test_many_jobs_share_their_questions(counted: Counter) -> None:
    jobs = [submit(f"y = {i}") for i in range(8)]
    assert [job.result(60)["y"] for job in jobs] == list(range(8))
    assert counted.count("sbatch") == 8
    assert counted.count("squeue") <= 5


def test_a_killed_worker(counted: Counter) -> None:
    job = submit("import time\nprint('ready', flush=True)\ntime.sleep(300)")
    says(job, "ready")
    until(lambda: job.state is JobState.RUNNING, "running")
    before = counted.count("squeue")
    os.kill(worker_pid(job), signal.SIGKILL)
    with pytest.raises(ProcessDied):
        job.result(10)
    assert counted.count("squeue") - before <= 2


def test_a_cell_that_holds_the_interpreter(counted: Counter) -> None:
    """The heartbeat stops though the job lives: asked again, but less and less."""
    job = submit("print('ready', flush=True)\nx = sum(range(150_000_000))")
    job.result(60)
    assert counted.count("squeue") <= 5


def test_the_answer_of_sbatch_was_lost(counted: Counter) -> None:
    lost = 'REAL "$@" > /dev/null; echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1'
    counted.install("sbatch", instead=lost)
    job = submit("y = 1", name="lost answer")
    assert job.result(20) == {"y": 1}
    assert counted.count("sbatch") == 1
    rows = slurm("squeue", "-h", "-t", "all", "-O", "Comment:|").splitlines()
    assert sum(job.id in row for row in rows) == 1


def test_the_answer_of_sbatch_never_came(counted: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_hpc.backends.slurm import command

    monkeypatch.setattr(command, "TIMEOUT_S", 2.0)
    counted.install("sbatch", instead='REAL "$@" > /dev/null; exec sleep 60')
    assert submit("y = 1").result(20) == {"y": 1}


@pytest.mark.parametrize(
    ("options", "words", "hint"),
    [
        ({"partition": "nonsense"}, "invalid partition", "sinfo"),
        ({"memory": "900G"}, "[Mm]emory", "--mem"),
        ({"gpus": "h100:2"}, "gres|node configuration|GRES", "sinfo"),
        ({"constraint": "no-such-feature"}, "[Ff]eature", "sinfo"),
        ({"passthrough": ("--no-such-option",)}, "unrecognized option", "sbatch"),
    ],
)
def test_refused(cluster: Path, options: dict[str, object], words: str, hint: str) -> None:
    before = run_directories()
    with pytest.raises(SubmissionError, match=words) as caught:
        submit("x = 1", **options)
    assert caught.value.message.startswith("Slurm refused the job: ")
    assert hint in caught.value.hint
    assert bool(caught.value.hint) or not hint
    assert run_directories() == before


def test_no_slurm_on_path(cluster: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = run_directories()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TargetError, match="no Slurm on this machine") as caught:
        submit("x = 1")
    assert "%%local" in caught.value.hint
    assert str(tmp_path) in caught.value.message
    assert run_directories() == before


@pytest.mark.parametrize("conf", ["/nowhere/slurm.conf", "/etc", "; touch /tmp/jh-canary"])
def test_conf_that_points_nowhere(cluster: Path, monkeypatch: pytest.MonkeyPatch, conf: str) -> None:
    before = run_directories()
    monkeypatch.setenv("SLURM_CONF", conf)
    with pytest.raises(TargetError, match="Slurm was looked for through") as caught:
        submit("x = 1")
    assert "%%local" in caught.value.hint
    assert run_directories() == before


def test_a_cluster_that_came_later_is_found(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("JUPYTER_HPC_PRACTICE_DIR", "/tmp/jh-none")
        with pytest.raises(TargetError):
            submit("x = 1")
    assert submit("x = 1").result(20) == {"x": 1}


def test_the_controller_dies_while_a_job_runs(cluster: Path) -> None:
    go = cluster / "go"
    job = submit(
        f"import os, time\nprint('ready', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(.02)\ny = 5"
    )
    says(job, "ready")
    os.kill(int((cluster / "slurm" / "slurmctld.pid").read_text()), signal.SIGKILL)
    try:
        go.touch()
        began = time.monotonic()
        assert job.result(10)["y"] == 5
        assert time.monotonic() - began < 2
    finally:
        practice.down(cluster / "slurm")
        practice.up(cluster / "slurm")
    assert submit("y = 6").result(20) == {"y": 6}


def test_a_job_that_the_scheduler_forgot(counted: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a site where finished jobs are forgotten at once: squeue's answer is empty."""
    job = submit("x = 1", passthrough=("--begin=now+1hour",))
    until(lambda: job.state is JobState.PENDING and job.reason, "pending")
    counted.install("squeue", instead="exit 0")
    counted.install("sacct", instead="echo 'Slurm accounting storage is disabled' >&2; exit 1")
    watcher.follow(job)
    before, began = counted.count("squeue"), time.monotonic()
    with pytest.raises(JobLost, match="no longer knows") as caught:
        job.result(30)
    assert time.monotonic() - began < 16
    assert counted.count("squeue") - before <= 12
    assert job.state is JobState.LOST
    assert str(job.run.path) in caught.value.hint
    slurm("scancel", job.native_id)
