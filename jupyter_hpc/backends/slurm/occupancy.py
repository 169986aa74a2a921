"""Who holds what of each node, and what waits for each partition: sinfo, and one squeue of everybody's jobs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...model.capacity import Amount, Capacity, NodeGroup, Queued, expanded, grouped
from ...model.exceptions import TargetError
from ...model.states import JobState
from .foreign import gpus_of_job
from .inventory import Node, mebibytes, number
from .job_states import state_of
from .site import Site, user_name
from .standing import SHARE_FIELDS, priorities_format, priority_sentences, share_sentences

JOB_FIELDS = ("State", "UserName", "NumNodes", "NodeList", "tres-alloc", "Partition", "tres-per-job", "tres-per-node")
REASON_FIELDS = ("NodeList", "Reason")
ALIVE = ("-t", "PD,R,CG,CF,S")
_AWAY = ("down", "fail", "error", "power", "unknown", "no_respond", "reboot")


@dataclass(frozen=True)
class Part:
    """What a job holds of each of its nodes. Memory in MiB."""

    cpus: int = 0
    memory: int = 0
    gpus: int = 0

    def __add__(self, other: Part) -> Part:
        return Part(self.cpus + other.cpus, self.memory + other.memory, self.gpus + other.gpus)


def jobs_format() -> str:
    """Return the ``-O`` argument of ``squeue -r -a``: everybody's, as long as they aren't over."""
    return ",".join(f"{name}:|" for name in JOB_FIELDS)


def reasons_format() -> str:
    """Return the ``-O`` argument of ``sinfo -N -R``; the free text last."""
    return ",".join(f"{name}:|" for name in REASON_FIELDS)


def parse_reasons(text: str) -> dict[str, str]:
    """Return node → why somebody took it away."""
    lines = (line.split("|", 1) for line in text.splitlines() if "|" in line)
    return {name.strip(): reason.strip().removesuffix("|").strip() for name, reason in lines}


def parse_jobs(text: str, user: str) -> tuple[dict[str, Part], list[Queued]]:
    """Return what a user's jobs hold, by node, and how many jobs wait for each partition; odd lines are passed over."""
    held: dict[str, Part] = {}
    waiting: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for line in text.splitlines():
        parts = [part.strip() for part in line.split("|")]
        if len(parts) < len(JOB_FIELDS):
            continue
        row = dict(zip(JOB_FIELDS, parts))
        is_mine = row["UserName"] == user
        if state_of(row["State"]) is JobState.PENDING:
            for partition in filter(None, row["Partition"].split(",")):
                waiting[partition] += 1
                own[partition] += is_mine
        elif is_mine:
            part, nodes = _part(row), expanded(row["NodeList"])
            for node in nodes:
                held[node] = held.get(node, Part()) + part
    return held, [Queued(name, count, own[name]) for name, count in sorted(waiting.items())]


def _part(row: Mapping[str, str]) -> Part:
    """Return a node's part of an allocation: squeue tells the whole, which is mostly the same on each."""
    alloc, nodes = row["tres-alloc"], max(number(row["NumNodes"]) or 1, 1)
    pairs = dict(pair.split("=", 1) for pair in alloc.split(",") if "=" in pair)
    gpus, _ = gpus_of_job({"alloc": alloc, "job": row["tres-per-job"], "node": row["tres-per-node"]}, nodes)
    whole = (number(pairs.get("cpu", "")) or 0, mebibytes(pairs.get("mem", "")) or 0, gpus)
    return Part(*(-(-amount // nodes) for amount in whole))


def occupied(
    nodes: Iterable[Node], held: Mapping[str, Part], reasons: Mapping[str, str], first: str | None = None
) -> list[NodeGroup]:
    """Return each node with what is free of it and what is one's own.

    Parameters
    ----------
    first : str or None
        The default partition, which stands before a node's others.
    """
    return [_occupied(node, held.get(node.name, Part()), reasons.get(node.name, ""), first) for node in nodes]


def _occupied(node: Node, own: Part, reason: str, first: str | None) -> NodeGroup:
    state, gpus = state_word(node), sum(node.gpus.values())
    free = (node.free_cpus, node.free_memory, sum(node.free_gpus.values()))
    cpus, memory, cards = (
        Amount(total, left if state == "up" else 0).holding(mine)
        for total, left, mine in zip(
            (node.cpus, node.memory, gpus), free, (own.cpus, own.memory, own.gpus), strict=True
        )
    )
    return NodeGroup(
        (node.name,),
        tuple(sorted(node.partitions, key=lambda name: (name != first, name))),
        state,
        node.state,
        reason,
        cpus,
        memory,
        cards,
        next(iter(node.gpus), "") if len(node.gpus) == 1 else "",
    )


def state_word(node: Node) -> str:
    """Return ``up``, ``drained`` or ``down`` for sinfo's many words."""
    if node.is_usable:
        return "up"
    word = node.state.lower()
    return "down" if word.startswith(_AWAY) or word.endswith(("*", "~", "#", "%", "!")) else "drained"


async def capacity(site: Site) -> Capacity:
    """Ask who holds what, who waits, and how the user stands: sinfo and squeue once each, the rest where it is had."""
    nodes = await site.nodes()
    away = any(not node.is_usable for node in nodes.values())
    user = user_name()
    jobs, reasons, shares, priorities = await asyncio.gather(
        site.ask("squeue", "-h", "-r", "-a", *ALIVE, "-O", jobs_format()),
        _or_nothing(site, *(("sinfo", "-h", "-N", "-R", "-O", reasons_format()) if away else ())),
        _or_nothing(site, "sshare", "-h", "-P", "-o", ",".join(SHARE_FIELDS)),
        _or_nothing(site, "sprio", "-h", "-u", user, "-o", priorities_format()),
    )
    held, queued = await asyncio.to_thread(parse_jobs, jobs, user)
    known = site.cached()
    default = known.default_partition if known is not None else None
    found = occupied(nodes.values(), held, parse_reasons(reasons), default.name if default else None)
    standing = [*share_sentences(shares), *priority_sentences(priorities)]
    return Capacity(grouped(found), queued, standing)


async def _or_nothing(site: Site, *argv: str) -> str:
    """Return what a command says that a site may not have: accounting, priorities of many factors."""
    try:
        return await site.ask(*argv) if argv else ""
    except TargetError:
        return ""
