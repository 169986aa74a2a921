"""Start, stop and look at the practice cluster.

Everything lives in one directory of the user's, and the daemons run as the user. ``auth/none``
trusts whoever reaches the ports, so they are open on loopback only; on a host that several people
share, these could still submit jobs as you: take the cluster down when it isn't used.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..model.exceptions import TargetError
from .slurm_conf import (
    COMMANDS_CONF,
    DAEMONS_CONF,
    NODES,
    PARTITIONS,
    free_ports,
    host_name,
    own_address,
    write_configuration,
)
from .slurm_processes import (
    Process,
    daemon_of,
    job_processes,
    send,
    start_detached,
    stop,
    wait_gone,
)

_LOCK = "practice.lock"  # also the mark of a directory that is ours to clean
_DAEMONS = ("slurmctld", *(f"slurmd.{node.name}" for node in NODES))
_COMMANDS = ("slurmctld", "slurmd", "sbatch", "sinfo")
_PATH_LIMIT = 72  # the slurmstepd's socket lies 31 characters deeper, and may have 107
_JOB_IDS_PER_START = 10_000  # each start counts from higher, so that an id never means two jobs
_LAST_JOB_ID = 60_000_000


@dataclass(frozen=True)
class PracticeStatus:
    """What there is of a practice cluster; ``detail`` says it in a sentence."""

    running: bool
    directory: Path
    conf: Path | None  # what its clients want: slurm.conf, kubeconfig
    nodes: tuple[str, ...]
    version: str
    detail: str


def practice_root() -> Path:
    """The default cluster's directory: $JUPYTER_HPC_PRACTICE_DIR, or one in the user's cache."""
    chosen = os.environ.get("JUPYTER_HPC_PRACTICE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "jupyter_hpc" / "practice"


def up(directory: Path | None = None, *, timeout_s: float = 30) -> PracticeStatus:
    """Start the cluster, and wait until its nodes are idle.

    Does nothing when it runs already. What is left of one that died is stopped and cleaned first.

    Parameters
    ----------
    directory : Path, optional
        Where it lives; `practice_root` by default.
    timeout_s : float
        How long to wait for the nodes.

    Returns
    -------
    PracticeStatus

    Raises
    ------
    TargetError
        When Slurm isn't installed, or doesn't start.
    """
    where = _directory(directory)
    deadline = time.monotonic() + timeout_s
    _require_packages()
    _prepare(where)
    with _lock(where, timeout_s=timeout_s):
        found = status(where)
        if found.running:
            return found
        _stop_everything(where)
        for attempt in range(3):
            _clean(where)
            try:
                _start(where, deadline=deadline)
                break
            except TargetError as error:
                _stop_everything(where)
                if attempt == 2 or "already in use" not in error.message:
                    raise
        return status(where)


def down(directory: Path | None = None) -> bool:
    """Stop the cluster and its jobs, by pid, and remove its state; its logs stay.

    Parameters
    ----------
    directory : Path, optional
        Where it lives; `practice_root` by default.

    Returns
    -------
    bool
        Whether something was stopped.
    """
    where = _directory(directory)
    if not (where / _LOCK).exists():
        return False
    with _lock(where, timeout_s=3):
        stopped = _stop_everything(where)
        _clean(where)
    return stopped


def status(directory: Path | None = None) -> PracticeStatus:
    """Whether the cluster runs; looks at its processes only, so it is quick."""
    where = _directory(directory)
    alive = [name for name in _DAEMONS if _daemon(where, name)]
    dead = [name for name in _DAEMONS if name not in alive]
    version = _read(where / "version") if alive else ""
    names = tuple(node.name for node in NODES)
    if not alive:
        detail = f"No practice cluster runs in {where}."
    elif dead:
        detail = f"The practice cluster in {where} is broken: {', '.join(dead)} died."
    else:
        detail = (
            f"Slurm {version} runs in {where}, with the nodes {' and '.join(names)} "
            f"and the partitions {' and '.join(PARTITIONS)}."
        )
    running = not dead
    return PracticeStatus(
        running,
        where,
        where / COMMANDS_CONF if running else None,
        names if running else (),
        version,
        detail,
    )


def environment(directory: Path | None = None) -> dict[str, str]:
    """The variables that lead Slurm's commands to the cluster.

    Raises
    ------
    TargetError
        When it doesn't run.
    """
    found = status(directory)
    if not found.running:
        raise TargetError(found.detail, hint="Start it with: jupyter-hpc practice up")
    return {"SLURM_CONF": str(found.conf)}


def missing_packages() -> list[str]:
    """The Debian packages that the cluster still needs; empty when all are there."""
    missing = [] if all(_find(command) for command in _COMMANDS) else ["slurm-wlm"]
    if own_address() is None and _name_wrapper() is None:
        missing.append("libnss-wrapper")
    return missing


def find_running_conf() -> Path | None:
    """The default cluster's slurm.conf if any of its daemons is alive; cheap enough to ask always.

    One whose controller died is still the cluster: it can come back, and has jobs that run.
    """
    where = _directory(None)
    return where / COMMANDS_CONF if any(_daemon(where, name) for name in _DAEMONS) else None


def _directory(directory: Path | None) -> Path:
    return (directory or practice_root()).expanduser().resolve()


def _daemon(where: Path, name: str) -> Process | None:
    return daemon_of(where / f"{name}.pid", where / DAEMONS_CONF)


def _find(command: str) -> str | None:
    return shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin")


def _name_wrapper() -> str | None:
    """The library that makes the host's name lead to loopback, for hosts where it doesn't."""
    found = sorted(Path("/usr").glob("lib*/**/libnss_wrapper.so"))
    return str(found[0]) if found else None


def _require_packages() -> None:
    missing = missing_packages()
    if not missing:
        return
    absent = [command for command in _COMMANDS if not _find(command)]
    if absent:
        looked = f"Slurm isn't installed: {', '.join(absent)} is neither on PATH nor in /usr/sbin."
    else:
        looked = (
            f"The host name {host_name()} leads to the network, where a practice cluster must not "
            "listen, and libnss_wrapper.so isn't in /usr/lib to lead it to 127.0.0.1."
        )
    command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    raise TargetError(looked, hint=f"On Debian or Ubuntu, as root: {command}")


def _prepare(where: Path) -> None:
    if len(str(where)) > _PATH_LIMIT or not re.fullmatch(r"[\w./+@-]+", str(where), re.ASCII):
        raise TargetError(
            f"A practice cluster can't live in {where}: Slurm wants at most {_PATH_LIMIT} plain "
            "characters, and no spaces.",
            hint="Set JUPYTER_HPC_PRACTICE_DIR to a shorter path, for example below /tmp.",
        )
    try:
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        alone = (info := where.stat()).st_uid == os.getuid() and not info.st_mode & 0o022  # /tmp is for all
        ours = alone and (not any(where.iterdir()) or (where / _LOCK).exists())
        if ours:
            where.chmod(0o700)
            (where / _LOCK).touch(mode=0o600)  # before anything else: there may be a start beside this one
    except OSError as error:
        raise TargetError(f"A practice cluster can't live in {where}: {error.strerror}.") from error
    if not ours:
        raise TargetError(
            f"A practice cluster can't live in {where}: it holds other files, or others can write in it.",
            hint="Set JUPYTER_HPC_PRACTICE_DIR to an empty directory of your own.",
        )


@contextmanager
def _lock(where: Path, *, timeout_s: float) -> Iterator[None]:
    """One start or stop at a time, whichever process asks."""
    deadline = time.monotonic() + timeout_s
    with (where / _LOCK).open("a", encoding="ascii") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    message = f"Another process starts or stops the practice cluster in {where}."
                    raise TargetError(message, hint="Try again in some seconds.") from error
                time.sleep(0.05)
        yield


def start_again(name: str, directory: Path | None = None, *, timeout_s: float = 30) -> None:
    """Start a daemon of the cluster that was stopped or killed, with the state that it left.

    Parameters
    ----------
    name : str
        ``slurmctld``, or ``slurmd.`` and a node's name.
    directory : Path, optional
        Where the cluster lives; `practice_root` by default.
    """
    where = _directory(directory)
    _start_daemon(where, name, _command_of(where, name), _environment_and_address(where)[0])
    _wait_idle(where, deadline=time.monotonic() + timeout_s, also={"mix", "alloc", "comp", "plnd", "resv"})


def daemon_pid(name: str, directory: Path | None = None) -> int | None:
    """The pid of a live daemon of the cluster, by its name as for `start_again`."""
    process = _daemon(_directory(directory), name)
    return process.pid if process else None


def _environment_and_address(where: Path) -> tuple[dict[str, str], str]:
    """The daemons' environment, and the address on which they listen."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH_", "SRUN_"))}
    address = own_address()
    if address is None:
        address = "127.0.0.1"
        hosts = where / "hosts"
        names = " ".join(dict.fromkeys((socket.gethostname(), host_name())))
        hosts.write_text(f"127.0.0.1 localhost {names}\n", encoding="ascii")
        env.update(LD_PRELOAD=_name_wrapper() or "", NSS_WRAPPER_HOSTS=str(hosts))
    return env, address


def _command_of(where: Path, name: str) -> list[str]:
    program, _, node = name.partition(".")
    argv = [_find(program) or program, "-D", *(["-N", node] if node else [])]
    return [*argv, "-f", str(where / DAEMONS_CONF)]


def _start(where: Path, *, deadline: float) -> None:
    env, address = _environment_and_address(where)
    version = _installed_version(_find("slurmctld") or "slurmctld")
    ports = free_ports(address, len(_DAEMONS))
    write_configuration(
        where,
        version=(int(version.split(".")[0]), int(version.split(".")[1])),
        address=address,
        ports=ports,
        first_job_id=_next_first_job_id(where),
    )
    (where / "version").write_text(version, encoding="ascii")
    _start_daemon(where, "slurmctld", _command_of(where, "slurmctld"), env)
    _wait_listening(where, (address, ports[0]), deadline=deadline)
    for name in _DAEMONS[1:]:
        _start_daemon(where, name, _command_of(where, name), env)
    _wait_idle(where, deadline=deadline)


def _start_daemon(where: Path, name: str, argv: list[str], env: dict[str, str]) -> None:
    start_detached(argv, log=where / f"{name}.out", pid_file=where / f"{name}.pid", env=env)


def _wait_listening(where: Path, address: tuple[str, int], *, deadline: float) -> None:
    """Before the controller listens, a client of Slurm's would wait for whole seconds."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            if probe.connect_ex(address) == 0:
                return
        _check(where, ("slurmctld",), deadline=deadline)
        time.sleep(0.02)


def _wait_idle(where: Path, *, deadline: float, also: Collection[str] = ()) -> None:
    argv = [_find("sinfo") or "sinfo", "-h", "-N", "-p", PARTITIONS[0], "-o", "%t %E"]  # state, and why
    env = {**os.environ, "SLURM_CONF": str(where / COMMANDS_CONF)}
    while True:
        try:
            done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=5, check=False)
            states = done.stdout.splitlines()
            if len(states) == len(NODES) and all(state.split()[0] in {"idle", *also} for state in states):
                return
        except subprocess.TimeoutExpired:
            states = ["no answer"]  # the controller may be dying: the check below says so
        _check(where, _DAEMONS, deadline=deadline, late=f"the nodes did not become idle in time: {states}")
        time.sleep(0.03)


def _check(where: Path, names: tuple[str, ...], *, deadline: float, late: str = "it was not ready in time") -> None:
    """Raise when a daemon died or the time is over, with what its log says."""
    died = [name for name in names if not _daemon(where, name)]
    if not died and time.monotonic() < deadline:
        return
    name = (died or list(names))[-1]
    what = f"{name} ended" if died else late
    log = where / f"{name}.out"
    tail = "\n".join(_read(log).splitlines()[-8:])
    raise TargetError(
        f"The practice cluster in {where} did not start: {what}. {log.name} ends with:\n{tail}",
        hint=f"The logs are {where}/*.out; jupyter-hpc practice up tries again.",
    )


def _installed_version(controller: str) -> str:
    try:
        said = subprocess.run([controller, "-V"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise TargetError(f"{controller} -V does not work: {error}.") from error
    match = re.search(r"\d+\.\d+[.\w-]*", said)
    if match is None:
        raise TargetError(f"{controller} -V prints no version: {said.strip()!r}.")
    return match[0]


def _next_first_job_id(where: Path) -> int:
    last = _read(where / "first_job_id")
    number = int(last) + _JOB_IDS_PER_START if last.isdigit() else 1
    number = number if number < _LAST_JOB_ID else 1
    (where / "first_job_id").write_text(str(number), encoding="ascii")
    return number


def _stop_everything(where: Path) -> bool:
    """Daemons first, so that no job starts; jobs get two seconds; then the slurmstepds."""
    confs, spool = (where / COMMANDS_CONF, where / DAEMONS_CONF), where / "spool"
    found = [_daemon(where, name) for name in _DAEMONS]
    daemons: set[Process] = {process for process in found if process is not None}
    steps, jobs = job_processes(confs, spool)
    send(daemons, signal.SIGTERM)
    stop(jobs, grace_s=2)
    stop(daemons, grace_s=2)
    late_steps, late_jobs = job_processes(confs, spool)
    left = send(steps | late_steps | late_jobs, signal.SIGKILL)
    wait_gone(left, timeout_s=1)
    return bool(daemons or steps or jobs)


def _clean(where: Path) -> None:
    for folder in ("state", "spool", "dev"):
        shutil.rmtree(where / folder, ignore_errors=True)
    confs = (COMMANDS_CONF, DAEMONS_CONF, "gres.conf", "cgroup.conf")
    files = (*confs, "task_prolog", "hosts", "version")
    for name in (*files, *(f"{daemon}.pid" for daemon in _DAEMONS)):
        (where / name).unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
