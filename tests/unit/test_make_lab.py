"""``make lab``: the address opens a tour that is one's own; its practice Slurm is stopped, however impatiently that is done."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
TOUR = "00-tour.ipynb"
JUPYTER = """
import signal
interrupts = {signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, interrupts)
print("lab is up", flush=True)
signal.sigwait(interrupts)
print("shut down?", flush=True)  # as jupyter_server asks: a second SIGINT is a yes
signal.sigwait(interrupts)
print("lab is down", flush=True)
"""
JUPYTER_HPC = """
import sys
print(*sys.argv[1:], flush=True)
if sys.argv[1:] == ["practice", "down"]:
    sys.stdin.readline()
    print("slurm is down", flush=True)
"""


# the bundle is not what is tested here
PYTHON = """
import os, sys
if sys.argv[1].startswith("notebooks/"):
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
JUPYTERLAB = """
import os, sys
os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *sys.argv[2:]])
"""
BROWSER = """
import os, sys
with open(os.environ["OPENED"], "w") as opened:
    opened.write(sys.argv[1])
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


def command(path: Path, code: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a virtual environment, as `make` sees it, with something quick for most of its commands."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "notebooks"):
        (folder / name).symlink_to(ROOT / name)
    for name, code in {"python": PYTHON, "jupyter": JUPYTER, "jupyter-hpc": JUPYTER_HPC}.items():
        command(folder / ".venv" / "bin" / name, code)
    (folder / ".venv" / "lab").touch()
    return folder


@contextmanager
def make_lab(checkout: Path, stderr: int, **more: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    make = subprocess.Popen(
        ["make", "--silent", "lab"],
        cwd=checkout,
        env=environment | more,
        text=True,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )
    try:
        yield make
    finally:
        try:
            os.killpg(make.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        make.communicate()


def test_the_practice_slurm_is_stopped_after_two_sigints_and_during_a_third(checkout: Path) -> None:
    said = []
    with make_lab(checkout, subprocess.DEVNULL) as make:

        def until(line: str) -> None:
            for each in make.stdout:
                said.append(each.rstrip("\n"))
                if said[-1] == line:
                    return
            pytest.fail(f"it ended without {line!r}: {said}")

        for line in ("lab is up", "shut down?", "practice down"):
            until(line)
            os.killpg(make.pid, signal.SIGINT)
        make.stdin.write("\n")
        make.stdin.flush()
        until("slurm is down")
        assert said.index("lab is down") < said.index("practice down")
        assert make.stdout.read() == ""  # nobody is left who could write


def test_the_printed_address_and_the_opened_one_are_the_tours(checkout: Path, tmp_path: Path) -> None:
    command(checkout / ".venv" / "bin" / "jupyter", JUPYTERLAB)
    opened = tmp_path / "opened"
    os.mkfifo(opened)
    own = {name: str(tmp_path / name) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    browser = command(tmp_path / "browser" / "open", BROWSER)
    with make_lab(checkout, subprocess.STDOUT, BROWSER=f"{browser} %s", OPENED=str(opened), **own) as make:
        printed = next(found for line in make.stdout if (found := re.search(r"http://\S+token=\w+", line)))[0]
        page = Path(urlsplit(opened.read_text()).path).read_text()
        shown = urllib.request.urlopen(printed, timeout=120).url
        file = urlsplit(printed)._replace(path=f"/api/contents/{TOUR}").geturl()
        tour = json.loads(urllib.request.urlopen(file, timeout=120).read())["content"]
    assert urlsplit(printed).path == f"/lab/tree/{TOUR}"
    assert f"/lab/tree/{TOUR}?token=" in page
    assert urlsplit(shown).path == f"/lab/tree/{TOUR}"
    assert tour["cells"]
    assert [cell for cell in tour["cells"] if cell.get("outputs") or cell.get("execution_count")] == []


# -- the copies ----------------------------------------------------------------------------------


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


class Copies:
    """Originals that a test may change, and the folder of their copies."""

    def __init__(self, tmp_path: Path) -> None:
        self.originals = tmp_path / "notebooks"
        self.originals.mkdir()
        for path in [ROOT / "notebooks" / TOUR, *(ROOT / "notebooks").glob("*.py")]:
            shutil.copy(path, self.originals)
        self.original = self.originals / TOUR
        self.copy = tmp_path / "lab" / TOUR
        self.refresh()

    def refresh(self) -> list[str]:
        return module(ROOT / "notebooks" / "lab.py").refresh(self.copy.parent, self.originals)

    @staticmethod
    def change(path: Path, **fields: object) -> None:
        """Change fields of a notebook's first cell of code."""
        notebook = json.loads(path.read_text())
        next(cell for cell in notebook["cells"] if cell["cell_type"] == "code").update(fields)
        path.write_text(json.dumps(notebook))


@pytest.fixture
def copies(tmp_path: Path) -> Copies:
    return Copies(tmp_path)


def test_a_copy_that_was_only_run_keeps_its_outputs_and_follows_its_original(copies: Copies) -> None:
    copies.change(copies.copy, outputs=[{"output_type": "stream", "name": "stdout", "text": "mine"}], execution_count=3)
    assert copies.refresh() == []
    assert "mine" in copies.copy.read_text()
    copies.change(copies.original, source="print('newer')")
    assert copies.refresh() == []
    assert "newer" in copies.copy.read_text()
    assert "mine" not in copies.copy.read_text()


def test_a_copy_that_somebody_changed_stays_and_is_said_to_be_behind_each_time(copies: Copies) -> None:
    copies.change(copies.copy, source="print('mine')")
    assert copies.refresh() == []
    copies.change(copies.original, source="print('newer')")
    for _ in range(2):
        (line,) = copies.refresh()
        assert str(copies.copy) in line
        assert str(copies.original) in line
    assert "mine" in copies.copy.read_text()
    copies.copy.unlink()
    assert copies.refresh() == []
    assert "newer" in copies.copy.read_text()


def test_a_copy_that_is_no_notebook_any_more_stays(copies: Copies) -> None:
    copies.copy.write_text("half of a note")
    copies.change(copies.original, source="print('newer')")
    assert len(copies.refresh()) == 1
    assert copies.copy.read_text() == "half of a note"


def test_what_the_notebooks_import_comes_along(copies: Copies) -> None:
    assert {path.name for path in copies.copy.parent.glob("*.py")} == {"heartbeats.py", "lineup.py"}


# -- the bundle ----------------------------------------------------------------------------------


def test_what_yarn_says_is_in_a_file_and_is_shown_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tools = module(ROOT / "labextension" / "bundle.py")
    monkeypatch.setattr(tools, "LOG", tmp_path / "build" / "labextension.log")
    codes = {
        "install": "for i in range(2300): print('fetched', i)",
        "check": "for i in range(150): print('error', i)\nraise SystemExit(2)",
    }
    monkeypatch.setattr(tools, "jlpm", lambda step, *_: [sys.executable, "-c", codes[step]])
    with pytest.raises(SystemExit) as failure:
        tools.build(dict(os.environ))
    (line,) = capfd.readouterr().out.splitlines()
    assert str(tools.LOG) in line
    shown = str(failure.value).splitlines()
    assert "error 149" in shown
    assert not [each for each in shown if each.startswith("fetched")]
    assert len(shown) < 110
    assert len(tools.LOG.read_text().splitlines()) == 2450
