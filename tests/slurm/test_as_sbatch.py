"""A run's batch script on a real Slurm: sbatch takes it, and it does what the cell did."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from jupyter_hpc.views.as_sbatch import as_sbatch
from tests.faults.conftest import cluster  # noqa: F401 a fixture
from tests.faults.road import slurm, submit

pytestmark = pytest.mark.usefixtures("cluster")


def test_sbatch_takes_the_script_and_runs_the_cell(tmp_path: Path) -> None:
    name = 'it\'s $HOME "and" `more` 100%'
    job = submit("print('6 * 7 =', 6 * 7)", name=name, memory="200M", time="5m", workdir=str(tmp_path))
    assert job.wait(120)
    script, log = tmp_path / "job.sh", tmp_path / "log"
    script.write_text(as_sbatch(job.run, job.record))
    slurm("sbatch", "--wait", f"--output={log}", str(script))
    assert log.read_text() == "6 * 7 = 42\n"


def test_of_an_array_and_of_one_that_waits_the_kernels_python_runs_it(tmp_path: Path) -> None:
    array = submit("import sys\nprint(sys.executable)", array="0-1", workdir=str(tmp_path))
    waits = submit("print(1)", time="5m", passthrough=("--begin=now+1hour",), workdir=str(tmp_path))
    try:
        assert array.wait(60)
        for job in (array, waits):
            assert as_sbatch(job.run, job.record).splitlines()[-1] == f'{shlex.quote(sys.executable)} "$cell"'
    finally:
        waits.cancel()
