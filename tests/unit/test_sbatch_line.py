"""What of a spec reaches sbatch."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.backends.slurm.sbatch import sbatch_arguments
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
