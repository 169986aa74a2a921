"""A job at which every look fails is said once, tried seldom, and ended when it is over."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from jupyter_hpc.follow import glance
from jupyter_hpc.follow.follower import Follower
from jupyter_hpc.follow.trouble import GIVEN_UP_S, LONGEST_S
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.run import Run, write_json
from tests.unit.follow.scene import Scene, played


class Broken:
    """A job whose files make every look at it fail."""

    def __init__(self, follower: Follower, patch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        patch.setattr(follower, "verdict", self._fail)

    def _fail(self, **_: Any) -> None:
        self.looks += 1
        raise ZeroDivisionError("what no check foresaw")


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@played
async def test_it_is_said_once_and_tried_seldom(scene: Scene) -> None:
    handler, logger = Lines(), logging.getLogger("jupyter_hpc")
    logger.addHandler(handler)
    try:
        follower, worker = await scene.running()
        with pytest.MonkeyPatch.context() as patch:
            broken = Broken(follower, patch)
            await worker.lives(600)
        assert not follower.ended.done(), "it runs: no trouble of ours ends it"
        assert 5 < broken.looks < 100, "and not four times a second"
        assert len(handler.records) == 1 and handler.records[0].exc_info is None
        await worker.lives(LONGEST_S + 1)
        worker.succeeds()
        assert (await scene.ended(follower, 1)).state is JobState.COMPLETED, "it is followed as before"
    finally:
        logger.removeHandler(handler)


@played
async def test_it_ends_when_the_scheduler_says_that_it_is_over(scene: Scene) -> None:
    follower, _ = await scene.running()
    with pytest.MonkeyPatch.context() as patch:
        Broken(follower, patch)
        scene.backend.says(follower.native_id, (0, JobState.TIMEOUT))
        scene.watcher.ask_soon()
        status = await scene.ended(follower, GIVEN_UP_S + 2 * LONGEST_S)
    assert status.state is JobState.TIMEOUT
    verdict = follower.run.record()["verdict"]
    assert verdict["state"] == "TIMEOUT" and "what no check foresaw" in verdict["message"]


@played
async def test_a_whole_result_is_a_completed_job_all_the_same(scene: Scene) -> None:
    follower, worker = await scene.running()
    with pytest.MonkeyPatch.context() as patch:
        Broken(follower, patch)
        worker.succeeds()
        status = await scene.ended(follower, GIVEN_UP_S + 2 * LONGEST_S)
    assert status.state is JobState.COMPLETED
    assert follower.run.record()["state"] == "COMPLETED"


@played
async def test_what_the_worker_left_in_place_of_a_file_keeps_no_verdict(scene: Scene) -> None:
    follower, worker = await scene.running()
    for name in ("env", "prologue", "request.json"):
        (follower.run.path / name / "inside").mkdir(parents=True)
    worker.succeeds()
    assert (await scene.ended(follower, 1)).state is JobState.COMPLETED
    assert follower.run.record()["verdict"]["state"] == "COMPLETED"


def test_a_listing_has_the_other_rows(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [Run(tmp_path / "runs" / f"20261128-00000{n}-00000{n}") for n in (1, 2)]
    for run in runs:
        run.path.mkdir(parents=True)
        record = {"id": run.id, "target": {"name": "nowhere", "backend": "slurm"}, "spec": {}, "native_id": "7"}
        write_json(run.path / "record.json", {**record, "code": {"text": "x"}, "state": "RUNNING", "created": 1.0})
    real = Follower.poll

    def poll(self: Follower) -> bool:
        if self.run == runs[0]:
            raise ZeroDivisionError("what no check foresaw")
        return real(self)

    monkeypatch.setattr(Follower, "poll", poll)
    statuses = glance.refresh(runs)
    assert len(statuses) == 2 and not any(status.state.is_final for status in statuses)


@played
async def test_a_job_whose_record_is_damaged_while_it_runs_is_not_lost(scene: Scene) -> None:
    """It goes on, and ends with what its files and the scheduler say."""
    follower, worker = await scene.running()
    (follower.run.path / "record.json").write_bytes(b"\xff{")
    scene.watcher.ask_soon()
    await worker.lives(GIVEN_UP_S + 5)
    assert not follower.ended.done()
    worker.succeeds()
    assert (await scene.ended(follower, GIVEN_UP_S + 2 * LONGEST_S)).state is JobState.COMPLETED
