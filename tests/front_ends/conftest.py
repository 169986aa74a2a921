"""One kernel for what front ends show; cells run on ``local``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox


@pytest.fixture(scope="session")
def surroundings(sandbox: Sandbox) -> dict[str, str]:
    """The environment of kernels, servers and shells beside them."""
    return {**sandbox.environment, "JUPYTER_HPC_ROOT": str(sandbox.directory / "front-ends-hpc")}


@pytest.fixture(scope="session")
def kernel(sandbox: Sandbox, surroundings: dict[str, str]) -> Iterator[Notebook]:
    directory = sandbox.directory / "front-ends"
    directory.mkdir()
    notebook = Notebook("local", dict(surroundings), directory)
    yield notebook
    notebook.stop()


@pytest.fixture
def here(surroundings: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """An empty folder; this process sees the same runs as kernels and shells do."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER"))]:
            patch.delenv(name)
        for name, value in surroundings.items():
            patch.setenv(name, value)
        patch.chdir(tmp_path)
        yield tmp_path
        (tmp_path / "gate").touch()  # a test that failed leaves no job that waits for it
