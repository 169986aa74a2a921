"""What a trial does, decided by its seed alone."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from .cells import KINDS


@dataclass(frozen=True)
class Planned:
    """A cell that the client submits, so many seconds after the one before."""

    key: str
    kind: str
    number: int
    after_s: float


@dataclass(frozen=True)
class Accident:
    """What befalls a cell, or all of them where ``key`` is empty, so long after the cell (the client) began."""

    name: str
    key: str
    after_s: float
    lasts_s: float


@dataclass(frozen=True)
class Plan:
    seed: int
    world: str
    cells: tuple[Planned, ...]
    accidents: tuple[Accident, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        found = json.loads(text)
        cells = tuple(Planned(**each) for each in found.pop("cells"))
        return cls(cells=cells, accidents=tuple(Accident(**each) for each in found.pop("accidents")), **found)


def plan(seed: int, world: str, accidents: Mapping[str, bool], kinds: Sequence[str] = tuple(KINDS)) -> Plan:
    """Make the plan of a seed.

    Parameters
    ----------
    accidents : mapping
        What can befall this world: names, with whether it befalls one cell.
    """
    chance = random.Random(f"{world} {seed}")
    cells = tuple(
        Planned(f"t{seed}c{i}", chance.choice(kinds), chance.randrange(1000), chance.choice((0.0, 0.0, 0.3, 1.5)))
        for i in range(chance.randint(2, 6))
    )
    happens = tuple(
        Accident(
            name,
            chance.choice(cells).key if accidents[name] else "",
            round(chance.uniform(0.0, 6.0), 2),
            chance.choice((0.5, 2.0, 5.0, 9.0)),
        )
        for name in (chance.choice(sorted(accidents)) for _ in range(chance.choice((0, 1, 1, 1, 2, 2))))
    )
    return Plan(seed, world, cells, happens)
