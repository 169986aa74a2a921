"""Who uses a cluster; and the watchdog that takes it down when all of them have died."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from jupyter_hpc.practice.slurm_processes import Process, start_detached, stop

_INTERVAL_S = 0.5


def launch(argv: list[str], *, log: Path, pid_file: Path, env: dict[str, str]) -> None:
    """Start a process detached; the file gets its pid and start time, which together are never reused."""
    start_detached(argv, log=log, pid_file=pid_file, env=env)
    found = by_pid(int(pid_file.read_text()))
    pid_file.write_text(f"{found.pid} {found.started}" if found else "")


def launched(pid_file: Path) -> Process | None:
    """Return the process that a file of `launch` names, if it lives."""
    try:
        pid, started = pid_file.read_text().split()
    except (OSError, ValueError):
        return None
    found = Process(int(pid), started)
    return found if found.alive() else None


def by_pid(pid: int) -> Process | None:
    """Return a live process with its start time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    found = Process(pid, fields[19])
    return found if found.alive() else None


class Owners:
    """Files named for the processes that started a cluster, or found it running.

    Parameters
    ----------
    directory : Path
        The cluster's folder.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._folder = directory / "owners"

    def add(self) -> None:
        """Make this process one, and see to it that somebody watches."""
        me = by_pid(os.getpid())
        assert me is not None
        self._folder.mkdir(exist_ok=True)
        (self._folder / f"{me.pid}-{me.started}").touch()
        if launched(self._pid_file) is None:
            self._watch()

    def any_alive(self) -> bool:
        names = (path.name.partition("-") for path in self._folder.glob("*-*"))
        return any(Process(int(pid), started).alive() for pid, _, started in names)

    def _watch(self) -> None:
        root = Path(__file__).resolve().parents[3]
        code = f"import sys; sys.path.insert(0, {str(root)!r}); from {__name__} import main; main()"
        env = {"PATH": os.environ.get("PATH", os.defpath)}
        argv = [sys.executable, "-c", code, str(self.directory)]
        launch(argv, log=self._folder / "watchdog.out", pid_file=self._pid_file, env=env)

    def forget(self) -> None:
        """End the watchdog, unless it is this process, and forget all owners."""
        watchdog = launched(self._pid_file)
        if watchdog and watchdog.pid != os.getpid():
            stop([watchdog], grace_s=5)
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self._folder / "watchdog"


def main() -> None:
    from .cluster import FullSlurm

    cluster = FullSlurm(Path(sys.argv[1]))
    owners = Owners(cluster.directory)
    while True:
        while owners.any_alive():
            time.sleep(_INTERVAL_S)
        with cluster.locked():  # somebody may just be starting it again
            if not owners.any_alive():
                owners.forget()
                cluster.end()
                return
