"""Why a job waits: Slurm's reason codes in words, in groups.

Slurm has some hundred and eighty codes. Those of limits follow one pattern (whose limit, of what, for whom),
and are put into words by it; the others have a line each. A code of neither kind is shown as it is.
"""

from __future__ import annotations

import re
from typing import Literal

from ...model.states import JobState

Group = Literal["queue", "limit", "request", "held", "dependency", "begin", "site", "ended", "unknown"]

# Slurm says this in place of a code, also where nothing is down and a job that comes first waits for the nodes
_LONG = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"

# queue: it will start by itself; limit: of the QOS or the account; request: it can't start as it was asked for;
# held, dependency, begin: somebody or something else comes first; site: something is down; ended: why a job ended
_WORDS: dict[Group, dict[str, str]] = {
    "queue": {
        "Priority": "jobs with a higher priority are before it",
        "Resources": "it is next, and waits for what it asks for to become free",
        "Licenses": "it waits for a licence",
        "JobArrayTaskLimit": "the array's own limit of tasks at once is reached",
        "SchedDefer": "the scheduler looks at new jobs only from time to time",
        "Prolog": "its nodes are being prepared",
        "Cleaning": "what its last attempt left is being cleaned up",
        "BurstBufferResources": "it waits for space in the burst buffer",
        "BurstBufferStageIn": "its data is being copied into the burst buffer",
        "PowerNotAvail": "it waits for electrical power",
        "PowerReserved": "the electrical power that it needs is reserved",
        "WaitingForScheduling": "the scheduler has not looked at it yet",
        "FedJobLock": "the clusters of the federation settle which of them starts it",
    },
    "request": {
        "PartitionTimeLimit": "it asks for more time than the partition allows",
        "PartitionNodeLimit": "it asks for more nodes than the partition has or allows",
        "PartitionConfig": "the partition has no nodes that could ever hold it",
        "BadConstraints": "no node has what it asks for",
        "Constraints": "no node has what it asks for",
        "MaxMemPerLimit": "it asks for more memory than the partition allows",
        "InvalidAccount": "its account is not valid (any more)",
        "InvalidQOS": "its QOS is not valid (any more)",
        "QOSNotAllowed": "the partition doesn't take its QOS",
        "AccountNotAllowed": "the partition doesn't take its account",
        "QOSUsageThreshold": "its QOS refuses accounts that have used as much as yours",
        "ReservationDeleted": "the reservation that it asks for was deleted",
        "ReservationInvalid": "the reservation that it asks for is not valid for it",
    },
    "held": {
        "JobHeldUser": "it is held by its user: scontrol release",
        "JobHeldAdmin": "it is held by an administrator, or was requeued in held state",
        "JobHoldMaxRequeue": "it was requeued as often as the site allows, and is held: scontrol release",
        "launch failed requeued held": "its start failed, and it is held: scontrol release",
        "job requeued in held state": "it was requeued in held state: scontrol release",
    },
    "dependency": {
        "Dependency": "it waits for another job to end",
        "DependencyNeverSatisfied": "the job it depends on failed, so it will never start",
    },
    "begin": {
        "BeginTime": "its begin time has not come (or it was requeued a moment ago)",
        "Reservation": "it waits for its reservation to begin",
        "DeadLine": "it can't end before its deadline",
    },
    "site": {
        "ReqNodeNotAvail": "a node that it needs is down, drained or reserved",
        "NodeDown": "a node that it needs is down",
        "PartitionDown": "the partition is down",
        "PartitionInactive": "the partition is inactive",
        "FrontEndDown": "no front end node is up",
        _LONG: "the nodes that it needs are down, drained, or kept for jobs that come first",
    },
    "limit": {
        "AccountingPolicy": "a limit of your account or QOS is reached",
        "AssociationJobLimit": "your account runs as many jobs as it may",
        "AssociationResourceLimit": "your account uses as much as it may",
        "AssociationTimeLimit": "your account has used up its time",
        "QOSJobLimit": "the QOS runs as many jobs as it may",
        "QOSResourceLimit": "the QOS uses as much as it may",
        "QOSTimeLimit": "the QOS has used up its time",
    },
    "ended": {
        "SystemFailure": "the network, a file system or Slurm itself failed",
        "JobLaunchFailure": "it could not be started, or its first process was killed",
        "NonZeroExitCode": "it ended with an exit code other than 0",
        "RaisedSignal": "a signal ended it",
        "TimeLimit": "it reached its time limit",
        "InactiveLimit": "it was inactive for too long",
        "OutOfMemory": "it used more memory than it had",
        "BurstBufferOperation": "the burst buffer failed",
    },
}
_SINGLE = {code: (group, words) for group, table in _WORDS.items() for code, words in table.items()}

_LIMIT = re.compile(
    r"(?P<owner>QOS|Assoc)?(?P<kind>Grp|Max|Min)(?P<what>CPU|Cpu|Mem(?:ory)?|Node|GRES|SubmitJobs?|Jobs?|Wall"
    r"(?:Duration)?|License|BB|Energy|Billing|Unknown)(?P<minutes>Run(?:Minute|Min)s|Minutes)?"
    r"(?P<whom>PerJob|PerUser|PerNode|PerAccount)?(?:Limit|NotSatisfied)?"
)
_WHAT = {
    "cpu": ("cpus", "cpu"),
    "mem": ("memory", "memory"),
    "memory": ("memory", "memory"),
    "node": ("nodes", "node"),
    "gres": ("gpus (or other generic resources)", "gpu"),
    "license": ("licences", "licence"),
    "bb": ("burst buffer", "burst buffer"),
    "energy": ("energy", "energy"),
    "billing": ("billing units", "billing"),
    "unknown": ("of a resource", "resource"),
    "wall": ("time", "wall"),
    "wallduration": ("time", "wall"),
}


def group_of(reason: str) -> Group:
    """Return what kind of reason this is; ``"unknown"`` if we don't know the code."""
    code = code_of(reason)
    known = _SINGLE.get(code)
    if known is not None:
        return known[0]
    return "limit" if _LIMIT.fullmatch(code) else "unknown"


def words_of(reason: str) -> str:
    """Return the reason in words, without Slurm's own; empty if we don't know the code."""
    code = code_of(reason)
    known = _SINGLE.get(code)
    return known[1] if known is not None else _limit_words(code)


def code_of(reason: str) -> str:
    """Return the code alone, of ``(ReqNodeNotAvail, UnavailableNodes:c1)`` and the like."""
    text = reason.strip("() \t")
    return text if text in _SINGLE else re.split(r"[,(:]", text, maxsplit=1)[0].strip()


def _limit_words(code: str) -> str:
    match = _LIMIT.fullmatch(code)
    if match is None:
        return ""
    owner = "your account" if match["owner"] == "Assoc" else "the QOS"
    what = match["what"].lower()
    if what.startswith(("job", "submit")):
        return _job_count_words(owner, match["kind"], match["whom"], is_submit=what.startswith("submit"))
    amount, unit = _WHAT[what]
    if match["kind"] == "Min":
        return f"it asks for {'less' if amount in _UNCOUNTED else 'fewer'} {amount} than {owner} demands"
    much = "much" if amount in _UNCOUNTED else "many"
    if match["minutes"]:
        much, amount = "many", f"{unit} minutes"
    is_ahead = (match["minutes"] or "").startswith("Run")
    if match["kind"] == "Grp":
        if is_ahead:
            return f"the running jobs of {owner} have as {much} {amount} before them as they may together"
        if match["minutes"] or unit == "wall":
            return f"the jobs of {owner} have used up the {amount} that they may use together"
        return f"the running jobs of {owner} use as {much} {amount} as they may together"
    if is_ahead:
        whose, one = ("your account's", "account") if match["whom"] == "PerAccount" else ("your", "user")
        return f"{whose} running jobs have as {much} {amount} before them as {owner} allows one {one}"
    if match["whom"] == "PerUser":
        return f"you use as {much} {amount} as {owner} allows one user"
    if match["whom"] == "PerAccount":
        return f"your account uses as {much} {amount} as {owner} allows one account"
    where = " on one node" if match["whom"] == "PerNode" else " for one job"
    return f"it asks for more {amount} than {owner} allows{where}"


_UNCOUNTED = {"memory", "energy", "time", "burst buffer", "of a resource"}


def _job_count_words(owner: str, kind: str, whom: str | None, *, is_submit: bool) -> str:
    done = "have submitted" if is_submit else "run"
    if kind == "Grp":
        subject = "its users" if owner == "the QOS" else "its members"
        return f"{owner} has as many jobs as {subject} may {'submit' if is_submit else 'run'} together"
    if whom == "PerAccount":
        return f"your account {'has submitted' if is_submit else 'runs'} as many jobs as {owner} allows one account"
    return f"you {done} as many jobs as {owner} allows"


def reason_text(reason: str, state: JobState) -> str:
    """Return the reason in words, with Slurm's own word beside it."""
    word = code_of(reason)
    if not word or word == "None":
        return ""
    if state is JobState.PENDING:
        words = words_of(reason)
        if word == _LONG:
            return words
        nodes = re.search(r"UnavailableNodes:([^\s)]+)", reason)
        words += f": {nodes[1]}" if words and nodes else ""
        return f"{words} ({word})" if words else reason.strip()
    return "" if word in ("Priority", "Resources") else reason.strip()
