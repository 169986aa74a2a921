"""Why a job ended: one table, each row a cause, what shows it, and what to do.

The first row whose sign holds is the cause, so rows go from the particular to the general. ``docs/causes.md`` is
this table; :func:`~jupyter_hpc.explain.causes_page.markdown_table` writes it anew when a row changes.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Iterator

from ..model.states import JobState
from .cause import AGAIN, MORE_MEMORY, MORE_TIME, Cause
from .evidence import Facts
from .pods import POD_CAUSES, TAKES_BACK
from .signs import (
    CANCELLED,
    CRASHES,
    CUDA,
    CUT_OFF_AT_START,
    FAILED,
    FULL_HERE,
    KERNEL_HAS,
    KILLED_CHILD,
    MEMORY_SHORT,
    NO_MODULE,
    NOT_LAUNCHED,
    SPACE,
    STARTED,
    Lines,
    dies_of,
    holds,
    is_because,
    is_state,
    is_told,
    never_started,
    raises,
    raises_errno,
    says,
)

_OWN = "{f.exception}"

CAUSES: tuple[Cause, ...] = (
    # -- the cell's own exception: raised here as its own type, with the suggestion as a note ----------
    Cause(
        "cuda-out-of-memory", JobState.FAILED, "", CUDA, _OWN,
        "The gpu's own memory is full; `--mem` doesn't help. Make the batch smaller, or ask for a gpu with more "
        "memory, as in `--gpus h100:1` (`sinfo -o %G` lists the types).",
    ),
    Cause(
        "memory-error", JobState.FAILED, "", raises("MemoryError"), _OWN,
        "The node refused the memory. {remedy}{f.address_limit}", MORE_MEMORY,
    ),
    Cause(
        "module-missing-there", JobState.FAILED, "EnvironmentMismatch", NO_MODULE & KERNEL_HAS, "{f.problem}",
        "The kernel has {f.module}, {f.node_python} on {f.node} hasn't. Leave out --python, --venv and --conda to use "
        "the kernel's own Python, or name one that has it: `--venv DIR`, `--conda NAME`, `--module NAME`.",
    ),
    Cause(
        "module-missing", JobState.FAILED, "EnvironmentMismatch", NO_MODULE, "{f.problem}",
        "`%pip install {f.module}` installs it for the kernel, whose Python the node uses unless told otherwise; "
        "`--module NAME`, `--venv DIR` and `--conda NAME` choose another.",
    ),
    Cause(
        "disk-full", JobState.FAILED, "", raises_errno(errno.ENOSPC), _OWN,
        "{f.place} is full. Write elsewhere (`--workdir DIR`, `--env TMPDIR=DIR`), or free space; "
        "`%hpc clean` shows what runs hold.",
    ),
    Cause(
        "disk-quota", JobState.FAILED, "", raises_errno(errno.EDQUOT), _OWN,
        "Your quota at {f.place} is used up (`quota -s` shows it). Write elsewhere (`--workdir DIR`, "
        "`--env TMPDIR=DIR`), or free space; `%hpc clean` shows what runs hold.",
    ),
    Cause(
        "child-out-of-memory", JobState.FAILED, "",
        KILLED_CHILD, _OWN,
        "A process that the cell started was killed for memory. {remedy}", MORE_MEMORY,
    ),
    Cause(
        "exit-0", JobState.COMPLETED, "CellExit",
        holds(
            "the cell called `exit()` or `exit(0)`",
            lambda f: f.raised.get("kind") == "exit" and f.raised.get("exit_code") in (0, None),
        ),
        "the cell called exit()", "",
    ),
    Cause(
        "exit", JobState.FAILED, "",
        holds("the cell called `exit()` with another code", lambda f: f.raised.get("kind") == "exit"),
        "The cell called exit({f.raised[exit_code]!r}).", "Raise an exception instead, to see where and why.",
    ),
    Cause(
        "interrupt", JobState.FAILED, "",
        holds("the cell raised `KeyboardInterrupt`", lambda f: f.raised.get("kind") == "interrupt"),
        _OWN, "{remedy}", AGAIN,
    ),
    Cause(
        "exception", JobState.FAILED, "",
        holds("the cell raised another exception", lambda f: f.is_cell_error),
        _OWN, "",
    ),
    *POD_CAUSES,
    # -- what the worker could still say ----------------------------------------------------------------
    Cause(
        "result-disk-full", JobState.FAILED, "DiskFull", SPACE | (STARTED & FAILED & FULL_HERE),
        "The result could not be saved: {f.place} is full or over its quota.",
        "Free space (`%hpc clean` shows what runs hold), bring back less (`-o NAME`), or set JUPYTER_HPC_ROOT "
        "to a folder on a larger shared disk.",
    ),
    Cause(
        "result-unsaved", JobState.FAILED, "ProcessDied",
        holds("the worker's `unsaved` event", lambda f: f.reader.unsaved, lambda f: f.unsaved),
        "The result could not be saved: {f.unsaved}.",
        "`%hpc logs` has the traceback; `-o NAME` brings back less.",
    ),
    Cause(
        "result-lost", JobState.LOST, "JobLost",
        holds("the result could not be fetched from where it was kept", lambda f: f.lost, lambda f: f.lost),
        "{f.lost}", "Its log and its events are here.", is_told=True,
    ),
    Cause(
        "no-workdir", JobState.FAILED, "NoSharedDisk",
        holds(
            "the worker can't enter the working directory",
            lambda f: f.mismatch.get("kind") == "workdir",
            lambda f: f.problem,
        ),
        "{f.node} does not see the working directory {f.record[spec][workdir]}.",
        "Keep the notebook on a disk that the nodes see, or name a folder there: `--workdir DIR`.",
    ),
    Cause(
        "environment", JobState.FAILED, "EnvironmentMismatch",
        holds("the worker's `mismatch` event", lambda f: f.reader.mismatch, lambda f: f.problem),
        "{f.problem}", "{f.mismatch_hint}",
    ),
    # -- what the scheduler did ---------------------------------------------------------------------------
    Cause(
        "out-of-memory-cgroup", JobState.OUT_OF_MEMORY, "OutOfMemory",
        is_state(JobState.OUT_OF_MEMORY) | says("oom.kill event|Out Of Memory"),
        "The job exceeded its memory limit{f.of_limit}{f.used}.", "{remedy}", MORE_MEMORY, is_told=True,
    ),
    Cause(
        "out-of-memory-slurm", JobState.OUT_OF_MEMORY, "OutOfMemory", says("exceeded memory limit"),
        "The job exceeded its memory limit{f.of_limit}{f.used}.", "{remedy}", MORE_MEMORY, is_told=True,
    ),
    Cause(
        "deadline", JobState.TIMEOUT, "TimeLimitExceeded",
        is_told("Slurm's state `DEADLINE`", "deadline") | is_because("^DeadLine"),
        "The job's deadline passed{f.when}.", "Give a later one (`-- --deadline=…`), or leave it out.",
        is_told=True, leaves_time=True,
    ),
    Cause(
        "time-limit", JobState.TIMEOUT, "TimeLimitExceeded",
        is_state(JobState.TIMEOUT) | says("DUE TO TIME LIMIT")
        | holds("the batch script's own timer ended it", lambda f: f.is_timed_out),
        "The job reached {f.limit}.", "{remedy}", MORE_TIME,
        is_told=True, leaves_time=True,
    ),
    Cause(
        "preempted", JobState.PREEMPTED, "Preempted",
        is_state(JobState.PREEMPTED) | says("DUE TO PREEMPTION"),
        "A job with a higher priority took its place.", "{remedy} {f.restarts}", AGAIN, is_told=True,
    ),
    Cause(
        "boot-failed", JobState.NODE_FAIL, "NodeFailed", is_told("Slurm's state `BOOT_FAIL`", "boot-failed"),
        "{f.node} did not boot for the job.", "{remedy} {f.avoids_node}", AGAIN, is_told=True,
    ),
    Cause(
        "node-failed", JobState.NODE_FAIL, "NodeFailed",
        is_state(JobState.NODE_FAIL) | says("DUE TO NODE FAILURE|NODE_FAIL"),
        "{f.node} failed while the job ran there.",
        "{remedy} {f.avoids_node} {f.restarts}", AGAIN, is_told=True,
    ),
    Cause(
        "dependency-failed", JobState.CANCELLED, "DependencyNeverSatisfied",
        is_state(JobState.CANCELLED) & is_because("DependencyNeverSatisfied"),
        "The job was cancelled before it started: the job that it waited for did not end as asked.",
        "`%hpc jobs` shows how that one ended. Run it again first, then this cell.",
    ),
    Cause(
        "launch-disk-full", JobState.FAILED, "DiskFull", never_started() & FAILED & FULL_HERE,
        "{f.node} could not write into {f.run}: its disk is full.",
        "Free space (`%hpc clean` shows what runs hold), or set JUPYTER_HPC_ROOT to a folder on a larger shared disk.",
    ),
    Cause(
        "no-shared-disk", JobState.FAILED, "NoSharedDisk",
        NOT_LAUNCHED | (says(r"can't read .*No such file|No module named '?jupyter_hpc_worker") & never_started()),
        "{f.node} does not see the folder {f.run}.",
        "Run directories must lie on a disk that notebook and nodes share: set JUPYTER_HPC_ROOT, or `root` in "
        "jupyter_hpc_config.json, to a folder on one.",
    ),
    Cause(
        "start-failed", JobState.NODE_FAIL, "NodeFailed",
        ((is_because("JobLaunchFailure|launch failed") | says("Error running .*prolog")) & never_started())
        | (is_state(JobState.CANCELLED) & CUT_OFF_AT_START),
        "{f.node} could not start the job: a prolog script failed there, or its own folders are full or gone.",
        "{remedy} {f.avoids_node} `sinfo -R` may say what is wrong with it.", AGAIN,
    ),
    Cause(
        "cancelled-by-you", JobState.CANCELLED, "JobCancelled",
        CANCELLED & holds("you asked, or Slurm's `CANCELLED by` has your user id", lambda f: f.is_cancelled_by_owner),
        "The job was cancelled{f.when} by you.", "{remedy}", AGAIN, is_told=True, leaves_time=True,
    ),
    Cause(
        "cancelled-by-other", JobState.CANCELLED, "JobCancelled",
        CANCELLED & holds("Slurm's `CANCELLED by` has another user's id", lambda f: f.canceller),
        "The job was cancelled{f.when} by {f.canceller}.",
        "Ask {f.canceller} why. {remedy}", AGAIN, is_told=True, leaves_time=True,
    ),
    Cause(
        "cancelled", JobState.CANCELLED, "JobCancelled", CANCELLED,
        "The job was cancelled{f.when}; it is not known by whom.", "{remedy}", AGAIN,
        is_told=True, leaves_time=True, needs_scheduler=True,
    ),
    # -- it never started -----------------------------------------------------------------------------------
    Cause(
        "no-environment-module", JobState.FAILED, "EnvironmentMismatch",
        says("jupyter_hpc: (module load .* failed|--module was asked for)") & never_started(),
        "The node could not start the worker: {f.refused}.", "`module avail` lists the names for `--module NAME`.",
    ),
    Cause(
        "no-conda", JobState.FAILED, "EnvironmentMismatch",
        says("jupyter_hpc: (conda activate|--conda was asked for|the conda environment)") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "`conda env list` lists the names for `--conda NAME`; `--conda DIR` takes a folder, "
        "`--module NAME` loads conda first.",
    ),
    Cause(
        "no-python", JobState.FAILED, "EnvironmentMismatch",
        says("jupyter_hpc: .*(no Python at|--venv|kernel's own Python|and the worker needs)") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "Name one that {f.node} has: `--python PATH`, `--venv DIR`, `--conda NAME` or `--module NAME`.",
    ),
    Cause(
        "prologue", JobState.FAILED, "EnvironmentMismatch",
        says("jupyter_hpc: the prologue") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "It is the target's setting `prologue`: `%hpc config` shows where from.",
    ),
    Cause(
        "environment-not-built", JobState.FAILED, "EnvironmentMismatch",
        says("jupyter_hpc: the environment could not be built") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "If the nodes reach no package index, build it here, once; the error has the exact command.",
    ),
    Cause(
        "not-started", JobState.FAILED, "EnvironmentMismatch",
        holds("the batch script ended without a signal", lambda f: f.end is not None and f.number is None)
        & never_started(),
        "The worker did not start: {f.last_word}", "Is that Python right? `--python PATH` names another.",
    ),
    # -- how its process died -----------------------------------------------------------------------------------
    Cause(
        "killed-for-memory", JobState.OUT_OF_MEMORY, "OutOfMemory",
        dies_of({signal.SIGKILL}, "`SIGKILL`") & MEMORY_SHORT,
        "The cell's process was killed by SIGKILL, because memory ran out{f.used}.", "{remedy}", MORE_MEMORY,
        needs_scheduler=True,
    ),
    Cause(
        "segmentation-fault", JobState.FAILED, "SegmentationFault", dies_of({signal.SIGSEGV}, "`SIGSEGV`"),
        "The cell's process crashed in compiled code (a segmentation fault).",
        "The log ends with the Python frames at the crash. Mixed versions of compiled packages are the usual cause: "
        "`--venv DIR` or `--conda NAME` runs it in another environment.",
    ),
    Cause(
        "crash", JobState.FAILED, "SegmentationFault",
        dies_of(CRASHES, "`SIGBUS`, `SIGILL`, `SIGABRT` or `SIGFPE`"),
        "The cell's process crashed in compiled code ({f.signal_name}).",
        "The log ends with the Python frames at the crash, and what the library said. SIGILL: it was built for another "
        "cpu, `--constraint` names nodes that have it. SIGBUS: a mapped file was cut, or /dev/shm is full.",
    ),
    Cause(
        "killed", JobState.FAILED, "ProcessDied", dies_of({signal.SIGKILL}, "`SIGKILL`"),
        "The cell's process was killed by SIGKILL, and nothing says by whom{f.used}.",
        "Memory may be the cause. {remedy}", MORE_MEMORY, needs_scheduler=True,
    ),
    Cause(
        "signal", JobState.FAILED, "ProcessDied",
        holds("another signal", lambda f: f.number, lambda f: f"ended by {f.signal_name}"),
        "The cell's process was ended by {f.signal_name}.",
        "Something on {f.node} sent it: the cell, a program that it started, or somebody there. {remedy}", AGAIN,
        needs_scheduler=True,
    ),
    Cause(
        "process-exit", JobState.FAILED, "ProcessDied",
        holds(
            "the process ended before its result was saved",
            lambda f: f.end is not None and f.reader.done is None,
            lambda f: f.exit_code,
        ),
        "The cell's process ended itself with {f.exit_code}, before its result was saved.",
        "`os._exit()` and the like leave no result; raise an exception instead.",
    ),
    Cause(
        "failed", JobState.FAILED, "ProcessDied", is_state(JobState.FAILED),
        "The job failed with {f.exit_code}: {f.last_word}", "`%hpc logs --scheduler` has the rest.",
    ),
    Cause(
        "lost", JobState.LOST, "JobLost",
        holds("the scheduler no longer knows the job, and there is no result", lambda f: True, lambda f: f.last_sign),
        "The scheduler no longer knows the job, and it left no result ({f.started_or_not}).",
        "What is left is in {f.run}. {remedy}", AGAIN,
    ),
    # -- no end: why it waits, again or for ever ----------------------------------------------------------------
    Cause(
        "preempted-requeued", JobState.PENDING, "",
        says("DUE TO PREEMPTION") | is_told("its pod was preempted", "preempted"),
        "a job with a higher priority took its place; it will start again from the beginning", "",
    ),
    Cause(
        "node-failed-requeued", JobState.PENDING, "", says("DUE TO NODE FAILURE"),
        "{f.node} failed; it will start again from the beginning on another", "",
    ),
    Cause(
        "taken-back", JobState.PENDING, "",
        is_told("its node ended its pod, and Kubernetes makes another", *TAKES_BACK),
        "{f.node} could not keep it{f.because}", "",
    ),
    Cause(
        "requeued", JobState.PENDING, "", says("DUE TO JOB REQUEUE"),
        "it was requeued, and will start again from the beginning", "",
    ),
    Cause(
        "dependency-never", JobState.PENDING, "", is_because("DependencyNeverSatisfied"),
        "the job that it depends on did not end as asked, so it will never start",
        "`%hpc cancel` ends it; `-- --kill-on-invalid-dep=yes` lets Slurm do so.",
    ),
    Cause(
        "launch-held", JobState.PENDING, "", is_because("launch failed requeued held|JobHeldAdmin.*launch"),
        "a node could not start it (its prolog failed), so Slurm holds it",
        "`scontrol release {f.native_id}` lets it try again; `sinfo -R` says what is wrong with the node.",
    ),
)  # fmt: skip


def find(facts: Facts, *, only_told: bool = False) -> tuple[Cause, Lines] | None:
    """Return the cause of an end and its evidence.

    Parameters
    ----------
    only_told : bool
        The job's own end has not shown: only what the scheduler itself told counts.
    """
    rows = (cause for cause in CAUSES if cause.state.is_final and (cause.is_told or not only_told))
    return next(_matching(rows, facts), None)


def why_it_waits(facts: Facts) -> str:
    """Return what the table says of a job that has not ended; empty if nothing."""
    found = next(_matching((c for c in CAUSES if not c.state.is_final), facts), None)
    if found is None:
        return ""
    cause = found[0]
    return ". ".join(part for part in (cause.says(facts), cause.suggests(facts)) if part).removesuffix(".")


def _matching(rows: Iterator[Cause], facts: Facts) -> Iterator[tuple[Cause, Lines]]:
    for cause in rows:
        lines = cause.sign.check(facts)
        if lines is not None:
            yield cause, tuple(dict.fromkeys(line for line in lines if line))
