"""The contract's notebook, once for each target.

``JUPYTER_HPC_TEST_TARGETS=name,…`` hands the suite to other targets, a third party's backend among them: they
are configured as for a user, in Jupyter's own configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.conftest import Sandbox
from tests.contract.notebook import Notebook

TARGETS = os.environ.get("JUPYTER_HPC_TEST_TARGETS", "local,slurm").split(",")


@pytest.fixture(scope="session", params=TARGETS)
def kernel(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Notebook]:
    target = request.param
    environment = dict(sandbox.environment)
    if target == "slurm":
        request.getfixturevalue("practice_slurm")
    elif target != "local":  # configured by whoever brings it
        environment.pop("JUPYTER_CONFIG_DIR")
    directory = sandbox.directory / f"n{TARGETS.index(target)}"
    directory.mkdir()
    notebook = Notebook(target, environment, directory)
    yield notebook
    notebook.stop()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    """An empty notebook in an empty folder, on the target."""
    kernel.reset()
    return kernel
