"""What repo2docker makes of ``binder/``, without Docker: its steps, applied to a clean Ubuntu root.

The root is the release of repo2docker's base image. Builds and runs happen in mount, process and host-name namespaces
of their own; what the image runs as its user has no capability and can gain none, as in a Binder container, and its
host name leads to the network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from jupyter_hpc.practice.slurm_conf import free_ports

REPOSITORY = Path(__file__).parents[2]
MIRROR = "http://archive.ubuntu.com/ubuntu"
RELEASE = "noble"
KEYRING = (
    "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb",
    "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8",
)
HOST, ADDRESS = "jupyter-tour-2d7hk4", "192.0.2.7"  # a pod's name and where it leads
NOTEBOOK_ENV = "/srv/conda/envs/notebook"
TOKEN = "t" * 48
_BASE = [
    "ipywidgets==8.*",
    "jupyter_server==2.*",
    "jupyterlab==4.*",
    "notebook==7.*",
]  # of repo2docker's environment
_ENTER = """
set -e
hostname {host}
mount -t proc proc {root}/proc
for each in null zero full random urandom tty; do
  touch {root}/dev/$each; mount --bind /dev/$each {root}/dev/$each
done
mkdir -p {root}/dev/shm {root}/dev/pts
mount -t tmpfs -o mode=1777 shm {root}/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 pts {root}/dev/pts
ln -sf pts/ptmx {root}/dev/ptmx; ln -sfn /proc/self/fd {root}/dev/fd
exec chroot {root} "$@"
"""
_UNPRIVILEGED = [
    *("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--no-new-privs"),
    *("--bounding-set=-all", "--inh-caps=-all"),
]


def missing() -> str:
    """Return why a container can't be made here; empty if it can."""
    if os.getuid() != 0:
        return "it takes root"
    absent = [name for name in ("debootstrap", "dpkg-deb", "unshare") if not shutil.which(name)]
    return f"apt-get install {' '.join(absent)}" if absent else ""


class Container:
    """A root built from ``binder/``, and commands in it."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="jhb", dir="/tmp"))
        self.home = self.root / "home" / "jovyan"
        self.environment = {
            "PATH": f"/home/jovyan/.local/bin:{NOTEBOOK_ENV}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "NB_PYTHON_PREFIX": NOTEBOOK_ENV,
            "KERNEL_PYTHON_PREFIX": NOTEBOOK_ENV,
            **dict.fromkeys(("LANG", "LC_ALL"), "C.UTF-8"),
            "DEBIAN_FRONTEND": "noninteractive",
            "SHELL": "/bin/bash",
        }

    def build(self) -> None:
        """Do what the Dockerfile does, in its order."""
        subprocess.run(["cp", "-a", f"{_clean_root()}/.", str(self.root)], check=True)
        self._reach_the_registries()
        (self.root / "etc" / "hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {HOST}\n")
        # Ubuntu has a user 1000 of its own; repo2docker renames it
        self.run(
            [
                "bash",
                "-c",
                "id -u ubuntu >/dev/null 2>&1 && userdel -r ubuntu; useradd -m -u 1000 -s /bin/bash jovyan",
            ],
            as_root=True,
        )
        self.run(["python3", "-m", "venv", NOTEBOOK_ENV], as_root=True)
        self.run([f"{NOTEBOOK_ENV}/bin/pip", "install", "-q", *_BASE], as_root=True)
        packages = (REPOSITORY / "binder" / "apt.txt").read_text().split()
        self.run(["apt-get", "-qq", "update"], as_root=True)
        self.run(["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages], as_root=True)
        self._copy_the_repository()
        self.run(["chown", "-R", "jovyan:jovyan", NOTEBOOK_ENV, "/home/jovyan"], as_root=True)
        self.run([f"{NOTEBOOK_ENV}/bin/pip", "install", "-q", "--no-cache-dir", "-r", "binder/requirements.txt"])
        self.run(["binder/postBuild"])

    def run(self, argv: list[str], *, as_root: bool = False) -> str:
        """Run a command to its end; return what it said."""
        done = subprocess.run(
            self._command(argv, as_root=as_root),
            env=self._variables(as_root, {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout

    def start(self, more: Mapping[str, str] | None = None) -> Lab:
        """Start JupyterLab as the image's entry point does."""
        [port] = free_ports("127.0.0.1", 1)
        argv = ["binder/start", "jupyter", "lab", "--ip", "127.0.0.1", f"--port={port}", "--no-browser"]
        argv += [f"--IdentityProvider.token={TOKEN}", "--LabApp.news_url=None"]
        with (self.root / "lab.log").open("wb") as log:
            process = subprocess.Popen(
                self._command(argv),
                env=self._variables(False, more or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        lab = Lab(f"http://127.0.0.1:{port}", process, self)
        lab.wait()
        return lab

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def fresh_tour(self) -> None:
        """Put the tour back as the image has it."""
        shutil.copy(REPOSITORY / "notebooks" / "00-tour.ipynb", self.home / "notebooks" / "00-tour.ipynb")
        self.run(["chown", "1000:1000", "/home/jovyan/notebooks/00-tour.ipynb"], as_root=True)

    def _command(self, argv: list[str], *, as_root: bool = False) -> list[str]:
        inside = ["bash", "-c", 'cd "$0" && exec "$@"', "/root" if as_root else "/home/jovyan"]
        inside = inside if as_root else [*_UNPRIVILEGED, *inside]
        enter = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork"]
        script = _ENTER.format(root=self.root, host=HOST)
        return [*enter, "bash", "-c", script, "enter", *inside, *argv]

    def _variables(self, as_root: bool, more: Mapping[str, str]) -> dict[str, str]:
        user, home = ("root", "/root") if as_root else ("jovyan", "/home/jovyan")
        certificates = dict.fromkeys(
            ("PIP_CERT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt"
        )
        return {**self.environment, **certificates, "USER": user, "HOME": home, **more}

    def _reach_the_registries(self) -> None:
        """Let the root trust and find what this machine does."""
        for path in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
            if Path(path).exists():
                (self.root / path[1:]).unlink(missing_ok=True)
                shutil.copy(path, self.root / path[1:])

    def _copy_the_repository(self) -> None:
        """Copy what git would clone, with what isn't committed yet, and the sidebar's bundle if it is built.

        Without the bundle pip builds it in there, as Binder does: minutes, and half of a thousand downloads.
        """
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=REPOSITORY, check=True, capture_output=True).stdout.split(b"\0")
        for name in filter(None, map(os.fsdecode, names)):
            if (REPOSITORY / name).exists():
                (self.home / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, self.home / name)
        bundle = REPOSITORY / "jupyter_hpc" / "labextension"
        if (bundle / "static" / "style.js").exists():
            shutil.copytree(bundle, self.home / "jupyter_hpc" / "labextension")


class Lab:
    """JupyterLab in a container."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], container: Container) -> None:
        self.url, self.process, self.container = url, process, container

    @property
    def log(self) -> str:
        return (self.container.root / "lab.log").read_text(errors="replace")

    def wait(self) -> None:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/api?token={TOKEN}", timeout=5):
                    return
            except OSError:
                alive = self.process.poll() is None and time.monotonic() < deadline
                if not alive:
                    raise RuntimeError(self.log[-4000:]) from None
                time.sleep(0.2)

    def stop(self) -> None:
        """End it and everything that it started: it is the first of a process namespace."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        self.process.wait(30)


def _clean_root() -> Path:
    """Return a clean root of the release, made once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "jupyter_hpc"
    found = cache / RELEASE
    if found.exists():
        return found
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "keyring.deb")
        with urllib.request.urlopen(f"{MIRROR}/{KEYRING[0]}", timeout=60) as reply:
            package.write_bytes(reply.read())
        if hashlib.sha256(package.read_bytes()).hexdigest() != KEYRING[1]:
            raise RuntimeError("Ubuntu's keyring is not the one that is expected here.")
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        keys = Path(folder, "usr", "share", "keyrings", "ubuntu-archive-keyring.gpg")
        part = cache / f"{RELEASE}.part"
        shutil.rmtree(part, ignore_errors=True)
        # every release of Ubuntu is made by the same script, whether or not this debootstrap knows its name
        script = "/usr/share/debootstrap/scripts/gutsy"
        command = ["debootstrap", "--variant=minbase", "--components=main,universe", f"--keyring={keys}"]
        command += ["--include=ca-certificates,git,python3,python3-venv", RELEASE, str(part), MIRROR, script]
        subprocess.run(command, check=True, stdout=sys.stderr)
        part.rename(found)
    return found
