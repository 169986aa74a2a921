"""The process that holds a practice Kubernetes: its namespaces, and the end of them.

Run as a script, with the standard library only. The cluster lives in namespaces for processes, mounts
and the network, and in one control group; the first process of the namespace does nothing but wait. When it ends,
the kernel ends all others with it, and takes mounts and interfaces along; the keeper then removes the
control group. It does so when it is told to, and when the process on whose behalf it runs is gone.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_NEWNS, _NEWPID, _NEWNET = 0x00020000, 0x20000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_CGROUP = re.compile(r"jupyter_hpc-(\d+)-(\d+)")
MACHINE = "machine.json"
# What a kubelet wants the kernel to be set to. It finds it so, and the kernel stays as it is.
_SYSCTLS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
# Where containerd and kubelet keep their things. A node has its own, as a machine of its own would.
_OWN_FOLDERS = ("/var/lib", "/var/log", "/run")


def start_time(pid: int, proc: Path = Path("/proc")) -> str | None:
    """When a process started, in ticks; with its pid it names the process for good. None if it is gone."""
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    # a killed leader is a zombie while its other threads still hold its files and ports: num_threads counts them
    return None if fields[0] in "ZX" and int(fields[17]) <= 1 else fields[19]


def hierarchies() -> list[Path]:
    """The roots of all control group hierarchies."""
    lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    return [Path(row[1]) for row in (line.split() for line in lines) if row[2] in ("cgroup", "cgroup2")]


def make_cgroup(name: str) -> None:
    """Make a control group, below one that exists, in every hierarchy, ready to hold processes."""
    roots = hierarchies()
    for root in roots:
        folder = root / name
        if len(roots) == 1:  # version 2 alone; beside version 1 it has no controllers to give
            _pass_on(folder.parent, (root / "cgroup.controllers").read_text(encoding="ascii").split())
        folder.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (root / file).exists():  # version 1 starts with none, and lets no process in
                (folder / file).write_text((folder.parent / file).read_text(encoding="ascii"), encoding="ascii")


def _pass_on(folder: Path, controllers: list[str]) -> None:
    for controller in controllers:
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")
        except OSError:
            pass  # one that this machine reserves


def remove_cgroup(name: str) -> None:
    """Remove a control group with all below it; their processes are gone or on their way."""
    for root in hierarchies():
        folders = [Path(path) for path, _, _ in os.walk(root / name, topdown=False)]
        for folder in folders:
            deadline = time.monotonic() + 5
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.02)


def sweep_cgroups() -> None:
    """Remove the control groups of keepers that were killed before they could."""
    names = {child.name for root in hierarchies() for child in root.glob("jupyter_hpc-*")}
    for name in names:
        match = _CGROUP.fullmatch(name)
        if match and start_time(int(match[1])) != match[2]:
            remove_cgroup(name)


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _first_process(ready: int) -> None:
    """Be the namespace's first process: make it a machine of its own, then bury the dead."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    _unshare(_NEWNS | _NEWNET)
    _mount("--make-rprivate", "/")
    _mount("-t", "proc", "proc", "/proc")
    os.write(ready, b"1")
    os.close(ready)
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def keep(folder: Path, owner: int | None) -> None:
    """Hold the namespaces until told to stop, or until the owner is gone; then clean up.

    Parameters
    ----------
    folder : Path
        The cluster's state. It is removed at the end if there is an owner, who would have done so.
    owner : int, optional
        The process on whose behalf the cluster runs.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cgroup = f"jupyter_hpc-{os.getpid()}-{start_time(os.getpid())}"
    make_cgroup(cgroup)
    child = 0
    try:
        _unshare(_NEWPID)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                _first_process(writing)
            finally:
                os._exit(1)
        os.close(writing)
        if os.read(reading, 1):
            _announce(folder, child, cgroup)
            _wait(child, owner)
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        remove_cgroup(cgroup)
        (folder / MACHINE).unlink(missing_ok=True)
        if owner is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _announce(folder: Path, first: int, cgroup: str) -> None:
    described = {"first": first, "started": start_time(first), "keeper": os.getpid(), "cgroup": cgroup}
    draft = folder / f"{MACHINE}.tmp"
    draft.write_text(json.dumps(described), encoding="ascii")
    draft.rename(folder / MACHINE)


def _wait(child: int, owner: int | None) -> None:
    poll = select.poll()
    for pid in (child, owner):
        if pid is not None:
            try:
                poll.register(os.pidfd_open(pid), select.POLLIN)
            except ProcessLookupError:
                return
    poll.poll()


def hold_node(folder: Path) -> None:
    """Give the calling process the file systems of a node, and hold them until it is killed."""
    _unshare(_NEWNS)
    for name, value in _SYSCTLS.items():
        if Path("/proc/sys", name).exists():
            file = folder / "sysctl" / name.replace("/", ".")
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{value}\n", encoding="ascii")
            _mount("--bind", str(file), f"/proc/sys/{name}")
    for name in _OWN_FOLDERS:
        own = Path(f"{folder}{name}")
        own.mkdir(parents=True, exist_ok=True)
        _mount("--bind", str(own), name)
    (folder / "ready").touch()
    while True:
        signal.pause()


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
    else:
        hold_node(Path(sys.argv[2]))
