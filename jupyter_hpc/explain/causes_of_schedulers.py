"""Rows of the table of causes that a scheduler's answer, its log or the batch script tell."""

from __future__ import annotations

from ..model.states import JobState
from .cause import AGAIN, MORE_MEMORY, MORE_TIME, Cause
from .signs import (
    CANCELLED,
    CUT_OFF_AT_START,
    CUT_SHORT,
    FAILED,
    FULL_HERE,
    NOT_LAUNCHED,
    holds,
    is_because,
    is_state,
    is_told,
    never_started,
    says,
)

_OWN = "{f.exception}"

SCHEDULER_CAUSES: tuple[Cause, ...] = (
    Cause(
        "replaced",
        JobState.CANCELLED,
        "JobCancelled",
        (CANCELLED | says("jupyter_hpc: the job was started a second time"))
        & holds(
            "another run was submitted in its place while it waited",
            lambda f: f.replaced_by,
            lambda f: f"{f.replaced_by} was submitted in its place",
        ),
        "{f.replaced_by} was submitted in its place while it waited.",
        "`%hpc attach {f.replaced_by}` watches that one.",
        is_told=True,
    ),
    # -- what the scheduler did ---------------------------------------------------------------------------
    Cause(
        "out-of-memory-cgroup",
        JobState.OUT_OF_MEMORY,
        "OutOfMemory",
        is_state(JobState.OUT_OF_MEMORY) | says("oom.kill event|Out Of Memory"),
        "The job exceeded its memory limit{f.of_limit}{f.used}.",
        "{remedy}",
        MORE_MEMORY,
        is_told=True,
    ),
    Cause(
        "out-of-memory-slurm",
        JobState.OUT_OF_MEMORY,
        "OutOfMemory",
        says("exceeded memory limit"),
        "The job exceeded its memory limit{f.of_limit}{f.used}.",
        "{remedy}",
        MORE_MEMORY,
        is_told=True,
    ),
    Cause(
        "deadline",
        JobState.TIMEOUT,
        "TimeLimitExceeded",
        is_told("Slurm's state `DEADLINE`", "deadline") | is_because("^DeadLine"),
        "The job's deadline passed{f.when}.",
        "Give a later one (`-- --deadline=…`), or leave it out.",
        is_told=True,
        leaves_time=True,
    ),
    Cause(
        "time-limit",
        JobState.TIMEOUT,
        "TimeLimitExceeded",
        is_state(JobState.TIMEOUT)
        | says("DUE TO TIME LIMIT")
        | holds("the batch script's own timer ended it", lambda f: f.is_timed_out),
        "The job reached {f.limit}.",
        "{remedy}",
        MORE_TIME,
        is_told=True,
        leaves_time=True,
    ),
    Cause(
        "preempted",
        JobState.PREEMPTED,
        "Preempted",
        is_state(JobState.PREEMPTED) | says("DUE TO PREEMPTION"),
        "A job with a higher priority took its place.",
        "{remedy} {f.restarts}",
        AGAIN,
        is_told=True,
    ),
    Cause(
        "boot-failed",
        JobState.NODE_FAIL,
        "NodeFailed",
        is_told("Slurm's state `BOOT_FAIL`", "boot-failed"),
        "{f.node} did not boot for the job.",
        "{remedy} {f.avoids_node}",
        AGAIN,
        is_told=True,
    ),
    Cause(
        "node-failed",
        JobState.NODE_FAIL,
        "NodeFailed",
        is_state(JobState.NODE_FAIL) | says("DUE TO NODE FAILURE|NODE_FAIL"),
        "{f.node} failed while the job ran there.",
        "{remedy} {f.avoids_node} {f.restarts}",
        AGAIN,
        is_told=True,
    ),
    Cause(
        "dependency-failed",
        JobState.CANCELLED,
        "DependencyNeverSatisfied",
        is_state(JobState.CANCELLED) & is_because("DependencyNeverSatisfied"),
        "The job was cancelled before it started: the job that it waited for did not end as asked.",
        "`%hpc jobs` shows how that one ended. Run it again first, then this cell.",
    ),
    Cause(
        "launch-disk-full",
        JobState.FAILED,
        "DiskFull",
        never_started() & FAILED & FULL_HERE,
        "{f.node} could not write into {f.run}: its disk is full.",
        "Free space (`%hpc clean` shows what runs hold), or set JUPYTER_HPC_ROOT to a folder on a larger shared disk.",
    ),
    Cause(
        "no-shared-disk",
        JobState.FAILED,
        "NoSharedDisk",
        NOT_LAUNCHED | (says(r"can't read .*No such file|No module named '?jupyter_hpc_worker") & never_started()),
        "{f.node} does not see the folder {f.run}, or could not write there.",
        "Run directories must lie on a disk that notebook and nodes share: set JUPYTER_HPC_ROOT, or `root` in "
        "jupyter_hpc_config.json, to a folder on one.",
    ),
    Cause(
        "start-failed",
        JobState.NODE_FAIL,
        "NodeFailed",
        ((is_because("JobLaunchFailure|launch failed") | says("Error running .*prolog")) & never_started())
        | (is_state(JobState.CANCELLED) & CUT_OFF_AT_START),
        "{f.node} could not start the job: a prolog script failed there, its own folders are full or gone, "
        "or it could not write into {f.run}.",
        "{remedy} {f.avoids_node} `sinfo -R` may say what is wrong with it.",
        AGAIN,
    ),
    Cause(
        "started-twice",
        JobState.LOST,
        "JobLost",
        says("jupyter_hpc: the job was started a second time") & CUT_SHORT,
        "The job was started a second time, which it doesn't allow: that start did nothing, and the first one "
        "had not come to its end.",
        "`%hpc logs` shows how far the first one came. {remedy} {f.restarts}",
        AGAIN,
    ),
    Cause(
        "cancelled-by-you",
        JobState.CANCELLED,
        "JobCancelled",
        CANCELLED & holds("you asked, or Slurm's `CANCELLED by` has your user id", lambda f: f.is_cancelled_by_owner),
        "The job was cancelled{f.when} by you.",
        "{remedy}",
        AGAIN,
        is_told=True,
        leaves_time=True,
    ),
    Cause(
        "cancelled-by-other",
        JobState.CANCELLED,
        "JobCancelled",
        CANCELLED & holds("Slurm's `CANCELLED by` has another user's id", lambda f: f.canceller),
        "The job was cancelled{f.when} by {f.canceller}.",
        "Ask {f.canceller} why. {remedy}",
        AGAIN,
        is_told=True,
        leaves_time=True,
    ),
    Cause(
        "cancelled",
        JobState.CANCELLED,
        "JobCancelled",
        CANCELLED,
        "The job was cancelled{f.when}; it is not known by whom.",
        "{remedy}",
        AGAIN,
        is_told=True,
        leaves_time=True,
        needs_scheduler=True,
    ),
)
