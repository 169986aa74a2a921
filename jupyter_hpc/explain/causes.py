"""Why a job ended: one table, each row a cause, what shows it, and what to do.

The first row whose sign holds is the cause, so rows go from the particular to the general. ``docs/causes.md`` is
this table; :func:`~jupyter_hpc.explain.causes_page.markdown_table` writes it anew when a row changes.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

from ..model.states import JobState
from .cause import AGAIN, MORE_MEMORY, Cause
from .causes_of_cells import CELL_CAUSES
from .causes_of_schedulers import SCHEDULER_CAUSES
from .evidence import Facts
from .pods import TAKES_BACK
from .signs import (
    CRASHES,
    MEMORY_SHORT,
    Lines,
    dies_of,
    holds,
    is_because,
    is_state,
    is_told,
    never_started,
    says,
)

_OWN = "{f.exception}"

CAUSES: tuple[Cause, ...] = (
    *CELL_CAUSES,
    *SCHEDULER_CAUSES,
    # -- it never started -----------------------------------------------------------------------------------
    Cause(
        "no-environment-module",
        JobState.FAILED,
        "EnvironmentMismatch",
        says("jupyter_hpc: (module load .* failed|--module was asked for)") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "`module avail` lists the names for `--module NAME`.",
    ),
    Cause(
        "no-conda",
        JobState.FAILED,
        "EnvironmentMismatch",
        says("jupyter_hpc: (conda activate|--conda was asked for|the conda environment)") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "`conda env list` lists the names for `--conda NAME`; `--conda DIR` takes a folder, "
        "`--module NAME` loads conda first.",
    ),
    Cause(
        "no-python",
        JobState.FAILED,
        "EnvironmentMismatch",
        says("jupyter_hpc: .*(no Python at|--venv|kernel's own Python|and the worker needs)") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "Name one that {f.node} has: `--python PATH`, `--venv DIR`, `--conda NAME` or `--module NAME`.",
    ),
    Cause(
        "prologue",
        JobState.FAILED,
        "EnvironmentMismatch",
        says("jupyter_hpc: the prologue") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "It is the target's setting `prologue`: `%hpc config` shows where from.",
    ),
    Cause(
        "environment-not-built",
        JobState.FAILED,
        "EnvironmentMismatch",
        says("jupyter_hpc: the environment could not be built") & never_started(),
        "The node could not start the worker: {f.refused}.",
        "If the nodes reach no package index, build it here, once; the error has the exact command.",
    ),
    Cause(
        "not-started",
        JobState.FAILED,
        "EnvironmentMismatch",
        holds("the batch script ended without a signal", lambda f: f.end is not None and f.number is None)
        & never_started(),
        "The worker did not start: {f.last_word}",
        "Is that Python right? `--python PATH` names another.",
    ),
    # -- how its process died -----------------------------------------------------------------------------------
    Cause(
        "result-damaged",
        JobState.FAILED,
        "JobError",
        holds(
            "there is a result, and its `manifest.json` can't be read",
            lambda f: f.is_damaged,
            lambda f: f"damaged: {f.reader.run.result}",
        ),
        "The cell ended, and what it saved can't be read: the result in {f.run} is damaged.",
        "Something else than the job wrote there. {remedy}",
        AGAIN,
    ),
    Cause(
        "killed-for-memory",
        JobState.OUT_OF_MEMORY,
        "OutOfMemory",
        dies_of({signal.SIGKILL}, "`SIGKILL`") & MEMORY_SHORT,
        "The cell's process was killed by SIGKILL, because memory ran out{f.used}.",
        "{remedy}",
        MORE_MEMORY,
        needs_scheduler=True,
    ),
    Cause(
        "segmentation-fault",
        JobState.FAILED,
        "SegmentationFault",
        dies_of({signal.SIGSEGV}, "`SIGSEGV`"),
        "The cell's process crashed in compiled code (a segmentation fault).",
        "The log ends with the Python frames at the crash. Mixed versions of compiled packages are the usual cause: "
        "`--venv DIR` or `--conda NAME` runs it in another environment.",
    ),
    Cause(
        "crash",
        JobState.FAILED,
        "SegmentationFault",
        dies_of(CRASHES, "`SIGBUS`, `SIGILL`, `SIGABRT` or `SIGFPE`"),
        "The cell's process crashed in compiled code ({f.signal_name}).",
        "The log ends with the Python frames at the crash, and what the library said. SIGILL: it was built for another "
        "cpu, `--constraint` names nodes that have it. SIGBUS: a mapped file was cut, or /dev/shm is full.",
    ),
    Cause(
        "killed",
        JobState.FAILED,
        "ProcessDied",
        dies_of({signal.SIGKILL}, "`SIGKILL`"),
        "The cell's process was killed by SIGKILL, and nothing says by whom{f.used}.",
        "Memory may be the cause. {remedy}",
        MORE_MEMORY,
        needs_scheduler=True,
    ),
    Cause(
        "signal",
        JobState.FAILED,
        "ProcessDied",
        holds("another signal", lambda f: f.number, lambda f: f"ended by {f.signal_name}"),
        "The cell's process was ended by {f.signal_name}.",
        "Something on {f.node} sent it: the cell, a program that it started, or somebody there. {remedy}",
        AGAIN,
        needs_scheduler=True,
    ),
    Cause(
        "process-exit",
        JobState.FAILED,
        "ProcessDied",
        holds(
            "the process ended before its result was saved",
            lambda f: f.end is not None and f.reader.done is None,
            lambda f: f.exit_code,
        ),
        "The cell's process ended itself with {f.exit_code}, before its result was saved.",
        "`os._exit()` and the like leave no result; raise an exception instead.",
    ),
    Cause(
        "failed",
        JobState.FAILED,
        "ProcessDied",
        is_state(JobState.FAILED),
        "The job failed with {f.exit_code}: {f.last_word}",
        "`%hpc logs --scheduler` has the rest.",
    ),
    Cause(
        "never-submitted",
        JobState.LOST,
        "JobLost",
        holds("its record has no id of a job", lambda f: not f.record.get("native_id"))
        & never_started()
        & holds("the scheduler has no job with its mark", lambda f: f.is_lost),
        "The job was never submitted, as far as anybody knows: who began to submit it was stopped, and the scheduler "
        "has no job of this run.",
        "{remedy}",
        AGAIN,
    ),
    Cause(
        "lost",
        JobState.LOST,
        "JobLost",
        holds("the scheduler no longer knows the job, and there is no result", lambda f: True, lambda f: f.last_sign),
        "The scheduler no longer knows the job, and it left no result ({f.started_or_not}).",
        "What is left is in {f.run}. {remedy}",
        AGAIN,
    ),
    # -- no end: why it waits, again or for ever ----------------------------------------------------------------
    Cause(
        "preempted-requeued",
        JobState.PENDING,
        "",
        says("DUE TO PREEMPTION") | is_told("its pod was preempted", "preempted"),
        "a job with a higher priority took its place; it will start again from the beginning",
        "",
    ),
    Cause(
        "node-failed-requeued",
        JobState.PENDING,
        "",
        says("DUE TO NODE FAILURE"),
        "{f.node} failed; it will start again from the beginning on another",
        "",
    ),
    Cause(
        "taken-back",
        JobState.PENDING,
        "",
        is_told("its node ended its pod, and Kubernetes makes another", *TAKES_BACK),
        "{f.node} could not keep it{f.because}",
        "",
    ),
    Cause(
        "requeued",
        JobState.PENDING,
        "",
        says("DUE TO JOB REQUEUE"),
        "it was requeued, and will start again from the beginning",
        "",
    ),
    Cause(
        "dependency-never",
        JobState.PENDING,
        "",
        is_because("DependencyNeverSatisfied"),
        "the job that it depends on did not end as asked, so it will never start",
        "`%hpc cancel` ends it; `-- --kill-on-invalid-dep=yes` lets Slurm do so.",
    ),
    Cause(
        "launch-held",
        JobState.PENDING,
        "",
        is_because("launch failed requeued held|JobHeldAdmin.*launch"),
        "a node could not start it (its prolog failed), so Slurm holds it",
        "`scontrol release {f.native_id}` lets it try again; `sinfo -R` says what is wrong with the node.",
    ),
)


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
