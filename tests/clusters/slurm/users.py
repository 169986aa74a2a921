"""The people of the site: root, and alice and bob, who are made where they are missing."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from .configuration import ACCOUNTS

USERS = ("root", *ACCOUNTS.values())
_FOREIGN = ("SLURM", "SBATCH", "SRUN", "JUPYTER", "JPY_", "PYTHON", "MPLBACKEND", "XDG_", "TMPDIR", "SUDO")


def ensure() -> None:
    """Make alice and bob; they stay, as another run may be using them."""
    for user in USERS:
        try:
            pwd.getpwnam(user)
        except KeyError:
            argv = ["useradd", "--create-home", "--user-group", "--shell", "/bin/bash", user]
            subprocess.run(argv, check=False, capture_output=True, timeout=30)
            pwd.getpwnam(user)  # made here, or by a run beside this one


def home(directory: Path, user: str) -> Path:
    """Return the user's home of this cluster; run directories lie below it."""
    return directory / "home" / user


def make_homes(directory: Path) -> None:
    (directory / "home").mkdir()
    for user in USERS:
        entry, folder = pwd.getpwnam(user), home(directory, user)
        folder.mkdir(mode=0o700)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def environment(directory: Path, user: str) -> dict[str, str]:
    """Return the whole environment of a process of the user's; nothing leads to real homes."""
    folder = home(directory, user)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    return {
        **kept,
        "HOME": str(folder),
        "USER": user,
        "LOGNAME": user,
        "SLURM_CONF": str(directory / "slurm.conf"),
        "JUPYTER_HPC_ROOT": str(folder / "hpc"),
        "JUPYTER_HPC_PRACTICE_DIR": str(folder / "practice"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
    }


def become(user: str) -> list[str]:
    """Return the words that make the command after them the user's."""
    if user == "root":
        return []
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--init-groups", "--"]
