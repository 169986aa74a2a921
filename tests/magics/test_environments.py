"""The node's Python: a bare one is enough for plain values, and what it lacks is said before it bites."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import jupyter_hpc
from jupyter_hpc.testing.notebook import Notebook

WORKER = Path(jupyter_hpc.__file__).parent / "worker"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder


def test_functions_and_values_need_nothing_on_the_node(notebook: Notebook, bare: Path) -> None:
    notebook.run("def double(x): return 2 * x\nclass Box:\n    def __init__(self, x): self.x = x")
    notebook.remote("import sys\nbox = Box(double(21))\nprefix = sys.prefix\ng = lambda: box.x", f"--venv {bare}")

    assert notebook.value("(isinstance(box, Box), box.x, g())") == (True, 42, 42)
    assert notebook.value("prefix") == str(bare)


def test_a_missing_numpy_is_said_before_the_payload_is_loaded(notebook: Notebook, bare: Path) -> None:
    notebook.run("import numpy as np\nX = np.arange(3)")

    error = notebook.remote("Y = X + 1", f"--venv {bare}", fails=True).error

    assert error is not None
    assert error.name == "EnvironmentMismatch"
    assert "has no numpy" in error.traceback


def test_a_missing_module_is_named(notebook: Notebook, bare: Path) -> None:
    notebook.run("import tqdm")

    error = notebook.remote("b = tqdm.__version__", f"--venv {bare}", fails=True).error

    assert error is not None
    assert error.name == "EnvironmentMismatch"
    assert "Install tqdm" in error.shown


def test_magics_are_refused_before_submission_naming_the_line(notebook: Notebook, bare: Path) -> None:
    before = notebook.run("%hpc jobs").text
    error = notebook.remote("a = 1\n!ls", f"--venv {bare}", fails=True).error

    assert error is not None
    assert "Line 3 of the cell, '!ls', needs IPython" in error.traceback
    assert notebook.run("%hpc jobs").text == before


def test_another_python_minor_is_refused_before_unpickling(notebook: Notebook, tmp_path: Path) -> None:
    """The worker reads JSON first: the pickle of this payload would end the process if it were loaded."""
    notebook.run("def f(): return 1")
    notebook.remote("r = f()", "--name other-minor")
    payload = Path(notebook.value("str(_hpc.run.payload)"))
    worker = notebook.value("str(_hpc.record['command'][3])")
    (tmp_path / "payload").mkdir()
    manifest = json.loads((payload / "manifest.json").read_text())
    manifest["python"] = [3, 9, 1]
    (tmp_path / "payload" / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "payload" / "payload.pkl").write_bytes(b"\x80\x05cos\nabort\n)R.")

    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from jupyter_hpc_worker.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, worker, str(tmp_path)], capture_output=True, timeout=60)

    events = [json.loads(x) for x in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert done.returncode == 3
    assert "Python 3.9" in events[-1]["message"]
    here = ".".join(map(str, sys.version_info[:2]))
    assert here in events[-1]["message"]


@pytest.mark.parametrize("path", sorted(WORKER.glob("*.py")), ids=lambda p: p.stem)
def test_the_worker_is_python_3_9_and_imports_nothing_else(path: Path) -> None:
    """What isn't there can't be missed: other libraries are imported in functions, for objects or settings of theirs."""
    allowed = sys.stdlib_module_names | {"blake3", "cloudpickle"}
    theirs = {
        "altair",
        "fsspec",
        "IPython",
        "jax",
        "matplotlib",
        "matplotlib_inline",
        "numba",
        "numpy",
        "pandas",
        "plotly",
        "polars",
        "sklearn",
        "torch",
        "traitlets",
        "xarray",
    }
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))

    for node in ast.walk(tree):
        in_function = getattr(node, "col_offset", 0) or path.stem == "matplotlib_backend"  # which matplotlib imports
        may = allowed | theirs if in_function else allowed
        if isinstance(node, ast.Import):
            assert {a.name.partition(".")[0] for a in node.names} <= may
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1 or (node.module or "").partition(".")[0] in may


def test_values_of_env_are_not_kept(notebook: Notebook) -> None:
    notebook.remote("import os\nn = len(os.environ['TOKEN'])", "--env TOKEN=very-secret-value")

    assert notebook.value("n") == len("very-secret-value")
    kept = [p for p in Path(notebook.value("str(_hpc.run.path)")).rglob("*") if p.is_file()]
    assert kept
    assert not [p for p in kept if b"very-secret-value" in p.read_bytes()]
