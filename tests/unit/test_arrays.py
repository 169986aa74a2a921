"""--array and --dependency as sbatch writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.commands import cli
from jupyter_hpc.follow.status import combined
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import HPCError, JobNotFound, OptionError
from jupyter_hpc.model.states import JobState, Status
from jupyter_hpc.model.tasks import MOST_TASKS, parse_tasks
from jupyter_hpc.rundir.parts import make_parts
from jupyter_hpc.rundir.run import Run, write_json
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.detail import detail
from jupyter_hpc.submission.dependencies import resolved


@pytest.mark.parametrize(
    ("written", "indices", "limit"),
    [
        ("3", (3,), None),
        ("1-6%3", (1, 2, 3, 4, 5, 6), 3),
        ("0-15:4", (0, 4, 8, 12), None),
        ("7,1,3", (1, 3, 7), None),
        ("1-3,2-4", (1, 2, 3, 4), None),
        (" 1 - 3 ", (1, 2, 3), None),
    ],
)
def test_tasks(written: str, indices: tuple[int, ...], limit: int | None) -> None:
    found = parse_tasks(written)
    assert (found.indices, found.limit) == (indices, limit)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a",
        "3-1",
        "1-6%0",
        "1-6%x",
        "1-6:0",
        "1,,2",
        "-3",
        "1-",
        f"0-{MOST_TASKS}",
        "1-6%3%2",
        "1;id",
        "$(id)",
    ],
)
def test_tasks_that_cannot_be(written: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_tasks(written)
    assert "--array" in caught.value.message
    assert caught.value.hint


@given(st.text(max_size=30))
def test_noise_is_one_error(text: str) -> None:
    try:
        assert parse_tasks(text).indices
    except OptionError as error:
        assert "\n" not in error.message


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("PENDING PENDING", "PENDING"),
        ("COMPLETED PENDING", "RUNNING"),
        ("RUNNING PENDING", "RUNNING"),
        ("COMPLETED COMPLETED", "COMPLETED"),
        ("COMPLETED FAILED", "FAILED"),
        ("COMPLETED TIMEOUT", "TIMEOUT"),
        ("CANCELLED TIMEOUT", "FAILED"),
    ],
)
def test_state_of_an_array(states: str, expected: str) -> None:
    found = combined([Status(JobState(s)) for s in states.split()], "5")
    assert found.state == expected
    assert found.native_id == "5"


def run_of(store: Store, target: str = "slurm", native_id: str = "17") -> str:
    run = store.create()
    record = {"id": run.id, "target": {"name": target}, "code": {}, "spec": {}, "native_id": native_id}
    write_json(run.path / "record.json", record)
    return run.id


def test_dependencies(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    ours = run_of(store)
    assert resolved(ours, "slurm", store) == "afterok:17"
    assert resolved(f"{ours}:44", "slurm", store) == "afterok:17:44"
    assert resolved(f"afterany:{ours[-6:]},AFTERNOTOK:9_3", "slurm", store) == "afterany:17,afternotok:9_3"
    assert resolved(f"after:{ours}+5?singleton", "slurm", store) == "after:17+5?singleton"


@pytest.mark.parametrize("written", ["", "afterok:", "nobody", "afterok:1?x,2", "afterok:$(id)", "kind:3", "a\nb"])
def test_dependencies_that_cannot_be(written: str, tmp_path: Path) -> None:
    with pytest.raises(HPCError) as caught:
        resolved(written, "slurm", Store(tmp_path / "root"))
    assert "--dependency" in caught.value.message


def test_a_dependency_on_another_target_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "root")
    with pytest.raises(OptionError, match="runs on k8s"):
        resolved(run_of(store, "k8s"), "slurm", store)
    with pytest.raises(OptionError, match="never submitted"):
        resolved(run_of(store, native_id=""), "slurm", store)


def test_an_id_is_a_run_and_a_tasks_id_a_task(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.create()
    assert store.run(run.id) == run
    assert store.run(f"{run.id}_3") == run.part(3)
    assert store.run(f"{run.id}_3").whole == run


@pytest.mark.parametrize(
    "text",
    ["", "17", "..", "20261128-190000-3f9a1c/../x", "20261128-190000-3f9a1c_", "20261128-190000-3f9a1c_a"],
)
def test_what_is_no_id_is_no_run(text: str, tmp_path: Path) -> None:
    with pytest.raises(JobNotFound, match="no run's id"):
        Store(tmp_path).run(text)


@pytest.fixture
def ended_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An array of two tasks that have ended, the second the larger one."""
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    run = Store(tmp_path).create()
    record = {"id": run.id, "target": {"name": "slurm", "backend": "slurm"}, "spec": {}, "native_id": "17"}
    ended = {"state": "COMPLETED", "started_at": 100.0, "ended_at": 103.0, "verdict": {"state": "COMPLETED"}}
    write_json(
        run.path / "record.json",
        {**record, **ended, "code": {"text": "print()"}, "array": {"text": "1-2", "indices": [1, 2]}},
    )
    make_parts(run, [1, 2])
    for index in (1, 2):
        task = run.part(index)
        write_json(task.path / "record.json", ended)
        task.log.write_text(f"hello from {index}\n")
        samples = [{"e": "sample", "t": 100.0 + t, "rss": index << 20, "cpu_s": t} for t in (1, 2)]
        events = [
            {"e": "started", "t": 100.0},
            {"e": "attempt", "at": 0, "base": 0, "number": 1},
            *samples,
            {"e": "done", "t": 103.0},
        ]
        (task.path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return run


def test_logs_follow_all_tasks(ended_array: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["logs", "-f", ended_array.id]) == 0
    assert capsys.readouterr().out == "[1] hello from 1\n[2] hello from 2\n"


def test_an_arrays_view_has_the_samples_of_its_largest_task(ended_array: Run) -> None:
    assert [sample["rss"] for sample in detail(Job(ended_array))["samples"]] == [2 << 20, 2 << 20]


LOST, DONE, FAILED = JobState.LOST, JobState.COMPLETED, JobState.FAILED


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([(DONE, ""), (DONE, "")], ""),
        ([(LOST, "never submitted"), (LOST, "never submitted")], "2 tasks: 2 lost; never submitted"),
        ([(FAILED, "no"), (DONE, ""), (FAILED, "no")], "3 tasks: 2 failed, 1 completed; no"),
        ([(FAILED, "no"), (LOST, "gone"), (LOST, "gone")], "3 tasks: 2 lost, 1 failed; 2 of them: gone"),
        ([(FAILED, ""), (DONE, "")], "2 tasks: 1 failed, 1 completed"),
        ([(FAILED, "x" * 1000)], f"1 tasks: 1 failed; {'x' * 200}"),
    ],
)
def test_an_array_says_why_most_of_its_tasks_ended(tasks: list[tuple[JobState, str]], words: str) -> None:
    assert combined([Status(state, reason) for state, reason in tasks], "7").reason == words
