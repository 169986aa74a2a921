"""Every notebook runs top to bottom, as ``make demo`` runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.conftest import Sandbox

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ON_SLURM = [n for n in NOTEBOOKS if not n.stem.startswith("04-kubernetes")]  # tests/kubernetes runs that one


def run(path: Path, into: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(path), "--into", str(into)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


@pytest.mark.parametrize("path", ON_SLURM, ids=lambda p: p.stem)
def test_it_runs_on_the_practice_slurm(path: Path, tmp_path: Path, sandbox: Sandbox, practice_slurm: object) -> None:
    """Where there is no Kubernetes, the notebook of two clusters runs its pods here."""
    done = run(path, tmp_path, sandbox.environment)

    assert done.returncode == 0, done.stdout + done.stderr
    assert ("slurm job" in done.stdout) or path.stem.startswith("05-")
    page = (tmp_path / path.name).with_suffix(".html").read_text()
    assert 'class="jp-HPCCard"' in page
    assert "<img" in page
    check_outputs(nbformat.read(tmp_path / path.name, as_version=4))


def check_outputs(notebook: nbformat.NotebookNode) -> None:
    """Errors only where the notebook means them, and there; no widget that dies with its kernel."""
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        means_it = "raises-exception" in cell.metadata.get("tags", [])
        assert any(o.output_type == "error" for o in outputs) is means_it, cell.source
        assert not [o for o in outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]


def test_the_backend_of_one_file_passes_the_contract(tmp_path: Path, sandbox: Sandbox) -> None:
    """A part of the suite; the notebook says how to run all."""
    target = {"backend": "lineup:Lineup", "lock": str(tmp_path / "lock")}
    record = {"JupyterHPC": {"targets": {"lineup": target}}}
    (tmp_path / "jupyter_hpc_config.json").write_text(json.dumps(record))
    environment = {
        **sandbox.environment,
        "JUPYTER_CONFIG_PATH": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT / "notebooks"), sandbox.environment.get("PYTHONPATH")))),
    }
    suite = ["--jupyter-hpc-target=lineup", "--pyargs", "jupyter_hpc.testing.contract.test_exceptions"]
    command = [sys.executable, "-m", "pytest", "-p", "jupyter_hpc.testing.plugin", "-q", "-x", *suite]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert re.search(r"^[1-9]\d+ passed", done.stdout, re.MULTILINE)


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


@pytest.mark.parametrize(("name", "model"), [("00-tour", "model"), ("02-two-clusters", "net")])
def test_it_ends_with_where_its_model_came_from(name: str, model: str) -> None:
    """As stored; the tests of Kubernetes look at the chain itself."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    asks = [c for c in notebook.cells if c.cell_type == "code"][-2:]
    [shown] = [c.outputs for c in asks if c.source == f"%hpc lineage {model}"]
    assert shown[0].data["image/svg+xml"].startswith("<svg")
    assert "slurm job" in shown[0].data["text/plain"]
    assert "local cell" in shown[0].data["text/plain"]


def test_the_readme_lists_every_notebook() -> None:
    listed = re.findall(r"\(notebooks/([^)]+\.ipynb)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert listed == [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_is_stored_as_it_ran(path: Path) -> None:
    """Outputs are kept, with cards and plots, and tell nothing of the machine that made them."""
    notebook = nbformat.read(path, as_version=4)
    opening = notebook.cells[0].source
    assert "**Needs:**" in opening
    assert "**Takes**" in opening
    check_outputs(notebook)
    text = path.read_text(encoding="utf-8")
    assert "jp-HPCCard" in text
    assert "image/png" in text
    assert not re.search(r"/(root|work|tmp/docs)/|readthedocs", text)
