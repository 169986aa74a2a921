"""The full Slurm: what it has, and that nothing of it is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.clusters.slurm.cluster import DAEMONS, FullSlurm
from tests.clusters.slurm.namespaces import CGROUPS

pytestmark = pytest.mark.usefixtures("empty_site")


def until(condition: Callable[[], object], what: str, timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def pids(cluster: FullSlurm) -> dict[str, int]:
    return {name: cluster.pid(name) for name in DAEMONS}


# -- the site ------------------------------------------------------------------------------------


def test_over_memory_is_recorded(full_slurm: FullSlurm) -> None:
    if full_slurm.no_cgroups:
        pytest.skip(full_slurm.no_cgroups)
    job = full_slurm.submit("alice", "python3 -c 'x = bytearray(300 << 20)'", "--mem=100M")
    full_slurm.wait_state(job, "OUT_OF_MEMORY")
    assert full_slurm.accounted(job)[0] == [job, "OUT_OF_MEMORY", "0:125"]


def test_a_high_qos_requeues_a_low_one(full_slurm: FullSlurm) -> None:
    low = full_slurm.submit("alice", "sleep 300", "--qos=low", "--cpus-per-task=8", "-w", "c2")
    full_slurm.wait_state(low, "RUNNING")
    high = full_slurm.submit("bob", "true", "--qos=high", "--cpus-per-task=8", "-w", "c2")
    full_slurm.wait_state(high, "COMPLETED")
    assert full_slurm.job(low)["Restarts"] == "1"
    full_slurm.says("alice", "scancel", low)
    assert full_slurm.accounted(low)[0][:2] == [low, "PREEMPTED"]


@pytest.mark.parametrize(
    ("user", "options", "words"),
    [
        ("alice", ["--account=chemistry"], "Invalid account"),
        ("alice", ["--qos=nothing"], "Invalid qos"),
        ("alice", ["--qos=limited", "--time=20"], "QOSMaxWallDurationPerJobLimit"),
        ("alice", ["--gpus=h100:3"], "Requested node configuration is not available"),
        ("root", ["--account=chemistry"], "Invalid account"),
    ],
)
def test_what_is_refused(full_slurm: FullSlurm, user: str, options: list[str], words: str) -> None:
    done = full_slurm.run(user, "sbatch", *options, "--wrap=true", check=False)
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize(
    ("user", "options"),
    [
        ("bob", ["--account=chemistry", "--partition=chemistry"]),
        ("root", ["--qos=high"]),
        ("alice", ["--gpus=h100:2", "--constraint=gpu"]),
        ("alice", ["--partition=short"]),
    ],
)
def test_what_is_granted(full_slurm: FullSlurm, user: str, options: list[str]) -> None:
    full_slurm.wait_state(full_slurm.submit(user, "true", *options), "COMPLETED")


@pytest.mark.parametrize(
    ("reason", "options"),
    [
        ("QOSMaxJobsPerUserLimit", ["--qos=onejob"]),
        ("QOSMaxGRESPerUser", ["--qos=twogpus", "--gpus=2"]),
        ("QOSGrpGRES", ["--qos=groupgpus", "--gpus=2"]),
        ("Licenses", ["--licenses=matlab:1"]),
        ("Resources", ["-w", "c1", "--exclusive"]),
    ],
)
def test_why_the_second_waits(full_slurm: FullSlurm, reason: str, options: list[str]) -> None:
    first = full_slurm.submit("alice", "sleep 300", *options)
    full_slurm.wait_state(first, "RUNNING")
    second = full_slurm.submit("alice", "sleep 300", *options)
    try:
        until(lambda: full_slurm.job(second).get("Reason") == reason, reason)
    finally:
        full_slurm.says("alice", "scancel", first, second)


@pytest.mark.parametrize(
    ("reason", "options"),
    [
        (("Job's_account_not_permitted", "PartitionConfig"), ["--partition=chemistry"]),  # 22.05, 24.11
        ("PartitionTimeLimit", ["--partition=short", "--time=6"]),
        ("BeginTime", ["--begin=now+1hour"]),
    ],
)
def test_why_it_waits(full_slurm: FullSlurm, reason: str | tuple[str, ...], options: list[str]) -> None:
    job = full_slurm.submit("alice", "true", *options)
    try:
        until(lambda: full_slurm.job(job)["Reason"].startswith(reason), str(reason))
    finally:
        full_slurm.says("alice", "scancel", job)


def test_the_far_node_sees_no_run_directories(full_slurm: FullSlurm, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.touch()
    look = f"{{ ls -A {full_slurm.directory}/home; echo end; }} > {seen}"
    options = ("--chdir=/tmp", "--output=/dev/null")
    full_slurm.wait_state(full_slurm.submit("root", look, "-p", "remote", *options), "COMPLETED")
    assert seen.read_text().split() == ["end"]
    full_slurm.wait_state(full_slurm.submit("root", look, "-p", "debug", *options), "COMPLETED")
    assert seen.read_text().split() == ["alice", "bob", "root", "end"]


def test_users_have_this_python_and_only_their_own_home(full_slurm: FullSlurm) -> None:
    code = "import getpass, numpy, jupyter_hpc; print(getpass.getuser())"
    assert full_slurm.says("alice", sys.executable, "-c", code) == "alice"
    job = full_slurm.submit("alice", f"{sys.executable} -c '{code}'")
    full_slurm.wait_state(job, "COMPLETED")
    assert (full_slurm.home("alice") / f"slurm-{job}.out").read_text() == "alice\n"
    assert full_slurm.run("alice", "ls", str(full_slurm.home("root")), check=False).returncode != 0


def test_all_listen_on_loopback_only(full_slurm: FullSlurm) -> None:
    ours = set(pids(full_slurm).values())
    listening = [c for c in psutil.net_connections("inet") if c.pid in ours and c.status == "LISTEN"]
    assert len(listening) >= 7
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def test_killed_daemons_come_back_and_jobs_go_on(full_slurm: FullSlurm) -> None:
    go = full_slurm.home("alice") / "go"
    job = full_slurm.submit("alice", f"until [ -e {go} ]; do sleep 0.1; done", "-w", "c1")
    full_slurm.wait_state(job, "RUNNING")
    full_slurm.wait_saved(job)
    before = pids(full_slurm)
    try:
        for name in ("slurmctld", "slurmd.c1", "slurmdbd"):
            full_slurm.kill9(name)
            assert not full_slurm.alive(name)
    finally:
        full_slurm.repaired()
    after = pids(full_slurm)
    assert {name for name in DAEMONS if before[name] != after[name]} == {"slurmctld", "slurmd.c1", "slurmdbd"}
    go.touch()
    full_slurm.wait_state(job, "COMPLETED")
    assert full_slurm.accounted(job)[0][1] == "COMPLETED"
    for user in ("alice", "bob"):  # the controller has their default accounts from slurmdbd now
        full_slurm.wait_state(full_slurm.submit(user, "true"), "COMPLETED")


# -- its life ------------------------------------------------------------------------------------


@pytest.fixture
def own(full_slurm: FullSlurm) -> Iterator[FullSlurm]:
    """A second cluster, not up yet."""
    directory = Path(tempfile.mkdtemp(prefix="jhf", dir="/tmp"))
    cluster = FullSlurm(directory, settings={"MinJobAge": "5"})
    yield cluster
    cluster.down()
    shutil.rmtree(directory)


def traces(cluster: FullSlurm) -> list[str]:
    """What there is of a cluster outside its folder, and the daemons' state inside."""
    name, marks = str(cluster.directory), []
    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
        words = [*(process.info["cmdline"] or ()), *(process.info["environ"] or {}).values()]
        if process.pid != os.getpid() and any(name in word for word in words):
            marks.append(f"process {process.pid}: {process.info['cmdline']}")
    folders = [Path("/dev/shm"), *CGROUPS.glob("*/")]
    marks += [str(x) for folder in folders for x in folder.iterdir() if cluster.directory.name in x.name]
    marks += [x for x in Path("/proc/self/mounts").read_text().splitlines() if name in x]
    marks += [x for x in Path("/proc/net/unix").read_text().splitlines() if name in x]
    left = {x.name for x in cluster.directory.iterdir()} - {"log", "lock", "owners"}
    return marks + [str(cluster.directory / x) for x in left]


def starter(cluster: FullSlurm) -> subprocess.Popen[str]:
    """Another process that starts the cluster, says so, and stays."""
    code = "import sys, time, pathlib\nfrom tests.clusters.slurm.cluster import FullSlurm\n"
    code += "FullSlurm(pathlib.Path(sys.argv[1])).up()\nprint('up', flush=True)\ntime.sleep(600)\n"
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-c", code, str(cluster.directory)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=root)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_up_twice_is_one_cluster_and_down_leaves_nothing(own: FullSlurm) -> None:
    own.up()
    assert own.conf.read_text().count("MinJobAge=5") == 1
    before = pids(own)
    assert pids(FullSlurm(own.directory).up()) == before
    escaping = "trap '' TERM; (trap '' TERM; setsid sleep 600) & sleep 600"
    for user in ("alice", "root"):
        own.wait_state(own.submit(user, escaping), "RUNNING")
    until(lambda: any("sleep" in mark for mark in traces(own)), "the jobs' processes")
    own.down()
    assert traces(own) == []


def test_a_killed_run_leaves_nothing(own: FullSlurm) -> None:
    process = starter(own)
    assert process.stdout and process.stdout.readline() == "up\n"
    own.submit("alice", "sleep 600")
    kill(process)
    until(lambda: not traces(own), "the watchdog's end")


def test_up_again_after_the_starting_process_was_killed(own: FullSlurm) -> None:
    process = starter(own)
    until(lambda: own.alive("slurmdbd"), "slurmdbd")
    kill(process)  # half started
    own.up()
    own.wait_state(own.submit("alice", "true"), "COMPLETED")
    os.kill(own.pid("mariadbd"), signal.SIGKILL)
    until(lambda: not own.running, "the death of MariaDB")
    own.up()  # broken: it is made anew
    own.wait_state(own.submit("alice", "true"), "COMPLETED")
