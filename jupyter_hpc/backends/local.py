"""Here: the same worker as a process of this machine, which outlives the kernel."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..model.capacity import Amount, Capacity, NodeGroup
from ..model.exceptions import SubmissionError
from ..model.observation import Observation
from ..model.states import JobState
from ..rundir.run import Run
from ..runtime import process
from . import script
from .base import Backend, Submission, Submitted

GRACE_S = 2.0
GPUS_PATIENCE_S = 5.0
RESTING_MIB = 100  # a driver alone holds some; a context of somebody's hundreds
STARTING = 100  # looks at a process that has no arguments yet; it has them within a millisecond


class LocalBackend(Backend):
    """Runs cells on this machine. Time limits hold; memory and gpus are not enforced."""

    shows_native_ids = False
    first_poll_s = 1.0
    slowest_poll_s = 2.0

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(settings)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    async def check(self) -> str:
        return f"{os.cpu_count()} cpus of this machine"

    def preview(self, submission: Submission) -> Submitted:
        spec = submission.spec
        limit = spec.resources.time or 0
        arguments = script.arguments(submission.run, spec, submission.worker, submission.executable, limit_s=limit)
        shell = shutil.which("bash") or "bash"
        command = (shell, str(submission.run.path / "job.sh"), *arguments)
        return Submitted("", command, script.SCRIPT)

    async def submit(self, submission: Submission) -> Submitted:
        for child in self._children.values():
            child.poll()  # one that ended, and that nobody asked about, doesn't stay as a zombie
        planned = self.preview(submission)
        script.write(submission.run, submission.spec)
        log = os.open(submission.run.scheduler_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child = subprocess.Popen(  # noqa: ASYNC220 it starts in a millisecond and must outlive this loop
                planned.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=submission.spec.workdir,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise SubmissionError(f"The worker could not be started: {error}.") from None
        finally:
            os.close(log)
        native_id = process.identity_of(child.pid)
        self._children[native_id] = child
        return Submitted(native_id, planned.command, planned.script)

    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        return {run_id: self._observe(native_id) for run_id, native_id in jobs.items()}

    def _observe(self, native_id: str) -> Observation:
        if not native_id:  # it is being started, and its record doesn't name its process yet
            return Observation(None)
        if process.is_alive(native_id):
            return Observation(JobState.RUNNING, native_state="running", node=os.uname().nodename)
        child = self._children.get(native_id)  # asked after that: what ends in between has told how
        status = child.poll() if child is not None else None
        reason = "its process is gone, and nothing says how it ended"
        number = -status if status is not None and status < 0 else None
        return Observation(
            JobState.COMPLETED if status == 0 else JobState.FAILED, reason, exit_code=status, signal=number
        )

    async def owned(self, run: Run, native_id: str) -> Sequence[str]:
        for _ in range(STARTING):
            if not process.is_alive(native_id):
                return []
            if (is_ours := _runs(native_id, run)) is not None:
                return [native_id] if is_ours else []
            await asyncio.sleep(0.01)
        return []

    async def end(self, native_id: str) -> None:
        group = int(native_id.partition(".")[0])
        _signal(group, signal.SIGTERM)
        for _ in range(int(GRACE_S / 0.05)):
            await asyncio.sleep(0.05)
            child = self._children.get(native_id)
            if child is not None:
                child.poll()
            if not process.is_alive(native_id):
                return
        _signal(group, signal.SIGKILL)

    async def capacity(self) -> Capacity:
        """Return this machine, as busy as it is; whose processes that makes, nobody counts."""
        cpus = os.cpu_count() or 1
        idle = max(cpus - round(os.getloadavg()[0]), 0)
        memory, gpus = Amount(*_memory(), mine=None), await _gpus()
        here = NodeGroup((os.uname().nodename,), cpus=Amount(cpus, idle, None), memory=memory, gpus=gpus)
        return Capacity((here,))


async def _gpus() -> Amount:
    """Return this machine's gpus and how many of them nobody uses; none where no `nvidia-smi` tells."""
    query = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
    try:
        done = await process.run(query, timeout_s=GPUS_PATIENCE_S)
    except (process.CommandMissing, process.CommandTimeout):
        return Amount()
    if done.status != 0:
        return Amount()
    uses = [line.split(", ") for line in done.out.splitlines() if line.strip()]
    return Amount(len(uses), sum(map(_rests, uses)), None)


def _rests(use: Sequence[str]) -> bool:
    """Whether a gpu does nothing, and holds no more than its driver takes; one that doesn't say so is in use."""
    try:
        percent, mib = map(float, use)
    except ValueError:  # [N/A]
        return False
    return not percent and mib < RESTING_MIB


def _memory() -> tuple[int, int | None]:
    """Return this machine's memory and what of it is available, in MiB; nothing where no `/proc` tells."""
    try:
        lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
        sizes = {line[0].rstrip(":"): int(line[1]) >> 10 for line in lines}
        return sizes["MemTotal"], sizes["MemAvailable"]
    except (OSError, ValueError, LookupError):
        return 0, None


def _runs(native_id: str, run: Run) -> bool | None:
    """Whether a process is the batch script of this run, by its arguments; true where no `/proc` tells.

    None of one that is being started, and has none yet.
    """
    try:
        line = Path(f"/proc/{native_id.partition('.')[0]}/cmdline").read_bytes()
    except OSError:
        return not os.path.isdir("/proc/self")
    arguments = line.split(b"\0")
    return None if not line else os.fsencode(run.id) in map(os.path.basename, arguments)


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # it ended meanwhile
        pass
