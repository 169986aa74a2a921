"""Record what Slurm's commands print, for the parsers' tests: ``python -m tests.clusters.slurm.record FOLDER [24.11]``.

A full Slurm is started, jobs of every kind are brought about, and each command is asked as the package asks it. For
``python -m tests.clusters.slurm.record --held FOLDER [24.11]`` two users hold and want the same nodes.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from jupyter_hpc.backends.slurm.inventory import ASSOCIATION_FIELDS, QOS_FIELDS, sinfo_format
from jupyter_hpc.backends.slurm.job_states import SACCT_FIELDS, squeue_format
from jupyter_hpc.backends.slurm.occupancy import jobs_format, reasons_format
from jupyter_hpc.backends.slurm.queue import queue_format
from jupyter_hpc.backends.slurm.standing import SHARE_FIELDS, priorities_format

from .cluster import FullSlurm
from .release import Release

RUNNING = (
    ("sleep 900", "-p", "gpu", "--gpus=a100:3", "-t", "30"),
    ("sleep 900", "-w", "c1", "-c", "6", "-t", "60"),
    ("sleep 900", "--qos=onejob", "-c", "1", "-t", "20", '--comment=we|ird, "c;o'),
    ("sleep 900", "--qos=twogpus", "--gpus=h100:2", "-t", "20"),
    ("sleep 900", "--qos=low", "--array=1-5%2", "-c", "1", "-t", "10"),
    ("sleep 900", "--license=matlab:1", "-c", "1", "-t", "15"),
)
WAITING = (
    ("true", "-p", "gpu", "--gpus=a100:4", "-t", "10"),
    ("true", "-p", "gpu", "--gpus=a100:4", "-t", "20"),
    ("true", "-p", "debug,gpu", "--gpus=a100:4"),
    ("true", "--qos=onejob"),
    ("true", "--qos=twogpus", "--gpus=a100:1", "-t", "5"),
    ("true", "--license=matlab:1", "-t", "5"),
    ("true", "--hold"),
    ("true", "--begin=now+1hour"),
    ("true", "-w", "c2"),
    ("true", "-t", "3-0"),
    ("true", "-c", "99"),
    ("true", "-N", "9"),
    ("true", "-C", "gpu&nvlink", "-c", "16"),
)
ENDED = ("exit 3", "kill -9 $$", "kill -11 $$", "true")
ESTIMATES = (
    (),
    ("--gpus=a100:1",),
    ("-p", "gpu", "--gpus=h100:1"),
    ("-p", "nope"),
    ("--gpus=h100:9",),
    ("-c", "99"),
)
REFUSED = (
    *(
        ("-p", "nope"),
        ("-A", "nope"),
        ("-A", "chemistry"),
        ("-q", "nope"),
        ("-C", "nope"),
        ("-p", "chemistry"),
    ),
    *(
        ("--mem=900G",),
        ("--gpus=h100:9",),
        ("--gpus=v100:1",),
        ("-p", "gpu", "-C", "intel"),
        ("--gres=foo:1",),
    ),
    *(("-w", "zz9"), ("--reservation=x",), ("-L", "foo:1"), ("-t", "abc"), ("--no-such-option",)),
    *(
        ("--qos=limited", "-t", "3:00:00"),
        ("--dependency=afterok:nonsense",),
        ("-N", "0"),
        ("-p", "short", "-t", "60"),
    ),
)


def record(cluster: FullSlurm, folder: Path) -> None:
    """Bring the jobs about and write one file for each command."""
    cluster.says("root", "scontrol", "update", "nodename=c2", "state=drain", "reason=disk full, see | ticket")
    for job in RUNNING:
        cluster.submit("alice", *job)
    time.sleep(3)
    failed = [cluster.submit("alice", script, "-c", "1", "-t", "5") for script in ENDED]
    timeout = cluster.submit("alice", "sleep 300", "-c", "1", "-t", "1")
    cancelled = cluster.submit("alice", "sleep 300", "-c", "1", "-t", "5", "--hold")
    cluster.says("alice", "scancel", cancelled)
    cluster.wait_state(failed[0], "FAILED")
    for script, *options in WAITING:  # a later release refuses one of them at once
        cluster.run("alice", "sbatch", *options, f"--wrap={script}", check=False)
    cluster.submit("alice", "true", f"--dependency=afterok:{failed[0]}")
    running = cluster.submit("alice", "sleep 900", "-c", "1", "-t", "10")
    cluster.submit("alice", "true", f"--dependency=afterok:{running}")
    held = cluster.submit("alice", "true")
    cluster.says("root", "scontrol", "hold", held)
    tasks = cluster.submit("alice", "exit $SLURM_ARRAY_TASK_ID", "--array=0-2", "-c", "1", "-t", "5")
    unstarted = cluster.submit("alice", "true", "--array=1-3", "--hold")
    cluster.says("alice", "scancel", f"{unstarted}_2")
    cluster.wait_state(timeout, "TIMEOUT", timeout_s=120)
    cluster.accounted(tasks)
    cluster.accounted(timeout)

    def says(*argv: str) -> str:
        return cluster.run("alice", *argv).stdout

    def tries(options: tuple[str, ...], *more: str) -> str:
        done = cluster.run("alice", "sbatch", *more, *options, "--wrap=true", check=False)
        return f"$ {' '.join(options)}\n{done.stdout}{done.stderr}"

    assoc = f"format={','.join(ASSOCIATION_FIELDS)}"
    files = {
        "version": says("sinfo", "-V"),
        "nodes": says("sinfo", "-h", "-N", "-O", sinfo_format()),
        "partitions": says("scontrol", "-a", "-o", "show", "partition"),
        "config": says("scontrol", "show", "config"),
        "pending": says("squeue", "-h", "-a", "-t", "PENDING", "-O", queue_format()),
        "queue": says("squeue", "-h", "-r", "--me", "-t", "all", "-O", squeue_format()),
        "accounting": says("sacct", "-X", "-n", "-P", "-o", ",".join(SACCT_FIELDS)),
        "associations": says("sacctmgr", "-n", "-P", "show", "assoc", "where", "user=alice", assoc),
        "qos": says("sacctmgr", "-n", "-P", "show", "qos", f"format={','.join(QOS_FIELDS)}"),
        "estimates": "".join(tries(o, "--test-only") for o in ESTIMATES),
        "refusals": "".join(tries(o) for o in REFUSED),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)


HELD = (  # by whom, and what
    ("alice", "-p", "gpu", "-N", "2", "-n", "4", "--gpus-per-node=1"),
    ("alice", "-w", "c1", "-c", "2"),
    ("bob", "-w", "c1", "-c", "3"),
    ("bob", "-w", "g1", "-p", "gpu", "--gpus=a100:2"),
)
WANTED = (
    ("alice", "-p", "gpu", "--gpus=a100:4"),
    ("alice", "-p", "debug,gpu", "-w", "c1", "-c", "8"),
    ("alice", "--hold"),
    ("bob", "-p", "gpu", "--gpus=h100:2", "--array=1-3"),
)
# usage is counted up every minute, and weighs
WITH_SHARES = {"PriorityCalcPeriod": "1", "PriorityWeightFairshare": "10000", "PriorityWeightJobSize": "1000"}


def record_held(cluster: FullSlurm, folder: Path) -> None:
    """Let two users hold nodes and wait for them, while others are away."""
    cluster.says("root", "scontrol", "update", "nodename=c2", "state=drain", "reason=disk full, see | ticket")
    cluster.says("root", "scontrol", "update", "nodename=r1", "state=down", "reason=no power")
    held = [cluster.submit(user, "sleep 900", "-t", "30", *options) for user, *options in HELD]
    for job in held:
        cluster.wait_state(job, "RUNNING")
    for user, *options in WANTED:
        cluster.submit(user, "true", "-t", "10", *options)

    def says(*argv: str) -> str:
        return cluster.run("alice", *argv).stdout

    while says("sshare", "-P", "-h", "-U", "-o", "RawUsage").split() in ([], ["0"]):  # until it is counted up
        time.sleep(5)
    files = {
        "nodes": says("sinfo", "-h", "-N", "-O", sinfo_format()),
        "reasons": says("sinfo", "-h", "-N", "-R", "-O", reasons_format()),
        "jobs": says("squeue", "-h", "-r", "-a", "-t", "PD,R,CG", "-O", jobs_format()),
        "shares": says("sshare", "-h", "-P", "-o", ",".join(SHARE_FIELDS)),
        "priorities": says("sprio", "-h", "-u", "alice", "-o", priorities_format()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="jhr", dir="/tmp"))
    is_held = sys.argv[1] == "--held"
    folder, *more = sys.argv[2:] if is_held else sys.argv[1:]
    release = Release(more[0]).prepare() if more else None
    cluster = FullSlurm(directory, release=release, settings=WITH_SHARES if is_held else {})
    try:
        (record_held if is_held else record)(cluster.up(), Path(folder).absolute())
    finally:
        cluster.down()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
