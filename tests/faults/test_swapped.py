"""Somebody changes what a name means between a look at it and its use: what was looked at is what is loaded."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_hpc.model.exceptions import ResultError
from jupyter_hpc.rundir.store import store
from tests.faults.road import submit

SOMEBODY = 12345
TRAP = "class Trap:\n    def __reduce__(self): return print, ('unpickled!',)\ny = Trap()"

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make files that belong to somebody else")

_on_open: list[Callable[[str], None]] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _on_open and isinstance(arguments[0], str):
        _on_open[0](arguments[0])


sys.addaudithook(_audit)


@pytest.fixture
def at_first_open() -> Iterator[Callable[[str, Callable[[], None]], None]]:
    """Do something just before a file of some name is opened: after whatever was checked by name."""

    def arrange(name: str, act: Callable[[], None]) -> None:
        def hook(path: str) -> None:
            if os.path.basename(path) == name:
                _on_open.clear()
                act()

        _on_open.append(hook)

    yield arrange
    _on_open.clear()


@pytest.mark.parametrize("level", ["root", "runs", "run", "result"])
def test_a_folder_that_is_swapped_between_look_and_use(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    at_first_open: Callable[[str, Callable[[], None]], None],
    level: str,
) -> None:
    root = store().root
    job, trap = submit("y = 1", "local"), submit(TRAP, "local")
    assert job.wait(120) and trap.wait(120)
    evil = here / "evil"
    shutil.copytree(root, evil, symlinks=True)
    theirs = evil / job.run.result.relative_to(root)
    shutil.rmtree(theirs)
    shutil.copytree(trap.run.result, theirs)
    for folder, folders, files in os.walk(evil):
        for each in (*folders, *files):
            os.chown(os.path.join(folder, each), SOMEBODY, SOMEBODY, follow_symlinks=False)
    os.chown(evil, SOMEBODY, SOMEBODY)
    path = {"root": root, "runs": root / "runs", "run": job.run.path, "result": job.run.result}[level]

    def swap() -> None:
        os.rename(path, here / "away")
        os.rename(evil / path.relative_to(root), path)

    at_first_open("manifest.json", swap)
    assert job.result() == {"y": 1}
    assert not _on_open, "nothing was swapped"
    assert "unpickled!" not in capsys.readouterr().out


def test_a_result_is_not_loaded_once_others_can_reach_the_root(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "project").mkdir(mode=0o755)
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(here / "project/hpc"))
    job = submit("y = 1", "local")
    assert job.wait(120)
    (here / "project").chmod(0o775)
    with pytest.raises(ResultError, match="can be written by the group root"):
        job.result()


def test_what_is_no_file_is_not_waited_for(here: Path) -> None:
    job = submit("y = 1", "local")
    assert job.wait(120)
    (job.run.result / "payload.pkl").unlink()
    os.mkfifo(job.run.result / "payload.pkl", 0o600)
    with pytest.raises(ResultError, match="is no file"):
        job.result()
