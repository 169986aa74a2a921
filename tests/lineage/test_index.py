"""The index is what the directories say: made anew, brought up to date, damaged, and used by several at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.lineage.index import tags
from jupyter_hpc.lineage.index.index import Index
from jupyter_hpc.lineage.index.schema import connect
from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.rundir.store import Store
from tests.lineage.records import (
    digest,
    environment,
    random_history,
    record,
    run_id,
    value,
    write,
    write_cells,
)

TABLES = ("run", "edge", "link", "derived", "code", "tag")


def content(index: Index) -> dict[str, list[Any]]:
    return {t: sorted(index.query(f"SELECT * FROM {t}"), key=repr) for t in TABLES}


def chain(store: Store) -> None:
    """A run makes df, a local cell cleans it, another run trains a model from that and writes a file."""
    write(store, record(0, outputs=[value("df", "raw")]))
    write_cells(
        store,
        "s1",
        [
            {
                "id": "s1:4",
                "t": record(1)["created"],
                "text": "clean = df.dropna()",
                "reads": {"df": digest("raw")},
                "writes": ["clean"],
            },
        ],
    )
    files = [{"role": "generated", "path": "/data/model.pt", "digest": digest("file"), "nbytes": 10}]
    used = value("clean", "cleaned", origin={"cells": ["s1:4"]}, derived=[{"digest": digest("raw"), "how": "cells"}])
    write(store, record(2, inputs=[used], outputs=[value("model", "model")], files=files))


def test_links_come_from_content_cells_and_what_the_record_says(made: Store, index: Index) -> None:
    chain(made)
    links = index.query("SELECT child, name, parent, via FROM link ORDER BY child")
    assert links == [(run_id(2), "clean", "s1:4", "cells"), ("s1:4", "df", run_id(0), "hash")]
    assert index.query("SELECT src_digest, how FROM derived") == [(digest("raw"), "cells")]


def test_equal_small_values_link_only_under_one_name(made: Store, index: Index) -> None:
    write(made, record(0, outputs=[{**value("n", "5"), "nbytes": 5}]))
    write(made, record(1, inputs=[{**value("epochs", "5"), "nbytes": 5}]))
    write(made, record(2, inputs=[{**value("n", "5"), "nbytes": 5}]))
    assert index.query("SELECT child FROM link") == [(run_id(2),)]


def test_a_value_comes_from_the_last_run_that_made_it_before(made: Store, index: Index) -> None:
    for i in (0, 1, 5):
        write(made, record(i, outputs=[value("x", "same")]))
    write(made, record(3, inputs=[value("x", "same")]))
    assert index.query("SELECT parent FROM link") == [(run_id(1),)]


def test_up_to_date_is_the_same_as_made_anew(made: Store, index: Index) -> None:
    history = list(random_history(60, seed=3))
    for found in history[:20]:
        write(made, found)
    index.refresh()
    write(made, {**history[25], "state": "RUNNING", "outputs": None, "verdict": None})
    for found in history[30:]:  # later runs are seen before what they came from
        write(made, found)
    index.refresh()
    for found in history[20:30]:
        write(made, found)
    chain_file = made.runs_directory / run_id(7)
    os.rename(chain_file, made.root / "gone")
    tags.add(made, "model", "v3", subject=run_id(3))
    index.refresh()
    once = content(index)
    index.rebuild()
    assert once == content(index)
    assert len(once["run"]) == 59 and once["tag"]


def test_a_local_cell_outlives_the_run_whose_value_it_used(made: Store, index: Index) -> None:
    chain(made)
    index.refresh()
    os.rename(made.runs_directory / run_id(0), made.root / "gone")
    assert index.refresh().removed == 1
    assert [row[0] for row in index.query("SELECT run_id FROM run ORDER BY run_id")] == [run_id(2), "s1:4"]


def test_a_run_that_ends_is_read_again_and_one_that_ended_is_not(made: Store, index: Index) -> None:
    write(made, record(0, state="RUNNING", verdict=None))
    index.refresh()
    path = write(made, record(0)) / "record.json"
    assert index.refresh().read == 1
    assert index.query("SELECT state FROM run") == [("COMPLETED",)]
    os.utime(path, (time.time() - 3600,) * 2)
    assert index.refresh().read == 1  # once more when all has settled
    path.write_text("{")  # nothing looks at it any more
    assert index.refresh().read == 0 and not index.problems()


def test_what_is_cut_off_is_reported_and_skipped(made: Store, index: Index) -> None:
    chain(made)
    (made.runs_directory / run_id(0) / "record.json").write_text('{"id": "x", "created": 17')
    write(made, record(4, code="no object"))
    write(made, record(5, inputs=[{"name": "x", "origin": 3, "derived": "?"}, 7], notebook=[1]))  # the rest of it can
    folder = made.runs_directory / run_id(6)
    folder.mkdir()
    os.utime(folder, (1, 1))
    with (made.root / "cells" / "s1.jsonl").open("a") as file:
        file.write('not json\n{"id": "s1:9", "t"')
    with (made.root / "tags.jsonl").open("w") as file:
        file.write('{"key": "model"')
    assert {path for path, _ in index.problems()} == {*map(run_id, (0, 4, 6)), "cells/s1.jsonl"}
    assert dict(index.problems())[run_id(6)] == "it has no record.json: its submission was cut off"
    assert [row[0] for row in index.query("SELECT run_id FROM run ORDER BY run_id")] == [run_id(2), run_id(5), "s1:4"]
    write(made, record(0, outputs=[value("df", "raw")]))  # and it is found when it is whole again
    assert index.query("SELECT parent FROM link WHERE child = 's1:4'") == [(run_id(0),)]
    tags.add(made, "model", "v4", subject=run_id(2))
    assert index.query("SELECT value FROM tag") == [("v4",)]


@pytest.mark.parametrize("damage", ["remove", "garbage", "cut", "old"])
def test_a_file_that_is_gone_or_damaged_is_made_anew(made: Store, index: Index, damage: str) -> None:
    chain(made)
    whole = content(index)
    if damage == "remove":
        index.path.unlink()
    elif damage == "garbage":
        index.path.write_bytes(b"nothing of this is SQLite" * 999)
    elif damage == "cut":
        index.path.write_bytes(index.path.read_bytes()[:9000])
    else:
        database = connect(index.path)
        database.execute("PRAGMA user_version = 999")
        database.close()
    assert content(Index(made)) == whole


def test_it_is_never_in_wal_mode(made: Store, index: Index) -> None:
    chain(made)
    index.refresh()
    database = connect(index.path)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()
    assert not list(made.root.glob("*-wal"))


WRITER = """
import sys
from pathlib import Path
from jupyter_hpc.lineage.index.index import Index
from jupyter_hpc.rundir.store import Store
from tests.lineage.records import record, value, write
store, first = Store(Path(sys.argv[1])), int(sys.argv[2])
index = Index(store)
for i in range(first, first + 200, 4):
    write(store, record(i, outputs=[value("y", f"value {i}")], inputs=[value("x", f"value {i - 4}")]))
    index.refresh()
    if i % 40 == first % 40:
        index.rebuild()
    print(i, flush=True)
"""


def test_several_processes_write_at_once_and_one_is_killed(made: Store, index: Index) -> None:
    root = Path(__file__).parents[2]
    start = [sys.executable, "-c", WRITER, str(made.root)]
    writers = [subprocess.Popen([*start, str(i)], cwd=root, stdout=subprocess.PIPE) for i in range(4)]
    errors: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                Index(made).query("SELECT count(*) FROM run")
            except BaseException as error:
                errors.append(error)

    readers = [threading.Thread(target=read, daemon=True) for _ in range(2)]
    for each in readers:
        each.start()
    try:
        victim = writers.pop()
        assert victim.stdout
        for _ in range(10):
            victim.stdout.readline()
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        assert [writer.communicate()[0].count(b"\n") for writer in writers] == [50, 50, 50]
        assert [writer.returncode for writer in writers] == [0, 0, 0]
    finally:
        stop.set()
        for each in readers:
            each.join()
    assert not errors
    once = content(index)
    index.rebuild()
    assert content(index) == once
    # the one that was killed may have left a folder whose record was not written, or only in part
    assert len(once["run"]) == sum(run.record_or_none() is not None for run in made.runs())


def test_a_hot_journal_of_a_dead_process_is_not_played_into_a_new_file(made: Store, index: Index) -> None:
    chain(made)
    whole = content(index)
    index.path.with_name("lineage.sqlite-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 5000)
    index.path.write_bytes(b"damaged")
    assert content(Index(made)) == whole


def test_packages_are_known_by_environment(made: Store, index: Index) -> None:
    key = environment(made, {"numpy": "1.26.4", "pandas": "3.0"}, 0)
    write(made, record(0, environment={"digest": digest("the kernel's"), "worker": key}))
    rows = index.query("SELECT name, version FROM package WHERE env_digest = ? ORDER BY name", (key,))
    assert rows == [("numpy", "1.26.4"), ("pandas", "3.0"), ("python", "3.11.7")]


def test_a_tag_that_was_removed_is_nobody_s_until_it_is_given_again(tmp_path: Path) -> None:
    made = Store(tmp_path)
    path = made.root / tags.FILE
    tags.add(made, "model", "v3", subject=run_id(1))
    tags.add(made, "model", "v4", subject="b3:1", run=run_id(1))
    with pytest.raises(OptionError, match="no tag"):
        tags.remove(made, "model:v3", run_id(2))
    tags.remove(made, "model:v3", run_id(1))
    assert tags.by_run(path) == {run_id(1): ["model:v4"]}
    assert [row[:3] for row in tags.rows(path)] == [("b3:1", "model", "v4")]
    with pytest.raises(OptionError, match="no tag"):
        tags.remove(made, "model:v3")
    tags.add(made, "model", "v3", subject=run_id(2))
    assert tags.by_run(path) == {run_id(1): ["model:v4"], run_id(2): ["model:v3"]}
