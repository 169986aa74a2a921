"""The practice cluster: a real Slurm, started and stopped for each test that needs one of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import jupyter_hpc
from jupyter_hpc import practice
from jupyter_hpc.model.exceptions import TargetError

needs_slurm = pytest.mark.skipif(
    bool(practice.missing_packages()), reason="the Debian package slurm-wlm isn't installed"
)


def short_directory() -> Path:
    """pytest's tmp_path is too long for a Unix socket's name."""
    return Path(tempfile.mkdtemp(prefix="jhp-", dir="/tmp"))


@pytest.fixture
def place() -> Iterator[Callable[[], Path]]:
    made: list[Path] = []

    def make() -> Path:
        made.append(short_directory())
        return made[-1]

    yield make
    for directory in made:
        practice.down(directory)
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A cluster that the tests leave as they found it."""
    directory = short_directory()
    practice.up(directory)
    yield directory
    practice.down(directory)
    shutil.rmtree(directory)


def slurm(directory: Path, *argv: str) -> str:
    env = {**os.environ, **practice.environment(directory)}
    done = subprocess.run(argv, env=env, cwd=directory, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.strip()


def submit(directory: Path, script: str, *options: str) -> str:
    out = f"--output={directory}/%j.txt"
    return slurm(directory, "sbatch", "--parsable", out, *options, f"--wrap={script}")


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def output_of(directory: Path, job: str) -> str:
    def state() -> str:
        return slurm(directory, "squeue", "-h", "-t", "all", "-j", job, "-o", "%T")

    wait_until(lambda: state() not in {"PENDING", "RUNNING", "COMPLETING"}, f"the end of {job}")
    assert state() == "COMPLETED"
    return (directory / f"{job}.txt").read_text()


def processes_with(text: str) -> list[int]:
    """Pids whose command line or environment holds the text; none of pytest's own."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            seen = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in seen:
            found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether it runs; a zombie, which waits for init only, doesn't."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def pid_of(directory: Path, daemon: str) -> int:
    return int((directory / f"{daemon}.pid").read_text())


@needs_slurm
def test_status_names_what_runs(shared: Path) -> None:
    found = practice.status(shared)
    assert found.running
    assert found.directory == shared
    assert found.conf == shared / "slurm.conf"
    assert found.nodes == ("c1", "g1")
    assert found.version and found.version in slurm(shared, "sinfo", "-V")
    assert found.version in found.detail and "c1 and g1" in found.detail
    assert shared.stat().st_mode & 0o777 == 0o700


@needs_slurm
def test_nodes_and_partitions_are_as_documented(shared: Path) -> None:
    rows = slurm(shared, "sinfo", "-h", "-N", "-o", "%N %R %c %m %G %l").splitlines()
    assert sorted(rows) == [
        "c1 debug 8 16000 (null) 1-00:00:00",
        "g1 debug 16 64000 gpu:a100:4 1-00:00:00",
        "g1 gpu 16 64000 gpu:a100:4 1-00:00:00",
    ]


@needs_slurm
def test_job_completes(shared: Path) -> None:
    job = submit(shared, "echo on $SLURMD_NODENAME")
    assert output_of(shared, job) == "on c1\n"


@needs_slurm
def test_srun_in_a_job(shared: Path) -> None:
    job = submit(shared, "timeout 10 srun sh -c 'echo $SLURMD_NODENAME' | sort", "--nodes=2")
    assert output_of(shared, job).split() == ["c1", "g1"]


@needs_slurm
def test_gpus_are_granted(shared: Path) -> None:
    script = "echo $CUDA_VISIBLE_DEVICES $SLURM_JOB_GPUS $SLURMD_NODENAME"
    job = submit(shared, script, "--gres=gpu:a100:2", "--partition=gpu")
    assert output_of(shared, job) == "0,1 0,1 g1\n"


@needs_slurm
def test_up_again_changes_nothing(shared: Path) -> None:
    before = [pid_of(shared, name) for name in ("slurmctld", "slurmd.c1", "slurmd.g1")]
    assert practice.up(shared) == practice.status(shared)
    assert [pid_of(shared, name) for name in ("slurmctld", "slurmd.c1", "slurmd.g1")] == before


@needs_slurm
def test_daemons_listen_on_loopback_only(shared: Path) -> None:
    conf = (shared / "slurm.conf").read_text()
    ports = {int(word.partition("=")[2]) for word in conf.split() if "Port=" in word}
    assert len(ports) == 3
    listening = {}
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, port = row.split()[1].split(":")
        if row.split()[3] == "0A":
            listening[int(port, 16)] = address
    # little-endian: the last byte is the address's first
    assert {listening[port][-2:] for port in ports} == {"7F"}


@needs_slurm
def test_environment_leads_to_the_cluster(place: Callable[[], Path]) -> None:
    directory = place()
    with pytest.raises(TargetError, match="No practice cluster runs"):
        practice.environment(directory)
    practice.up(directory)
    assert practice.environment(directory) == {"SLURM_CONF": str(directory / "slurm.conf")}


@needs_slurm
def test_two_clusters_at_once(shared: Path, place: Callable[[], Path]) -> None:
    other = place()
    practice.up(other)
    first, second = (submit(d, "echo $SLURM_CONF") for d in (shared, other))
    assert str(shared) in output_of(shared, first)
    assert str(other) in output_of(other, second)
    assert practice.down(other)
    assert practice.status(shared).running


@needs_slurm
def test_simultaneous_starts_make_one_cluster(place: Callable[[], Path]) -> None:
    directory = place()
    script = "import sys, pathlib; from jupyter_hpc import practice; "
    script += "practice.up(pathlib.Path(sys.argv[1]))"
    root = Path(jupyter_hpc.__file__).parent.parent
    argv = [sys.executable, "-c", script, str(directory)]
    starts = [subprocess.Popen(argv, cwd=root) for _ in range(4)]
    assert [start.wait(timeout=200) for start in starts] == [0] * 4
    controllers = [
        pid for pid in processes_with(str(directory)) if b"slurmctld\0-D" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert controllers == [pid_of(directory, "slurmctld")]


@needs_slurm
def test_down_leaves_no_process(shared: Path, place: Callable[[], Path]) -> None:
    directory = place()
    practice.up(directory)
    # a job that ignores SIGTERM, a child in its own session, and one that lost its environment
    script = """
    trap '' TERM
    setsid sleep 4321 & setsid env -i sleep 4322 & echo $!
    while :; do sleep 0.1; done
    """
    job = submit(directory, script)
    log = directory / f"{job}.txt"
    wait_until(lambda: log.exists() and log.read_text().endswith("\n"), "the job's start")
    lost = int(log.read_text())
    assert alive(lost)
    assert len(processes_with(str(directory))) >= 5

    assert practice.down(directory)

    wait_until(lambda: not processes_with(str(directory)), "the end of all processes")
    assert not alive(lost)
    assert not (directory / "spool").exists()
    assert not list(directory.glob("*.pid"))
    assert not practice.status(directory).running
    assert practice.down(directory) is False
    assert practice.status(shared).running


@needs_slurm
def test_up_repairs_after_kill(place: Callable[[], Path]) -> None:
    directory = place()
    practice.up(directory)
    first = submit(directory, "true")
    killed = pid_of(directory, "slurmctld")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not practice.status(directory).running, "the end of slurmctld")
    found = practice.status(directory)
    assert found.conf is None and found.nodes == ()
    assert "slurmctld died" in found.detail

    assert practice.up(directory).running
    assert pid_of(directory, "slurmctld") != killed
    second = submit(directory, "echo again")
    assert int(second) > int(first)  # an id never means two jobs
    assert output_of(directory, second) == "again\n"


@needs_slurm
def test_running_conf_is_found_without_starting_a_process(
    shared: Path, place: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_HPC_PRACTICE_DIR", str(shared))
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", None)
        assert practice.find_running_conf() == shared / "slurm.conf"
    monkeypatch.setenv("JUPYTER_HPC_PRACTICE_DIR", str(place()))
    assert practice.find_running_conf() is None


def test_pid_of_another_process_is_left_alone(place: Callable[[], Path]) -> None:
    directory = place()
    (directory / "practice.lock").touch()
    with subprocess.Popen(["sleep", "60"]) as other:
        (directory / "slurmctld.pid").write_text(str(other.pid))
        assert not practice.status(directory).running
        assert practice.down(directory) is False
        assert other.poll() is None
        other.kill()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, place: Callable[[], Path]) -> None:
    monkeypatch.setenv("PATH", "")
    assert "slurm-wlm" in practice.missing_packages()
    with pytest.raises(TargetError) as caught:
        practice.up(place())
    assert "sbatch" in caught.value.message and "PATH" in caught.value.message
    assert "apt-get install -y --no-install-recommends slurm-wlm" in caught.value.hint


@needs_slurm
def test_failed_start_shows_the_log(place: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    directory = place()
    write = practice.slurm_cluster.write_configuration

    def broken(where: Path, **settings: object) -> Path:
        conf = write(where, **settings)  # type: ignore[arg-type]
        conf.write_text(conf.read_text() + "SelectType=select/nonesuch\n")
        return conf

    monkeypatch.setattr(practice.slurm_cluster, "write_configuration", broken)
    with pytest.raises(TargetError, match=r"slurmctld ended(.|\n)*nonesuch"):
        practice.up(directory)
    assert not processes_with(str(directory))


@needs_slurm
def test_foreign_or_long_directories_are_refused(place: Callable[[], Path]) -> None:
    full = place()
    (full / "dev").mkdir()
    (full / "dev" / "thesis.tex").write_text("years of work")
    with pytest.raises(TargetError, match="holds other files"):
        practice.up(full)
    assert practice.down(full) is False
    assert (full / "dev" / "thesis.tex").exists()
    with pytest.raises(TargetError, match="at most 72"):
        practice.up(full / ("long" * 20))


def test_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_HPC_PRACTICE_DIR", "/somewhere/else")
    assert practice.practice_root() == Path("/somewhere/else")
    monkeypatch.delenv("JUPYTER_HPC_PRACTICE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert practice.practice_root() == Path("/caches/jupyter_hpc/practice")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert practice.practice_root() == Path("/home/someone/.cache/jupyter_hpc/practice")


def test_cgroup_plugin_follows_the_release(place: Callable[[], Path]) -> None:
    for version, plugin in [((22, 5), "cgroup/v1"), ((24, 5), "disabled"), ((26, 5), "disabled")]:
        directory = place()
        practice.slurm_cluster.write_configuration(
            directory, version=version, address="127.0.0.1", ports=[1, 2, 3], first_job_id=1
        )
        assert (directory / "cgroup.conf").read_text() == f"CgroupPlugin={plugin}\n"


UNPRIVILEGED = """
import os, subprocess, sys
from pathlib import Path
from jupyter_hpc import practice

assert os.getuid() == 65534
assert "CapEff:\\t0000000000000000" in Path("/proc/self/status").read_text()
try:
    found = practice.up()
    assert found.directory == Path.home() / ".cache/jupyter_hpc/practice", found
    env = {**os.environ, **practice.environment()}
    out = found.directory.parent / "out.txt"
    argv = ["sbatch", "--wait", "--gres=gpu:1", f"--output={out}", "--chdir=/tmp"]
    subprocess.run([*argv, "--wrap=id -u; srun id -u"], env=env, check=True, timeout=120, stdout=2)
    print(out.read_text().split(), practice.find_running_conf() == found.conf)
finally:
    print(practice.down())
"""


@needs_slurm
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to become another user")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs util-linux's setpriv")
def test_user_without_capabilities(place: Callable[[], Path]) -> None:
    home = place()
    package = Path(jupyter_hpc.__file__).parent
    copy = home / "jupyter_hpc"  # only what this needs: the user's Python has no dependencies
    shutil.copytree(package / "practice", copy / "practice")
    (copy / "model").mkdir()
    for name in ("exceptions.py", "printable.py"):
        shutil.copy(package / "model" / name, copy / "model")
    for folder in (copy, copy / "model"):
        (folder / "__init__.py").touch()
    os.chown(home, 65534, 65534)
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(home)}
    argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, "-B", "-c"]
    done = subprocess.run(
        [*argv, textwrap.dedent(UNPRIVILEGED)],
        env=env,
        cwd="/tmp",
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['65534', '65534'] True\nTrue\n"
