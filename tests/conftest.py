"""What all tests share: a sandbox that keeps them out of the user's files, and a practice Slurm for the session."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_hpc import practice


@dataclass(frozen=True)
class Sandbox:
    """Folders of this session, and the environment that makes a process use them and nothing of the user's."""

    directory: Path
    environment: dict[str, str]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    directory = Path(tempfile.mkdtemp(prefix="jh", dir="/tmp"))  # short: Unix sockets lie below it
    own = {
        "JUPYTER_HPC_ROOT": "hpc",
        "JUPYTER_HPC_PRACTICE_DIR": "slurm",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "MPLCONFIGDIR": "matplotlib",
    }
    foreign = ("SLURM", "SBATCH", "JUPYTER_HPC", "MPLBACKEND", "PYTHON", "JPY_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    environment.update({k: str(directory / v) for k, v in own.items()})
    yield Sandbox(directory, environment)
    shutil.rmtree(directory, ignore_errors=True)


def need_slurm() -> None:
    """Skip with the reason where there is no Slurm; in continuous integration that is a failure."""
    missing = practice.missing_packages()
    if missing:
        reason = f"no Slurm here: apt-get install -y --no-install-recommends {' '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def practice_slurm(sandbox: Sandbox) -> Iterator[Path]:
    """A running practice cluster; processes with the sandbox's environment find it as their ``slurm`` target."""
    need_slurm()
    directory = Path(sandbox.environment["JUPYTER_HPC_PRACTICE_DIR"])
    try:
        practice.up(directory)
        yield directory
    finally:
        practice.down(directory)
