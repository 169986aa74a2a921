"""What of a run a browser is offered, and what it is never given, whatever a record names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import HPCError, JobNotFound
from jupyter_hpc.server.downloads import attachment, listed, opened
from jupyter_hpc.worker.files import _state, record
from tests.faults.road import submit


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(tmp_path_factory.mktemp("root")))
        found = submit("print('hello')\nx = 1", "local", name="<b>mine</b>")
        assert found.wait(60)
        yield found


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of the user's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def declares(job: Job) -> Iterator[Any]:
    """Let the record say that the cell made such files."""

    def say(*paths: Path) -> None:
        job.run.update(files=[{"path": str(path), "role": "generated", "nbytes": 1} for path in paths])

    yield say
    job.run.update(files=[])


def read(job: Job, name: str, *folders: Path) -> bytes:
    kept, file = opened(job, name, folders)
    assert "/" not in kept and '"' not in kept
    with file:
        return file.read()


def test_what_we_keep_of_a_run(job: Job) -> None:
    found = {each["name"]: each for each in listed(job, ())}
    assert {"log", "job.sh", "code.py", "record.json"} <= found.keys()
    assert read(job, "log") == b"hello\n" and found["log"]["nbytes"] == 6
    assert read(job, "code.py") == b"print('hello')\nx = 1"
    assert read(job, "job.sh").startswith(b"#!/bin/bash")
    assert json.loads(read(job, "record.json"))["name"] == "<b>mine</b>"


def test_what_is_not_there_is_not_offered(job: Job) -> None:
    assert "manifest.yaml" not in [each["name"] for each in listed(job, ())]
    for name in ("manifest.yaml", "key", "env", "payload", "../record.json", "made-0", ""):
        with pytest.raises(JobNotFound):
            opened(job, name, ())


def test_a_file_that_the_cell_made(job: Job, declares: Any, own: Path) -> None:
    model = own / 'mo"d\nel.pt'
    model.write_bytes(b"weights")
    declares(model)
    (found,) = [each for each in listed(job, (own,)) if each["role"] == "made"]
    assert found["nbytes"] == 7 and "\n" not in found["title"]
    assert read(job, "made-0", own) == b"weights"
    kept, file = opened(job, "made-0", (own,))
    file.close()
    assert kept == "mo_d_el.pt"


def test_a_file_elsewhere_is_not_given(job: Job, declares: Any, own: Path, tmp_path: Path) -> None:
    other = tmp_path / "own-too"
    other.mkdir()
    (other / "file").write_text("x")
    (own / "link").symlink_to(other / "file")
    (own / "folder").symlink_to(other)
    declares(other / "file", own / "link", own / "folder" / "file", own / ".." / "own-too" / "file", own)
    assert [each for each in listed(job, (own,)) if each["role"] == "made"] == []
    for number in range(5):
        with pytest.raises(HPCError):
            opened(job, f"made-{number}", (own,))


def test_the_whole_machine_is_no_folder_of_the_users(job: Job, declares: Any) -> None:
    declares(Path("/etc/hostname"))
    with pytest.raises(HPCError, match="neither in the run's directory nor in one of yours"):
        opened(job, "made-0", (Path("/"),))


def test_a_link_within_is_followed(job: Job, declares: Any, own: Path) -> None:
    (own / "epoch-3.pt").write_text("x")
    (own / "last.pt").symlink_to("epoch-3.pt")
    declares(own / "last.pt")
    assert read(job, "made-0", own) == b"x"


def test_a_pipe_keeps_nobody_waiting(job: Job, declares: Any, own: Path) -> None:
    os.mkfifo(own / "pipe")
    declares(own / "pipe")
    with pytest.raises(JobNotFound):
        opened(job, "made-0", (own,))


def test_a_file_of_somebody_else(job: Job, declares: Any, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "theirs").write_text("x")
    declares(own / "theirs")
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(HPCError, match="belongs to somebody else"):
        opened(job, "made-0", (own,))


@pytest.mark.parametrize(
    ("name", "kept", "header"),
    [
        ("plain-1.csv", "plain-1.csv", 'attachment; filename="plain-1.csv"'),
        ("a b.txt", "a b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%20b.txt"),
        ("résumé.pdf", "résumé.pdf", "attachment; filename=\"r_sum_.pdf\"; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf"),
        ("世界😀.png", "世界😀.png", "filename*=UTF-8''%E4%B8%96%E7%95%8C%F0%9F%98%80.png"),
        ('q"uo\\te\n\t.txt', "q_uo_te__.txt", 'attachment; filename="q_uo_te__.txt"'),
        ("evil\r\u202egpj.exe", "evil_r_u202egpj.exe", 'attachment; filename="evil_r_u202egpj.exe"'),
        ("a;b=c%20.txt", "a;b=c%20.txt", "filename*=UTF-8''a%3Bb%3Dc%2520.txt"),
    ],
)
def test_a_file_keeps_its_name(job: Job, declares: Any, own: Path, name: str, kept: str, header: str) -> None:
    (own / name).write_text("x")
    declares(own / name)
    found, file = opened(job, "made-0", [own])
    file.close()
    assert found == kept and header in attachment(found) and attachment(found).isascii()


@pytest.fixture
def scratch(job: Job, tmp_path: Path) -> Iterator[Any]:
    """Let the record say that the cell made such files, as they are now, on a disk that is no folder of the user's."""
    disk = tmp_path / "scratch"
    disk.mkdir()

    def left(*paths: Path, **more: Any) -> Path:
        known = [{"role": "generated", **record(str(path), _state(str(path))), **more} for path in paths]
        job.run.update(files=known)
        return disk

    yield left
    job.run.update(files=[])


def made(job: Job, own: Path) -> list[str]:
    return [each["title"] for each in listed(job, (own,)) if each["role"] == "made"]


def test_what_lies_elsewhere_is_given_as_the_job_left_it(job: Job, scratch: Any, own: Path) -> None:
    model = scratch() / "model.pt"
    model.write_bytes(b"weights")
    scratch(model)
    assert made(job, own) == [str(model)]
    assert read(job, "made-0", own) == b"weights"


def test_what_lies_elsewhere_and_was_changed_is_not_given(job: Job, scratch: Any, own: Path) -> None:
    model = scratch() / "model.pt"
    model.write_bytes(b"weights")
    scratch(model)
    info = model.stat()
    model.write_bytes(b"secrets")
    os.utime(model, ns=(info.st_atime_ns, info.st_mtime_ns))  # the same size, the same time
    with pytest.raises(HPCError, match="is not as the job left it"):
        opened(job, "made-0", (own,))
    model.write_bytes(b"more than that")
    assert made(job, own) == []
    with pytest.raises(HPCError, match="is not as the job left it"):
        opened(job, "made-0", (own,))


@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_a_link_put_in_its_place_leads_nowhere(job: Job, scratch: Any, own: Path, tmp_path: Path, swapped: str) -> None:
    folder = scratch() / "out"
    folder.mkdir()
    (folder / "model.pt").write_bytes(b"weights")
    scratch(folder / "model.pt")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "model.pt").write_bytes(b"a token")
    if swapped == "folder":
        folder.rename(folder.with_name("moved"))
        folder.symlink_to(secret)
    else:
        (folder / "model.pt").unlink()
        (folder / "model.pt").symlink_to(secret / "model.pt")
    assert made(job, own) == []
    with pytest.raises(HPCError, match="is not as the job left it"):
        opened(job, "made-0", (own,))


def test_a_record_that_does_not_know_what_is_in_it_gives_nothing(job: Job, scratch: Any, own: Path) -> None:
    model = scratch() / "model.pt"
    model.write_bytes(b"weights")
    for more in ({"digest": None}, {"digest": "b3:" + "0" * 64}, {"digest": "md5:" + "0" * 32}, {"role": "used"}):
        scratch(model, **more)
        with pytest.raises(HPCError):
            opened(job, "made-0", (own,))
