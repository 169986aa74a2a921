"""Pythons and configurations for the tests of what a node has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uv

UV = uv.find_uv_bin()


def make_venv(folder: Path, *packages: str, python: str = sys.executable) -> Path:
    """A virtual environment with these packages and nothing else."""
    run(UV, "venv", "--quiet", "--python", python, str(folder))
    if packages:
        run(UV, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), *packages)
    return folder


def make_package(folder: Path, name: str, version: str, source: str) -> Path:
    """A source tree of one module, which needs nothing to be built but hatchling."""
    folder.mkdir(parents=True)
    (folder / f"{name}.py").write_text(source)
    (folder / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"
        f"[project]\nname = {name!r}\nversion = {version!r}\n"
    )
    return folder


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def other_minor() -> str | None:
    """An installed Python of another minor version that the worker can use, or None."""
    mine = sys.version_info[1]
    kept = Path.home().glob(".pyenv/versions/3.*/bin/python3.*")
    others = [*sorted(map(str, kept)), *(shutil.which(f"python3.{n}") for n in range(9, 20))]
    for path in others:
        found = re.search(r"python3\.(\d+)$", path or "")
        if path and found and int(found[1]) >= 9 and int(found[1]) != mine and starts(path):
            return path
    return None


def starts(path: str) -> bool:
    """A shim of a version manager may be there without its Python."""
    return subprocess.run([path, "-c", ""], capture_output=True, timeout=60).returncode == 0


@contextmanager
def configuration(directory: Path, targets: dict[str, Any]) -> Iterator[Path]:
    """Configure targets as a user would, in Jupyter's own folder."""
    directory.mkdir(exist_ok=True)
    path = directory / "jupyter_hpc_config.json"
    path.write_text(json.dumps({"JupyterHPC": {"targets": targets}}))
    yield path
    path.unlink()
