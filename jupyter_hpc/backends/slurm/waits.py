"""Why a job waits, where it stands in the queue, when it is to start, and what could start now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ...model.exceptions import HPCError
from ...model.observation import Suggestion, Waiting, start_words
from ...model.spec import JobSpec
from ...model.states import JobState
from ...rundir.run import Run
from .command import SlurmCommand
from .demand import is_decided_elsewhere
from .queue import Estimate, Pending, lump, parse_estimate, parse_pending, place_of, queue_format
from .reasons import code_of, group_of, reason_text
from .site import Site
from .variants import Situation, Variant, variants

ASK_S = 10.0
TEST_S = 6.0
NOW_S = 90.0  # the scheduler's own rounds: a start within this is now
_HINTS = {
    "JobHeldUser": "`scontrol release {id}` lets it go.",
    "JobHoldMaxRequeue": "`scontrol release {id}` lets it go again; `%hpc logs --scheduler` says how it ended.",
    "DependencyNeverSatisfied": "Cancel it: it would wait for ever.",
    "PartitionConfig": "Cancel it and ask for less: it would wait for ever.",
    "PartitionNodeLimit": "Cancel it and ask for fewer --nodes: it would wait for ever.",
}


async def explain(command: SlurmCommand, site: Site, run: Run, native_id: str) -> Waiting | None:
    """Return why a pending job waits; None if it isn't pending (any more).

    Raises
    ------
    TargetError
        If Slurm can't be asked.
    """
    argv = ["squeue", "-h", "-a", "-t", "PENDING", "-O", queue_format()]
    done, inventory, nodes = await asyncio.gather(
        command.run(argv, timeout_s=ASK_S), site.known(4.0), site.nodes(), return_exceptions=True
    )
    if isinstance(done, BaseException):
        raise done
    rows = parse_pending(done.out) if done.status == 0 else []
    own = _own(rows, native_id)
    if own is None:
        return None
    now, reason = time.time(), own.reason
    place, of = place_of(own, rows) or (None, None)
    waiting = Waiting(
        reason_text(reason, JobState.PENDING),
        reason,
        place,
        None if place is None else place - 1,
        own.start if group_of(reason) not in ("held", "request") else None,
        hint=_HINTS.get(code_of(reason), "").format(id=native_id),
        of=of,
    )
    if isinstance(inventory, BaseException) or inventory is None or isinstance(nodes, BaseException):
        return waiting
    spec = JobSpec.from_record(run.record()["spec"])
    if is_decided_elsewhere(spec):  # what options of sbatch's own come to, only sbatch knows
        return waiting
    situation = Situation(inventory, nodes, spec, own, rows, now)
    found = await suggestions(command, run, situation)
    return replace(waiting, suggestions=tuple(found))


def _own(rows: Sequence[Pending], native_id: str) -> Pending | None:
    same = [r for r in rows if r.id == native_id] or [r for r in rows if r.array_id == native_id]
    return same[0] if same else None


async def suggestions(command: SlurmCommand, run: Run, situation: Situation) -> list[Suggestion]:
    """Return what would help, each tried with ``sbatch --test-only``; what Slurm refuses is left out."""
    found = variants(situation)
    answers = await asyncio.gather(*(try_variant(command, run, v) for v in found))
    return [_suggestion(situation, v, a) for v, a in zip(found, answers) if a is not False]


def _suggestion(situation: Situation, variant: Variant, answer: Estimate | None) -> Suggestion:
    if answer is None:
        return Suggestion(variant.options(), variant.why, confirmed=False)
    partition = situation.site.partitions.get(answer.partition)
    start = answer.start - (lump(situation.rows, partition) if partition else 0.0)
    confirmed = variant.starts_now and start - time.time() <= NOW_S
    expected = None if confirmed else max(start, situation.now)
    return Suggestion(variant.options(), variant.why, confirmed, expected)


async def try_variant(command: SlurmCommand, run: Run, variant: Variant) -> Estimate | Literal[False] | None:
    """Ask Slurm when a variant would start: an estimate, False if it refuses, None if it doesn't say."""
    argv = trial_command(run.record().get("command") or (), str(run.path / "job.sh"), variant.sbatch())
    if argv is None:
        return None
    try:
        done = await command.run(argv, timeout_s=TEST_S)
    except HPCError:
        return None
    return parse_estimate(done.err + done.out) if done.status == 0 else False


def trial_command(submitted: Sequence[str], script: str, changes: Sequence[str]) -> list[str] | None:
    """Return the command that a run was submitted with, changed, and only tried."""
    if script not in submitted:
        return None
    at = list(submitted).index(script)
    return [*submitted[:at], *changes, "--test-only", *submitted[at:]]


async def expected_start(command: SlurmCommand, argv: Sequence[str], script: bytes) -> str:
    """Return when a job would start if it were submitted now, in words; why not, if Slurm would refuse it."""
    done = await command.run([*argv, "--test-only"], timeout_s=TEST_S, stdin=script)
    if done.status != 0:
        return f"Slurm would refuse it: {done.last_line.partition('allocation failure: ')[2] or done.last_line}."
    found = parse_estimate(done.err + done.out)
    if found is None:
        return ""
    if found.start - time.time() <= NOW_S:
        return f"Submitted now, it would start at once, on {found.nodes} (partition {found.partition})."
    return (
        f"Submitted now, it would start {start_words(found.start, time.time())} on {found.nodes} "
        f"(partition {found.partition}). That is Slurm's estimate; backfill often starts a job sooner."
    )
