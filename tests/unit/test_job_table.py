"""The table of jobs: columns, their order, and what is read of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.lineage.index import tags
from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.foreign_jobs import ForeignJobs
from jupyter_hpc.server.listing import Listing, Query
from jupyter_hpc.server.table import Asked, Table
from jupyter_hpc.testing.fake import new_run
from jupyter_hpc.views import job_table
from jupyter_hpc.views.job_table import is_column, sorted_by

CODE = "lr = {lr}\nfit(model='resnet')"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    monkeypatch.setattr(ForeignJobs, "look", lambda self: None)
    listing = Listing(Store(tmp_path))
    for i, (lr, loss) in enumerate((("0.1", 3.0), ("0.01", 2.0), ("1e-3", "nan"))):
        new_run(
            listing.store.runs_directory / f"20260102-030405-aaaaa{i}",
            name=f"run {i}",
            state="COMPLETED" if i else "FAILED",
            created=10.0 + i,
            started_at=20.0,
            ended_at=30.0 + i,
            code={"text": CODE.format(lr=lr)},
            metrics={"loss": {"last": loss, "min": 1.0, "max": 9.0, "count": 4}},
        )
    new_run(listing.store.runs_directory / "20260102-030405-aaaaa9", name="plain", state="CANCELLED", ended_at=5.0)
    return Table(listing)


def names(table: Table, column: str = "", where: str = "", *, down: bool = False, **query: Any) -> list[str]:
    return [row["name"] for row in table.page(Asked(Query(**query), where, column, down))["rows"]]


def test_a_row_has_parameters_and_numbers(table: Table) -> None:
    page = table.page(Asked(Query()))
    row = next(row for row in page["rows"] if row["name"] == "run 1")
    assert row["parameters"] == {"lr": "0.01", "model": "'resnet'"}
    assert (row["numbers"], row["gpu_use"]) == ({"loss": 2.0}, [])
    assert page["total"] == 4
    assert (page["parameters"], page["metrics"]) == (["lr", "model"], ["loss"])


def test_parameters_of_one_run_are_columns_beside_those_of_all(table: Table) -> None:
    new_run(table.listing.store.runs_directory / "20260101-030405-aaaaa8", state="COMPLETED", code={"text": "seed = 3"})
    assert table.page(Asked(Query()))["parameters"] == ["lr", "model", "seed"]


def test_columns_sort_either_way_and_what_has_nothing_is_last(table: Table) -> None:
    assert names(table) == ["run 2", "run 1", "run 0", "plain"]
    assert names(table, "metrics.loss") == ["run 1", "run 0", "run 2", "plain"]
    assert names(table, "metrics.loss", down=True) == ["run 2", "run 0", "run 1", "plain"]
    assert names(table, "parameters.lr") == ["run 2", "run 1", "run 0", "plain"]
    assert names(table, "parameters.lr", down=True) == ["run 0", "run 1", "run 2", "plain"]
    assert names(table, "name") == ["plain", "run 0", "run 1", "run 2"]
    assert names(table, "duration") == ["run 0", "run 1", "run 2", "plain"]
    assert names(table, "state")[0] == "run 0"


def test_conditions_and_words(table: Table) -> None:
    assert names(table, where="failed") == ["run 0"]
    assert names(table, where="name run 1") == ["run 1"]
    assert names(table, text="completed run") == ["run 2", "run 1"]
    assert names(table, where="failed", text="completed") == []
    with pytest.raises(OptionError, match="doesn't understand"):
        names(table, where="florid")


def test_a_page_is_a_part_and_only_that_is_read(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(run: Any, record: Any, reader: Any = None) -> Any:
        read.append(record["name"])
        return job_table.more(run, record, reader)

    monkeypatch.setattr("jupyter_hpc.server.table.more", counted)
    assert names(table, offset=1, limit=2) == ["run 1", "run 0"]
    assert names(table, offset=1, limit=2) == ["run 1", "run 0"]
    assert read == ["run 1", "run 0"]


def test_an_order_reads_no_more_of_a_run_than_it_takes(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """With thousands of runs: of the events, which may be long, only those that are seen."""
    read: list[str] = []

    def counted(run: Any, record: Any, reader: Any = None) -> Any:
        read.append(record["name"])
        return job_table.more(run, record, reader)

    def of_code(run: Any, record: Any) -> Any:
        read.append(record["code"]["text"][:4])
        return job_table.given(run, record)

    monkeypatch.setattr("jupyter_hpc.server.table.more", counted)
    monkeypatch.setattr("jupyter_hpc.server.table.given", of_code)
    assert names(table, "metrics.loss", limit=1) == ["run 1"]
    assert read == ["run 1"]
    read.clear()
    assert names(table, "parameters.lr", limit=1) == ["run 2"]
    assert names(table, "parameters.lr", limit=1) == ["run 2"]
    assert sorted(read) == ["", "lr =", "lr =", "run 2"]


def test_a_metric_that_the_row_has_no_room_for_sorts_too(table: Table) -> None:
    for i, last in enumerate((2.0, 1.0)):
        told = {name: {"last": last, "min": last, "max": last, "count": 1} for name in "abcdefgh"}
        folder = table.listing.store.runs_directory / f"20260102-030405-bbbbb{i}"
        new_run(folder, name=f"many {i}", state="COMPLETED", metrics=told)
    assert names(table, "metrics.h", limit=2) == ["many 1", "many 0"]


def test_a_word_tags_many_runs_and_a_whole_tag_one(table: Table) -> None:
    store = table.listing.store
    first, second = "20260102-030405-aaaaa0", "20260102-030405-aaaaa1"
    assert tags.of_a_run(store, "sweep", first) == "sweep:aaaaa0"
    assert tags.of_a_run(store, " sweep ", second) == "sweep:aaaaa1"
    assert tags.of_a_run(store, "model:v3", second) == "model:v3"
    table.listing.look_anew()
    assert names(table, text="sweep") == ["run 1", "run 0"]
    assert names(table, where="tag sweep") == ["run 1", "run 0"]
    assert names(table, where="tag model:v3") == ["run 1"]
    for wrong in ("", "a b", ":v3", "model:", "a:b:c"):
        with pytest.raises(OptionError):
            tags.of_a_run(store, wrong, first)


@pytest.mark.parametrize("column", ["metrics.", "parameters", "nothing", "", "id", "metrics"])
def test_what_is_no_column(column: str) -> None:
    assert not is_column(column)


def test_numbers_come_before_words() -> None:
    rows = [{"parameters": {"a": text}} for text in ("'x'", "10", "9", "1e1000", "-2.5", "nan")]
    rows.append({"parameters": {}})
    assert [row["parameters"].get("a") for row in sorted_by(rows, "parameters.a")] == [
        *("-2.5", "9", "10", "1e1000", "'x'", "nan", None)
    ]
