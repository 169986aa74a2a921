"""One kernel for the magics' own tests; cells run on ``local``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox


@pytest.fixture(scope="session")
def kernel(sandbox: Sandbox, practice_slurm: object) -> Iterator[Notebook]:
    directory = sandbox.directory / "magics"
    directory.mkdir()
    notebook = Notebook("local", dict(sandbox.environment), directory)
    yield notebook
    notebook.stop()
