"""What of a spec reaches sbatch."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.backends.slurm.sbatch import held_limit, sbatch_arguments
from jupyter_hpc.magics.parse import parse
from jupyter_hpc.rundir.run import Run


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--nice", "50"], "--nice=50"),
        (["--nice=-5"], "--nice=-5"),
        (["--nice", "-5"], "--nice=-5"),
        (["--nice", "0"], "--nice=0"),
        ([], None),
    ],
)
def test_nice(words: list[str], option: str | None) -> None:
    line = sbatch_arguments(Run(Path("/r/1")), parse(words, prog="%%slurm").spec)
    assert [word for word in line if word.startswith("--nice")] == ([option] if option else [])


@pytest.mark.parametrize(
    ("words", "held", "said"),
    [
        ("--time 20s", (20, ""), "--time=0-00:00:20"),
        ("--time 0:20", (20, ""), "--time=0-00:00:20"),
        ("--time 1m30s", (90, ""), "--time=0-00:01:30"),
        ("--time 90s --signal TERM@30", (90, "TERM@30"), "--time=0-00:01:30"),
        ("--time 1m", (0, ""), "--time=0-00:01:00"),
        ("--time 30", (0, ""), "--time=0-00:30:00"),
        ("--time 1d --signal TERM@30", (0, ""), "--time=1-00:00:00"),
        ("", (0, ""), None),
    ],
)
def test_a_limit_that_is_no_whole_minutes_is_the_batch_scripts_to_hold(
    words: str, held: tuple[int, str], said: str | None
) -> None:
    """Slurm counts minutes, and its signal would come before the limit that it has."""
    spec = parse(words.split(), prog="%%slurm").spec
    line = sbatch_arguments(Run(Path("/r/1")), spec)
    assert held_limit(spec) == held
    assert [word for word in line if word.startswith("--time")] == ([said] if said else [])
    assert any(word.startswith("--signal") for word in line) == ("--signal" in words and not held[0])
