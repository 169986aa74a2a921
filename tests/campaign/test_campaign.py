"""Some trials by fixed seeds; ``make campaign TRIALS=1000`` has as many as one likes, on every cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conftest import need_slurm

from .cells import KINDS
from .driver import trial
from .plans import plan
from .worlds import PracticeWorld, world


@pytest.fixture(scope="module")
def practice_world() -> Iterator[PracticeWorld]:
    need_slurm()
    with world("practice") as found:
        assert isinstance(found, PracticeWorld)
        yield found


@pytest.mark.campaign
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to mount a disk that can be full")
@pytest.mark.parametrize("seed", [217, 224, 229, 230, 232, 233])
def test_a_trial_is_held(practice_world: PracticeWorld, seed: int) -> None:
    _, violations = trial(practice_world, "practice", seed)
    assert not violations


def test_a_seed_is_one_plan() -> None:
    one, again, other = (plan(seed, "slurm", {"x": True, "y": False}) for seed in (1, 1, 2))
    assert one == again != other
    assert {cell.kind for seed in range(50) for cell in plan(seed, "slurm", {"x": True}).cells} == set(KINDS)
