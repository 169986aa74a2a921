"""What a disk does not take waits, is tried again, and is never mixed with what another process wrote."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.follow.parts_follower import PartsFollower
from jupyter_hpc.model.states import JobState, Status
from jupyter_hpc.rundir import blobs, unwritten
from jupyter_hpc.rundir import run as rundir
from jupyter_hpc.rundir.run import Run, read_json, write_json
from jupyter_hpc.rundir.store import Store
from tests.faults.road import until

RECORD = {
    "kind": "cell",
    "target": {"name": "local"},
    "code": {"text": ""},
    "spec": {"resources": {}},
    "inputs": [],
    "state": "SUBMITTING",
}
END = {"state": "COMPLETED", "verdict": {"state": "COMPLETED"}, "node": "c1"}
REFUSALS = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES]


@contextmanager
def no_writes(number: int = errno.ENOSPC) -> Iterator[None]:
    """A disk that takes nothing."""

    def refuse(path: Path, record: Any) -> None:
        raise OSError(number, os.strerror(number), str(path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rundir, "write_json", refuse)
        yield


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwritten, "FIRST_S", 0.05)
    monkeypatch.setattr(unwritten, "MOST_S", 0.05)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    found = Store(tmp_path / "root").create()
    write_json(found.path / "record.json", {**RECORD, "id": found.id})
    return found


def on_disk(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = read_json(run.path / "record.json")
    return found


@pytest.mark.parametrize("number", REFUSALS, ids=lambda number: errno.errorcode[number])
def test_what_a_disk_does_not_take_is_written_when_it_does(run: Run, number: int) -> None:
    with no_writes(number):
        run.update(**END)
        assert run.record()["verdict"] == END["verdict"]
        assert "verdict" not in on_disk(run)
    until(lambda: not run.has_kept, "the verdict is written, and nobody looked")
    assert on_disk(run)["verdict"] == END["verdict"]


def test_whoever_looks_tries_again(run: Run) -> None:
    with no_writes():
        run.update(**END)
        run.catch_up()
        assert run.has_kept
    run.catch_up()
    assert on_disk(run)["state"] == "COMPLETED"


def test_the_end_that_another_process_wrote_meanwhile_stays_whole(run: Run) -> None:
    with no_writes():
        run.update(**END)
        run.update(why="it waits")
    theirs = {"state": "LOST", "verdict": {"state": "LOST"}}
    write_json(run.path / "record.json", {**on_disk(run), **theirs})
    assert {**run.record(), **theirs} == run.record()
    assert "node" not in run.record()
    run.catch_up()
    assert on_disk(run) == {**RECORD, "id": run.id, **theirs, "why": "it waits"}


def test_other_fields_of_another_process_keep_no_end_from_its_record(run: Run) -> None:
    with no_writes():
        run.update(reason="ours")
        run.update(**END)
    write_json(run.path / "record.json", {**on_disk(run), "reason": "theirs", "stale": ["x"]})
    run.catch_up()
    assert on_disk(run) == {**RECORD, "id": run.id, **END, "reason": "theirs", "stale": ["x"]}


def test_nothing_waits_for_a_run_that_is_removed(run: Run) -> None:
    with no_writes():
        run.update(**END)
        Store(run.path.parents[1]).remove(run)
        until(lambda: not run.has_kept, "nobody waits for it")


def test_a_disk_that_goes_and_comes_back(run: Run) -> None:
    away = run.path.parents[1].with_name("away")
    with no_writes():
        run.update(**END)
        os.rename(run.path.parents[1], away)
        run.catch_up()
        os.rename(away, run.path.parents[1])
        assert run.has_kept
    run.catch_up()
    assert on_disk(run)["state"] == "COMPLETED"


def test_a_forked_child_writes_nothing_of_its_parents(run: Run) -> None:
    with no_writes():
        run.update(**END)
        child = os.fork()
        if child == 0:
            os._exit(int(run.has_kept))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert run.has_kept
    run.catch_up()


def test_a_task_of_an_array(run: Run) -> None:
    task = run.part(3)
    task.path.mkdir(parents=True)
    with no_writes():
        task.update(**END)
        assert (task.record_or_none() or {})["state"] == "COMPLETED"
        assert on_disk(task) is None
    task.catch_up()
    assert on_disk(task) == END


def test_a_text_that_a_full_disk_does_not_take(run: Run) -> None:
    def full(path: Path, raw: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jupyter_hpc.rundir.store._write_all", full)
        digest = blobs.keep(run, b"packages")
        assert blobs.read(run.path.parents[1], digest) is None
    until(lambda: blobs.read(run.path.parents[1], digest) == b"packages", "the text is written")


def test_an_array_ends_whatever_keeps_that_from_being_written(run: Run) -> None:
    class Ended:
        def __init__(self) -> None:
            import concurrent.futures

            self.run = run.part(1)
            self.status = Status(JobState.COMPLETED)
            self.listeners: list[Any] = []
            self.ended: concurrent.futures.Future[Status] = concurrent.futures.Future()

    (run.path / "record.json").write_text(json.dumps("damaged"))
    task = Ended()
    array = PartsFollower(run, [task], "1")
    task.ended.set_result(task.status)
    task.listeners[0]()
    assert array.ended.result(0).state is JobState.COMPLETED


def test_a_worker_folder_that_can_not_be_filled_leaves_nothing(tmp_path: Path) -> None:
    runs = Store(tmp_path / "root")
    runs.prepare()

    def fill(folder: Path) -> None:
        (folder / "part").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space"):
        runs.publish(runs.root / "worker" / "digest", fill)
    assert not list((runs.root / "worker").iterdir())


def test_a_folder_that_can_not_be_put_in_its_place_is_not_taken_for_another_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Store(tmp_path / "root")
    runs.prepare()

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="No space"):
        runs.publish(runs.root / "worker" / "digest", lambda folder: (folder / "part").touch())
    assert not list((runs.root / "worker").iterdir())
