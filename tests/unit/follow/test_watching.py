"""What a watcher asks, and how jobs end for it: by a list of what the scheduler says, and a clock."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.base import Backend
from jupyter_hpc.backends.budget import ROUTINE_S
from jupyter_hpc.follow.doubt import ACCOUNTING_S, LINGER_S, RECOVERY_S
from jupyter_hpc.follow.pulse import SILENCE_S
from jupyter_hpc.follow.watcher import LATE_S, QUIET_S, ROUND_SHARE, SLOW_S, TICK_S
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.model.observation import Observation
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir import run as rundir
from jupyter_hpc.rundir.run import Run
from tests.unit.follow.scene import Scene, played

OUT_OF_MEMORY = Observation(JobState.OUT_OF_MEMORY, native_state="OUT_OF_MEMORY")


@played
async def test_a_job_that_runs_and_beats_is_left_alone(scene: Scene) -> None:
    _, worker = await scene.running()
    before = len(scene.backend.questions())
    await worker.lives(QUIET_S - 5)
    assert len(scene.backend.questions()) == before


@played
async def test_a_result_ends_it_without_a_question(scene: Scene) -> None:
    follower, worker = await scene.running()
    before = len(scene.backend.questions())
    worker.succeeds()
    status = await scene.ended(follower, 0.5)
    assert status.state is JobState.COMPLETED
    assert len(scene.backend.questions()) == before
    record = follower.run.record()
    assert record["state"] == "COMPLETED" and record["ended_at"] == pytest.approx(status.ended_at)


@played
async def test_a_heartbeat_that_stops_is_asked_about_at_once(scene: Scene) -> None:
    follower, _ = await scene.running((0, JobState.RUNNING), (2.5, JobState.NODE_FAIL))
    before = len(scene.backend.questions())
    status = await scene.ended(follower, SILENCE_S + 1)
    assert status.state is JobState.NODE_FAIL
    assert len(scene.backend.questions()) == before + 1


@played
async def test_a_silent_job_of_which_the_scheduler_says_that_it_runs_goes_on(scene: Scene) -> None:
    """A slow file system, or a cell that holds the interpreter; and a scheduler isn't asked at each look."""
    follower, worker = await scene.running()
    began = scene.clock.monotonic()
    await scene.clock.advance(130)
    assert not follower.ended.done()
    asked = [at for at in scene.backend.questions() if at > began]
    assert len(asked) >= 4
    assert all(b - a >= 60 for a, b in zip(asked, asked[6:]))  # six in any minute
    worker.succeeds()
    assert (await scene.ended(follower, 1)).state is JobState.COMPLETED


@played
async def test_an_outage_is_said_and_is_no_end(scene: Scene) -> None:
    follower, worker = scene.job((0, JobState.PENDING), (40, JobState.RUNNING))
    await scene.clock.advance(3)
    scene.backend.goes_away(60)
    away_until = scene.clock.time() + 60
    await scene.clock.until(lambda: "doesn't answer" in follower.status.reason, 30)
    assert follower.status.state is JobState.PENDING
    away = len(scene.backend.questions())
    await scene.clock.advance(20)
    assert len(scene.backend.questions()) == away  # nothing but pings, until one gets an answer
    assert scene.backend.questions("is_up")
    await scene.clock.until(lambda: "doesn't answer" not in follower.status.reason, 60 + 1.3 * ROUTINE_S[-1])
    (incident,) = follower.run.record()["incidents"]
    assert incident["what"].startswith("the fake scheduler didn't answer for ")
    assert incident["from"] < away_until < incident["until"]
    worker.starts()
    await scene.clock.until(lambda: follower.status.state is JobState.RUNNING, 2)


@played
async def test_a_job_that_ends_during_an_outage_ends_here_too(scene: Scene) -> None:
    """By its files; the record has what goes on."""
    follower, worker = await scene.running()
    scene.backend.goes_away()
    scene.watcher.ask_soon()
    await scene.clock.until(lambda: scene.connection.outage.since, 5)
    worker.beats()
    worker.succeeds()
    await scene.ended(follower, 1)
    (incident,) = follower.run.record()["incidents"]
    assert "doesn't answer" in incident["what"]


@played
async def test_an_answer_that_takes_long_is_said_and_noted(scene: Scene) -> None:
    follower, _ = scene.job()
    await scene.clock.advance(2)
    scene.backend.answers_after_s = LATE_S + 1
    scene.watcher.ask_soon()
    took = await scene.clock.until(lambda: "doesn't answer" in follower.status.reason, 10)
    assert took == pytest.approx(SLOW_S, abs=0.5)
    scene.backend.answers_after_s = 0.0
    await scene.clock.until(lambda: "doesn't answer" not in follower.status.reason, LATE_S)
    (incident,) = follower.run.record()["incidents"]
    assert incident["what"] == "the fake scheduler didn't answer for 6 s"


@played
async def test_a_job_that_was_forgotten_is_submitted_again(scene: Scene) -> None:
    follower, worker = scene.job((0, JobState.PENDING), (5, None))
    scene.backend.restores = True
    old = follower.native_id
    await scene.clock.until(lambda: follower.native_id != old, 60)
    assert scene.backend.jobs_of(follower.run) == [old, follower.native_id]
    assert len(scene.backend.questions("restore")) == 1
    record = follower.run.record()
    assert record["native_id"] == follower.native_id
    words = f"had forgotten job {old}; submitted again as {follower.native_id}"
    assert words in record["incidents"][-1]["what"]
    worker.starts()
    worker.succeeds()
    assert (await scene.ended(follower, 2)).state is JobState.COMPLETED


@played
async def test_one_answer_without_the_job_restores_and_loses_nothing(scene: Scene) -> None:
    """A server that was just started, or a list that is a moment old."""
    follower, _ = scene.job((0, JobState.PENDING))
    scene.backend.restores = True
    await scene.clock.advance(2)
    scene.backend.says(follower.native_id, (0, None))
    asked = len(scene.backend.questions())
    scene.watcher.ask_soon()
    await scene.clock.until(lambda: len(scene.backend.questions()) > asked, 5)
    scene.backend.says(follower.native_id, (0, JobState.PENDING))
    await scene.clock.advance(60)
    assert not scene.backend.questions("restore")
    assert not follower.ended.done()
    assert follower.status.state is JobState.PENDING


@played
async def test_lost_takes_two_answers_and_the_time_of_a_slow_file_system(scene: Scene) -> None:
    follower, _ = await scene.running((0, JobState.RUNNING), (3, None))
    began = scene.clock.monotonic()
    status = await scene.ended(follower, 60)
    assert status.state is JobState.LOST
    without = [at for at in scene.backend.questions() if at >= began + 1]
    assert len(without) >= 2
    assert scene.clock.monotonic() - without[0] >= LINGER_S
    evidence = follower.run.record()["verdict"]["evidence"]
    assert any("RUNNING" in line and "last knew it as" in line for line in evidence)
    assert any(f"asked {len(without)} times" in line for line in evidence)


@played
async def test_after_an_outage_a_scheduler_has_longer_to_know_its_jobs(scene: Scene) -> None:
    follower, worker = await scene.running()
    scene.backend.goes_away(10)
    await scene.clock.until(lambda: scene.connection.outage.since, 10)
    scene.backend.says(follower.native_id, (0, None))
    await scene.clock.until(lambda: not scene.connection.outage.since, 10 + 1.3 * ROUTINE_S[-1])
    await scene.clock.advance(LINGER_S + 2)
    assert not follower.ended.done()
    assert (await scene.ended(follower, RECOVERY_S)).state is JobState.LOST
    assert worker.run.record()["incidents"]


@played
async def test_a_job_that_is_taken_back_begins_a_second_attempt(scene: Scene) -> None:
    follower, worker = await scene.running()
    scene.backend.says(follower.native_id, (0, JobState.PENDING))
    await scene.clock.until(lambda: follower.status.state is JobState.PENDING, 30)
    assert follower.status.reason.startswith("requeued: ")
    assert "attempt 2" in follower.status.reason
    worker.ends(143)  # the batch script of the first attempt
    await scene.clock.advance(30)
    assert not follower.ended.done()
    (worker.run.path / "end.json").unlink()  # as that of the second begins
    worker.starts(SLURM_RESTART_COUNT="1")
    scene.backend.says(follower.native_id, (0, JobState.RUNNING))
    await scene.clock.until(lambda: follower.status.state is JobState.RUNNING, 5)
    await worker.lives(2)
    worker.succeeds()
    assert (await scene.ended(follower, 1)).state is JobState.COMPLETED
    attempts = follower.run.record()["attempts"]
    assert [(each["attempt"], each["how"]) for each in attempts] == [(1, "REQUEUED"), (2, "COMPLETED")]


@played
async def test_accounting_that_comes_late_is_waited_for(scene: Scene) -> None:
    follower, worker = await scene.running()
    unsettled = Observation(JobState.FAILED, native_state="FAILED", signal=9, is_settled=False)
    scene.backend.says(follower.native_id, (0, unsettled), (Backend.settles_s + 0.8, OUT_OF_MEMORY))
    worker.ends(128 + 9)
    await scene.clock.advance(Backend.settles_s + 0.7)
    assert not follower.ended.done()
    status = await scene.ended(follower, ACCOUNTING_S)
    assert status.state is JobState.OUT_OF_MEMORY
    assert follower.run.record()["verdict"]["error"] == "OutOfMemory"


@played
async def test_accounting_that_never_comes_is_not_waited_for_for_ever(scene: Scene) -> None:
    follower, worker = await scene.running()
    unsettled = Observation(JobState.FAILED, native_state="FAILED", signal=9, is_settled=False)
    scene.backend.says(follower.native_id, (0, unsettled))
    worker.ends(128 + 9)
    status = await scene.ended(follower, ACCOUNTING_S + 3)
    assert status.state is JobState.FAILED
    assert follower.run.record()["verdict"]["error"] == "ProcessDied"


@played
async def test_a_full_disk_keeps_no_verdict_from_whoever_asks(scene: Scene) -> None:
    follower, worker = await scene.running()
    worker.succeeds()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rundir, "write_json", full)
        status = await scene.ended(follower, 1)
        assert status.state is JobState.COMPLETED
        assert follower.run.record()["verdict"]["state"] == "COMPLETED"
    assert "verdict" not in (rundir.read_json(follower.run.path / "record.json"))
    follower.run.update()  # there is room again, and something else is written
    assert rundir.read_json(follower.run.path / "record.json")["verdict"]["state"] == "COMPLETED"


def full(path: Path, record: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


@played
async def test_one_broken_directory_costs_no_other_job(scene: Scene) -> None:
    gone, _ = await scene.running()
    other, worker = await scene.running()
    for each in gone.run.path.iterdir():
        each.unlink()
    gone.run.path.rmdir()
    scene.backend.says(gone.native_id, (0, JobState.FAILED))
    scene.watcher.ask_soon()
    assert (await scene.ended(gone, 5)).state is JobState.LOST
    worker.succeeds()
    assert (await scene.ended(other, 1)).state is JobState.COMPLETED


@played
async def test_a_question_that_fails_is_trouble_and_no_end(scene: Scene) -> None:
    follower, _ = scene.job()
    await scene.clock.advance(2)
    with pytest.MonkeyPatch.context() as patch:

        async def observe(jobs: object) -> None:
            raise TargetError("The cluster's configuration is gone.")

        patch.setattr(scene.backend, "observe", observe)
        scene.watcher.ask_soon()
        await scene.clock.until(lambda: "configuration is gone" in follower.status.reason, 5)
        await scene.clock.advance(30)
        assert not follower.ended.done()
    await scene.clock.until(lambda: follower.status.reason == "", 30)


@played
async def test_a_look_at_another_job_asks_once_and_then_recalls(scene: Scene) -> None:
    _, native_id = scene.backend.job(scene.folder / "other")
    seen = await scene.watcher.glance({"other": native_id})
    assert seen["other"].state is JobState.PENDING
    scene.backend.goes_away()
    before = len(scene.backend.questions())
    assert await scene.watcher.glance({"other": native_id}) == {}  # the first is too near: nothing is asked
    assert len(scene.backend.questions()) == before


class Looks(list[str]):
    """The runs that were looked at, each time; a look takes a while."""

    def __init__(self, scene: Scene, takes_s: float, patch: pytest.MonkeyPatch) -> None:
        async def sync(run: Run) -> None:
            self.append(run.id)
            await scene.clock.sleep(takes_s)

        patch.setattr(scene.backend, "sync", sync)


@played
async def test_what_a_job_says_costs_no_look_at_the_others(scene: Scene) -> None:
    """A cell that prints all the time, beside hundreds that wait."""
    talking, worker = await scene.running()
    others = [scene.job()[0] for _ in range(20)]
    with pytest.MonkeyPatch.context() as patch:
        looks = Looks(scene, 0.0, patch)
        for _ in range(100):
            worker.event("loaded")
            await scene.clock.advance(0.02)
    assert looks.count(talking.run.id) > 40
    assert 0 < looks.count(others[-1].run.id) <= 2 / TICK_S


@played
async def test_looks_at_many_jobs_take_a_small_part_of_the_time(scene: Scene) -> None:
    jobs = [scene.job() for _ in range(20)]
    with pytest.MonkeyPatch.context() as patch:
        looks = Looks(scene, 0.05, patch)
        began = scene.clock.monotonic()
        await scene.clock.advance(200)
        assert 100 < len(looks) <= 20 * (1 + (scene.clock.monotonic() - began) * ROUND_SHARE)
        follower, worker = jobs[7]
        worker.starts()
        worker.succeeds()
        assert (await scene.ended(follower, 1)).state is JobState.COMPLETED  # by the file system's word
