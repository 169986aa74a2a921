"""The contract's notebook, once for each target that ``--jupyter-hpc-target`` names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.testing.notebook import Notebook
from jupyter_hpc.testing.plugin import OPTION, chosen
from jupyter_hpc.testing.sandbox import of_a_target


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kernel" not in metafunc.fixturenames:
        return
    targets = chosen(metafunc.config)
    if not targets:
        raise pytest.UsageError(f"The contract asks a target: name it with {OPTION}.")
    metafunc.parametrize("kernel", targets, indirect=True, scope="session")


@pytest.fixture(scope="session")
def kernel(request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook of this user's; its folder, and its runs, lie where ``TMPDIR`` says."""
    with tempfile.TemporaryDirectory(prefix="jh", ignore_cleanup_errors=True) as folder:
        directory = Path(folder).resolve() / "n"
        directory.mkdir()
        notebook = Notebook(request.param, of_a_target(directory.parent), directory)
        try:
            yield notebook
        finally:
            notebook.stop()


@pytest.fixture
def notebook(kernel: Notebook) -> Notebook:
    """An empty notebook in an empty folder."""
    kernel.reset()
    return kernel
