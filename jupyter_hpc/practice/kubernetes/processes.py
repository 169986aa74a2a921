"""The namespaces of a practice Kubernetes from outside: start programs in them, find them, end them.

Pids in here are the namespace's own. They are looked up in the namespace's ``/proc``, so that a pid
that means something else outside is never touched.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...model.exceptions import TargetError
from ...practice.slurm_processes import start_detached
from . import keeper

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": _PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp"}  # noqa: S108 - theirs


@dataclass(frozen=True)
class Machine:
    """The namespaces that a keeper holds, while it does.

    Parameters
    ----------
    folder : Path
        The cluster's state.
    first : int
        The pid of the namespace's first process, as seen from outside.
    started : str
        When it started.
    keeper : int
        The keeper's pid.
    cgroup : str
        The name of the control group that all containers are in.
    """

    folder: Path
    first: int
    started: str
    keeper: int
    cgroup: str

    @classmethod
    def find(cls, folder: Path) -> Machine | None:
        """The machine whose state is in this folder, if it is up."""
        try:
            described = json.loads((folder / keeper.MACHINE).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        found = cls(folder, **described)
        return found if keeper.start_time(found.first) == found.started else None

    @classmethod
    def create(cls, folder: Path, owner: int | None) -> Machine:
        """Start a keeper, which ends the machine when the owner, a process, is gone."""
        keeper.sweep_cgroups()
        argv = [sys.executable, "-I", "-S", keeper.__file__, "keep", str(folder)]
        log = folder / "keeper.log"
        start_detached(
            argv + ([str(owner)] if owner else []),
            log=log,
            pid_file=folder / "keeper.pid",
            env=ENVIRONMENT,
        )
        pid = int((folder / "keeper.pid").read_text(encoding="ascii"))
        deadline = time.monotonic() + 20
        while (found := cls.find(folder)) is None:
            if keeper.start_time(pid) is None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
                raise TargetError(f"The namespaces of a practice Kubernetes can't be made: {' '.join(said)}")
            time.sleep(0.02)
        return found

    def destroy(self) -> None:
        """End everything in it, and wait until nothing is left."""
        started = keeper.start_time(self.keeper)
        try:
            os.kill(self.keeper, signal.SIGTERM)
        except ProcessLookupError:  # killed; the first process went with it
            pass
        deadline = time.monotonic() + 30
        while started and keeper.start_time(self.keeper) == started and time.monotonic() < deadline:
            time.sleep(0.02)
        keeper.remove_cgroup(self.cgroup)

    def run(self, *argv: str, node: str | None = None, check: bool = True) -> str:
        """Run a command in the machine, or with the file systems of one of its nodes.

        Raises
        ------
        TargetError
            When it fails, with what it said.
        """
        done = subprocess.run(
            [*self._enter(node), *argv],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check and done.returncode:
            said = (done.stderr or done.stdout).strip()[-600:]
            raise TargetError(f"{' '.join(argv[:4])} failed in the practice Kubernetes: {said}")
        return done.stdout

    def start(self, name: str, argv: Sequence[str], *, node: str | None = None) -> None:
        """Start a program that stays; its output goes to ``NAME.log``, beside what it said before."""
        log = self.folder / f"{name}.log"
        if log.exists():
            log.rename(log.with_suffix(".log.old"))
        pid_file = self.folder / f"{name}.pid"
        start_detached(list(argv), log=log, pid_file=pid_file, env=ENVIRONMENT, prefix=self._enter(node))
        pid = int(pid_file.read_text(encoding="ascii"))
        pid_file.write_text(f"{pid} {self._start_time(pid)}", encoding="ascii")

    def wait(
        self,
        condition: Callable[[], bool],
        name: str,
        what: str,
        *,
        timeout_s: float = 60,
        every_s: float = 0.05,
    ) -> None:
        """Wait for a condition that a program brings about, while that program lives.

        Raises
        ------
        TargetError
            When it dies or takes too long, with the end of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            alive = self.running(name)
            if not alive or time.monotonic() > deadline:
                how = (
                    f"{name} took over {timeout_s:g} s for {what}" if alive else f"{name} ended before {what} was there"
                )
                raise TargetError(
                    f"The practice Kubernetes in {self.folder.parent} is not complete: {how}. "
                    f"{name}.log ends with:\n{self.tail(name)}"
                )
            time.sleep(every_s)

    def path(self, name: str, node: str) -> Path:
        """Where an absolute path of a node's file systems is for us."""
        return self._proc / str(self._pid(node)) / "root" / name.lstrip("/")

    def running(self, name: str) -> bool:
        """Whether a program that was started is alive."""
        return self._pid(name) is not None

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL, *, timeout_s: float = 15) -> None:
        """Send a program a signal, and wait until it is gone."""
        pid = self._pid(name)
        if pid is None:
            return
        outside = self._outside(pid)
        if outside is not None:
            os.kill(outside, number)
        deadline = time.monotonic() + timeout_s
        while self.running(name):
            if time.monotonic() > deadline:
                raise TargetError(f"{name} of the practice Kubernetes did not end in {timeout_s:g} s.")
            time.sleep(0.02)

    def tail(self, name: str) -> str:
        """The end of a program's log."""
        try:
            text = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(line[:400] for line in text.splitlines()[-8:])

    @property
    def _proc(self) -> Path:
        return Path(f"/proc/{self.first}/root/proc")

    def _enter(self, node: str | None) -> list[str]:
        holder = self._pid(node) if node else 1
        if holder is None:
            raise TargetError(f"{node} of the practice Kubernetes has no file systems: its holder died.")
        kinds = ((1, "pid"), (1, "net"), (holder, "mnt"))
        options = {"pid": "--pid", "net": "--net", "mnt": "--mount"}
        return ["nsenter", *(f"{options[kind]}={self._proc}/{pid}/ns/{kind}" for pid, kind in kinds), "--"]

    def _pid(self, name: str) -> int | None:
        try:
            pid, started = (self.folder / f"{name}.pid").read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        return int(pid) if self._start_time(int(pid)) == started else None

    def _start_time(self, pid: int) -> str | None:
        return keeper.start_time(pid, self._proc)

    def _outside(self, pid: int) -> int | None:
        """The pid of one of the machine's processes as seen from outside."""
        namespace = os.readlink(f"/proc/{self.first}/ns/pid")
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{name}/ns/pid") != namespace:
                    continue
                status = Path(f"/proc/{name}/status").read_text(encoding="utf-8", errors="replace")
            except OSError:  # ended meanwhile
                continue
            own = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[-1]
            if int(own) == pid:
                return int(name)
        return None
