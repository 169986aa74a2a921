"""What happens to a job, for each row of the table of causes: the cells, and what must be said of them."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_hpc.commands.catalogue import COMMANDS
from jupyter_hpc.commands.why import why_text
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model import exceptions
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.store import store
from jupyter_hpc.server.detail import detail
from jupyter_hpc.server.listing import Listing
from tests.faults.road import slurm, submit, until

NOT_TO_BE_HAD = Path(__file__).parent / "not-to-be-had.txt"
SHOWN: set[str] = set()  # the rows that a test of this process brings about


def shows(*names: str) -> Callable[[Any], Any]:
    """Note that a test brings about these causes."""
    SHOWN.update(names)
    return lambda test: test


@dataclass(frozen=True)
class Occurrence:
    """A cell that meets one cause.

    Attributes
    ----------
    error : type
        What ``job.result()`` raises.
    hint, evidence : str
        Patterns that the suggestion and the evidence must match.
    record : str
        State and exit code as Slurm keeps them.
    """

    cause: str
    cell: str
    error: type[BaseException]
    hint: str
    evidence: str
    record: str
    options: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    def __post_init__(self) -> None:
        SHOWN.add(self.cause)

    def submit(self) -> Job:
        return submit(self.cell, names=dict(self.names), **self.options)


def check(job: Job, cause: str, error: type[BaseException], hint: str, evidence: str) -> BaseException:
    """Check that an ended job has its verdict by this cause, and return what it raises."""
    verdict = job.verdict
    assert verdict["cause"] == cause, verdict
    raised = job.outcome().error
    assert type(raised) is error, repr(raised)
    assert re.search(hint, verdict["hint"]), verdict
    assert re.search(evidence, "\n".join(verdict["evidence"])), verdict
    assert verdict["message"] == job.status.reason
    if isinstance(raised, exceptions.JobError):
        assert raised.job == job
        assert (raised.cause, list(raised.evidence)) == (cause, list(verdict["evidence"]))
        assert raised.hint.startswith(verdict["hint"])
    elif verdict["hint"] and raised is not None:
        assert verdict["hint"] in raised.__notes__
        assert verdict["hint"] in "\n".join(raised._render_traceback_())
    assert job.state is JobState(verdict["state"])
    return raised


def recorded(job: Job) -> str:
    """Return ``STATE code:signal`` as squeue has it at the end (22.05 prints the raw wait status)."""

    def row() -> list[str]:
        found = slurm("squeue", "-h", "-t", "all", "-j", job.native_id, "-O", "State:|,exit_code:|").split("|")
        return [] if found[0].strip() in ("RUNNING", "COMPLETING") else [word.strip() for word in found]

    state, code, *_ = until(row, "Slurm records the end")
    if ":" not in code:
        code = f"{int(code) >> 8}:{int(code) & 0x7F}"
    return f"{state} {code}"


# Stand-ins for the libraries' own errors: this machine has no gpu. Type, module and message are the real ones.
TORCH = '''
class OutOfMemoryError(RuntimeError):
    """As torch raises it."""


OutOfMemoryError.__module__ = "torch"


def empty(size, device):
    raise OutOfMemoryError("CUDA out of memory. Tried to allocate 80.00 GiB. GPU 0 has a total capacity of 39.39 GiB")
'''
CUPY = '''
class OutOfMemoryError(MemoryError):
    """As cupy.cuda.memory raises it."""


OutOfMemoryError.__module__ = "cupy.cuda.memory"


def empty(size):
    raise OutOfMemoryError("Out of memory allocating 85,899,345,920 bytes (allocated so far: 0 bytes).")
'''
JAXLIB = '''
class XlaRuntimeError(RuntimeError):
    """As jaxlib.xla_extension raises it."""


def zeros(size):
    raise XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 85899345920 bytes.")
'''
STAND_INS = {"torch": TORCH, "cupy": CUPY, "jaxlib": JAXLIB}

HERE = "import os, signal, sys, time\nrun = os.path.dirname(os.readlink('/proc/self/fd/1'))\n"
SIT = "print('ready', flush=True)\ntime.sleep(300)"

OCCURRENCES = (
    Occurrence("memory-error", "x = bytearray(1 << 60)", MemoryError, r"`--mem \d+G`", "^MemoryError$", "FAILED 1:0"),
    Occurrence(
        "memory-error",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\nx = bytearray(8 << 30)",
        MemoryError,
        "`ulimit -v` of 4 GiB",
        "MemoryError",
        "FAILED 1:0",
        id="ulimit",
    ),
    Occurrence(
        "module-missing",
        "import no_such_package.part",
        ModuleNotFoundError,
        "`%pip install no_such_package`.*`--module NAME`, `--venv DIR` and `--conda NAME`",
        "No module named 'no_such_package'",
        "FAILED 1:0",
    ),
    Occurrence(
        "disk-full",
        "with open('/dev/full', 'w') as file:\n    file.write('x' * 100_000)",
        OSError,
        r"/dev/full \(on /dev, .* free\) is full.*`--workdir DIR`, `--env TMPDIR=DIR`",
        "No space left on device: /dev/full",
        "FAILED 1:0",
    ),
    # no file system with quotas can be mounted everywhere: the error as the kernel gives it
    Occurrence(
        "disk-quota",
        "import errno, os\nraise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), '/tmp/x')",
        OSError,
        r"Your quota at /tmp/x \(on /.*\) is used up \(`quota -s`",
        "Disk quota exceeded",
        "FAILED 1:0",
    ),
    Occurrence("exit-0", "exit()", exceptions.CellExit, "^$", "", "COMPLETED 0:0"),
    Occurrence("exit", "import sys\nsys.exit(3)", exceptions.CellExit, "Raise an exception", "", "FAILED 3:0"),
    Occurrence(
        "interrupt",
        "raise KeyboardInterrupt",
        exceptions.CellInterrupted,
        "Run the cell again",
        "",
        "FAILED 1:0",
    ),
    Occurrence("exception", "1 / 0", ZeroDivisionError, "^$", "", "FAILED 1:0"),
    Occurrence(
        "result-unsaved",
        f"{HERE}open(run + '/result.tmp', 'w').close()\nx = 1",
        exceptions.ProcessDied,
        "`%hpc logs`",
        "FileExistsError",
        "FAILED 1:0",
    ),
    Occurrence(
        "no-environment-module",
        "x = 1",
        exceptions.EnvironmentMismatch,
        "`module avail`|target's prologue",
        "--module was asked for|module load nonesuch failed",
        "FAILED 78:0",
        {"modules": ("nonesuch",)},
    ),
    Occurrence(
        "no-conda",
        "x = 1",
        exceptions.EnvironmentMismatch,
        "`conda env list`|with --module",
        "--conda was asked for|conda activate nonesuch failed",
        "FAILED 78:0",
        {"conda": "nonesuch"},
    ),
    Occurrence(
        "no-python",
        "x = 1",
        exceptions.EnvironmentMismatch,
        "--python, --venv, --conda or --module",
        "there is no Python at /nonesuch/python",
        "FAILED 78:0",
        {"python": "/nonesuch/python"},
    ),
    Occurrence(
        "no-python",
        "x = 1",
        exceptions.EnvironmentMismatch,
        "on a disk that the nodes see",
        "--venv /nonesuch has no bin/python",
        "FAILED 78:0",
        {"venv": "/nonesuch"},
        id="venv",
    ),
    Occurrence(
        "environment-not-built",
        "x = 1",
        exceptions.EnvironmentMismatch,
        "build it here, once: `bash .*build.sh",
        "the environment could not be built on",
        "FAILED 78:0",
        {"requirements": str(NOT_TO_BE_HAD)},
    ),
    Occurrence(
        "not-started",
        "x = 1",
        exceptions.EnvironmentMismatch,
        "`--python PATH`",
        "",
        "FAILED 1:0",
        {"python": "/bin/false"},
    ),
    Occurrence(
        "out-of-memory-slurm",
        f"import time\nx = bytearray(700 << 20)\n{SIT}",
        exceptions.OutOfMemory,
        r"`--mem (1|1.5|2)G`",
        r"exceeded memory limit \(\d+ > 314572800\), being killed",
        "FAILED 0:9",
        {"memory": "300M"},
    ),
    Occurrence(
        "killed-for-memory",
        f"{HERE}x = bytearray(580 << 20)\n"
        "while '\"sample\"' not in open(run + '/events.jsonl').read(): time.sleep(.1)\n"
        "os.kill(os.getpid(), 9)",
        exceptions.OutOfMemory,
        r"`--mem 1G`",
        r"it used at least 5\d\d MiB of 600 MiB",
        "FAILED 137:0",
        {"memory": "600M"},
        id="near the limit",
    ),
    Occurrence(
        "segmentation-fault",
        "import ctypes\nctypes.string_at(0)",
        exceptions.SegmentationFault,
        "Python frames",
        "SIGSEGV",
        "FAILED 139:0",
    ),
    Occurrence(
        "crash",
        "import os\nos.abort()",
        exceptions.SegmentationFault,
        "`--constraint`",
        "SIGABRT",
        "FAILED 134:0",
    ),
    Occurrence(
        "killed",
        "import os\nos.kill(os.getpid(), 9)",
        exceptions.ProcessDied,
        r"`--mem \d+G`",
        "SIGKILL",
        "FAILED 137:0",
    ),
    Occurrence(
        "signal",
        "import os, signal\nos.kill(os.getpid(), signal.SIGALRM)",
        exceptions.ProcessDied,
        "Run the cell again",
        "SIGALRM",
        "FAILED 142:0",
    ),
    Occurrence(
        "process-exit",
        "import os\nos._exit(7)",
        exceptions.ProcessDied,
        r"`os\._exit\(\)`",
        "exit code 7",
        "FAILED 7:0",
    ),
    Occurrence(
        "failed",
        f"{HERE}os.mkdir(run + '/.end.json.draft')\nos._exit(9)",
        exceptions.ProcessDied,
        "`%hpc logs --scheduler`",
        r"scheduler: FAILED 9:0",
        "FAILED 9:0",
    ),
)


def is_shown_everywhere(job: Job, evidence: str) -> None:
    """The verdict for whose record there was no room: the list, the job's view and the commands have it all the same."""
    assert evidence in why_text(job)
    assert evidence in COMMANDS["show"].run(Namespace(run=job.id))
    listing = Listing(store())
    for _ in range(2):  # also where the record was read before
        [row] = [row for row in listing.summaries() if row["id"] == job.id]
        assert (row["state"], row["error"]) == ("FAILED", "DiskFull")
    shown = detail(job)
    assert "JUPYTER_HPC_ROOT" in shown["hint"]
    assert evidence in "\n".join(shown["evidence"])
