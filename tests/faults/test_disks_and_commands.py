"""What every command says while the run directory is on a disk that is full or read-only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.index.index import FILE, index_of
from jupyter_hpc.lineage.index.tags import FILE as TAGS
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.rundir import checked
from tests.faults.disks import full, needs_root, read_only, small_disk
from tests.faults.road import is_done, open_below, submit, until

pytestmark = needs_root
Disk = Callable[[Path], AbstractContextManager[None]]
SHOWN = {  # command, and a word of its answer
    ("jobs",): "first",
    ("runs",): "first",
    ("runs", "--where", "name first"): "first",
    ("show", "ID"): "first",
    ("why", "ID"): "has ended",
    ("logs", "ID"): "a line",
    ("result", "ID"): "x = 6",
    ("lineage", "ID"): "x = 6",
    ("lineage", "ID", "--json"): "links",
    ("diff", "ID", "ID"): "",
    ("clean",): "0 B",
    ("doctor",): "can't be written",
}
REFUSED = [("tag", "ID", "model:v1"), ("rerun", "ID"), ("resubmit", "ID"), ("reindex",)]


@pytest.fixture
def root(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with small_disk(here / "small", 8) as folder:
        monkeypatch.setenv("JUPYTER_HPC_ROOT", str(folder))
        yield folder


def ended(text: str, name: str) -> Job:
    job = submit(text, "local", name=name)
    assert job.wait(120)
    until(lambda: is_done(job.run), "nobody writes there any more")
    return job


def command(run_id: str, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "jupyter_hpc.commands.cli", *(run_id if word == "ID" else word for word in words)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("index", ["no index", "an older index"])
@pytest.mark.parametrize("disk", [full, read_only])
def test_what_was_done_is_shown_and_the_rest_refused(root: Path, disk: Disk, index: str) -> None:
    if index == "an older index":
        ended("y = 1", "before")
        index_of().refresh()
    run_id = ended("print('a line')\nx = 6", "first").id
    assert (root / FILE).exists() == (index == "an older index")
    until(lambda: not open_below(root), "nobody writes there any more")
    with disk(root):
        for words, answer in SHOWN.items():
            done = command(run_id, *words)
            assert done.returncode == 0, done.stderr
            assert answer in done.stdout, (words, done.stdout)
        for words in REFUSED:
            done = command(run_id, *words)
            assert done.returncode == 1
            assert "No space left" in done.stderr or "Read-only" in done.stderr or "disk is full" in done.stderr
    assert not (root / TAGS).exists() or not (root / TAGS).read_text()
    assert run_id in command(run_id, "tag", "ID", "model:v1").stdout
    assert "model:v1" in command(run_id, "lineage", "ID").stdout


def test_one_index_goes_on_where_the_disk_left_off(root: Path) -> None:
    """A kernel has one for long: in memory while the disk is full, then in the file again."""
    index = index_of()
    names = "SELECT name FROM run WHERE name IS NOT NULL ORDER BY created"
    ended("y = 1", "one")
    assert index.query(names) == [("one",)]
    ended("y = 2", "two")
    with full(root):
        assert index.query(names) == index.query(names, fresh=False) == [("one",), ("two",)]
    ended("y = 3", "three")
    assert index.query(names) == [("one",), ("two",), ("three",)]
    assert index_of().query(names, fresh=False) == [("one",), ("two",), ("three",)]


def test_a_full_disk_takes_no_signature_away(root: Path) -> None:
    job = ended("x = 6", "first")
    with full(root), pytest.raises(HPCError, match="can't be signed: No space left"):
        checked.trust(job.run)
    assert job.result(120) == {"x": 6}
