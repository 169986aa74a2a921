"""A store of its own for each test, and this process's jobs in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.lineage.index.index import Index
from jupyter_hpc.rundir.store import Store
from tests.conftest import Sandbox


@pytest.fixture
def made(tmp_path: Path) -> Store:
    """An empty store for records that a test writes itself."""
    store = Store(tmp_path / "hpc")
    store.prepare()
    return store


@pytest.fixture
def index(made: Store) -> Index:
    return Index(made)


@pytest.fixture
def own_store(sandbox: Sandbox, tmp_path: Path) -> Iterator[Store]:
    """An empty store that this process submits to."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER", "OPENLINEAGE", "MLFLOW"))]:
            patch.delenv(name)
        for name, value in sandbox.environment.items():
            patch.setenv(name, value)
        patch.setenv("JUPYTER_HPC_ROOT", str(tmp_path / "own"))
        patch.chdir(tmp_path)
        yield Store(tmp_path / "own")
