"""The daemons of the full Slurm: how each is started, where it listens, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from jupyter_hpc.practice.slurm_processes import Process, send, wait_gone

from . import namespaces
from .configuration import ADDRESS, NODES
from .owners import launch, launched

DAEMONS = ("munged", "mariadbd", "slurmdbd", "slurmctld", *(f"slurmd.{node.name}" for node in NODES))


class Daemons:
    """Starts and ends the daemons of the cluster in one folder.

    Parameters
    ----------
    directory : Path
        The cluster's folder.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.conf = directory / "slurm.conf"
        memory = Path("/dev/shm")  # a database on a disk takes seconds more to make
        self._database = memory / "-".join(directory.parts[1:]) if os.access(memory, os.W_OK) else directory / "db"

    def start(self, name: str, *, deadline: float | None = None) -> None:
        """Start a daemon, and wait until it listens."""
        if not self.alive(name):
            self._launch(name)
        where = self._listens_at(name)
        self._wait(lambda: _connects(where), "it does not listen", (name,), deadline or time.monotonic() + 30)

    def stop(self, name: str) -> None:
        """Ask a daemon to end, and wait until it has."""
        self._end(name, signal.SIGTERM)

    def kill9(self, name: str) -> None:
        """Kill a daemon; a slurmd's jobs go on."""
        self._end(name, signal.SIGKILL)

    def pid(self, name: str) -> int:
        found = self._process(name)
        if found is None:
            raise LookupError(f"{name} doesn't run")
        return found.pid

    def alive(self, name: str) -> bool:
        return self._process(name) is not None

    def _end(self, name: str, number: signal.Signals) -> None:
        found = self._process(name)
        if found and wait_gone(send([found], number), timeout_s=20):
            raise TimeoutError(f"{name} outlives {number.name}")

    def _process(self, name: str) -> Process | None:
        return launched(self.directory / "run" / name)

    def _launch(self, name: str) -> None:
        kept = ("PATH", "LANG", "TZ")
        env = {k: v for k, v in os.environ.items() if k in kept}
        env["PATH"] = f"{env.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        env |= {"SLURM_CONF": str(self.conf), "MYSQL_UNIX_PORT": str(self._database / "socket")}
        log, pid_file = self.directory / "log" / f"{name}.out", self.directory / "run" / name
        launch([*self._around(name), *self._argv(name)], log=log, pid_file=pid_file, env=env)

    def _around(self, name: str) -> list[str]:
        if name.startswith("slurmd."):
            node = next(node for node in NODES if name == f"slurmd.{node.name}")
            return namespaces.on_node(self.directory, far=node.far)
        return namespaces.inside(self.directory, "daemon")

    def _argv(self, name: str) -> list[str]:
        munge, database = self.directory / "munge", self._database
        if name == "munged":
            files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log"}
            files["seed-file"] = "seed"
            return ["munged", "--foreground", "--force", *(f"--{k}={munge}/{v}" for k, v in files.items())]
        if name == "mariadbd":
            options = ["--no-defaults", "--user=root", "--skip-networking", "--skip-log-bin"]
            options += [f"--datadir={database}", f"--socket={database}/socket", f"--pid-file={database}/pid"]
            options += ["--loose-innodb_snapshot_isolation=OFF", "--innodb-flush-log-at-trx-commit=0"]
            return ["mariadbd", *options]
        if name.startswith("slurmd."):
            return ["slurmd", "-D", "-N", name.partition(".")[2], "-f", str(self.conf)]
        return [name, "-D", *(["-f", str(self.conf)] if name == "slurmctld" else [])]

    def _listens_at(self, name: str) -> str | tuple[str, int]:
        if name == "munged":
            return str(self.directory / "munge" / "socket")
        if name == "mariadbd":
            return str(self._database / "socket")
        return (ADDRESS, self._port(name))

    def _port(self, name: str) -> int:
        """Read from slurm.conf, as another process may have started the cluster."""
        word = {"slurmctld": "SlurmctldPort=", "slurmdbd": "AccountingStoragePort="}.get(name)
        for line in self.conf.read_text().splitlines():
            if word and line.startswith(word):
                return int(line.removeprefix(word))
            if line.startswith(f"NodeName={name.partition('.')[2]} "):
                return int(line.partition(" Port=")[2].split()[0])
        raise LookupError(name)

    def _wait(self, condition: Callable[[], bool], what: str, names: Sequence[str], deadline: float) -> None:
        while not condition():
            died = [name for name in names if not self.alive(name)]
            if died or time.monotonic() > deadline:
                name = (died or list(names))[0]
                said = (self.directory / "log" / f"{name}.out").read_text(errors="replace")
                raise RuntimeError(f"{name}: {'it ended' if died else what}. Its log ends with:\n{said[-2000:]}")
            time.sleep(0.03)


def _connects(where: str | tuple[str, int]) -> bool:
    family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(where) == 0
