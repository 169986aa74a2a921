"""Wheel and sdist are built, installed in fresh environments without Node, and work; so do the README's commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "jupyter_hpc" / "labextension"
pytestmark = pytest.mark.timeout(1200)
LINEUP = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "lineup-backend"
version = "1"

[project.entry-points."jupyter_hpc.backends"]
lineup = "lineup_backend:Lineup"

[tool.pytest.ini_options]
testpaths = ["tests"]
filterwarnings = ["error"]
"""


def run(argv: list[str], cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **variables}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert done.returncode == 0, f"{argv}:\n{done.stdout[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def without_node(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the system's commands, and none of Node's."""
    folder = tmp_path_factory.mktemp("bin")
    for place in ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for command in Path(place).glob("*"):
            link = folder / command.name
            if command.name not in ("node", "nodejs", "npm", "npx", "yarn", "jlpm") and not link.is_symlink():
                link.symlink_to(command)
    return str(folder)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git has, and the sidebar's bundle, which only a build from npm could make."""
    folder = tmp_path_factory.mktemp("clone") / "jupyter_hpc"
    folder.mkdir()
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if not (BUNDLE / "static" / "style.js").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not here: the sidebar's bundle: make labextension")
    shutil.copytree(BUNDLE, folder / "jupyter_hpc" / "labextension")
    return folder


@pytest.fixture(scope="module")
def built(clone: Path, without_node: str) -> dict[str, Path]:
    """The sdist, and the wheel that is built from it."""
    dist = clone / "dist"
    run([sys.executable, "-m", "build", "--outdir", str(dist)], clone, PATH=without_node)
    return {"wheel": next(dist.glob("*.whl")), "sdist": next(dist.glob("*.tar.gz"))}


def test_the_wheel_holds_the_package_the_sidebar_and_the_servers_configuration(
    built: dict[str, Path],
) -> None:
    names = zipfile.ZipFile(built["wheel"]).namelist()
    shared = "/data/share/jupyter/labextensions/jupyter-hpc/"
    assert any(shared + "static/remoteEntry" in name for name in names)
    assert any(name.endswith(shared + "install.json") for name in names)
    assert any(name.endswith("/etc/jupyter/jupyter_server_config.d/jupyter_hpc.json") for name in names)
    assert "jupyter_hpc/py.typed" in names
    assert "jupyter_hpc/testing/contract/conftest.py" in names  # for backends of others
    assert not [n for n in names if n.startswith(("tests/", "binder/", "jupyter_hpc/labextension"))]
    metadata = zipfile.ZipFile(built["wheel"]).read(next(n for n in names if n.endswith("METADATA"))).decode()
    for minor in range(10, 15):
        assert f"Classifier: Programming Language :: Python :: 3.{minor}" in metadata
    assert "Provides-Extra: pyslurm" in metadata
    assert "Provides-Extra: testing" in metadata
    entry_points = zipfile.ZipFile(built["wheel"]).read(next(n for n in names if n.endswith("entry_points.txt")))
    assert b"[pytest11]" in entry_points
    assert re.search(r"^Requires-Dist: kubernetes>=", metadata, re.MULTILINE)


def test_the_sdist_holds_what_a_build_without_node_needs(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as archive:
        names = archive.getnames()
    assert any("/jupyter_hpc/labextension/static/remoteEntry" in name for name in names)


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_it_installs_without_node_and_nothing_is_broken(
    kind: str, built: dict[str, Path], without_node: str, tmp_path: Path
) -> None:
    python = str(tmp_path / "venv" / "bin" / "python")
    run([sys.executable, "-m", "venv", str(tmp_path / "venv")], tmp_path)
    run([python, "-m", "pip", "install", "-q", str(built[kind])], tmp_path, PATH=without_node)
    assert "No broken requirements" in run([python, "-m", "pip", "check"], tmp_path)
    command = str(tmp_path / "venv" / "bin" / "jupyter")
    said = run([command, "hpc", "doctor"], tmp_path, PATH=without_node, JUPYTER_HPC_ROOT=str(tmp_path / "hpc"))
    assert "✓ run directories" in said
    extensions = run([command, "server", "extension", "list"], tmp_path)
    assert re.search(r"jupyter_hpc\.server.*OK", extensions)


@pytest.mark.timeout(3600)
def test_a_backend_of_another_package_passes_the_contract(
    built: dict[str, Path], without_node: str, tmp_path: Path
) -> None:
    """The whole suite, from the wheel, in the environment and the project of whoever wrote the backend."""
    project = tmp_path / "project"
    (project / "lineup_backend").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "lineup.py", project / "lineup_backend" / "__init__.py")
    (project / "pyproject.toml").write_text(LINEUP)
    (project / "tests").mkdir()
    (project / "tests" / "test_own.py").write_text("def test_own():\n    raise RuntimeError('nobody named it')\n")
    (project / "config").mkdir()
    (project / "config" / "jupyter_hpc_config.json").write_text(
        json.dumps({"JupyterHPC": {"targets": {"mine": {"backend": "lineup", "lock": str(project / "lock")}}}})
    )
    python = str(project / ".venv" / "bin" / "python")
    run([sys.executable, "-m", "venv", str(project / ".venv")], project)
    run(
        [python, "-m", "pip", "install", "-q", f"{built['wheel']}[testing]", str(project)],
        project,
        PATH=without_node,
    )
    variables = {"JUPYTER_CONFIG_PATH": str(project / "config"), "PYTHONPATH": ""}
    where = run([python, "-c", "import jupyter_hpc as j; print(j.__file__)"], project, **variables)
    assert Path(where.strip()).is_relative_to(project / ".venv")

    said = run([str(project / ".venv" / "bin" / "pytest"), "--jupyter-hpc-target=mine", "-q"], project, **variables)

    passed = re.search(r"^(\d+) passed(?!.*(?:failed|error))", said, re.MULTILINE)
    assert passed and int(passed[1]) >= 400, said[-2000:]


def test_the_readmes_commands_run(clone: Path, tmp_path: Path) -> None:
    """``make demo`` in a fresh checkout; ``make test`` is what runs this; the others ask for nothing new."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {
        line.split("#")[0].strip() for line in re.findall(r"^    ((?:make|pip|jupyter) .+)$", readme, re.MULTILINE)
    }
    assert commands == {"make demo", "make test", "pip install .", "jupyter hpc doctor"}
    own = {name: str(tmp_path / name) for name in ("JUPYTER_HPC_ROOT", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR")}
    said = run(
        ["make", "demo", f"PYTHON={sys.executable}"],
        clone,
        **own,
        JUPYTER_HPC_PRACTICE_DIR=f"/tmp/jhd{os.getpid()}",
    )
    shutil.rmtree(f"/tmp/jhd{os.getpid()}", ignore_errors=True)
    assert "cells ran as jobs" in said
    assert (clone / "demo" / "00-tour.html").exists()
    written = set(re.findall(r"`(jupyter hpc [a-z ]+[a-z])(?: --kubernetes)?`", readme))
    assert "jupyter hpc practice up" in written
    for each in ("practice up", "practice down"):
        assert "Slurm" in run(
            [str(clone / ".venv" / "bin" / "jupyter"), "hpc", *each.split()],
            clone,
            **own,
            JUPYTER_HPC_PRACTICE_DIR=f"/tmp/jhd{os.getpid()}",
        )
    shutil.rmtree(f"/tmp/jhd{os.getpid()}", ignore_errors=True)
