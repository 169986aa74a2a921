"""What is known of a job: files, worker, scheduler; and the words and numbers that follow from it."""

from __future__ import annotations

import errno
import json
import os
import pwd
import re
import signal
import time
from functools import cached_property
from typing import Any

from ..backends.base import Backend
from ..backends.registry import backend_of
from ..model.observation import Observation
from ..model.resources import format_size, format_time
from ..model.states import JobState
from ..rundir.reader import RunReader

_OVER = re.compile(r"exceeded memory limit \((\d+) > (\d+)\)")
_BY_UID = re.compile(r"\bby (\d+)\b")
_REFUSED = re.compile(r"^jupyter_hpc: (.*)$", re.MULTILINE)
_ADVICE = re.compile(r"^jupyter_hpc hint: (.*)$", re.MULTILINE)


class Facts:
    """Everything that a verdict is made from, and the words that its sentences use.

    Parameters
    ----------
    seen : Observation or None
        The scheduler's latest answer.
    is_lost : bool
        The scheduler has not known the job for so long that a result would have shown up.
    """

    def __init__(self, reader: RunReader, seen: Observation | None, *, is_lost: bool = False) -> None:
        self.reader = reader
        self.seen = seen
        self.is_lost = is_lost
        self.said = reader.scheduler_text()
        self.end = reader.end
        if self.end is not None and reader.done is None:
            reader.poll()  # the worker's last word came between two looks
        self.has_result = reader.has_result
        manifest = reader.run.manifest() if self.has_result else {}
        self.is_damaged = manifest is None  # there is a result, and it can't be read
        self.raised: dict[str, Any] = (manifest or {}).get("error") or {}

    @property
    def has_signs(self) -> bool:
        """Anything but an ordinary life shows; most looks at a job end here."""
        reader = self.reader
        if self.said or self.has_result or self.is_lost or self.end is not None:
            return True
        if reader.mismatch is not None or reader.unsaved is not None or self.is_timed_out:
            return True
        return self.state is not None and self.state.is_final

    @property
    def is_timed_out(self) -> bool:
        """The batch script's own timer ended it, where no scheduler holds time limits."""
        return (self.reader.run.path / "time-limit").exists()

    @cached_property
    def record(self) -> dict[str, Any]:
        return self.reader.run.record_or_none() or {}

    @property
    def asked(self) -> dict[str, Any]:
        """The resources that were asked for."""
        found: dict[str, Any] = (self.record.get("spec") or {}).get("resources") or {}
        return found

    @cached_property
    def backend(self) -> type[Backend]:
        """The kind of scheduler that has the job."""
        return backend_of(self.record)

    @property
    def state(self) -> JobState | None:
        return self.seen.state if self.seen is not None else None

    @property
    def is_cell_error(self) -> bool:
        """The cell raised an exception of its own, and the worker lived to say so."""
        return self.raised.get("kind") == "exception"

    @property
    def number(self) -> int | None:
        """The signal that ended the process, if one did."""
        if self.raised.get("kind") == "signal":
            return int(self.raised.get("signal") or signal.SIGTERM)
        if self._stopped:
            return self._stopped
        if self.end is not None:
            code = int(self.end.get("exit", 1))
            return code - 128 if code > 128 else None
        return self.seen.signal if self.seen is not None else None

    @property
    def is_gone_without_a_word(self) -> bool:
        """The scheduler doesn't know it any more, and neither that nor the batch script said how it ended."""
        if self.end is not None or self.has_result or self.number is not None or self.code is not None:
            return False
        return self.is_lost if self.state is None else self.state is JobState.FAILED

    @property
    def code(self) -> int | None:
        """The exit code of the worker, or of the job where only the scheduler knows."""
        if self.end is not None:
            return int(self.end.get("exit", 1))
        return self.seen.exit_code if self.seen is not None else None

    # -- words -----------------------------------------------------------------------------------

    @property
    def node(self) -> str:
        if self.reader.started is not None:
            return str(self.reader.started.get("node") or "the node")
        return (self.seen.node if self.seen is not None else "") or "the node"

    @property
    def run(self) -> str:
        return str(self.reader.run.path)

    @property
    def last_word(self) -> str:
        """The last line that the scheduler or the batch script wrote, or the scheduler's reason."""
        lines = self.said.strip().splitlines()
        return lines[-1][:300] if lines else (self.seen.reason if self.seen else "") or "nothing says why"

    @property
    def because(self) -> str:
        """What the scheduler says of the end, to go on a sentence with."""
        said = self.seen.reason.rstrip(". ") if self.seen is not None else ""
        return f": {said}" if said else ""

    @property
    def lost(self) -> str:
        """Why a result that the cell made could not be fetched from where it was kept."""
        return str((self.end or {}).get("lost") or "")

    @property
    def restarts(self) -> str:
        """How such a job is started again by itself."""
        return self.backend.restarts

    @property
    def avoids_node(self) -> str:
        """How another try keeps away from the node."""
        return self.backend.avoids_node.format(node=self.node)

    @property
    def exception(self) -> str:
        message = str(self.raised.get("message") or "")
        line = f"{self.raised.get('type')}: {message}".rstrip(": ").splitlines()[0]
        return line if len(line) <= 200 else f"{line[:120]} … {line[-70:]}"  # its end often says the most

    @property
    def problem(self) -> str:
        """What went wrong in Python: the cell's exception, or what the worker met before the cell."""
        return self.exception if self.raised else str(self.mismatch.get("message") or "")

    @property
    def mismatch(self) -> dict[str, Any]:
        """What the worker wrote when it could not begin the cell."""
        return self.reader.mismatch or {}

    @property
    def mismatch_hint(self) -> str:
        return str(self.mismatch.get("hint") or "")

    @property
    def unsaved(self) -> str:
        """Why the worker could not save the result, or a name of it."""
        return "" if self._stopped else str(self._unsaved.get("message") or "")

    @property
    def is_unsaved_for_space(self) -> bool:
        return self._unsaved.get("errno") in (errno.ENOSPC, errno.EDQUOT) and not self._stopped

    @property
    def _stopped(self) -> int:
        """The signal that ended a worker which could not save what it had; 0 if none did."""
        return int((self.reader.unsaved or {}).get("stopped") or 0)

    @property
    def _unsaved(self) -> dict[str, Any]:
        return self.raised if self.raised.get("kind") == "unsaved" else (self.reader.unsaved or {})

    @property
    def refused(self) -> str:
        """What the batch script or the worker said when it refused to start."""
        match = _REFUSED.search(self.said)
        return match[1].rstrip(".")[:300] if match else ""

    @property
    def advice(self) -> str:
        """What the batch script itself says to do about its refusal, which knows more than the table."""
        match = _ADVICE.search(self.said) if self.reader.started is None else None
        return match[1] if match else ""

    @property
    def started_or_not(self) -> str:
        return f"it had started on {self.node}" if self.reader.started else "it never started"

    @property
    def last_sign(self) -> str:
        """When the worker was last known to live, or what the scheduler said last."""
        if self.reader.beat:
            return f"last sign of life: {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.reader.beat / 1e9))}"
        return self.said.strip().splitlines()[-1][:300] if self.said.strip() else "it wrote nothing"

    @property
    def native_id(self) -> str:
        return str(self.record.get("native_id") or "")

    @property
    def signal_name(self) -> str:
        try:
            return signal.Signals(self.number or 0).name
        except ValueError:
            return f"signal {self.number}"

    @property
    def exit_code(self) -> str:
        return "an unknown exit code" if self.code is None else f"exit code {self.code}"

    @property
    def when(self) -> str:
        return "" if self.reader.started or self.is_lost else " before it started"  # lost: files may be, too

    @property
    def replaced_by(self) -> str:
        """The run that was submitted in its place while it waited; empty if none was."""
        return str(self.record.get("replaced_by") or "")

    @property
    def canceller(self) -> str:
        """The user id that the scheduler gives, as a name."""
        match = _BY_UID.search(self.seen.reason if self.seen is not None else "")
        if match is None:
            return ""
        try:
            return pwd.getpwuid(int(match[1])).pw_name
        except KeyError:
            return f"the user with id {match[1]}"

    @property
    def is_cancelled_by_owner(self) -> bool:
        match = _BY_UID.search(self.seen.reason if self.seen is not None else "")
        if match is not None:
            return int(match[1]) == os.getuid()
        return self.reader.run.was_cancelled

    # -- memory ----------------------------------------------------------------------------------

    @property
    def memory_limit(self) -> int:
        """Bytes on a node: as asked, or as the scheduler told the job; 0 if unknown."""
        if self.asked.get("memory"):
            return int(self.asked["memory"])
        said = _OVER.search(self.said)
        if said:
            return int(said[2])
        return int((self.reader.started or {}).get("memory_limit") or 0)

    @property
    def memory_used(self) -> int:
        """The most bytes that anybody saw: Slurm at the kill, or the worker's samples; 0 if nobody did."""
        said = _OVER.search(self.said)
        return max(int(said[1]) if said else 0, self.reader.peak_rss)

    @property
    def of_limit(self) -> str:
        return f" of {format_size(self.memory_limit)}" if self.memory_limit else ""

    @property
    def used(self) -> str:
        return f"; it used at least {format_size(self.memory_used)}" if self.memory_used else ""

    @property
    def more_memory(self) -> str:
        """As an argument of ``--mem``: half as much again as the limit and the use, in a round number."""
        want = max(self.memory_limit, self.memory_used, 512 << 20) * 3 / 2 / (1 << 30)
        sizes = (size for power in range(12) for size in (2**power, 3 * 2**power // 2))
        return f"{next((size for size in sizes if size >= want), int(want))}G"

    @property
    def oom_kills(self) -> int:
        """How many processes the node's kernel killed for memory while the cell ran."""
        counted = (self.end or {}).get("oom_kills") or 0
        return max(int(counted), int(self.raised.get("oom_kills") or 0))

    @property
    def address_limit(self) -> str:
        """A sentence on ``ulimit -v``, which Slurm takes along from where the job was submitted."""
        limit = self.raised.get("address_limit")
        return (
            f" A `ulimit -v` of {format_size(int(limit))} holds in the job; where it comes from the shell that "
            "started the kernel, `ulimit -v unlimited` there lifts it."
            if limit
            else ""
        )

    # -- time ------------------------------------------------------------------------------------

    @property
    def limit(self) -> str:
        limit = self.asked.get("time")
        return f"its time limit of {format_time(limit)}" if limit else self.backend.default_limit

    @property
    def more_time(self) -> str:
        """As an argument of ``--time``: twice what it had."""
        had = float(self.asked.get("time") or 0)
        if not had and self.reader.started is not None:
            had = max(0.0, time.time() - float(self.reader.started["t"]))
        minutes = max(2, round(had * 2 / 60))
        if minutes >= 48 * 60:
            return f"{-(-minutes // 1440)}d"
        return f"{minutes}m" if minutes < 120 else f"{-(-minutes // 60)}h"

    # -- modules and disks -----------------------------------------------------------------------

    @property
    def module(self) -> str:
        """The module that could not be imported, by the name that a package has."""
        found = self.raised.get("module") or self.mismatch.get("module") or ""
        return str(found).partition(".")[0] or "the package"

    @property
    def node_python(self) -> str:
        return str((self.reader.started or {}).get("executable") or "the node's Python")

    @property
    def _environment(self) -> dict[str, Any]:
        """The environment that the job was submitted from, as it was recorded."""
        from ..rundir.blobs import read, store_of

        found = read(store_of(self.reader.run).root, (self.record.get("environment") or {}).get("digest"))
        return json.loads(found) if found else {}

    @property
    def kernel_has_module(self) -> bool:
        """The kernel that submitted the job can import it; by its recorded packages elsewhere."""
        from ..capture.environment.snapshot import snapshot

        if snapshot().digest == (self.record.get("environment") or {}).get("digest"):
            import importlib.util

            try:
                return importlib.util.find_spec(self.module) is not None
            except (ImportError, ValueError):
                return False
        packages = self._environment.get("packages") or {}
        return self.module.lower() in {re.sub(r"[-.]", "_", name).lower() for name in packages}

    @property
    def place(self) -> str:
        """The file or file system that is full."""
        found = self.raised.get("disk") or (self.reader.unsaved or {}).get("disk") or {}
        path, mount, free = found.get("path"), found.get("mount"), found.get("free")
        words = str(path or "a file system")
        if mount:
            words += f" (on {mount}, {format_size(int(free or 0))} free)"
        return words
