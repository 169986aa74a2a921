"""Every error that jupyter_hpc raises.

* HPCError
  x CaptureError            something in the cell or the notebook can't travel
    - UndefinedName         the cell reads a name that exists nowhere
    - UnpicklableInput      a value that the cell needs can't be sent
  x OptionError             a magic option or resource is wrong
  x TargetError             a target is unknown, or its scheduler isn't there
  x SubmissionError         the scheduler refused the job, or the disk did not take what it needs
  x JobNotFound             no run directory has this id
  x ResultError             a result is missing, damaged or not ours to load
  x NotOurs                 others can reach the run directory, or wrote what is in it
  x JobError                the job ended without a result (has ``.job``)
    - RemoteError           the cell raised something that can't be sent here
    - EnvironmentMismatch   the node's Python can't load the payload
    - NoSharedDisk          the node doesn't see the run directory
    - DiskFull              the node could not write there: no space, or a quota
    - CellExit              the cell raised SystemExit
    - CellInterrupted       KeyboardInterrupt was raised on the node
    - ProcessDied           the worker died: signal, os._exit
      + SegmentationFault
    - OutOfMemory
    - TimeLimitExceeded
    - JobCancelled
      + Preempted           a job with a higher priority took its place
      + DependencyNeverSatisfied
    - NodeFailed            the node failed, did not boot, or could not start the job
    - TasksFailed           tasks of an array ended in errors (has ``.errors``)
    - JobLost               the scheduler forgot the job and it left no result

Each has a sentence (what happened, to what), a ``hint`` (what to do) and a stable ``code`` for the docs.
All of them survive pickling, because errors cross processes here.
"""

from __future__ import annotations

from typing import Any

from .printable import printable

__all__ = [
    "CaptureError",
    "CellExit",
    "CellInterrupted",
    "DependencyNeverSatisfied",
    "DiskFull",
    "EnvironmentMismatch",
    "HPCError",
    "JobCancelled",
    "JobError",
    "JobLost",
    "JobNotFound",
    "NoSharedDisk",
    "NodeFailed",
    "NotOurs",
    "OptionError",
    "OutOfMemory",
    "Preempted",
    "ProcessDied",
    "RemoteError",
    "ResultError",
    "SegmentationFault",
    "SubmissionError",
    "TargetError",
    "TasksFailed",
    "TimeLimitExceeded",
    "UndefinedName",
    "UnpicklableInput",
]


def help_command(place: str) -> str:
    """Return what shows a place of ``troubleshooting.md``: an error's ``code``, or what doctor looks at."""
    return f"%hpc help {place}"


class HPCError(Exception):
    """An error with a sentence for the user and a hint.

    Parameters
    ----------
    message : str
        What happened, and to what.
    hint : str
        What to do about it; may be empty.
    """

    code = "hpc-error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return printable(f"{self.message}\n{self.hint}" if self.hint else self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        state = {k: v for k, v in self.__dict__.items() if not k.startswith("_")}
        return type(self), (self.message,), state

    def _render_traceback_(self) -> list[str]:
        """Three lines in a notebook rather than forty; ``%tb`` still has the whole."""
        return [printable(line) for line in self._lines()]

    def _lines(self) -> list[str]:
        head = f"{type(self).__name__}: {self.message}"
        return [
            head,
            *(f"  {line}" for line in [*self.hint.splitlines(), f"More: {help_command(self.code)}"]),
        ]


class CaptureError(HPCError):
    code = "capture"


class UndefinedName(CaptureError, NameError):
    code = "undefined-name"


class UnpicklableInput(CaptureError, TypeError):
    code = "unpicklable-input"


class OptionError(HPCError, ValueError):
    code = "option"


class TargetError(HPCError):
    code = "target"


class SubmissionError(HPCError):
    code = "submission"


class JobNotFound(HPCError, LookupError):
    code = "job-not-found"

    __str__ = HPCError.__str__


class ResultError(HPCError):
    code = "result"


class NotOurs(HPCError):
    """Somebody else could have written it, or could put something else in its place."""

    code = "not-ours"


class JobError(HPCError):
    """The job ended without a result.

    Attributes
    ----------
    job : Job or None
        The handle, a :class:`jupyter_hpc.Job`: ``job.logs()`` and ``job.outputs()`` have the rest.
    log_tail : str
        The last lines of the log.
    cause : str
        The row of the table of causes (``docs/causes.md``) that explains it.
    evidence : tuple of str
        What that is known by, a line each, in the words of the scheduler, the worker or the kernel.
    """

    code = "job"
    cause: str = ""
    evidence: tuple[str, ...] = ()
    _is_below_log = False  # what is shown above it has the log; so has a card, and what helps
    _is_below_card = False

    def __init__(self, message: str, *, hint: str = "", job: Any = None, log_tail: str = "") -> None:
        super().__init__(message, hint=hint)
        self.job = job
        self.log_tail = log_tail

    def _lines(self) -> list[str]:
        if self._is_below_card:
            return [line for line in super()._lines() if line.strip() not in self.hint.splitlines()]
        lines = super()._lines()
        if self.log_tail and not self._is_below_log:
            lines += ["  last lines of the log:", *(f"  | {x}" for x in self.log_tail.splitlines())]
        return lines


class RemoteError(JobError):
    """The cell raised an exception that can't be sent; its type, message and traceback are here."""

    code = "remote-error"
    type_name: str = ""
    traceback: str = ""

    def _lines(self) -> list[str]:
        return [*self.traceback.splitlines(), *HPCError._lines(self)]


class EnvironmentMismatch(JobError):
    code = "environment-mismatch"


class NoSharedDisk(JobError):
    code = "no-shared-disk"


class DiskFull(JobError):
    """The run directory could not be written; a cell's own ``OSError`` stays what it is."""

    code = "disk-full"


class CellExit(JobError):
    """The cell raised ``SystemExit``; ``exit_code`` is its argument."""

    code = "cell-exit"
    exit_code: Any = None


class CellInterrupted(JobError):
    code = "cell-interrupted"


class ProcessDied(JobError):
    """The worker process died; ``exit_code`` and ``signal`` say how (one of them is None)."""

    code = "process-died"
    exit_code: int | None = None
    signal: int | None = None


class SegmentationFault(ProcessDied):
    code = "segmentation-fault"


class OutOfMemory(JobError, MemoryError):
    code = "out-of-memory"


class TimeLimitExceeded(JobError, TimeoutError):
    code = "time-limit"

    __str__ = HPCError.__str__


class JobCancelled(JobError):
    code = "cancelled"


class Preempted(JobCancelled):
    code = "preempted"


class DependencyNeverSatisfied(JobCancelled):
    code = "dependency-never-satisfied"


class NodeFailed(JobError):
    code = "node-failed"


class TasksFailed(JobError):
    """Some tasks of an array failed; ``errors`` has each one's exception by its index."""

    code = "tasks-failed"
    errors: dict[int, BaseException]


class JobLost(JobError):
    code = "lost"


for _name in __all__:  # where people find them, and what tracebacks call them
    globals()[_name].__module__ = "jupyter_hpc"
