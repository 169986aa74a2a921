"""The list of all jobs: each once."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.model.observation import ForeignJob, Observation
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.foreign_jobs import ForeignJobs
from jupyter_hpc.server.listing import Listing
from jupyter_hpc.testing.fake import new_run


def test_a_run_submitted_while_the_schedulers_are_looked_at_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel submits it between the two looks; as somebody else's it would have no log."""
    listing = Listing(Store(tmp_path))
    run_id = "20260102-030405-abcdef"

    def submitted_now(self: ForeignJobs) -> None:
        new_run(listing.store.runs_directory / run_id, state="COMPLETED")
        job = ForeignJob("7", Observation(JobState.RUNNING), "ours", run_id)
        self._known = {"slurm~7": ("slurm", "slurm", job)}

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
