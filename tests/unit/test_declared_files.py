"""Files that a cell declares: what is said of them, and that nobody waits for long."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.worker import files
from jupyter_hpc.worker.digest import digest_file

Records = list[dict[str, Any]]


@pytest.fixture
def records() -> Records:
    return []


@pytest.fixture
def declared(records: Records) -> files.Files:
    return files.Files(lambda **record: records.append(record), time.time())


def test_a_file_older_than_the_cell_was_read(tmp_path: Path, declared: files.Files, records: Records) -> None:
    for name, age in (("new", 0), ("old", 100)):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
        assert declared.declare(tmp_path / name, name) == tmp_path / name
    assert [(r["name"], r["role"]) for r in records] == [("new", "generated"), ("old", "used")]
    assert [r["digest"] for r in records] == [digest_file(str(tmp_path / n)) for n in ("new", "old")]


def test_a_folder_has_one_digest_of_names_and_contents(tmp_path: Path, declared: files.Files, records: Records) -> None:
    (tmp_path / "a").mkdir()
    for change in ("one", "two", "two"):
        (tmp_path / "a" / "x").write_text(change)
        declared.declare(tmp_path)
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    declared.declare(tmp_path)
    first, second, third, renamed = (r["digest"] for r in records)
    assert second == third and len({first, second, renamed}) == 3


def test_one_that_is_not_there_is_an_error_in_the_cell_and_a_line_in_the_record(
    tmp_path: Path, declared: files.Files, records: Records
) -> None:
    with pytest.raises(FileNotFoundError, match="artifact"):
        declared.declare(tmp_path / "no")
    declared.end([str(tmp_path / "no")], hurry=False)
    assert records[0]["why"] == "it is not there"


def test_a_file_that_the_cell_changes_while_it_reads_it(
    tmp_path: Path, declared: files.Files, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "both"
    path.write_text("before")
    original = files._digest

    def digest_and_change(path: str, deadline: float) -> str:
        found = original(path, deadline)
        Path(path).write_text("something longer")
        return found

    monkeypatch.setattr(files, "_digest", digest_and_change)
    declared.begin([str(path)])
    declared.end([], hurry=False)
    assert (records[0]["digest"], records[0]["nbytes"]) == (None, 6)
    assert "changed" in records[0]["why"]


def test_names_do_not_wait_for_the_digest_of_what_is_too_large(
    tmp_path: Path, declared: files.Files, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "END_S", 0.05)
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(1 << 40)
    declared.end([str(path)], hurry=False)
    assert (records[0]["digest"], records[0]["nbytes"]) == (None, 1 << 40)
    assert "artifact()" in records[0]["why"]
    path.unlink()
    (tmp_path / "small").write_text("x")
    declared.end([str(tmp_path / "small")], hurry=True)
    assert records[1]["digest"] is None and records[1]["nbytes"] == 1
