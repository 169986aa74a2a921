"""What pickle alone gets wrong goes to another process and back, and classes are the same when they are back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.value_cases import CASES


@pytest.fixture(scope="module")
def wrong() -> dict[str, str]:
    argv = [sys.executable, "-m", "tests.unit.value_trip"]
    root = Path(__file__).parents[2]
    done = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", CASES)
def test_it_arrives_whole(wrong: dict[str, str], case: str) -> None:
    assert case not in wrong, wrong[case]
