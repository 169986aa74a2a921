"""Jobs that we did not submit: an array is one row, and what may be done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.model.exceptions import HPCError, JobNotFound
from jupyter_hpc.model.observation import ForeignJob, Observation
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.foreign_jobs import ForeignJobs, Known, detail, readable_log
from jupyter_hpc.server.listing import Listing, Query

RUNNING, PENDING, FAILED = JobState.RUNNING, JobState.PENDING, JobState.FAILED
ACTS = {RUNNING: ("cancel", "requeue"), PENDING: ("cancel", "hold")}


def task(index: int, state: JobState, **seen: Any) -> ForeignJob:
    observed = Observation(state, **seen)
    name, acts = f"8_{index}", ACTS.get(state, ())
    return ForeignJob(name, observed, name="sweep", array="8", gpus=1, acts=acts, ends_with=f"scancel {name}")


def known(*jobs: ForeignJob) -> dict[str, Known]:
    each = [Known("slurm", "slurm", job) for job in jobs]
    return {one.key: one for one in each}


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> ForeignJobs:
    monkeypatch.setattr(ForeignJobs, "look", lambda self: None)
    jobs = ForeignJobs()
    tasks = [task(i, RUNNING, started_at=100.0 + i) for i in (10, 2, 1)]
    tasks += [task(i, PENDING, reason="waits for its turn") for i in range(11, 171)]
    jobs._known = known(*tasks, ForeignJob("9", Observation(PENDING), name="alone", acts=("cancel", "hold")))
    return jobs


def test_an_array_is_one_row(foreign: ForeignJobs) -> None:
    rows = {row["id"]: row for row in foreign.rows(())}
    assert rows.keys() == {"slurm~8", "slurm~9"}
    array = rows["slurm~8"]
    assert (array["native_id"], array["state"], array["tasks"]) == ("8", "RUNNING", 163)
    assert array["task_states"] == {"RUNNING": 3, "PENDING": 160}
    assert (array["gpus"], array["started_at"], array["ended_at"]) == (3, 101.0, None)
    assert array["acts"] == ["cancel", "hold", "requeue"]
    assert (rows["slurm~9"]["tasks"], rows["slurm~9"]["acts"]) == (0, ["cancel", "hold"])


def test_it_unfolds_where_it_stands(foreign: ForeignJobs, tmp_path: Path) -> None:
    listing = Listing(Store(tmp_path))
    listing.foreign = foreign
    page = listing.page(Query(unfolded=frozenset({"slurm~8"}), limit=4))
    assert page["total"] == 165
    counts = page["counts"]  # its tasks don't count once more
    assert (counts["running"], counts["waiting"], counts["ended"]) == (1, 1, 0)
    assert [(row["native_id"], row["array"]) for row in page["jobs"]] == [
        ("8", ""),
        ("8_1", "slurm~8"),
        ("8_2", "slurm~8"),
        ("8_10", "slurm~8"),
    ]
    assert listing.page(Query())["total"] == 2


def test_an_array_that_is_over_ends_with_its_last_task(foreign: ForeignJobs) -> None:
    done = [task(1, JobState.COMPLETED, ended_at=5.0), task(2, FAILED, ended_at=9.0, reason="it failed")]
    foreign._known = known(*done)
    (row,) = foreign.rows(())
    assert (row["state"], row["ended_at"], row["reason"], row["acts"]) == ("FAILED", 9.0, "it failed", [])


def test_its_view_has_its_tasks(foreign: ForeignJobs) -> None:
    found = foreign.find("slurm~8")
    whole = detail(found)
    assert [each["id"] for each in whole["array_tasks"][:3]] == ["slurm~8_1", "slurm~8_2", "slurm~8_10"]
    assert whole["ends_with"] == "scancel 8"
    with pytest.raises(HPCError, match="have a log each"):
        readable_log(found.job)
    assert detail(foreign.find("slurm~8_2"))["native_id"] == "8_2"
    with pytest.raises(JobNotFound):
        foreign.find("slurm~7")


def test_only_what_the_state_allows_is_asked_of_the_scheduler(
    foreign: ForeignJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, str]] = []

    async def act(self: ForeignJobs, target: str, native_id: str, what: str) -> None:
        asked.append((target, native_id, what))

    monkeypatch.setattr(ForeignJobs, "_act", act)
    foreign.act("slurm~8", "requeue")
    foreign.act("slurm~9", "hold")
    assert asked == [("slurm", "8", "requeue"), ("slurm", "9", "hold")]
    with pytest.raises(HPCError, match="release is not for a job that is pending"):
        foreign.act("slurm~9", "release")
    foreign._known = known(ForeignJob("ns/job", Observation(RUNNING)))
    with pytest.raises(HPCError, match="nothing"):
        foreign.act("slurm~ns.job", "cancel")
    assert len(asked) == 2
