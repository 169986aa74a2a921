"""What the node's packages lack or differ in is said by name, before it bites."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from jupyter_hpc.testing.notebook import Notebook
from tests.magics.nodes import make_venv, other_minor

HERE = numpy.__version__


@pytest.fixture(scope="module")
def old_numpy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_venv(tmp_path_factory.mktemp("old") / "venv", "numpy==1.26.4", "six==1.15.0")


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A virtual environment of another Python minor version, and that."""
    found = other_minor()
    if found is None:
        pytest.skip("this machine has one Python only")
    folder = make_venv(tmp_path_factory.mktemp("another") / "venv", python=found)
    (site,) = folder.glob("lib/python*")
    return folder, site.name.removeprefix("python")


def drift(notebook: Notebook) -> list[dict[str, Any]]:
    return list(notebook.value("_hpc.record['environment']['drift']"))


def test_in_the_kernels_own_interpreter_nothing_is_compared(notebook: Notebook) -> None:
    notebook.run("import numpy as np\nX = np.arange(3)")
    notebook.remote("import tqdm\nY = X + 1")

    assert drift(notebook) == []
    assert notebook.value("_hpc.record['environment']['executable']") == sys.executable
    assert '"e": "environment"' not in notebook.value("(_hpc.run.path / 'events.jsonl').read_text()")


def test_another_numpy_is_said_where_no_array_travels_to_it(notebook: Notebook, old_numpy: Path) -> None:
    notebook.run("import numpy as np")
    executed = notebook.remote("Y = np.arange(3)\nversion = np.__version__", f"--venv {old_numpy}")

    assert notebook.value("(Y.tolist(), version)") == ([0, 1, 2], "1.26.4")
    assert f"numpy 1.26.4 on the node, {HERE} here" in executed.text
    assert [(r["name"], r["node"], r["kernel"]) for r in drift(notebook)] == [("numpy", "1.26.4", HERE)]
    assert f"numpy 1.26.4 on the node, {HERE} here" in notebook.run("%hpc show " + notebook.value("_hpc.id")).text


def test_arrays_to_another_numpy_major_are_refused(notebook: Notebook, old_numpy: Path) -> None:
    notebook.run("import numpy as np\nX = np.arange(3)")
    error = notebook.remote("Y = X + 1\nprint('ran')", f"--venv {old_numpy}", fails=True).error

    assert error is not None
    assert error.name == "EnvironmentMismatch"
    assert f"numpy {HERE}" in error.traceback
    assert "has numpy 1.26.4: arrays can't travel" in error.traceback
    assert notebook.value("_hpc.logs()") == ""


def test_a_missing_package_that_the_cell_begins_with_is_refused_by_name(notebook: Notebook, old_numpy: Path) -> None:
    body = "import tqdm.auto\nfrom yaml import safe_load\nimport six\nprint('ran')"
    error = notebook.remote(body, f"--venv {old_numpy}", fails=True).error

    assert error is not None
    assert error.name == "EnvironmentMismatch"
    assert "tqdm (imports it" in error.traceback
    assert "pyyaml (imports it" in error.traceback, "the distribution's name, not the module's"
    assert "six" not in error.traceback.replace("\n", " ").partition("no ")[2].partition(".")[0]
    assert "--requirements auto" in error.shown
    assert notebook.value("_hpc.logs()") == ""


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    import tqdm\nexcept ImportError:\n    tqdm = None\nfound = tqdm is not None",
        "import sys\nsys.path.append('.')\nfound = False\nif found: import tqdm",
        "def later():\n    import tqdm\nfound = False",
    ],
    ids=["guarded", "conditional", "in-a-function"],
)
def test_a_missing_package_that_may_not_be_needed_is_said(notebook: Notebook, old_numpy: Path, body: str) -> None:
    executed = notebook.remote(body, f"--venv {old_numpy}")

    assert notebook.value("found") is False
    assert "no tqdm on the node" in executed.text
    assert [r["name"] for r in drift(notebook)] == ["tqdm"]


def test_imports_of_functions_and_of_local_modules_count(notebook: Notebook, old_numpy: Path) -> None:
    notebook.write("mine.py", "def g():\n    import yaml\n")
    notebook.run("def f():\n    import tqdm\n    return 1\nimport mine\nimport six")
    executed = notebook.remote("a = f is not None\nb = mine and six", f"--venv {old_numpy} -o a")

    assert sorted(r["name"] for r in drift(notebook)) == ["pyyaml", "six", "tqdm"]
    assert "six 1.15.0 on the node" in executed.text


def test_a_patch_release_is_no_drift(notebook: Notebook, tmp_path: Path) -> None:
    import tqdm

    minor = ".".join(tqdm.__version__.split(".")[:2])
    others = make_venv(tmp_path / "venv", f"tqdm=={minor}.*,!={tqdm.__version__}")
    notebook.remote("import tqdm\nv = tqdm.__version__", f"--venv {others}")

    assert notebook.value("v") != tqdm.__version__
    assert drift(notebook) == []


def test_a_module_made_in_the_notebook_is_no_missing_package(notebook: Notebook, old_numpy: Path) -> None:
    notebook.run("import types\nmade = types.ModuleType('made_here')\nexec('def one(): return 1', made.__dict__)")
    notebook.remote("a = made.one()", f"--venv {old_numpy}")

    assert notebook.value("a") == 1
    assert drift(notebook) == []


def test_code_to_another_minor_names_both_versions_and_the_options(
    notebook: Notebook, another: tuple[Path, str]
) -> None:
    folder, minor = another
    notebook.run("def f(): return 1")
    error = notebook.remote("r = f()", f"--venv {folder}", fails=True).error

    assert error is not None
    assert error.name == "EnvironmentMismatch"
    mine = ".".join(map(str, sys.version_info[:2]))
    for words in (
        f"Python {mine}",
        f"Python {minor}",
        "--python",
        "--venv",
        "--conda",
        "--module",
        "--requirements",
    ):
        assert words in error.shown


def test_plain_values_travel_to_another_minor_which_is_said(notebook: Notebook, another: tuple[Path, str]) -> None:
    folder, minor = another
    notebook.run("a = [1, 2]")
    executed = notebook.remote("import sys\nb = a + [3]\nv = sys.version_info[:2]", f"--venv {folder}")

    assert notebook.value("(b, '%d.%d' % tuple(v))") == ([1, 2, 3], minor)
    assert f"Python {minor}" in executed.text
    assert "on the node" in executed.text


def test_quiet_says_nothing(notebook: Notebook, old_numpy: Path) -> None:
    executed = notebook.remote("import numpy\nprint('x')", f"--venv {old_numpy} --quiet")

    assert executed.text.strip() == "x"
    assert [r["name"] for r in drift(notebook)] == ["numpy"]
