"""A run's batch script on a real Slurm: sbatch takes it, and it does what the cell did."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.views.as_sbatch import as_sbatch
from tests.faults.conftest import cluster  # noqa: F401 a fixture
from tests.faults.road import slurm, submit

pytestmark = pytest.mark.usefixtures("cluster")


def test_sbatch_takes_the_script_and_runs_the_cell(tmp_path: Path) -> None:
    name = 'it\'s $HOME "and" `more` 100%'
    job = submit("print('6 * 7 =', 6 * 7)", name=name, memory="200M", time="5m", workdir=str(tmp_path))
    assert job.wait(60)
    script, log = tmp_path / "job.sh", tmp_path / "log"
    script.write_text(as_sbatch(job.run, job.record))
    slurm("sbatch", "--wait", f"--output={log}", str(script))
    assert log.read_text() == "6 * 7 = 42\n"
