"""What an array's tasks made, where a task's result is missing or damaged: an error that names it, and the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import ResultError, TasksFailed
from jupyter_hpc.rundir.checked import trust
from jupyter_hpc.rundir.parts import make_parts
from jupyter_hpc.rundir.run import Run, write_json
from tests.faults.road import is_done, submit, until


@pytest.fixture
def array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """An array of two tasks, as one leaves it: made of a job that ended well."""
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    job = submit("y = 6", "local")
    until(lambda: is_done(job.run), "nobody writes its record any more")
    run = job.run
    record = json.loads((run.path / "record.json").read_bytes())
    make_parts(run, [1, 2])
    for index in (1, 2):
        shutil.copytree(run.result, run.part(index).result)
        write_json(run.part(index).path / "record.json", {key: record[key] for key in ("state", "verdict")})
    shutil.rmtree(run.result)
    write_json(run.path / "record.json", {**record, "array": {"text": "1-2", "indices": [1, 2]}})
    trust(run)  # each part's place is in its signature
    yield Job(Run(run.path))


def test_a_whole_one(array: Job) -> None:
    assert array.result(5) == {"y": {1: 6, 2: 6}}


@pytest.mark.parametrize("part", ["result", "result/manifest.json", "result/payload.pkl"])
def test_a_tasks_result_that_is_missing_is_that_tasks_error(array: Job, part: str) -> None:
    path = array.run.part(2).path / part
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(TasksFailed) as caught:
        array.result(5)
    assert list(caught.value.errors) == [2] and isinstance(caught.value.errors[2], ResultError)
    assert array.outcome(5).names == {"y": {1: 6}}
    assert array.tasks[0].result(5) == {"y": 6}


@pytest.mark.parametrize("left", [[1], [], None])
def test_tasks_that_the_record_leaves_out_are_missed(array: Job, left: list[int] | None) -> None:
    path = array.run.path / "record.json"
    record = json.loads(path.read_bytes())
    record["array"] = None if left is None else {"text": "1-2", "indices": left}
    path.write_text(json.dumps(record))
    with pytest.raises(ResultError):
        Job(Run(array.run.path)).result(5)
