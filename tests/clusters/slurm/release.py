"""Another release of Slurm than the installed one: a newer Debian in a folder of the user's cache.

Daemons and jobs run inside it (``chroot``, in a mount namespace), and see the same ``/tmp``, users and Python.
Kernels and people stay outside: wrappers on their PATH start the release's commands by its own loader.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

SUITES = {"24.11": "trixie"}
_PACKAGES = (
    *("slurm-wlm", "munge", "slurmdbd", "slurm-wlm-mysql-plugin", "mariadb-server"),
    *("python3", "libstdc++6"),  # the libraries that the tests' own Python may ask for
)
_INSTALL = f"""\
set -e
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d  # nothing starts by being installed
chmod 755 /usr/sbin/policy-rc.d /root
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends {" ".join(_PACKAGES)}
apt-get clean
"""


class Release:
    """A release of Slurm in its own root.

    Parameters
    ----------
    version : str
        A key of `SUITES`.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        self.root = cache / "jupyter_hpc" / f"slurm-{version}"

    def prepare(self) -> Release:
        """Make the root, once; it takes minutes and is kept."""
        self.root.parent.mkdir(parents=True, exist_ok=True)
        with self.root.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.root.exists():
                part = self.root.with_name(f"{self.root.name}.part")
                shutil.rmtree(part, ignore_errors=True)
                argv = ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITES[self.version]]
                _run([*argv, str(part)])
                _run(["chroot", str(part), "/bin/sh", "-c", _INSTALL])
                part.rename(self.root)
        return self

    @property
    def number(self) -> tuple[int, int]:
        major, minor = self.version.split(".")
        return int(major), int(minor)

    @property
    def plugins(self) -> Path:
        return next(self.root.glob("usr/lib/*/slurm-wlm"))

    def write_commands(self, folder: Path) -> None:
        """Write wrappers of the release's commands, for whoever is outside."""
        loader = next(self.root.glob("usr/lib/*/ld-linux-*.so.*"))
        libraries = f"{self.plugins}:{self.plugins.parent}"
        folder.mkdir()
        commands = ("sacct", "sacctmgr", "salloc", "sbatch", "scancel", "scontrol", "sdiag", "sinfo", "sprio")
        for name in (*commands, "squeue", "sreport", "srun", "sshare", "sstat"):
            path = folder / name
            command = f'{loader} --library-path {libraries} {self.root}/usr/bin/{name} "$@"'
            path.write_text(f"#!/bin/sh\nexec {command}\n")
            path.chmod(0o755)

    def mounts(self) -> list[str]:
        """Return the lines of shell that show the root what daemons and jobs need, itself included."""
        lines = [f"mount --rbind {name} {self.root}{name}" for name in ("/proc", "/sys", "/dev", "/tmp")]
        for name in ("/etc/passwd", "/etc/group", "/etc/hosts"):
            lines.append(f"mount --bind {name} {self.root}{name}")
        for path in _python():
            if path.is_dir():
                lines.append(f"mkdir -p {self.root}{path}; mount --rbind {path} {self.root}{path}")
            else:
                lines.append(f"mkdir -p {self.root}{path.parent}; : >> {self.root}{path}")
                lines.append(f"mount --bind {path} {self.root}{path}")
        inner = f"{self.root}{self.root}"  # plugins and wrappers have one path for both sides
        lines.append(f"mkdir -p {inner}; mount --bind {self.root} {inner}")
        return lines


def _python() -> list[Path]:
    """Return what this interpreter consists of, without what lies in another of these."""
    here = Path(__file__).resolve().parents[3]
    found = {here, Path(sys.prefix), Path(sys.executable).resolve(), Path(sysconfig.get_path("stdlib"))}
    if sys.base_prefix != "/usr":
        found.add(Path(sys.base_prefix))
    found |= {Path(entry).absolute() for entry in sys.path if os.path.isdir(entry)}
    return sorted(path for path in found if not found & set(path.parents) and path.parts[1] != "tmp")


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} failed:\n{done.stdout[-3000:]}")
