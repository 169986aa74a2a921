"""Causes that need a whole site: cgroups, QOS, other users, a node far away, nodes that don't come up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc import practice
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model import exceptions
from jupyter_hpc.model.states import JobState
from tests.clusters.slurm.cluster import FullSlurm
from tests.conftest import Sandbox, need_slurm
from tests.faults.occurrences import check, shows
from tests.faults.road import says, submit, until

pytestmark = pytest.mark.usefixtures("full_slurm")

WAITS = "import time\nbefore = 41\nprint('ready', flush=True)\ntime.sleep(300)\nafter = 1"
STUBBORN = WAITS.replace("time.sleep(300)", "sum(iter(int, 1))")
BUSY = ("--cpus-per-task=8", "--nodelist=c2")


@pytest.fixture(scope="module")
def here(empty_site: FullSlurm, sandbox: Sandbox) -> Iterator[FullSlurm]:
    """The full Slurm, and this process as root's notebook on it; the far node doesn't see its run directories."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, sandbox.environment)
        patch.setenv("SLURM_CONF", str(empty_site.conf))
        patch.setenv("JUPYTER_HPC_PRACTICE_DIR", str(sandbox.directory / "no practice"))
        yield empty_site


def isolate(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER"))]:
        patch.delenv(name)
    for name, value in environment.items():
        patch.setenv(name, value)


@pytest.fixture(scope="module", autouse=True)
def limited(here: FullSlurm) -> Job:
    """A job in C code that reaches its limit while the other tests run."""
    return submit(STUBBORN, time="1m", partition="gpu")


def accounted(here: FullSlurm, job: Job) -> list[str]:
    return here.accounted(job.native_id, "State", "ExitCode")[0]


@shows("out-of-memory-cgroup")
def test_out_of_memory(here: FullSlurm) -> None:
    assert not here.no_cgroups
    job = submit(f"print('ready', flush=True)\nx = bytearray(500 << 20)\n{WAITS}", memory="200M")
    assert job.wait(120), job
    error = check(job, "out-of-memory-cgroup", exceptions.OutOfMemory, r"`--mem (1|2)G`", "oom.kill|OUT_OF_MEMORY")
    assert "200 MiB" in str(error)
    assert accounted(here, job) == ["OUT_OF_MEMORY", "0:125"]


@shows("child-out-of-memory")
def test_child_out_of_memory(here: FullSlurm) -> None:
    """The cgroup's kill takes a child; the cell lives to say so, and Slurm's word for the job is OUT_OF_MEMORY."""
    cell = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = bytearray(500 << 20)'], check=True)"
    job = submit(cell, memory="200M")
    assert job.wait(120), job
    check(job, "child-out-of-memory", subprocess.CalledProcessError, r"`--mem (1|2)G`", "for memory")
    assert accounted(here, job)[0] == "OUT_OF_MEMORY"


@shows("preempted", "preempted-requeued")
@pytest.mark.parametrize("requeue", [True, False], ids=["requeue", "no requeue"])
def test_preempted(here: FullSlurm, requeue: bool) -> None:
    option = "--requeue" if requeue else "--no-requeue"
    job = submit(WAITS, qos="low", passthrough=(*BUSY, option))
    says(job, "ready")
    high = here.submit("alice", "sleep 300", "--qos=high", *BUSY)
    try:
        if requeue:
            until(
                lambda: job.state is JobState.PENDING and "higher priority took its place" in job.reason,
                "said so",
            )
            assert here.job(job.native_id)["Restarts"] == "1"
            job.cancel()
            assert job.wait(120), job
        else:
            assert job.wait(120), job
            check(job, "preempted", exceptions.Preempted, "`--requeue`", "PREEMPT")
            assert accounted(here, job)[0] == "PREEMPTED"
    finally:
        here.says("root", "scancel", high)


@shows("node-failed")
def test_slurmd_is_killed_and_its_node_set_down(here: FullSlurm) -> None:
    job = submit(WAITS, passthrough=("--nodelist=c1", "--no-requeue"))
    says(job, "ready")
    here.kill9("slurmd.c1")
    here.says("root", "scontrol", "update", "nodename=c1", "state=down", "reason=test")
    assert job.wait(120), job
    hint = r"`-- --exclude=c1`.*`--requeue`"
    check(job, "node-failed", exceptions.NodeFailed, hint, "NODE_FAIL|NODE FAILURE")
    assert accounted(here, job)[0] == "NODE_FAIL"


@shows("no-shared-disk")
def test_no_shared_disk(here: FullSlurm) -> None:
    job = submit("x = 1", partition="remote")
    assert job.wait(120), job
    error = check(job, "no-shared-disk", exceptions.NoSharedDisk, "JUPYTER_HPC_ROOT, or `root`", "0:53")
    assert str(error).startswith(f"r1 does not see the folder {job.run.path}, or could not write there.")
    assert accounted(here, job) == ["FAILED", "0:53"]


@shows("cancelled-by-you")
@pytest.mark.parametrize("when", ["running", "pending"])
def test_scancel_by_oneself(here: FullSlurm, when: str) -> None:
    """From a shell: only accounting knows that it was the same user."""
    job = submit(WAITS, passthrough=("--hold",) if when == "pending" else ())
    if when == "running":
        says(job, "ready")
    here.says("root", "scancel", job.native_id)
    assert job.wait(120), job
    error = check(job, "cancelled-by-you", exceptions.JobCancelled, "Run the cell again", "CANCELLED by 0")
    assert "by you" in str(error)
    assert ("before it started" in str(error)) is (when == "pending")
    assert accounted(here, job) == ["CANCELLED by 0", "0:0"]


AS_ALICE = """
import json, sys
from jupyter_hpc.exceptions import JobCancelled
from tests.faults.road import submit
job = submit(sys.argv[1])
print(job.native_id, flush=True)
assert job.wait(120)
error = job.outcome().error
assert type(error) is JobCancelled and error.hint.startswith(job.verdict["hint"]), repr(error)
print(json.dumps(job.verdict))
"""


@shows("cancelled-by-other")
def test_cancelled_by_root(here: FullSlurm) -> None:
    argv = here.argv("alice", sys.executable, "-c", AS_ALICE, WAITS)
    env = {**here.environment("alice"), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        argv, env=env, cwd=here.home("alice"), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        native_id = process.stdout.readline().strip()
        assert native_id.isdecimal(), process.stderr.read()
        here.wait_state(native_id, "RUNNING")
        log = here.home("alice") / "hpc" / "runs"
        until(
            lambda: any("ready" in p.read_text() for p in log.glob("*/log") if native_id in _record(p)),
            "ready",
        )
        here.says("root", "scancel", native_id)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    verdict = json.loads(out.splitlines()[-1])
    assert verdict["cause"] == "cancelled-by-other", verdict
    assert verdict["message"] == "The job was cancelled by root."
    assert "Ask root why" in verdict["hint"]
    assert any("CANCELLED by 0" in line for line in verdict["evidence"])


def _record(log: Path) -> str:
    return (log.parent / "record.json").read_text()


@shows("deadline")
def test_deadline(here: FullSlurm) -> None:
    """It can't begin before its deadline, as other jobs have the node."""
    busy = here.submit("alice", "sleep 300", *BUSY)
    here.wait_state(busy, "RUNNING")
    try:
        job = submit("x = 1", time="1m", passthrough=(*BUSY, "--deadline=now+70"))
        assert job.wait(120), job
        check(job, "deadline", exceptions.TimeLimitExceeded, r"`-- --deadline=…`", "DEADLINE")
        assert accounted(here, job)[0] == "DEADLINE"
    finally:
        here.says("root", "scancel", busy)


@pytest.mark.campaign
@shows("time-limit")
def test_time_limit_in_c_code(here: FullSlurm, limited: Job) -> None:
    assert limited.wait(200), limited
    check(limited, "time-limit", exceptions.TimeLimitExceeded, "`--time 2m`", "DUE TO TIME LIMIT|TIMEOUT")
    assert accounted(here, limited) == ["TIMEOUT", "0:0"]


# -- nodes that can't start a job: a practice Slurm with settings of its own ------------------------------


@pytest.fixture
def broken(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Start a practice Slurm with a line more in its configuration."""
    need_slurm()
    base = Path(tempfile.mkdtemp(prefix="jh", dir="/tmp"))
    write = practice.slurm_cluster.write_configuration

    def start(line: str) -> Path:
        def more(where: Path, **settings: Any) -> Path:
            found = write(where, **settings)
            for name in ("slurm.conf", "slurm.daemons.conf"):
                (where / name).write_text((where / name).read_text() + line + "\n")
            return found

        monkeypatch.setattr(practice.slurm_cluster, "write_configuration", more)
        own = {"JUPYTER_HPC_PRACTICE_DIR": str(base / "slurm"), "JUPYTER_HPC_ROOT": str(base / "root")}
        isolate(monkeypatch, {**sandbox.environment, **own})
        practice.up(base / "slurm")
        return base / "slurm"

    yield start
    practice.down(base / "slurm")
    shutil.rmtree(base, ignore_errors=True)


@pytest.mark.campaign
@shows("launch-held")
def test_prolog_fails_and_the_job_is_held(broken: Callable[[str], Path]) -> None:
    broken("Prolog=/bin/false")
    held = submit("x = 1", requeue=True)  # else it ends
    until(lambda: "`scontrol release" in held.reason, "said why Slurm holds it")
    assert held.state is JobState.PENDING and "prolog failed" in held.reason
    held.cancel()
    assert held.wait(120), held


@pytest.mark.campaign
@shows("start-failed")
def test_prolog_fails_and_the_job_ends(broken: Callable[[str], Path]) -> None:
    broken("Prolog=/bin/false")
    ended = submit("x = 1")
    assert ended.wait(120), ended
    check(
        ended,
        "start-failed",
        exceptions.NodeFailed,
        r"`-- --exclude=[cg]1`.*`sinfo -R`",
        "Error running slurm prolog",
    )


@pytest.mark.campaign
@shows("start-failed")
def test_spool_is_not_there(broken: Callable[[str], Path]) -> None:
    directory = broken("# nothing")
    (directory / "spool" / "g1").rename(directory / "spool" / "away")
    job = submit("x = 1", partition="gpu", passthrough=("--no-requeue",))
    try:
        assert job.wait(120), job
        check(job, "start-failed", exceptions.NodeFailed, r"`-- --exclude=g1`", "CANCELLED|JobLaunchFailure")
    finally:
        (directory / "spool" / "away").rename(directory / "spool" / "g1")
