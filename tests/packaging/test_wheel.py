"""The wheel, built and installed where there is no Node: JupyterLab finds the sidebar, the server the extension."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import browser, chromium, driver  # noqa: F401 fixtures
from tests.browser.lab import SLOW_MS, Lab, open_sidebar

REPOSITORY = Path(__file__).parents[2]
BUNDLE = REPOSITORY / "jupyter_hpc" / "labextension"


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, and a PATH that has its programs and nothing else."""

    prefix: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """Run its Python and return all it says."""
        command = [str(self.prefix / "bin" / "python"), *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.prefix, capture_output=True, text=True, timeout=120
        )
        said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
        assert done.returncode == 0, said
        return said


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what a source distribution has, by the test environment's own build backend."""
    if not (BUNDLE / "static").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the sidebar's bundle: make labextension")
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    skipped = shutil.ignore_patterns("node_modules", "lib", "__pycache__", ".yarn")
    for name in ("jupyter_hpc", "labextension", "jupyter-config"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=skipped, symlinks=True)
    build = "import hatchling.build as b, sys; print(b.build_wheel(sys.argv[1]))"
    # a bundle that is there is taken as it is, so nothing here looks for Node
    environment = {**os.environ, "PATH": str(made)}
    done = subprocess.run(
        [sys.executable, "-c", build, str(made)], cwd=source, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = made.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Only the wheel is new there; what it depends on is the test environment's."""
    prefix = tmp_path_factory.mktemp("installed")
    venv.create(prefix, with_pip=False, symlinks=True)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(prefix / "bin" / "python"),
        "install",
        "-q",
        "--no-deps",
    ]
    subprocess.run([*pip, "--no-index", str(wheel)], check=True)
    assert not any("node_modules" in name or "/src/" in name for name in names)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(prefix), "platbase": str(prefix)}))
    others = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "dependencies.pth").write_text("\n".join(others))
    folder = prefix / "own"
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "PYTHON", "SLURM"))},
        **{name: str(folder / value) for name, value in folders.items()},
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_HPC_ROOT": str(folder / "root"),
        "JUPYTERLAB_DIR": str(_application()),
        "PATH": str(prefix / "bin"),
    }
    assert shutil.which("node", path=environment["PATH"]) is None
    return Installed(prefix, environment)


def _application() -> Path:
    """JupyterLab's own files, which come with its package."""
    import jupyterlab.commands

    return Path(jupyterlab.commands.get_app_dir())


def test_the_package_is_the_wheel_s(installed: Installed) -> None:
    found = installed.run("-c", "import jupyter_hpc; print(jupyter_hpc.__file__)").strip()
    assert Path(found).is_relative_to(installed.prefix)


def test_jupyterlab_lists_the_extension(installed: Installed) -> None:
    said = installed.run("-m", "jupyterlab.labextensions", "list")
    line = next(each for each in said.splitlines() if "jupyter-hpc v" in each)
    assert "enabled" in line and "OK" in line
    assert str(installed.prefix) in said


def test_the_server_lists_the_extension(installed: Installed) -> None:
    said = installed.run("-m", "jupyter_server.extension.serverextension", "list")
    lines = [" ".join(each.split()) for each in said.splitlines()]
    assert any("jupyter_hpc.server enabled" in each for each in lines), said
    assert any("jupyter_hpc.server" in each and "OK" in each for each in lines), said


def test_jupyterlab_shows_the_sidebar(installed: Installed, browser: Browser) -> None:  # noqa: F811
    base = installed.prefix / "lab"
    base.mkdir()
    lab = Lab.serve(base, installed.prefix / "bin" / "python", installed.environment)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = context.new_page()
        lab.show_empty(page)
        open_sidebar(page)
        expect(page.locator(".jp-HPCQueue")).to_contain_text("No jobs yet", timeout=SLOW_MS)
        page.get_by_role("tab", name="Clusters").click()
        expect(page.locator(".jp-HPCCluster")).to_contain_text("local", timeout=SLOW_MS)
    finally:
        context.close()
        lab.stop()


def test_the_bundle_is_whole(installed: Installed) -> None:
    shared = installed.prefix / "share" / "jupyter" / "labextensions" / "jupyter-hpc"
    package = json.loads((shared / "package.json").read_text())
    assert (shared / package["jupyterlab"]["_build"]["load"]).is_file()
    assert (shared / "schemas" / "jupyter-hpc" / "sidebar.json").is_file()
    assert json.loads((shared / "install.json").read_text())["packageName"] == "jupyter_hpc"


def test_a_bundle_asks_no_other_site(installed: Installed) -> None:
    """No font, script or picture from a CDN: many clusters see no internet."""
    shared = installed.prefix / "share" / "jupyter" / "labextensions" / "jupyter-hpc" / "static"
    texts = [path.read_text(encoding="utf-8") for path in shared.rglob("*.js")]
    known = ("http://www.w3.org/", "https://jupyter-hpc.readthedocs.io/events/")  # names, not addresses
    found = [word for text in texts for word in _addresses(text) if not word.startswith(known)]
    assert found == []


def _addresses(text: str) -> list[str]:
    return re.findall(r"https?://[\w.-]+/[^\"'\s`)]*", text)
