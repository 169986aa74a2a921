"""A backend in one file: cells of this machine stand in line, and run one at a time, at low priority.

The line is a file lock. Each job is a process that waits for it, so the line outlives every kernel.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from jupyter_hpc import JobState
from jupyter_hpc.backends import script
from jupyter_hpc.backends.base import Backend, Submission, Submitted
from jupyter_hpc.exceptions import SubmissionError, TargetError
from jupyter_hpc.model.observation import Observation
from jupyter_hpc.rundir.run import Run


class Lineup(Backend):
    """One cell at a time. Setting ``lock``: the file that stands for the line."""

    scheduler = "the line"  # what it is called in sentences
    slowest_poll_s = 2.0  # asking costs nothing here

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(settings)
        self._cancelled: set[str] = set()

    async def check(self) -> str:
        """Say what is there, or raise what is missing."""
        if not self._lock.parent.is_dir():
            raise TargetError(f"The folder {self._lock.parent} doesn't exist.", hint='Set "lock" of the target.')
        return f"one cell at a time, in line at {self._lock}"

    def preview(self, submission: Submission) -> Submitted:
        """Return the command: the constant batch script, behind the lock."""
        limit_s = submission.spec.resources.time or 0
        arguments = script.arguments(submission.run, submission.spec, submission.worker, submission.executable, limit_s)
        line = ("flock", "--close", str(self._lock), "nice", "bash", str(submission.run.path / "job.sh"))
        return Submitted("", (*line, *arguments), script.SCRIPT)

    async def submit(self, submission: Submission) -> Submitted:
        """Start it, in a session of its own; its id is the process and when that started."""
        planned = self.preview(submission)
        script.write(submission.run, submission.spec)
        try:
            with submission.run.scheduler_log.open("ab") as log:
                process = subprocess.Popen(  # noqa: ASYNC220 it starts in a millisecond
                    planned.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=submission.spec.workdir,
                    start_new_session=True,
                )
        except OSError as error:
            raise SubmissionError(f"The job could not be started: {error}.") from None
        return Submitted(f"{process.pid}.{_started(process.pid)}", planned.command, planned.script)

    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        """Say how each job stands. How it ended, its run directory knows: here it is only gone."""
        return {run: self._observe(native_id) for run, native_id in jobs.items()}

    def _observe(self, native_id: str) -> Observation:
        pid = _alive(native_id)
        if not pid:
            state = JobState.CANCELLED if native_id in self._cancelled else JobState.FAILED
            return Observation(state, "its process is gone, and nothing says how it ended")
        if _children(pid):  # flock has let it through
            return Observation(JobState.RUNNING, node=os.uname().nodename)
        return Observation(JobState.PENDING, "another cell is before it in the line")

    async def owned(self, run: Run, native_id: str) -> Sequence[str]:
        """Return the job if it still runs, and is this run's: its arguments tell."""
        pid = _alive(native_id)
        return [native_id] if pid and run.id in _command(pid) else []

    async def end(self, native_id: str) -> None:
        """End it: the batch script, which passes SIGTERM on to the cell, or flock while that waits."""
        if pid := _alive(native_id):
            self._cancelled.add(native_id)
            for each in _children(pid) or [pid]:
                os.kill(each, signal.SIGTERM)

    @property
    def _lock(self) -> Path:
        return Path(self.settings.get("lock") or "~/.lineup.lock").expanduser()


def _alive(native_id: str) -> int:
    """Return the pid if that process still runs, else 0."""
    pid, _, started = native_id.partition(".")
    return int(pid) if started and _started(int(pid)) == started else 0


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:  # it ended meanwhile
        return ""


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it ended meanwhile
        return []


def _started(pid: int) -> str:
    try:
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended would stay for ever
    except ChildProcessError:
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
