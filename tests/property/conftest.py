"""One kernel for all random notebooks, with the local target: what is sent is the same for every target."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox


@pytest.fixture(scope="session")
def kernel(sandbox: Sandbox) -> Iterator[Notebook]:
    directory = sandbox.directory / "property"
    directory.mkdir()
    notebook = Notebook("local", sandbox.environment, directory)
    yield notebook
    notebook.stop()
