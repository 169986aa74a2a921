"""The list of all jobs: each once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.lineage.index import tags
from jupyter_hpc.model.observation import ForeignJob, Observation
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.run import read_json, write_json
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.foreign_jobs import ForeignJobs, Known
from jupyter_hpc.server.listing import Listing, Query
from jupyter_hpc.testing.fake import new_run
from jupyter_hpc.views.job_order import searched
from jupyter_hpc.views.job_row import job_row


def test_a_run_submitted_while_the_schedulers_are_looked_at_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel submits it between the two looks; as somebody else's it would have no log."""
    listing = Listing(Store(tmp_path))
    run_id = "20260102-030405-abcdef"

    def submitted_now(self: ForeignJobs) -> None:
        new_run(listing.store.runs_directory / run_id, state="COMPLETED")
        job = ForeignJob("7", Observation(JobState.RUNNING), "ours", run_id)
        self._known = {"slurm~7": Known("slurm", "slurm", job)}

    monkeypatch.setattr(ForeignJobs, "look", submitted_now)
    assert [(row["id"], row["foreign"]) for row in listing.summaries()] == [(run_id, False)]


def test_what_took_long_stands_a_while_for_all_clients_unless_something_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, looked, now = Listing(Store(tmp_path)), [], [100.0]

    def look(self: ForeignJobs) -> None:
        looked.append(now[0])
        now[0] += 0.5

    monkeypatch.setattr(ForeignJobs, "look", look)
    monkeypatch.setattr("jupyter_hpc.server.listing.time.monotonic", lambda: now[0])
    listing.summaries()
    now[0] += 1.9
    listing.summaries()
    assert looked == [100.0]
    now[0] += 0.2
    listing.summaries()
    assert len(looked) == 2
    listing.look_anew()
    listing.summaries()
    assert len(looked) == 3


def names(listing: Listing, **asked: Any) -> list[str]:
    return [row.get("heading") or row["id"][-6:] for row in listing.page(Query(**asked))["jobs"]]


def made(listing: Listing, end: str, **fields: Any) -> Path:
    folder = listing.store.runs_directory / f"20260102-030405-{end}"
    new_run(folder, **fields)
    return folder


def test_what_has_ended_is_in_the_order_of_its_end_also_when_it_changes(tmp_path: Path) -> None:
    listing = Listing(Store(tmp_path))
    made(listing, "aaaaaa", state="COMPLETED", created=1.0, ended_at=50.0)
    made(listing, "bbbbbb", state="FAILED", created=2.0, ended_at=40.0)
    assert names(listing) == ["aaaaaa", "bbbbbb"]
    made(listing, "cccccc", state="CANCELLED", created=3.0, ended_at=45.0)
    listing.look_anew()
    assert names(listing) == ["aaaaaa", "cccccc", "bbbbbb"]
    assert names(listing, by="state") == ["FAILED", "bbbbbb", "COMPLETED", "aaaaaa", "CANCELLED", "cccccc"]
    assert names(listing, text="failed") == ["bbbbbb"]


def test_a_run_that_is_gone_is_listed_no_more(tmp_path: Path) -> None:
    listing = Listing(Store(tmp_path))
    gone = made(listing, "aaaaaa", state="COMPLETED", ended_at=50.0)
    made(listing, "bbbbbb", state="COMPLETED", ended_at=40.0)
    assert names(listing) == ["aaaaaa", "bbbbbb"]
    shutil.rmtree(gone)
    listing.forget()
    assert names(listing) == ["bbbbbb"]


def test_tags_are_in_the_rows_and_found_as_soon_as_they_are_given(tmp_path: Path) -> None:
    listing = Listing(Store(tmp_path))
    made(listing, "aaaaaa", state="COMPLETED", ended_at=50.0)
    run_id = made(listing, "bbbbbb", state="COMPLETED", ended_at=40.0).name
    assert names(listing, text="model:v3") == []
    tags.add(listing.store, "model", "v3", subject="b3:" + "0" * 64, run=run_id)
    listing.look_anew()
    assert names(listing, text="model:v3") == ["bbbbbb"]
    other = run_id.replace("bbbbbb", "aaaaaa")
    tags.add(listing.store, "model", "v3", subject=other, run=other)  # it moves there
    listing.look_anew()
    assert names(listing, text="model:v3") == ["aaaaaa"]


def test_a_search_among_ten_thousand_looks_at_each_text_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, read = Listing(Store(tmp_path)), []
    for end in ("aaaaaa", "bbbbbb"):
        made(listing, end, state="COMPLETED")

    def counted(row: dict[str, Any]) -> str:
        read.append(row["id"])
        return searched(row)

    monkeypatch.setattr("jupyter_hpc.server.listing.searched", counted)
    for text in ("c", "co", "com"):
        listing.page(Query(text=text))
    assert len(read) == 2


def test_counts_tell_jobs_of_ours_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status bar has only ours."""
    listing = Listing(Store(tmp_path))
    new_run(listing.store.runs_directory / "20260102-030405-abcdef", state="COMPLETED")
    job = ForeignJob("7", Observation(JobState.RUNNING), "theirs", "")
    monkeypatch.setattr(ForeignJobs, "look", lambda self: self._known.update({"slurm~7": Known("slurm", "slurm", job)}))
    counts = listing.page(Query())["counts"]
    assert counts == {"waiting": 0, "running": 1, "ended": 1, "ours": {"waiting": 0, "running": 0}}


def test_what_others_ended_stands_among_ours_by_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Listing(Store(tmp_path))
    made(listing, "aaaaaa", state="COMPLETED", ended_at=50.0)
    made(listing, "bbbbbb", state="FAILED", ended_at=40.0, notebook={"path": "a.ipynb"})
    for native_id, state, ended_at in (("7", JobState.FAILED, 45.0), ("8", JobState.RUNNING, None)):
        job = ForeignJob(native_id, Observation(state, ended_at=ended_at), "theirs", "")
        listing.foreign._known[f"slurm~{native_id}"] = Known("slurm", "slurm", job)
    monkeypatch.setattr(ForeignJobs, "look", lambda self: None)
    page = listing.page(Query())
    assert [row["id"].removeprefix("20260102-030405-") for row in page["jobs"]] == [
        *("slurm~8", "aaaaaa", "slurm~7", "bbbbbb")
    ]
    assert page["counts"] == {"waiting": 0, "running": 1, "ended": 3, "ours": {"waiting": 0, "running": 0}}
    assert page["notebooks"] == ["a.ipynb"]
    assert "slurm" in page["targets"]


def test_a_record_in_brief_has_all_that_a_row_shows(tmp_path: Path) -> None:
    run = Store(tmp_path).run("20260102-030405-abcdef")
    new_run(
        run.path,
        state="FAILED",
        name="train",
        reason="NonZeroExit",
        node="n1",
        native_id="61",
        created=1.0,
        started_at=2.0,
        ended_at=3.0,
        target={"name": "slurm", "backend": "slurm"},
        spec={"partition": "gpu", "resources": {"time": 60, "gpus": 2, "gpu_type": "a100"}, "name": "train"},
        code={"text": "x = 1", "functions": {"f": {"source": "def f(): ...", "digest": "b3:0"}}},
        verdict={"state": "FAILED", "error": "ValueError", "message": "no"},
        notebook={"path": "a.ipynb", "cell_id": "c"},
        array={"text": "0-2", "indices": [0, 1, 2]},
        metrics={"loss": {"last": 0.5, "min": 0.1, "max": 1.0, "count": 3, "trend": [1.0, 0.5]}},
        environment={"digest": "b3:1"},
    )
    whole, brief = run.record_or_none(), run.in_brief()
    assert whole is not None and brief is not None
    row = job_row(run, whole)
    assert job_row(run, brief) == row
    assert all(row[key] for key in row.keys() - {"task_states", "array", "tags", "acts", "foreign"})
    assert "environment" not in brief and "functions" not in brief["code"]


@pytest.mark.parametrize("lacks", ["id", "target", "code", "spec"])
def test_a_record_that_lacks_what_every_view_needs_is_none_in_brief_either(tmp_path: Path, lacks: str) -> None:
    run = Store(tmp_path).run("20260102-030405-abcdef")
    new_run(run.path, state="FAILED")
    record = read_json(run.path / "record.json")
    write_json(run.path / "record.json", {key: value for key, value in record.items() if key != lacks})
    assert run.record_or_none() is run.in_brief() is None


def test_a_job_whose_target_is_there_no_more_is_listed_with_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ForeignJobs, "look", lambda self: None)
    listing = Listing(Store(tmp_path))
    made(listing, "aaaaaa", state="COMPLETED", ended_at=50.0)
    made(listing, "fedcba", state="RUNNING", native_id="61", created=60.0, target={"name": "gone", "backend": "slurm"})
    assert names(listing) == ["fedcba", "aaaaaa"]
