"""What must be installed for the full Slurm."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = {
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "munged": "munge",
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
    "setpriv": "util-linux",
}


def missing_packages(version: str = "") -> list[str]:
    """The Debian packages that the installed Slurm, or another release, still needs; empty when all are there."""
    needed = {"setpriv": "util-linux", "debootstrap": "debootstrap"} if version else PACKAGES
    where = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    missing = {package for command, package in needed.items() if not shutil.which(command, path=where)}
    if not version and not any(Path("/usr/lib").glob("*/slurm-wlm/accounting_storage_mysql.so")):
        missing.add("slurm-wlm-mysql-plugin")
    return sorted(missing)


def installed_release() -> tuple[int, int]:
    """Return the installed Slurm's release, as (22, 5)."""
    said = subprocess.run(["slurmctld", "-V"], capture_output=True, text=True, timeout=10, check=True)
    major, minor = said.stdout.split()[1].split(".")[:2]
    return int(major), int(minor)
