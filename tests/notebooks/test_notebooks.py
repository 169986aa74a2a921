"""Every notebook runs top to bottom, as ``make demo`` runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.conftest import Sandbox

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def run(path: Path, into: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(path), "--into", str(into)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_runs_on_the_practice_slurm(
    path: Path, tmp_path: Path, sandbox: Sandbox, practice_slurm: object
) -> None:
    done = run(path, tmp_path, sandbox.environment)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "slurm job" in done.stdout
    page = (tmp_path / path.name).with_suffix(".html").read_text()
    assert 'class="jp-HPCCard"' in page
    assert "<img" in page
    shown = [o for c in nbformat.read(tmp_path / path.name, as_version=4).cells for o in c.get("outputs", [])]
    assert not [o for o in shown if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]


def test_the_tour_runs_here_where_there_is_no_slurm(tmp_path: Path, sandbox: Sandbox) -> None:
    """Without the packages it says so, and the same cells run with ``%%local``."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "git", "env", "uname", "mv", "sleep", "kill", "cat"):
        for folder in os.environ["PATH"].split(":"):
            if (Path(folder) / name).exists():
                (tools / name).symlink_to(Path(folder) / name)
                break
    environment = {
        **sandbox.environment,
        "PATH": str(tools),
        "JUPYTER_HPC_PRACTICE_DIR": str(tmp_path / "none"),
    }

    done = run(ROOT / "notebooks" / "00-tour.ipynb", tmp_path, environment)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Cells run with %%local." in done.stdout
    assert "slurm job" not in done.stdout


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)

    assert all(not cell.get("outputs") for cell in notebook.cells)
