"""A practice Slurm for these tests, with run directories and configuration of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc import practice
from tests.conftest import need_slurm
from tests.faults.road import Counter


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """The folder of a running practice Slurm; nothing here touches the user's own."""
    need_slurm()
    base = Path(tempfile.mkdtemp(prefix="jh", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, base)
        practice.up(base / "slurm")
        try:
            yield base
        finally:
            practice.down(base / "slurm")
            shutil.rmtree(base, ignore_errors=True)


def isolate(patch: pytest.MonkeyPatch, base: Path) -> None:
    for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER"))]:
        patch.delenv(name)
    patch.setenv("JUPYTER_HPC_ROOT", str(base / "root"))
    patch.setenv("JUPYTER_HPC_PRACTICE_DIR", str(base / "slurm"))
    patch.setenv("JUPYTER_DATA_DIR", str(base / "data"))
    patch.setenv("JUPYTER_CONFIG_DIR", str(base / "config"))
    patch.setenv("JUPYTER_RUNTIME_DIR", str(base / "runtime"))
    patch.setenv("IPYTHONDIR", str(base / "ipython"))


@pytest.fixture
def counted(cluster: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counter:
    """Wrappers of the scheduler's commands, first on PATH, that count."""
    counter = Counter(tmp_path / "bin")
    counter.install("squeue", "sbatch", "sacct", "scancel", "scontrol", "sinfo")
    monkeypatch.setenv("PATH", f"{counter.folder}:{os.environ['PATH']}")
    return counter
