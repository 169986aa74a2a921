"""How often the scheduler is asked, and what happens when it answers badly or not at all."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from jupyter_hpc import practice
from jupyter_hpc.backends.slurm.job_states import time_stamp
from jupyter_hpc.follow import following
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import JobLost, ProcessDied, SubmissionError, TargetError
from jupyter_hpc.model.states import JobState
from jupyter_hpc.runtime import portal
from jupyter_hpc.targets.connection import connection_of
from tests.faults.looks import LIMIT, SOON, Looks
from tests.faults.road import Counter, done, run_directories, says, slurm, submit, until, until_file, worker_pid


def test_an_ordinary_job(counted: Counter, looks: Looks) -> None:
    job = submit("y = 6 * 7")
    assert job.result(120) == {"y": 42}
    assert counted.count("sbatch") == 1
    assert counted.count("squeue") <= looks.worth(job)
    assert counted.count("sacct") + counted.count("scontrol") + counted.count("sinfo") == 0


def test_a_job_that_runs_some_seconds(counted: Counter, looks: Looks) -> None:
    """It runs and beats: there are questions only while it is pending."""
    job = submit("import time\nfor i in range(12): print(i); time.sleep(.25)")
    job.result(120)
    assert counted.count("squeue") <= looks.worth(job)


def test_many_jobs_share_their_questions(counted: Counter) -> None:
    jobs = [submit(f"y = {i}") for i in range(8)]
    assert [job.result(120)["y"] for job in jobs] == list(range(8))
    assert counted.count("sbatch") == 8
    assert counted.busiest_minute("squeue") <= LIMIT


QUESTIONS = ("squeue", "sacct", "scontrol", "sinfo")


@pytest.mark.campaign
@pytest.mark.parametrize("number", [1, 30, 300])
def test_at_most_six_questions_a_minute(counted: Counter, number: int) -> None:
    """Small jobs at once, from eight threads as a user's pool would; all results come."""
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda n: submit(f"y = {n}"), range(number)))
    took = time.monotonic() - began
    assert [job.result(280)["y"] for job in jobs] == list(range(number))
    asked = counted.busiest_minute(*QUESTIONS)
    print(
        f"MEASURED {number} jobs: submitted in {took:.1f} s, all back after {time.monotonic() - began:.1f} s, {asked} asked"
    )
    assert asked <= LIMIT
    assert counted.count("sbatch") == number


@pytest.mark.campaign
def test_waiting_jobs_and_a_loop_over_statuses(counted: Counter) -> None:
    """More than a minute with jobs that wait, while somebody asks for the status again and again."""
    jobs = [submit("y = 1", passthrough=("--begin=now+1hour",)) for _ in range(30)]
    with watcher_forgets(jobs[:10]):  # as in another process
        until(lambda: all(job.reason for job in jobs), "why they wait")
        end = time.monotonic() + 75
        while time.monotonic() < end:
            assert {job.state for job in jobs} == {JobState.PENDING}
            time.sleep(0.05)
        asked = counted.busiest_minute(*QUESTIONS)
        print(f"MEASURED 30 waiting jobs: {asked} in the busiest minute")
        assert 2 <= asked <= LIMIT
        gone = time.monotonic()
        slurm("scancel", jobs[-1].native_id)
        assert jobs[-1].wait(120)
        print(f"MEASURED cancelled from outside, known after {time.monotonic() - gone:.1f} s")
        for job in jobs[:-1]:
            slurm("scancel", job.native_id)
        assert all(job.wait(120) for job in jobs[10:])


@contextmanager
def watcher_forgets(jobs: list[Job]) -> Iterator[None]:
    """Let this process not follow some of its jobs, as one that came later."""
    name = jobs[0].target
    each = portal.call(following.watcher_of(name))
    for job in jobs:
        following._followers.pop(job.id, None)
        each.live.pop(job.id, None)
    yield


def test_a_killed_worker(counted: Counter, looks: Looks) -> None:
    job = submit("import time\nprint('ready', flush=True)\ntime.sleep(300)")
    says(job, "ready")
    until(lambda: job.state is JobState.RUNNING, "running")
    before = counted.count("squeue")
    killed = time.time()
    os.kill(worker_pid(job), signal.SIGKILL)
    with pytest.raises(ProcessDied):
        job.result(120)
    assert counted.count("squeue") - before <= (2 if looks.since(job, killed) <= SOON else LIMIT)


def test_a_cell_that_holds_the_interpreter(counted: Counter) -> None:
    """The heartbeat stops though the job lives: asked again, less and less, and within a minute's six."""
    job = submit("print('ready', flush=True)\nx = sum(range(150_000_000))")
    job.result(250)
    assert counted.busiest_minute("squeue") <= LIMIT


def test_the_answer_of_sbatch_was_lost(counted: Counter) -> None:
    lost = 'REAL "$@" > /dev/null; echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1'
    counted.install("sbatch", instead=lost)
    job = submit("y = 1", name="lost answer")
    assert job.result(120) == {"y": 1}
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
        ({"partition": "nonsense"}, "invalid partition", "--partition debug, gpu"),
        ({"passthrough": ("--mem=900G",)}, "[Mm]emory", "--mem 64000M"),
        ({"passthrough": ("--gpus=h100:2",)}, "node configuration", "--gpus a100:4"),
        ({"constraint": "no-such-feature"}, "[Ff]eature", "--constraint cpu"),
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


def test_the_controller_dies_while_a_job_runs(cluster: Path, looks: Looks, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(until_file(go))
    says(job, "ready")
    os.kill(int((cluster / "slurm" / "slurmctld.pid").read_text()), signal.SIGKILL)
    try:
        go.touch()
        assert job.result(120)["y"] == 5
        assert looks.since(job, done(job)) <= SOON
    finally:
        practice.down(cluster / "slurm")
        practice.up(cluster / "slurm")
    assert submit("y = 6").result(20) == {"y": 6}
    until(lambda: portal.call(connection_of("slurm")).outage.since is None, "that Slurm answers again")


def test_a_job_that_the_scheduler_forgot(counted: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a site where finished jobs are forgotten at once: squeue's answer is empty."""
    booted = time_stamp(re.search(r"BOOT_TIME\s*=\s*(\S+)", slurm("scontrol", "show", "config"))[1])
    until(lambda: time.time() > booted + 2, "a controller that didn't just start, as after a crash")
    job = submit("x = 1", passthrough=("--begin=now+1hour",))
    until(lambda: job.state is JobState.PENDING and "begin" in job.reason, "pending", 60)
    counted.install("squeue", instead="exit 0")
    counted.install("sacct", instead="echo 'Slurm accounting storage is disabled' >&2; exit 1")
    following.follow(job.run)
    with pytest.raises(JobLost, match="no longer knows") as caught:
        job.result(120)
    assert counted.busiest_minute("squeue") <= LIMIT
    assert job.state is JobState.LOST
    assert str(job.run.path) in caught.value.hint
    slurm("scancel", job.native_id)


@pytest.mark.campaign
def test_an_id_that_nobody_knows(counted: Counter) -> None:
    """sacct is asked three times, as it may be seconds behind, and never again."""
    job = submit("x = 1", passthrough=("--begin=now+1hour",))
    until(lambda: job.state is JobState.PENDING and job.reason, "pending")
    portal.call(connection_of("slurm")).backend.accounting._off_until = 0.0  # that there is none was learnt before
    counted.install("squeue", "sacct", instead="exit 0")
    assert job.wait(120)
    assert job.state is JobState.LOST
    assert counted.count("sacct") == 3
    evidence = "; ".join(job.record["verdict"]["evidence"])
    assert "the scheduler last knew it as PENDING at " in evidence
    assert "sacct doesn't know it either (asked 3 times)" in evidence
    slurm("scancel", job.native_id)
