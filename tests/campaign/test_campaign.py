"""What a seed decides; the trials themselves take a quiet machine yet: ``make campaign``."""

from __future__ import annotations

from .cells import KINDS
from .plans import plan


def test_a_seed_is_one_plan() -> None:
    one, again, other = (plan(seed, "slurm", {"x": True, "y": False}) for seed in (1, 1, 2))
    assert one == again != other
    assert {cell.kind for seed in range(50) for cell in plan(seed, "slurm", {"x": True}).cells} == set(KINDS)
