"""A controller or a node daemon that is away, dies and comes back: nothing lost, nothing doubled, and it is said."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.follow import following
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.jobs.submit import submit_request
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.model.states import JobState
from jupyter_hpc.practice.slurm_cluster import daemon_pid, start_again
from jupyter_hpc.runtime import portal
from tests.clusters.slurm.cluster import FullSlurm
from tests.faults.road import (
    Counter,
    _request,
    events,
    run_directories,
    says,
    slurm,
    submit,
    until,
    until_file,
    wait_saved,
)

AWAY_S = 20.0
PENDING = ("--begin=now+1hour",)


class Cluster:
    """The cluster that ``slurm`` is now, and its daemons."""

    def __init__(self, stop: Callable[[str, bool], None], start: Callable[[str], None]) -> None:
        self._stop, self.start = stop, start

    def stop(self, name: str) -> None:
        self._stop(name, False)

    def kill(self, name: str) -> None:
        self._stop(name, True)

    def restart(self, name: str) -> None:
        self.kill(name)
        self.start(name)


@pytest.fixture
def small(cluster: Path) -> Iterator[Cluster]:
    """The practice cluster; without accounting, as many sites are."""
    where = cluster / "slurm"

    def stop(name: str, kill: bool) -> None:
        pid = daemon_pid(name, where)
        assert pid is not None
        os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)
        until(lambda: daemon_pid(name, where) is None, f"{name} is gone")

    yield Cluster(stop, lambda name: start_again(name, where))
    for name in ("slurmctld", "slurmd.c1", "slurmd.g1"):
        if daemon_pid(name, where) is None:
            start_again(name, where)


@pytest.fixture
def full(cluster: Path, full_slurm: FullSlurm, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The whole Slurm, with accounting and preemption."""
    monkeypatch.setenv("SLURM_CONF", str(full_slurm.conf))
    monkeypatch.setenv("JUPYTER_HPC_ROOT", full_slurm.environment("root")["JUPYTER_HPC_ROOT"])
    return Cluster(lambda name, kill: (full_slurm.kill9 if kill else full_slurm.stop)(name), full_slurm.start)


@pytest.fixture(params=["small", "full"])
def either(request: pytest.FixtureRequest) -> Cluster:
    found: Cluster = request.getfixturevalue(request.param)
    return found


def jobs_with_mark(job: Job) -> list[str]:
    """Every job that Slurm has or had for a run."""
    rows = slurm("squeue", "-h", "-t", "all", "-O", "JobID:|,Comment:|").splitlines()
    return [row.split("|")[0].strip() for row in rows if f"jupyter_hpc:{job.id}" in row]


def reasons(job: Job) -> list[str]:
    """Collect each reason that a panel would show of a job from now on."""
    follower, seen = following.follow(job.run), []
    follower.listeners.append(lambda: seen.append(follower.status.reason))
    return seen


def submit_saying(said: list[str], text: str, **options: Any) -> Job:
    request, spec = _request(text, {}, options)
    return submit_request(request, "slurm", spec, said.append)


def incidents(job: Job) -> str:
    return "; ".join(i["what"] for i in job.record.get("incidents", []))


@pytest.mark.campaign
def test_stopped_during_submit(either: Cluster) -> None:
    """The cells wait, say so, and are each submitted once."""
    either.stop("slurmctld")
    threading.Timer(AWAY_S, either.start, ["slurmctld"]).start()
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(lambda n: submit_saying(said, f"y = {n}"), range(4)))
    assert sum("doesn't answer (since" in line for line in said) == 4
    assert [job.result(120)["y"] for job in jobs] == [0, 1, 2, 3]
    for job in jobs:
        assert jobs_with_mark(job) == [job.native_id]
        assert "didn't answer while the job was submitted" in incidents(job)


@pytest.mark.campaign
def test_stopped_during_run(either: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    runs, ends = submit(until_file(go)), submit(until_file(tmp_path / "first", "z = 6"))
    waits = submit("w = 7", passthrough=PENDING)
    says(runs, "ready")
    says(ends, "ready")
    told = [reasons(job) for job in (runs, ends, waits)]
    until(lambda: waits.state is JobState.PENDING and waits.reason, "why it waits")
    either.stop("slurmctld")
    stopped = time.monotonic()
    for seen in told:
        until(
            lambda s=seen: any("doesn't answer (since" in r and "running jobs go on" in r for r in s),
            "said",
            30,
        )
    print(f"MEASURED said after {time.monotonic() - stopped:.1f} s")
    (tmp_path / "first").touch()
    assert ends.result(120)["z"] == 6
    until(lambda: time.monotonic() - stopped > AWAY_S, "the time away", AWAY_S + 1)
    either.start("slurmctld")
    back = time.monotonic()
    until(lambda: "doesn't answer" not in waits.reason + runs.reason, "resumed")
    print(f"MEASURED resumed after {time.monotonic() - back:.1f} s")
    go.touch()
    assert runs.result(120)["y"] == 5
    assert waits.state is JobState.PENDING
    slurm("scontrol", "update", f"JobId={waits.native_id}", "StartTime=now")
    assert waits.result(120)["w"] == 7
    for job in (runs, ends, waits):
        assert jobs_with_mark(job) == [job.native_id]
        assert "answer" in incidents(job), job.record


@pytest.mark.campaign
def test_killed_while_jobs_run_and_wait(either: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    runs, waits = submit(until_file(go)), submit("w = 7", passthrough=PENDING)
    says(runs, "ready")
    until(lambda: waits.state is JobState.PENDING and waits.reason, "why it waits")
    for job in (runs, waits):
        wait_saved(job)
    either.restart("slurmctld")
    go.touch()
    assert runs.result(120)["y"] == 5
    slurm("scontrol", "update", f"JobId={waits.native_id}", "StartTime=now")
    assert waits.result(120)["w"] == 7
    assert jobs_with_mark(runs) == [runs.native_id]
    assert jobs_with_mark(waits) == [waits.native_id]


@pytest.mark.campaign
def test_killed_just_after_it_took_a_job(either: Cluster) -> None:
    """It forgets the jobs of its last seconds, and hands out their ids again: they are submitted anew."""
    jobs: list[Job] = []
    forgotten: list[Job] = []
    for _ in range(5):  # it saves its jobs at most every five seconds: one of these times it has not
        more = [submit(f"w = {len(jobs) + n}", passthrough=PENDING) for n in range(3)]
        told = [reasons(job) for job in more]
        either.restart("slurmctld")
        jobs += [
            *more,
            submit(f"w = {len(jobs) + 3}", passthrough=PENDING),
        ]  # the last takes a forgotten one's id
        forgotten = [job for job in more if not jobs_with_mark(job)]
        if forgotten:
            break
    assert forgotten, "the controller had saved them each time: nothing was tried"
    for job in jobs:
        until(lambda j=job: jobs_with_mark(j), "it is there again")
    for job in forgotten:
        until(lambda j=job: "submitted again" in incidents(j), "the record")
    for job in jobs:
        assert jobs_with_mark(job) == [job.native_id]
        slurm("scontrol", "update", f"JobId={job.native_id}", "StartTime=now")
    assert [job.result(120)["w"] for job in jobs] == list(range(len(jobs)))
    assert all(len(events(job, "started")) == 1 for job in jobs)
    assert len(told) == 3


@pytest.mark.campaign
def test_killed_while_cells_are_submitted(either: Cluster) -> None:
    """Some are taken, some are not, some are taken and forgotten: each runs once."""
    said: list[str] = []
    begun = threading.Event()

    def one(number: int) -> Job:
        if number == 6:
            begun.set()
        return submit_saying(said, f"y = {number}", passthrough=("--begin=now+20",))

    with ThreadPoolExecutor(4) as pool:
        future = [pool.submit(one, number) for number in range(40)]
        begun.wait(30)
        either.kill("slurmctld")
        threading.Timer(12, either.start, ["slurmctld"]).start()  # sbatch itself tries for nine seconds
        jobs = [each.result() for each in future]
    assert any("doesn't answer" in line for line in said), "it was killed too late"
    assert [job.result(120)["y"] for job in jobs] == list(range(40))
    for job in jobs:
        assert len(events(job, "started")) == 1
        assert jobs_with_mark(job) == [job.native_id]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT as a kernel has it: a process that a shell put into the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.campaign
@pytest.mark.usefixtures("interruptible")
def test_interrupted_while_it_is_away(small: Cluster) -> None:
    """Nothing is left behind, in the store or in the queue."""
    before = run_directories()
    small.stop("slurmctld")
    main = threading.get_ident()

    def interrupt_when_told(_: str) -> None:
        signal.pthread_kill(main, signal.SIGINT)

    request, spec = _request("y = 1", {}, {"name": "given-up"})
    with pytest.raises(KeyboardInterrupt):  # its patience is longer than a test may take
        submit_request(request, "slurm", spec, interrupt_when_told)
    assert run_directories() == before
    small.start("slurmctld")
    assert submit("y = 2").result(60) == {"y": 2}
    assert "given-up" not in slurm("squeue", "-h", "-t", "all", "-O", "Name:|")


def test_patience_ends(small: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_hpc.submission import handover

    monkeypatch.setattr(handover, "PATIENCE_S", 3.0)
    before = run_directories()
    small.stop("slurmctld")
    with pytest.raises(TargetError, match="nothing was submitted") as caught:
        submit("y = 1")
    assert "submit_patience" in caught.value.hint
    assert run_directories() == before


@pytest.mark.campaign
def test_node_daemon_killed(either: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(until_file(go), passthrough=("-w", "c1"))
    says(job, "ready")
    either.kill("slurmd.c1")
    until(lambda: time.monotonic(), "a moment")
    either.start("slurmd.c1")
    go.touch()
    assert job.result(120)["y"] == 5
    until(
        lambda: slurm("squeue", "-h", "-t", "all", "-j", job.native_id, "-o", "%T") == "COMPLETED",
        "Slurm's end",
        60,
    )
    assert jobs_with_mark(job) == [job.native_id]
    assert submit("y = 1", passthrough=("-w", "c1")).result(60) == {"y": 1}


def test_result_comes_while_the_node_daemon_is_dead(small: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(until_file(go), passthrough=("-w", "c1"))
    says(job, "ready")
    small.kill("slurmd.c1")
    go.touch()
    assert job.result(120)["y"] == 5
    small.start("slurmd.c1")
    until(
        lambda: slurm("squeue", "-h", "-t", "all", "-j", job.native_id, "-o", "%T") == "COMPLETED",
        "Slurm's end",
        60,
    )
    assert len(events(job, "started")) == 1


def test_preempted_and_run_again(full: Cluster, full_slurm: FullSlurm) -> None:
    """The attempt that was taken back is told in panel, log and record; its displays and names are no result."""
    cell = """\
import os, sys, time
from IPython.display import display
attempt = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
print("attempt", attempt, flush=True)
print("an error line of", attempt, file=sys.stderr)
display(f"shown by {attempt}")
if attempt == 0:
    partial = 1
    time.sleep(300)
y = 6
"""
    job = submit(cell, qos="low", cpus=8, requeue=True, passthrough=("-w", "c2"))
    says(job, "attempt 0")
    told = reasons(job)
    high = full_slurm.submit("root", "sleep 300", "--qos=high", "--cpus-per-task=8", "-w", "c2")
    full_slurm.wait_state(high, "RUNNING")
    until(lambda: job.state is JobState.PENDING and "attempt 2" in job.reason, "told in the panel")
    assert job.reason.startswith("requeued: a job with a higher priority took its place; attempt 2")
    assert job.record["attempts"][0]["how"] == "PREEMPTED"
    full_slurm.says("root", "scancel", high)
    full_slurm.wait_state(high, "CANCELLED")
    names = job.result(200)
    assert (names["attempt"], names["y"], "partial" in names) == (1, 6, False)
    first, second = job.record["attempts"]
    assert (first["attempt"], first["how"], first["node"]) == (1, "PREEMPTED", "c2")
    assert first["started"] <= first["ended"] + 1 and first["ended"] <= second["started"] + 1
    assert "higher priority" in first["reason"]
    assert (second["attempt"], second["how"]) == (2, "COMPLETED")
    assert any("running" not in r and "attempt 2" in r for r in told)
    log = job.logs()
    assert log.index("attempt 0") < log.index("──── attempt 2 on ") < log.index("attempt 1")
    shown = [o.data["text/plain"] for o in job.outputs() if o.kind == "display"]
    assert shown == ["'shown by 1'"]
    assert jobs_with_mark(job) == [job.native_id]


def forget_the_jobs(small: Cluster, cluster: Path, last: int) -> None:
    """Let the controller begin again without its jobs; it counts on: a node that still has an id's job drains itself."""
    small.kill("slurmctld")
    for saved in (cluster / "slurm" / "state").glob("job_state*"):
        saved.unlink()
    conf = cluster / "slurm" / "slurm.daemons.conf"
    conf.write_text(re.sub(r"(?m)^FirstJobId=.*", f"FirstJobId={last + 1}", conf.read_text()))
    small.start("slurmctld")


def test_lost_with_its_evidence(small: Cluster, cluster: Path) -> None:
    """One that had started is not run again: it may have done half of its work."""
    job = submit("print('ready', flush=True)\nimport time\ntime.sleep(300)")
    says(job, "ready")
    forget_the_jobs(small, cluster, int(job.native_id))
    assert job.wait(120)
    evidence = job.record["verdict"]["evidence"]
    print(f"MEASURED {job.state}: {job.reason} {evidence}")
    assert job.state is JobState.LOST
    assert any("unknown to it from" in line for line in evidence)
    assert any("squeue doesn't know job" in line for line in evidence)
    assert len(events(job, "started")) == 1
    assert not jobs_with_mark(job)
    assert int(submit("y = 1").native_id) > int(job.native_id)


@pytest.mark.campaign
def test_portal_is_never_blocked(counted: Counter, tmp_path: Path) -> None:
    """The portal's loop answers while a question hangs."""
    waits = submit("w = 7", passthrough=PENDING)
    until(lambda: waits.state is JobState.PENDING and waits.reason, "why it waits")
    go, asked, answers = (tmp_path / name for name in ("go", "asked", "answers"))
    hangs = f"touch {asked}; while [ ! -e {go} ]; do sleep 0.05; done; touch {answers}"
    counted.install("squeue", instead=f'{hangs}; exec REAL "$@"')
    watcher = portal.call(following.watcher_of("slurm"))

    async def ask_soon() -> None:
        watcher.ask_soon()

    portal.call(ask_soon(), 60)
    until(asked.exists, "a question that hangs")

    async def nothing() -> None:
        return None

    portal.call(nothing(), 60)
    assert waits.state is JobState.PENDING
    assert not answers.exists()
    go.touch()
    waits.cancel()
    assert waits.wait(120)


def test_a_status_of_another_process_s_job_while_it_is_away(small: Cluster) -> None:
    """Whoever asks gets an answer from the files while the question hangs, with the reason why there is no more."""
    job = submit("w = 7", passthrough=PENDING)
    small.stop("slurmctld")
    code = f"""
import jupyter_hpc
from jupyter_hpc.follow import following
from jupyter_hpc.follow.watcher import Watcher
from jupyter_hpc.runtime import portal
status = jupyter_hpc.attach({job.id!r}).status
print(status.state, status.reason, '|', portal.call(following.watcher_of("slurm"))._is_asking)
"""
    import subprocess
    import sys

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.startswith("PENDING the Slurm controller doesn't answer (since "), said
    assert said.stdout.strip().endswith("| True")
    small.start("slurmctld")
    job.cancel()
    assert job.wait(120)


def test_what_squeue_has_forgotten_is_asked_of_sacct(
    full: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many ids in one question."""
    counter = Counter(tmp_path / "bin")
    counter.install("sacct")
    monkeypatch.setenv("PATH", f"{counter.folder}:{os.environ['PATH']}")
    jobs = [submit("y = 1", passthrough=PENDING) for _ in range(4)]
    until(lambda: all(job.reason for job in jobs), "why they wait")
    slurm("scancel", *(job.native_id for job in jobs))
    counter.install("squeue", instead="exit 0")
    for job in jobs:
        assert job.wait(120)
        assert job.state is JobState.CANCELLED, job.record
    assert counter.count("sacct") <= 2
