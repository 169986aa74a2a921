"""A process's environment with folders of its own: what it does leaves nothing among the user's files."""

from __future__ import annotations

import os
from pathlib import Path

_OWN = {
    "JUPYTER_HPC_ROOT": "hpc",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "IPYTHONDIR": "ipython",
    "MPLCONFIGDIR": "matplotlib",
}
_FOREIGN = ("SLURM", "SBATCH", "JUPYTER_HPC", "MPLBACKEND", "PYTHON", "JPY_")
_KEPT = ("SLURM_CONF", "JUPYTER_HPC_PRACTICE_DIR", "PYTHONPATH")  # how a target is found, and its backend


def environment(directory: Path, *keep: str) -> dict[str, str]:
    """Return this process's environment, but for what would change what a cell does, with folders in a directory.

    Parameters
    ----------
    keep : str
        Names of variables that stay as they are; ``PYTHONPATH`` does anyway: processes try what this one tries.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN) or k in ("PYTHONPATH", *keep)}
    return {**kept, **{name: str(directory / folder) for name, folder in _OWN.items()}}


def of_a_target(directory: Path) -> dict[str, str]:
    """Return an environment in which the user's own targets are there, as they are configured."""
    return environment(directory, *_KEPT)
