"""Arrays, dependencies, requeue and signals on a real Slurm."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from jupyter_hpc.commands import cli
from jupyter_hpc.commands.catalogue import COMMANDS, parse
from jupyter_hpc.commands.plot import plot
from jupyter_hpc.follow import following
from jupyter_hpc.follow.glance import look
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.jobs.submit import replace_waiting
from jupyter_hpc.model.exceptions import JobCancelled, OptionError, TasksFailed
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.store import store
from jupyter_hpc.views.card import card_html, card_text
from jupyter_hpc.views.job_row import job_row
from tests.faults.conftest import cluster, few_questions  # noqa: F401 fixtures
from tests.faults.road import slurm, submit, until

pytestmark = pytest.mark.usefixtures("cluster")
INDEX = "import os\nindex = int(os.environ['SLURM_ARRAY_TASK_ID'])\n"


def command(line: str) -> str:
    name, arguments = parse(line.split(), "%hpc")
    return COMMANDS[name].run(arguments)


def test_each_name_comes_back_as_a_dict_of_tasks() -> None:
    job = submit(INDEX + "print('task', index)\nsquare = index * factor", names={"factor": 7}, array="1-5:2%2")
    assert job.wait(120)
    assert job.state is JobState.COMPLETED
    assert job.result()["square"] == {1: 7, 3: 21, 5: 35}
    assert job.result()["os"] is os  # a module is the same in all of them
    assert job.native_id.isdecimal()
    tasks = job.tasks
    assert [task.native_id for task in tasks] == [f"{job.native_id}_{i}" for i in (1, 3, 5)]
    assert tasks[1].result()["square"] == 21
    assert tasks[1].logs() == "task 3\n"
    shown = "".join(o.text for o in job.outputs())
    assert sorted(shown.splitlines()) == ["[1] task 1", "[3] task 3", "[5] task 5"]
    assert "ArrayTaskThrottle=2" in slurm("scontrol", "show", "job", job.native_id)
    assert "received" in card_text(look(job.run))
    assert "task 3" in card_html(look(job.run))
    assert "task 5" in command(f"show {job.id}")
    assert command(f"logs {job.id}_3") == "task 3\n"
    assert store().find(f"{job.id}_3") == store().find(f"{job.native_id}_3") == tasks[1].run


def test_its_tasks_tell_numbers_and_its_row_has_their_median() -> None:
    job = submit(INDEX + "for epoch in (1, 2): print(f'epoch {epoch}/2 - loss: {index / epoch}')", array="1-3")
    assert job.wait(60)
    row = job_row(job.run, job.run.record())
    assert row["metrics"] == [
        {"name": "loss", "last": 1.0, "trend": [2.0, 1.0], "tasks": 3, "min": 0.5, "max": 3.0},
    ]
    (chart,) = plot([job.id], []).charts
    assert [(line.label, line.points) for line in chart.lines] == [
        (f"task {i}", [(1.0, float(i)), (2.0, i / 2)]) for i in (1, 2, 3)
    ]


def test_tasks_change_copies_which_is_said() -> None:
    kept = [1]
    job = submit("a.append(2); b = a", names={"a": kept}, array="1-2")
    outcome = job.outcome(60, here=True)
    assert outcome.names == {"b": {1: [1, 2], 2: [1, 2]}}
    assert kept == [1]
    assert "a changed in the tasks and not here" in outcome.notes()[0]


def test_failed_tasks_are_named_and_the_others_come() -> None:
    cell = INDEX + "good = index\nif index == 2:\n    raise ValueError('two is bad')\nif index == 3:\n    os._exit(9)"
    job = submit(cell, array="0-3")
    outcome = job.outcome(60)
    assert outcome.names["good"] == {0: 0, 1: 1, 2: 2}
    error = outcome.error
    assert isinstance(error, TasksFailed)
    assert sorted(error.errors) == [2, 3]
    assert isinstance(error.errors[2], ValueError)
    assert "2 of 4 tasks failed: task 2: ValueError: two is bad; task 3:" in error.message
    assert job.state is JobState.FAILED
    with pytest.raises(TasksFailed):
        job.result()


def test_logs_follow_all_tasks_until_the_last_ends(capsys: pytest.CaptureFixture[str]) -> None:
    job = submit(INDEX + "print('task', index)", array="1-3")
    assert cli.main(["logs", "-f", job.id]) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == ["[1] task 1", "[2] task 2", "[3] task 3"]


def test_one_task_and_then_all_are_cancelled() -> None:
    job = submit(INDEX + "print('ready', flush=True)\nimport time\ntime.sleep(300)", array="1-3")
    tasks = job.tasks
    until(lambda: all("ready" in task.logs() for task in tasks), "all tasks run")
    assert job.state is JobState.RUNNING
    tasks[0].cancel()
    assert tasks[0].wait(120)
    assert tasks[0].state is JobState.CANCELLED
    assert not tasks[1].wait(0)
    assert not job.wait(0)
    job.cancel()
    assert job.wait(120)
    assert job.state is JobState.CANCELLED
    assert all(isinstance(task.exception(), JobCancelled) for task in tasks)


def test_a_waiting_task_that_somebody_cancels_in_a_shell() -> None:
    """Slurm keeps nothing of it; that its array is still there tells what happened."""
    job = submit(INDEX + "x = index", array="0-3", passthrough=("--begin=now+1hour",))
    try:
        until(lambda: all("begin" in task.reason for task in job.tasks), "all are seen to wait")
        slurm("scancel", f"{job.native_id}_2")
        assert job.tasks[2].wait(120)
        assert job.tasks[2].state is JobState.CANCELLED
        with pytest.raises(JobCancelled, match="cancelled"):
            job.tasks[2].result(120)
        assert [job.tasks[i].state for i in (0, 1, 3)] == [JobState.PENDING] * 3
    finally:
        job.cancel()
    assert job.wait(120)


def test_an_array_is_found_again_by_another_process() -> None:
    job = submit(INDEX + "square = index ** 2", array="2-3")
    assert job.wait(120)

    following._followers.clear()
    again = Job(store().find(job.id))
    assert again.state is JobState.COMPLETED
    assert again.result()["square"] == {2: 4, 3: 9}


def test_an_array_that_nobody_followed_is_known_by_its_tasks() -> None:
    job = submit(INDEX + "square = index ** 2", array="2-3")

    following._followers.clear()
    again = Job(store().find(job.id))
    until(lambda: again.state.is_final, "the array's end")
    assert again.result()["square"] == {2: 4, 3: 9}


def test_a_function_over_tasks() -> None:
    import jupyter_hpc

    def square() -> int:
        return int(os.environ["SLURM_ARRAY_TASK_ID"]) ** 2

    job = jupyter_hpc.submit(square, on="slurm", array="4,5")
    assert job.result(120) == {4: 16, 5: 25}


def test_a_job_waits_for_another_by_its_run_id(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    first = submit(f"import pathlib, time\nwhile not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.05)")
    second = submit("x = 1", dependency=first.id)
    until(lambda: "Dependency" in second.reason, "it waits for the other")
    assert second.state is JobState.PENDING
    flag.touch()
    assert second.result(120)["x"] == 1
    assert f"--dependency=afterok:{first.native_id}" in second.record["command"]


def test_a_job_waits_for_the_one_in_the_place_of_another() -> None:
    old = submit("x = 1", passthrough=("--begin=now+1hour",))
    ours = submit("y = 2", dependency=old.id)
    foreign = slurm(
        "sbatch", "--parsable", "--hold", f"--dependency=afterany:{old.native_id}", "--wrap", "true"
    ).strip()
    new = replace_waiting(old, options={"passthrough": ()})
    assert f"afterany:{new.native_id}" in slurm("squeue", "-h", "-j", foreign, "-o", "%E") or new.state.is_final
    slurm("scancel", foreign)
    assert new.result(60)["x"] == 1 and ours.result(60)["y"] == 2
    assert ours.record["spec"]["dependency"] == f"afterok:{new.native_id}"
    assert "stale" not in new.record
    later = submit("z = 3", dependency=old.id)  # whoever names the old one means what took its place
    assert later.result(60)["z"] == 3


def test_a_dependency_that_fails_ends_the_job() -> None:
    first = submit("raise ValueError")
    second = submit("x = 1", dependency=f"afterok:{first.id}")
    assert second.wait(120)
    assert second.state is JobState.CANCELLED


def test_a_signal_before_the_limit_reaches_the_cells_own_handler() -> None:
    cell = (
        "import signal, time\ncaught = []\n"
        "signal.signal(signal.SIGUSR1, lambda *a: caught.append(a[0]))\n"
        "while not caught: time.sleep(0.05)"
    )
    job = submit(
        cell, time="1m", signal="USR1@10"
    )  # Slurm looks twice a minute, so 20 s after the start at the earliest
    assert job.result(120)["caught"] == [signal.SIGUSR1]
    assert job.state is JobState.COMPLETED


@pytest.mark.parametrize("written", ["KILL", "USR1@", "TERM@-3", "10", "USR1 -- x"])
def test_other_signals_are_refused(written: str) -> None:
    with pytest.raises(OptionError, match="TERM, USR1 and USR2"):
        submit("x = 1", signal=written)


def test_requeue_is_asked_for() -> None:
    job = submit("x = 1", requeue=True)
    assert job.result(120)["x"] == 1
    assert "Requeue=1" in slurm("scontrol", "show", "job", job.native_id)


@pytest.mark.parametrize("option", [{"array": "1-2"}, {"dependency": "1"}, {"requeue": True}, {"signal": "TERM"}])
def test_here_there_is_no_scheduler(option: dict[str, object]) -> None:
    with pytest.raises(OptionError, match="is for Slurm"):
        submit("x = 1", "local", **option)
