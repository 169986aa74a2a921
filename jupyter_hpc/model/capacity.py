"""What a cluster's nodes have, who holds it, how much waits for it, and how one's own share of it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

MOST_TILES = 120  # beyond that, nodes that stand alike are told as one
LEVELS = 8  # how finely the cpus of such nodes are told apart


@dataclass(frozen=True)
class Amount:
    """How much there is of something, what of it is free, and what one holds oneself; what is left, others hold.

    ``free`` is None where that may not be seen, ``mine`` where nobody can tell whose it is.
    """

    total: int = 0
    free: int | None = 0
    mine: int | None = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.total + other.total, _sum(self.free, other.free), _sum(self.mine, other.mine))

    def holding(self, more: int) -> Amount:
        """Return the same with more of it one's own, as far as it is held at all."""
        held = self.total - (self.free or 0)
        return replace(self, mine=min((self.mine or 0) + more, held))

    def taken_away(self) -> Amount:
        """Return the same on a node that takes no jobs."""
        return replace(self, free=self.free and 0)


@dataclass(frozen=True)
class NodeGroup:
    """A node, or several that stand alike: then the amounts are of all of them.

    Attributes
    ----------
    state : str
        ``up``; ``drained`` takes no more jobs; ``down`` has none.
    native_state, reason : str
        The scheduler's own word, and why somebody took the node away.
    memory : Amount
        In MiB.
    """

    names: tuple[str, ...]
    partitions: tuple[str, ...] = ()
    state: str = "up"
    native_state: str = ""
    reason: str = ""
    cpus: Amount = field(default_factory=Amount)
    memory: Amount = field(default_factory=Amount)
    gpus: Amount = field(default_factory=Amount)
    gpu_type: str = ""


@dataclass(frozen=True)
class Queued:
    """How many jobs wait for a partition, and how many of them are one's own."""

    partition: str
    jobs: int
    mine: int


@dataclass(frozen=True)
class Capacity:
    """What a target has.

    Attributes
    ----------
    standing : sequence of str
        One's share and the priority of what waits, a sentence each; empty where the scheduler keeps none.
    note : str
        What may not be seen here, in a sentence.
    """

    nodes: Sequence[NodeGroup] = ()
    queued: Sequence[Queued] = ()
    standing: Sequence[str] = ()
    note: str = ""


def grouped(nodes: Iterable[NodeGroup], most: int = MOST_TILES) -> list[NodeGroup]:
    """Return nodes in the order of their names, those with gpus first; of very many, one for all that stand alike."""
    ordered = sorted(nodes, key=lambda node: (not node.gpus.total, node.partitions, _natural(node.names[0])))
    if len(ordered) <= most:
        return ordered
    alike: dict[tuple[object, ...], list[NodeGroup]] = {}
    for node in ordered:
        alike.setdefault(_likeness(node), []).append(node)
    return [_together(some) for some in alike.values()]


def _likeness(node: NodeGroup) -> tuple[object, ...]:
    shape = (node.partitions, node.state, node.reason, node.gpu_type, node.cpus.total, node.memory.total)
    if node.gpus.total:
        return (*shape, node.gpus)
    return (*shape, _level(node.cpus.free, node.cpus.total), _level(node.cpus.mine, node.cpus.total))


def _level(part: int | None, whole: int) -> int | None:
    return None if part is None or not whole else -(-part * LEVELS // whole)


def _together(nodes: Sequence[NodeGroup]) -> NodeGroup:
    total = nodes[0]
    for node in nodes[1:]:
        amounts = {name: getattr(total, name) + getattr(node, name) for name in ("cpus", "memory", "gpus")}
        total = replace(total, names=total.names + node.names, **amounts)
    return total


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _natural(name: str) -> tuple[object, ...]:
    return tuple((not part.isdecimal(), int(part) if part.isdecimal() else part) for part in re.split(r"(\d+)", name))


# -- names of nodes ------------------------------------------------------------------------------

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_MOST_NAMES = 100_000


def expanded(text: str) -> list[str]:
    """Return the names of ``g1,c[001-003,7]`` and of ``r[1-2]n[1-2]``; what can't be read is a name as it is."""
    found: list[str] = []
    for part in re.split(r",(?![^\[]*\])", text.strip()):
        if part:
            found += _expanded(part, _MOST_NAMES - len(found))
    return found


def _expanded(text: str, room: int) -> list[str]:
    match = _BRACKETS.search(text)
    if match is None:
        return [text]
    numbers: list[str] = []
    for part in match[1].split(","):
        span = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", part)
        if span is None:
            return [text]
        first, last = int(span[1]), int(span[2] or span[1])
        if not 0 <= last - first < room:
            return [text]
        numbers += [str(number).zfill(len(span[1])) for number in range(first, last + 1)]
    rests = _expanded(text[match.end() :], room)
    return list(islice((f"{text[: match.start()]}{each}{rest}" for each in numbers for rest in rests), room))


def folded(names: Sequence[str]) -> str:
    """Return names as schedulers write many: ``c[001-003,007],g1``."""
    parts: dict[tuple[str, int, str], list[int]] = {}
    alone: list[str] = []
    for name in names:
        match = re.fullmatch(r"(.*?)(\d{1,9})(\D*)", name)
        if match is None:
            alone.append(name)
        else:
            parts.setdefault((match[1], len(match[2]), match[3]), []).append(int(match[2]))
    written: list[str] = []
    for (before, width, after), numbers in parts.items():
        spans = _spans(sorted(set(numbers)))
        texts = [str(a).zfill(width) + (f"-{str(b).zfill(width)}" if b > a else "") for a, b in spans]
        inside = ",".join(texts)
        written.append(f"{before}[{inside}]{after}" if len(texts) > 1 or "-" in inside else f"{before}{inside}{after}")
    return ",".join([*written, *alone])


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def as_record(capacity: Capacity) -> dict[str, object]:
    """Return what the routes answer."""
    return {
        "nodes": [_node_record(node) for node in capacity.nodes],
        "queued": [{"partition": q.partition, "jobs": q.jobs, "mine": q.mine} for q in capacity.queued],
        "standing": list(capacity.standing),
        "note": capacity.note,
    }


def _node_record(node: NodeGroup) -> dict[str, object]:
    amounts = {name: dict(vars(getattr(node, name))) for name in ("cpus", "memory", "gpus")}
    return {
        "name": folded(node.names),
        "count": len(node.names),
        "partitions": list(node.partitions),
        "state": node.state,
        "native_state": node.native_state,
        "reason": node.reason,
        "gpu_type": node.gpu_type,
        **amounts,
    }
