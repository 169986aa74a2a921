"""Damaged and foreign files: nothing is unpickled, nothing crashes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import JobNotFound, RemoteError, ResultError
from tests.faults.road import submit, until

CELL = "class Trap:\n    def __reduce__(self): return print, ('unpickled!',)\ny = Trap()"


def tampered(job: Job) -> None:
    path = job.run.result / "payload.pkl"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def foreign(job: Job) -> None:
    os.chown(job.run.result / "payload.pkl", 65534, 65534)


def foreign_folder(job: Job) -> None:
    os.chown(job.run.result, 65534, 65534)


def writable(job: Job) -> None:
    (job.run.result / "payload.pkl").chmod(0o660)


def writable_folder(job: Job) -> None:
    job.run.path.chmod(0o770)


def linked(job: Job) -> None:
    path = job.run.result / "payload.pkl"
    shutil.move(path, job.run.path / "elsewhere.pkl")
    path.symlink_to(job.run.path / "elsewhere.pkl")


def linked_folder(job: Job) -> None:
    shutil.move(job.run.result, job.run.path / "elsewhere")
    job.run.result.symlink_to(job.run.path / "elsewhere")


def truncated(job: Job) -> None:
    path = job.run.result / "manifest.json"
    path.write_bytes(path.read_bytes()[:100])


def emptied(job: Job) -> None:
    (job.run.result / "manifest.json").write_bytes(b"{}")


def no_object(job: Job) -> None:
    (job.run.result / "manifest.json").write_bytes(b"[1, 2]")


def newer(job: Job) -> None:
    path = job.run.result / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


def climbing(job: Job) -> None:
    """A manifest must not make us read files elsewhere."""
    path = job.run.result / "manifest.json"
    manifest = json.loads(path.read_text())
    outside = Path("/etc/hostname")
    from jupyter_hpc.worker.digest import digest_file

    record = {"file": "../../../../../../../etc/hostname", "size": outside.stat().st_size}
    record["digest"] = digest_file(str(outside), "sha256")
    path.write_text(json.dumps({**manifest, "buffers": [record]}))


def without_pickle(job: Job) -> None:
    (job.run.result / "payload.pkl").unlink()


def without_manifest(job: Job) -> None:
    (job.run.result / "manifest.json").unlink()


def without_result(job: Job) -> None:
    shutil.rmtree(job.run.result)


def without_its_first_name(job: Job) -> None:
    _change(job, lambda manifest: manifest["names"].pop(0))


def without_its_last_name(job: Job) -> None:
    _change(job, lambda manifest: manifest["names"].pop())


def without_names(job: Job) -> None:
    _change(job, lambda manifest: manifest.update(names=[]))


def without_a_list_of_names(job: Job) -> None:
    _change(job, lambda manifest: manifest.pop("names"))


def with_a_name_that_is_none(job: Job) -> None:
    _change(job, lambda manifest: manifest["names"].append(7))


def _change(job: Job, change: Callable[[dict[str, Any]], Any]) -> None:
    path = job.run.result / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


DAMAGES = [
    without_manifest,
    without_result,
    without_its_first_name,
    without_its_last_name,
    without_names,
    without_a_list_of_names,
    with_a_name_that_is_none,
    tampered,
    foreign,
    foreign_folder,
    writable,
    writable_folder,
    linked,
    linked_folder,
    truncated,
    emptied,
    no_object,
    newer,
    climbing,
    without_pickle,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_nothing_is_unpickled(cluster: Path, damage: Callable[[Job], None], capsys: pytest.CaptureFixture[str]) -> None:
    if damage.__name__.startswith("foreign") and os.getuid():
        pytest.skip("only root can give a file away")
    job = submit(CELL, "local")
    assert job.wait(120)
    damage(job)
    with pytest.raises(ResultError) as caught:
        job.result()
    assert str(job.run.path) in caught.value.message or job.id in caught.value.message
    assert "unpickled!" not in capsys.readouterr().out


def test_a_good_result_is_unpickled(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The trap of the other tests works."""
    submit(CELL, "local").result(20)
    assert "unpickled!" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{", '{"id": "x"}', "null", '{"target": 3}', "\x00\xff"])
def test_a_damaged_record_is_named_and_passed_over(cluster: Path, text: str) -> None:
    good = submit("y = 1", "local")
    assert good.wait(120)
    bad = submit("y = 2", "local")
    assert bad.wait(120)
    until(lambda: "sources" in bad.record["code"], "what is recorded beside the submission")
    until((bad.run.path / "end.json").exists, "nobody writes there any more")
    (bad.run.path / "record.json").write_bytes(text.encode("latin-1"))
    try:
        listed = commands.COMMANDS["jobs"].run(commands.parse(["jobs"], "%hpc")[1])
        assert good.id in listed
        assert f"{bad.id} can't be read" in listed
        commands.COMMANDS["clean"].run(commands.parse(["clean"], "%hpc")[1])
        assert bad.id in repr(bad)
        with pytest.raises((JobNotFound, ResultError)):
            bad.result(120)
    finally:
        shutil.rmtree(bad.run.path)


@pytest.mark.parametrize("left", ["record", "nothing"])
def test_a_failed_job_whose_result_is_gone_has_failed(cluster: Path, left: str) -> None:
    """Its record tells what it raised; where that is gone, too, nothing is made up."""
    job = submit("raise ValueError('no')", "local")
    assert job.wait(120)
    shutil.rmtree(job.run.result)
    if left == "nothing":
        job.run.update(exception=None)
    with pytest.raises(RemoteError if left == "record" else ResultError) as caught:
        job.result(120)
    assert ("ValueError: no" in str(caught.value)) == (left == "record")
