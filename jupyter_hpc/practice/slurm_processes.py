"""The processes of a practice cluster: start them detached, find them, stop them by pid.

Nothing is found or stopped by name. A daemon is a pid in a pid file whose command line holds our
slurm.conf; a slurmstepd is whoever holds a socket in our spool; a job's process descends from one
of these, or has our slurm.conf and a node's name in its environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..model.exceptions import TargetError

_PROC = Path("/proc")

# A process in between, so that the daemon isn't a child of the kernel's: a kernel that shuts down
# ends its children, and one that goes on would owe them a wait().
_DETACH = """\
import os, subprocess, sys
with open(sys.argv[1], "wb") as log:
    child = subprocess.Popen(
        sys.argv[2:], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )
print(child.pid, flush=True)
os._exit(0)
"""


@dataclass(frozen=True)
class Process:
    """A pid and its start time, which together are never reused."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether it still runs; a zombie doesn't."""
        stat = _stat(self.pid)
        return stat is not None and stat[19] == self.started and stat[0] not in "ZX"


def start_detached(
    argv: list[str], *, log: Path, pid_file: Path, env: dict[str, str], prefix: Iterable[str] = ()
) -> None:
    """Start a daemon in its own session and note its pid.

    Parameters
    ----------
    argv : list of str
        The command, with its full path first.
    log : Path
        Where its output goes.
    pid_file : Path
        Where its pid goes.
    env : dict
        Its environment.
    prefix : iterable of str
        A command that leads elsewhere, such as into namespaces; the pid is the one there.
    """
    launcher = [*prefix, sys.executable, "-I", "-S", "-c", _DETACH, str(log), *argv]
    try:
        done = subprocess.run(launcher, env=env, capture_output=True, text=True, timeout=20, check=True, cwd="/")
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1:]
        raise TargetError(f"{argv[0]} could not be started: {' '.join(said)}") from error
    pid_file.write_text(done.stdout.strip(), encoding="ascii")


def daemon_of(pid_file: Path, conf: Path) -> Process | None:
    """The live daemon that a pid file names, if it is one of the cluster with this slurm.conf."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        command = _command_line(pid)
    except (OSError, ValueError):
        return None
    return _process(pid) if os.fsencode(conf) in command.split(b"\0") else None


def _command_line(pid: int) -> bytes:
    """The arguments of a process, NUL between them; in the midst of its exec it has none for a moment."""
    for _ in range(50):
        command = (_PROC / str(pid) / "cmdline").read_bytes()
        stat = _stat(pid)
        if command or stat is None or stat[0] in "ZX":
            break
        time.sleep(0.01)
    return command


def job_processes(confs: Iterable[Path], spool: Path) -> tuple[set[Process], set[Process]]:
    """The slurmstepds of a cluster, and the processes of its jobs.

    Parameters
    ----------
    confs : iterable of Path
        The cluster's slurm.conf, and the one of its daemons.
    spool : Path
        The folder that holds the slurmds' spools.

    Returns
    -------
    tuple of set
        The slurmstepds; everything that runs below them, or escaped from below them.
    """
    uid, sockets = os.getuid(), _sockets_below(spool)
    marks = {b"SLURM_CONF=" + os.fsencode(conf) for conf in confs}
    parents: dict[int, int] = {}
    steps, below = set(), set()
    for pid in _own_pids(uid):
        stat = _stat(pid)
        if stat is None:
            continue
        parents[pid] = int(stat[1])
        if sockets and sockets & _sockets_of(pid):
            steps.add(pid)
        elif marks & (variables := _environment(pid)) and any(
            entry.startswith(b"SLURMD_NODENAME=") for entry in variables
        ):
            below.add(pid)
    below |= _descendants(steps, parents)
    below -= steps | {os.getpid()}
    return _processes(steps), _processes(below)


def stop(processes: Iterable[Process], *, grace_s: float) -> bool:
    """SIGTERM, then SIGKILL for what is left after the grace; True once all are gone."""
    left = send(processes, signal.SIGTERM)
    left = wait_gone(left, timeout_s=grace_s)
    left = send(left, signal.SIGKILL)
    return not wait_gone(left, timeout_s=2)


def send(processes: Iterable[Process], number: signal.Signals) -> list[Process]:
    """Signal the processes that are alive, and return them."""
    alive = [process for process in processes if process.alive()]
    for process in alive:
        with suppress(ProcessLookupError, PermissionError):  # it ended, or is a set-uid program
            os.kill(process.pid, number)
    return alive


def wait_gone(processes: Iterable[Process], *, timeout_s: float) -> list[Process]:
    """Wait until the processes are gone; returns those that aren't."""
    deadline = time.monotonic() + timeout_s
    left = [process for process in processes if process.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if process.alive()]
    return left


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name: state, ppid, …; the start time is number 19."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _process(pid: int) -> Process | None:
    stat = _stat(pid)
    return Process(pid, stat[19]) if stat is not None else None


def _processes(pids: set[int]) -> set[Process]:
    return {process for pid in pids if (process := _process(pid)) is not None}


def _own_pids(uid: int) -> list[int]:
    pids = []
    for name in os.listdir(_PROC):
        with suppress(OSError):  # it ended meanwhile
            if name.isdigit() and uid in (
                0,
                (_PROC / name).stat().st_uid,
            ):  # root's cluster has anybody's jobs
                pids.append(int(name))
    return pids


def _environment(pid: int) -> set[bytes]:
    try:
        return set((_PROC / str(pid) / "environ").read_bytes().split(b"\0"))
    except OSError:  # ended, or another user's
        return set()


def _sockets_below(spool: Path) -> set[str]:
    """The inodes of the Unix sockets bound below a folder, as /proc/PID/fd shows them."""
    try:
        lines = (_PROC / "net" / "unix").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    rows = (line.split(None, 7) for line in lines)
    return {f"socket:[{row[6]}]" for row in rows if len(row) == 8 and row[7].startswith(f"{spool}/")}


def _sockets_of(pid: int) -> set[str]:
    found, folder = set(), f"{_PROC}/{pid}/fd"
    with suppress(OSError):  # ended, or not ours to look into
        for name in os.listdir(folder):
            with suppress(OSError):  # closed meanwhile
                found.add(os.readlink(f"{folder}/{name}"))
    return found


def _descendants(roots: set[int], parents: dict[int, int]) -> set[int]:
    found: set[int] = set()
    grew = bool(roots)
    while grew:
        more = {pid for pid, parent in parents.items() if (parent in roots or parent in found) and pid not in found}
        grew = bool(more)
        found |= more
    return found
