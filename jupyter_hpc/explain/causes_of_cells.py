"""Rows of the table of causes that the cell's own exception or the worker's last words tell."""

from __future__ import annotations

import errno

from ..model.states import JobState
from .cause import AGAIN, MORE_MEMORY, Cause
from .pods import POD_CAUSES
from .signs import (
    CUDA,
    FAILED,
    FULL_HERE,
    KERNEL_HAS,
    KILLED_CHILD,
    NO_MODULE,
    SPACE,
    STARTED,
    holds,
    raises,
    raises_errno,
)

_OWN = "{f.exception}"

CELL_CAUSES: tuple[Cause, ...] = (
    # -- the cell's own exception: raised here as its own type, with the suggestion as a note ----------
    Cause(
        "cuda-out-of-memory",
        JobState.FAILED,
        "",
        CUDA,
        _OWN,
        "The gpu's own memory is full; `--mem` doesn't help. Make the batch smaller, or ask for a gpu with more "
        "memory, as in `--gpus h100:1` (`sinfo -o %G` lists the types).",
    ),
    Cause(
        "memory-error",
        JobState.FAILED,
        "",
        raises("MemoryError"),
        _OWN,
        "The node refused the memory. {remedy}{f.address_limit}",
        MORE_MEMORY,
    ),
    Cause(
        "module-missing-there",
        JobState.FAILED,
        "EnvironmentMismatch",
        NO_MODULE & KERNEL_HAS,
        "{f.problem}",
        "The kernel has {f.module}, {f.node_python} on {f.node} hasn't. Leave out --python, --venv and --conda to use "
        "the kernel's own Python, or name one that has it: `--venv DIR`, `--conda NAME`, `--module NAME`.",
    ),
    Cause(
        "module-missing",
        JobState.FAILED,
        "EnvironmentMismatch",
        NO_MODULE,
        "{f.problem}",
        "`%pip install {f.module}` installs it for the kernel, whose Python the node uses unless told otherwise; "
        "`--module NAME`, `--venv DIR` and `--conda NAME` choose another.",
    ),
    Cause(
        "disk-full",
        JobState.FAILED,
        "",
        raises_errno(errno.ENOSPC),
        _OWN,
        "{f.place} is full. Write elsewhere (`--workdir DIR`, `--env TMPDIR=DIR`), or free space; "
        "`%hpc clean` shows what runs hold.",
    ),
    Cause(
        "disk-quota",
        JobState.FAILED,
        "",
        raises_errno(errno.EDQUOT),
        _OWN,
        "Your quota at {f.place} is used up (`quota -s` shows it). Write elsewhere (`--workdir DIR`, "
        "`--env TMPDIR=DIR`), or free space; `%hpc clean` shows what runs hold.",
    ),
    Cause(
        "child-out-of-memory",
        JobState.FAILED,
        "",
        KILLED_CHILD,
        _OWN,
        "A process that the cell started was killed for memory. {remedy}",
        MORE_MEMORY,
    ),
    Cause(
        "exit-0",
        JobState.COMPLETED,
        "CellExit",
        holds(
            "the cell called `exit()` or `exit(0)`",
            lambda f: f.raised.get("kind") == "exit" and f.raised.get("exit_code") in (0, None),
        ),
        "the cell called exit()",
        "",
    ),
    Cause(
        "exit",
        JobState.FAILED,
        "",
        holds("the cell called `exit()` with another code", lambda f: f.raised.get("kind") == "exit"),
        "The cell called exit({f.raised[exit_code]!r}).",
        "Raise an exception instead, to see where and why.",
    ),
    Cause(
        "interrupt",
        JobState.FAILED,
        "",
        holds("the cell raised `KeyboardInterrupt`", lambda f: f.raised.get("kind") == "interrupt"),
        _OWN,
        "{remedy}",
        AGAIN,
    ),
    Cause(
        "exception",
        JobState.FAILED,
        "",
        holds("the cell raised another exception", lambda f: f.is_cell_error),
        _OWN,
        "",
    ),
    *POD_CAUSES,
    # -- what the worker could still say ----------------------------------------------------------------
    Cause(
        "result-disk-full",
        JobState.FAILED,
        "DiskFull",
        SPACE | (STARTED & FAILED & FULL_HERE),
        "The result could not be saved: {f.place} is full or over its quota.",
        "Free space (`%hpc clean` shows what runs hold), bring back less (`-o NAME`), or set JUPYTER_HPC_ROOT "
        "to a folder on a larger shared disk.",
    ),
    Cause(
        "result-unsaved",
        JobState.FAILED,
        "ProcessDied",
        holds("the worker's `unsaved` event", lambda f: f.unsaved and f.reader.unsaved, lambda f: f.unsaved),
        "The result could not be saved: {f.unsaved}.",
        "`%hpc logs` has the traceback; `-o NAME` brings back less.",
    ),
    Cause(
        "result-lost",
        JobState.LOST,
        "JobLost",
        holds("the result could not be fetched from where it was kept", lambda f: f.lost, lambda f: f.lost),
        "{f.lost}",
        "Its log and its events are here.",
        is_told=True,
    ),
    Cause(
        "no-workdir",
        JobState.FAILED,
        "NoSharedDisk",
        holds(
            "the worker can't enter the working directory",
            lambda f: f.mismatch.get("kind") == "workdir",
            lambda f: f.problem,
        ),
        "{f.node} does not see the working directory {f.record[spec][workdir]}.",
        "Keep the notebook on a disk that the nodes see, or name a folder there: `--workdir DIR`.",
    ),
    Cause(
        "environment",
        JobState.FAILED,
        "EnvironmentMismatch",
        holds("the worker's `mismatch` event", lambda f: f.reader.mismatch, lambda f: f.problem),
        "{f.problem}",
        "{f.mismatch_hint}",
    ),
)
