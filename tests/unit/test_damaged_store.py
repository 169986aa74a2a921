"""What lies beside the runs (local cells, tags, the index, shared texts) may be damaged in any way: runs are listed all the same."""

from __future__ import annotations

import json
import shutil
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_hpc import practice
from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.lineage.record import session
from jupyter_hpc.lineage.show.view import of_run
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.rundir.store import Store
from tests.faults.road import over, submit
from tests.plan import seed
from tests.unit.damage import KINDS, ways

CELL = {
    "id": "20261101-000000-aaaaaa:1",
    "t": 1_790_000_000.5,
    "execution_count": 3,
    "notebook": "a.ipynb",
    "cell_id": "c1",
    "text": "x = y + 1",
    "digest": "sha256:" + "0" * 64,
    "reads": {"y": None},
    "writes": ["x"],
    "mutates": ["z"],
    "files": [{"path": "/tmp/a", "role": "output", "name": "a", "digest": None, "nbytes": 3, "mtime": 1.5}],
    "failed": True,
}
CELLS = "cells/20261101-000000-aaaaaa.jsonl"
FILES = (CELLS, "tags.jsonl", "lineage.sqlite", "blobs")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with a run, local cells, a tag, an index and a shared text."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("root")
        patch.setenv("JUPYTER_HPC_ROOT", str(folder))
        job = over(submit("y = x + 1", "local", {"x": 41}))
        path = folder / CELLS
        path.parent.mkdir()
        path.write_text("".join(json.dumps({**CELL, "id": f"{path.stem}:{n}"}) + "\n" for n in (1, 2)))
        said(f"tag {job.id} best")
        said("runs")
        yield folder


def said(line: str) -> str:
    name, arguments = commands.parse(line.split(), "%hpc")
    return commands.COMMANDS[name].run(arguments)


def complaints(store: Store, run_id: str) -> Iterator[str]:
    for line in ("runs -n 100", "jobs -n 100", f"show {run_id}", f"lineage {run_id}", f"lineage --json {run_id}"):
        try:
            if run_id not in said(line):
                yield f"{line} doesn't name the run"
        except HPCError as error:
            if "lineage.sqlite can't be written" not in str(error) or line.startswith(("jobs", "show")):
                yield f"{line} refuses: {error}"
        except Exception as error:
            yield f"{line} raises {error!r:.200} at {traceback.extract_tb(error.__traceback__)[-1]}"
    try:
        with suppress(HPCError):
            json.dumps(of_run(store, run_id))
        list(session.read(store.root))
        session.code_of(store.root, [f"{Path(CELLS).stem}:1"])
    except Exception as error:
        yield f"it raises {error!r:.200} at {traceback.extract_tb(error.__traceback__)[-1]}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", FILES)
def test_no_reader_minds(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, kind: str) -> None:
    monkeypatch.setattr(practice, "find_running_conf", lambda: None)
    [run_id] = [path.name for path in (whole / "runs").iterdir()]
    place = next(path for path in (whole / file).rglob("*") if path.is_file()) if file == "blobs" else whole / file
    found = []
    for number, damage in enumerate(ways(place, kind, seed())):
        store = Store(tmp_path / f"hpc{number}")
        shutil.copytree(whole, store.root, symlinks=True)
        monkeypatch.setenv("JUPYTER_HPC_ROOT", str(store.root))
        damage.do(store.root / place.relative_to(whole))
        if file in (CELLS, "tags.jsonl"):
            (store.root / "lineage.sqlite").unlink()  # it has read them before
        found += [f"{damage.name}: {words}" for words in complaints(store, run_id)]
        shutil.rmtree(store.root)
    assert found == []
