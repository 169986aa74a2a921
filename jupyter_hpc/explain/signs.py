"""The questions that the table of causes asks: each has words for the docs and a check of the facts."""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..model.states import JobState
from .evidence import Facts

Lines = tuple[str, ...]
MOST_LINES = 3
CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE})
NEAR_LIMIT = 0.9  # of what was asked for: a process killed above this was most likely killed for it
LITTLE_SPACE = 1 << 20
AT_ONCE_S = 1  # Slurm's times are whole seconds


@dataclass(frozen=True)
class Sign:
    """A question to the facts.

    Attributes
    ----------
    words : str
        What is looked for, for the docs; Markdown.
    check : callable
        Returns the lines that show it (maybe none), or None if it isn't so.
    """

    words: str
    check: Callable[[Facts], Lines | None]

    def __or__(self, other: Sign) -> Sign:
        def check(facts: Facts) -> Lines | None:
            found = [lines for lines in (self.check(facts), other.check(facts)) if lines is not None]
            return tuple(line for lines in found for line in lines) if found else None

        return Sign(f"{self.words}; or {other.words}", check)

    def __and__(self, other: Sign) -> Sign:
        def check(facts: Facts) -> Lines | None:
            first = self.check(facts)
            second = other.check(facts) if first is not None else None
            return None if first is None or second is None else (*first, *second)

        words = (f"({x.words})" if "; or " in x.words else x.words for x in (self, other))
        return Sign(", and ".join(words), check)


def holds(words: str, question: Callable[[Facts], object], line: Callable[[Facts], str] | str = "") -> Sign:
    """A question that is true or not, and the line to show if it is."""

    def check(facts: Facts) -> Lines | None:
        if not question(facts):
            return None
        text = line if isinstance(line, str) else line(facts)
        return (text,) if text else ()

    return Sign(words, check)


def says(pattern: str, words: str = "") -> Sign:
    """A line of what the scheduler and the batch script wrote."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def check(facts: Facts) -> Lines | None:
        found = [line.strip()[:300] for line in facts.said.splitlines() if compiled.search(line)]
        return tuple(found[-MOST_LINES:]) if found else None

    return Sign(words or f"the job's log has `{pattern}`", check)


def is_state(*states: JobState) -> Sign:
    """The scheduler's final state, whatever the scheduler."""
    words = " or ".join(f"`{state}`" for state in states)
    return holds(f"state {words}", lambda f: f.state in states, scheduler_line)


def is_told(words: str, *causes: str) -> Sign:
    """The backend itself names the cause; ``words`` say by what it knows."""
    return holds(words, lambda f: f.seen is not None and f.seen.cause in causes, scheduler_line)


def is_because(pattern: str) -> Sign:
    """The scheduler's reason."""
    return holds(
        f"reason `{pattern}`",
        lambda f: f.seen is not None and re.search(pattern, f.seen.reason),
        scheduler_line,
    )


def scheduler_line(facts: Facts) -> str:
    """What the scheduler said, as evidence."""
    seen = facts.seen
    if seen is None or seen.evidence:
        return seen.evidence if seen is not None else ""
    how = "" if seen.exit_code is None else f" {seen.exit_code}:{seen.signal or 0}"
    reason = f" ({seen.reason})" if seen.reason and seen.reason != seen.native_state else ""
    return f"scheduler: {seen.native_state or seen.state}{how}{reason}"


def raises(types: str, message: str = "") -> Sign:
    """The cell's own exception: the name of its class or of one that it derives from, and its message."""

    def check(facts: Facts) -> Lines | None:
        if not facts.is_cell_error:
            return None
        names = [facts.raised.get("type"), *(facts.raised.get("bases") or ())]
        named = any(re.fullmatch(types, str(name)) for name in names)
        text = str(facts.raised.get("message"))
        return (facts.exception,) if named and re.search(message, text, re.IGNORECASE) else None

    words = f"the cell raised `{types}`"
    return Sign(f"{words} with `{message}`" if message else words, check)


def raises_errno(*numbers: int) -> Sign:
    named = " or ".join(f"`{_errno_name(number)}`" for number in numbers)
    return holds(
        f"the cell raised `OSError` {named}",
        lambda f: f.is_cell_error and f.raised.get("errno") in numbers,
        lambda f: f"{f.exception}: {f.place}",
    )


def _errno_name(number: int) -> str:
    return errno.errorcode[number]


def dies_of(numbers: Collection[int], words: str) -> Sign:
    """The worker was ended by one of these signals."""
    return holds(words, lambda f: f.number in numbers, lambda f: f"ended by {f.signal_name}")


def never_started(words: str = "the worker never started") -> Sign:
    return holds(words, lambda f: f.reader.started is None)


def free_bytes(path: str) -> int:
    """Bytes that this user may still write on a path's file system, seen from here."""
    try:
        found = os.statvfs(path)
    except OSError:
        return LITTLE_SPACE  # nothing is known, so nothing is said
    return found.f_bavail * found.f_frsize if found.f_favail or not found.f_files else 0


# -- of particular causes --------------------------------------------------------------------------

CUDA = raises(r"(torch\.)?(cuda\.)?OutOfMemoryError|cupy.*OutOfMemoryError|.*ResourceExhaustedError") | raises(
    ".*",
    r"CUDA(_ERROR)?[ _]out[ _]of[ _]memory|RESOURCE_EXHAUSTED|CUBLAS_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation",
)
NO_MODULE = raises("ModuleNotFoundError") | holds(
    "the worker's `mismatch` event names a module",
    lambda f: f.mismatch.get("module"),
    lambda f: f.problem,
)
KERNEL_HAS = holds(
    "the kernel has that package",
    lambda f: f.kernel_has_module,
    lambda f: f"the kernel that submitted it has {f.module}, {f.node_python} hasn't",
)
SPACE = holds(
    "the worker could not save the result, or a name of it, for `ENOSPC` or `EDQUOT`",
    lambda f: f.is_unsaved_for_space,
    lambda f: f"{f.unsaved}: {f.place}",
)
NOT_LAUNCHED = (
    is_told("Slurm records `0:53`, as it does when slurmstepd can't open the job's log", "no-shared-disk")
    & never_started()
)
STARTED = holds("the worker started", lambda f: f.reader.started is not None)
CUT_SHORT = holds(
    "its first start did not end by itself, as far as is known",
    lambda f: f.end is None or f.end.get("signalled"),
)
FAILED = holds(
    "it ended with an exit code",
    lambda f: f.number is None and not f.has_result and (f.end is not None or f.state is JobState.FAILED),
    lambda f: f.exit_code,
)
FULL_HERE = holds(
    "the run directory's file system is full",
    lambda f: free_bytes(f.run) < LITTLE_SPACE,
    lambda f: f"{free_bytes(f.run)} bytes are free at {f.run}",
)
CUT_OFF_AT_START = (
    holds(
        "it had a node, wrote no line, and nobody is known to have cancelled it",
        lambda f: (
            f.seen is not None
            and f.seen.node
            and not f.said
            and not f.reader.run.was_cancelled
            and (f.seen.ended_at or 0.0) - (f.seen.started_at or 0.0) <= AT_ONCE_S
        ),
    )
    & never_started()
)
CANCELLED = (
    holds(
        "the job's log has `CANCELLED AT`",
        lambda f: re.search("CANCELLED AT", f.said) and f.state is not JobState.PENDING,
        lambda f: next(line for line in f.said.splitlines() if "CANCELLED AT" in line),
    )
    | is_state(JobState.CANCELLED)
    | holds(
        "it was ended by a signal after you asked",
        lambda f: f.number and f.reader.run.was_cancelled,
        lambda f: f"it was ended by signal {f.number} after you asked for that",
    )
    | holds(
        "it is gone after you asked, and nothing says how it ended",
        lambda f: f.is_gone_without_a_word and f.reader.run.was_cancelled,
        lambda f: f"it is gone after you asked for that; {f.last_sign}",
    )
)
OOM_KILL = holds(
    "the node's `/proc/vmstat` counted an `oom_kill` meanwhile",
    lambda f: f.oom_kills > 0,
    lambda f: f"the kernel of {f.node} killed {f.oom_kills} process(es) for memory meanwhile",
)
KILLED_CHILD = OOM_KILL & raises(".*", r"-9\b|SIGKILL|signal: Killed|terminated abruptly|unexpectedly|died|137\b")
MEMORY_SHORT = OOM_KILL | holds(
    f"it used over {NEAR_LIMIT:.0%} of its memory limit",
    lambda f: f.memory_limit and f.memory_used > NEAR_LIMIT * f.memory_limit,
    lambda f: f"it used at least {f.memory_used >> 20} MiB of {f.memory_limit >> 20} MiB",
)
