"""A run directory on a disk that is full or read-only for a while: a job ends, is found and is cancelled all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import HPCError, JobCancelled, SubmissionError, TasksFailed
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir import unwritten
from jupyter_hpc.rundir.run import Run, read_json
from jupyter_hpc.submission import launch
from tests.faults.disks import full, needs_root, read_only, small_disk
from tests.faults.road import is_done, open_below, over, says, slurm, submit, until, until_file

pytestmark = needs_root
TARGETS = ["slurm", "local"]
IMPATIENT = {"JUPYTER_HPC_WAIT_FOR_ROOM": "0"}
WAITS = "import os, time\nprint('ready', flush=True)\nwhile not os.path.exists({path!r}): time.sleep(.05)\nx = 6"


@pytest.fixture
def root(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(unwritten, "MOST_S", 1.0)
    with small_disk(cluster / "small", 12) as folder:
        monkeypatch.setenv("JUPYTER_HPC_ROOT", str(folder))
        yield folder


def command(*words: str) -> str:
    """Return what another process says."""
    argv = [sys.executable, "-c", "from jupyter_hpc.commands.cli import main; main()", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def state_elsewhere(run: Run) -> str:
    """Return the state of a job as another process lists it."""
    [state] = [str(row["state"]) for row in json.loads(command("jobs", "--json")) if row["id"] == run.id]
    return state


def recorded(run: Run) -> str:
    return str((read_json(run.path / "record.json") or {}).get("state"))


def tree(folder: Path) -> set[str]:
    """Return all that is below a folder; what goes while it is looked at is gone."""
    found = (Path(place, name) for place, folders, files in os.walk(folder) for name in (*folders, *files))
    return {str(path.relative_to(folder)) for path in found}


@pytest.mark.parametrize("target", TARGETS)
def test_a_result_waits_for_room(root: Path, tmp_path: Path, target: str) -> None:
    """Nothing of it is lost, nor of what the cell printed meanwhile; and the job says what it waits for."""
    go = tmp_path / "go"
    lines = "for i in range(9): print('line', i, 'x' * 2000)\nlarge = bytes(3 << 20)"
    job = submit(f"{WAITS.format(path=str(go))}\n{lines}", target)
    says(job, "ready")
    with full(root):
        go.touch()
        until(lambda: "its result waits for room: OSError" in job.reason, "the job says what it waits for")
        assert "No space left" in job.reason
        assert job.state is JobState.RUNNING
        assert state_elsewhere(job.run) == "RUNNING"
    assert job.wait(120), job
    result = job.result()
    assert (result["x"], result["large"]) == (6, bytes(3 << 20))
    assert job.state is JobState.COMPLETED
    printed = [line.split()[1] for line in over(job).logs().splitlines() if line.startswith("line")]
    assert printed == [str(i) for i in range(9)]


def test_a_job_that_starts_on_a_full_disk(root: Path) -> None:
    job = submit("x = 6\nprint('so it is')", passthrough=("--hold",))
    with full(root):
        slurm("scontrol", "release", job.native_id)
        until(lambda: "is full, and what the job writes waits for room" in job.reason, "the job says what it waits for")
    assert job.wait(120), job
    assert job.result() == {"x": 6}
    assert "so it is" in over(job).logs()


@pytest.mark.parametrize("target", TARGETS)
def test_a_cell_that_fails_while_its_result_has_no_room(root: Path, tmp_path: Path, target: str) -> None:
    go = tmp_path / "go"
    job = submit(f"{WAITS.format(path=str(go))}\nraise KeyError(x)", target)
    says(job, "ready")
    with full(root):
        go.touch()
        until(lambda: "its result waits for room" in job.reason, "the job says what it waits for")
    assert job.wait(120), job
    assert isinstance(job.exception(), KeyError)
    assert "KeyError: 6" in over(job).logs()


@pytest.mark.parametrize("target", TARGETS)
def test_a_result_that_waits_for_room_is_given_up_when_the_job_is_cancelled(
    root: Path, tmp_path: Path, target: str
) -> None:
    go = tmp_path / "go"
    job = submit(WAITS.format(path=str(go)), target)
    says(job, "ready")
    with full(root):
        go.touch()
        until(lambda: "its result waits for room" in job.reason, "the job says what it waits for")
        is_cancelled(job)
    until(lambda: recorded(job.run) == "CANCELLED", "the end is written when there is room")
    assert "the cell had ended, and its result waited for room" in command("why", job.id)


def test_the_time_limit_ends_the_wait_for_room(root: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(WAITS.format(path=str(go)), "local", time="10s")  # in which it must have begun and ended
    says(job, "ready")
    with full(root):
        go.touch()
        assert job.wait(120), job
    until(lambda: recorded(job.run) == job.state.value, "the end is written when there is room")
    assert "the cell had ended, and its result waited for room" in command("why", job.id)


@pytest.mark.parametrize("target", TARGETS)
def test_a_job_that_ends_while_the_disk_is_full(root: Path, tmp_path: Path, target: str) -> None:
    go = tmp_path / "go"
    job = submit(WAITS.format(path=str(go)), target, env=IMPATIENT)
    says(job, "ready")
    with full(root):
        go.touch()
        assert job.wait(120), job
        here = job.state
        assert state_elsewhere(job.run) == here.value
    until(lambda: recorded(job.run) == here.value, "the end is written when there is room")
    assert state_elsewhere(job.run) == here.value


def test_an_array_whose_tasks_end_while_the_disk_is_full(root: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(WAITS.format(path=str(go)), array="1-3", env=IMPATIENT)
    for task in job.tasks:
        says(task, "ready")
    with full(root):
        go.touch()
        assert job.wait(120), job
        assert job.state is JobState.FAILED
        assert state_elsewhere(job.run) == "FAILED"
    for run in (job.run, *(task.run for task in job.tasks)):
        until(lambda: recorded(run) == "FAILED", "the end is written when there is room")  # noqa: B023
    assert isinstance(job.exception(), TasksFailed)


@pytest.mark.parametrize("target", TARGETS)
def test_cancel_on_a_full_disk(root: Path, target: str) -> None:
    job = submit(WAITS.format(path="/nonesuch"), target)
    says(job, "ready")
    with full(root):
        is_cancelled(job)
    until(lambda: recorded(job.run) == "CANCELLED", "the end is written when there is room")
    assert "by you" in command("show", job.id)


def test_cancel_on_a_read_only_disk(root: Path) -> None:
    """A disk with files that are open for writing can't be made read-only, so the job waits."""
    job = submit("x = 1", passthrough=("--hold",))
    until(lambda: not open_below(root), "nobody writes there any more")
    with read_only(root):
        is_cancelled(job)
    until(lambda: recorded(job.run) == "CANCELLED", "the end is written when it can be")


def is_cancelled(job: Job) -> None:
    """Cancel a job, and look how it ended from here and from elsewhere."""
    job.cancel()
    assert job.wait(120), job
    assert job.state is JobState.CANCELLED
    assert isinstance(job.exception(), JobCancelled)
    assert "by you" in job.reason
    assert state_elsewhere(job.run) == "CANCELLED"


@pytest.mark.parametrize("target", TARGETS)
def test_another_process_cancels_on_a_full_disk_and_ends(root: Path, target: str) -> None:
    """What it could not write it can't try again: an empty file, which needs no room, says who asked."""
    job = submit(WAITS.format(path="/nonesuch"), target)
    says(job, "ready")
    with full(root):
        command("cancel", job.id)
        assert job.wait(120), job
    assert isinstance(job.exception(), JobCancelled)
    assert "by you" in job.reason


@pytest.mark.parametrize("disk", [full, read_only])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_submission(root: Path, target: str, disk: object, is_first: bool) -> None:
    if not is_first:
        job = submit("x = 1", target)
        assert job.wait(120)
        until(lambda: is_done(job.run), "nobody writes there any more")
    before = tree(root)
    words = "Nothing was submitted: No space left" if disk is full else "Read-only file system"
    with disk(root), pytest.raises(HPCError, match=words) as raised:
        submit("y = data", target, {"data": os.urandom(100_000)})
    assert "JUPYTER_HPC_ROOT" in raised.value.hint
    assert tree(root) - before <= {"runs", "blobs", "modules", "worker"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_disk_that_becomes_read_only_during_submission(
    root: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What there is of the run by then goes as soon as the disk is well again."""
    before = tree(root)

    def at_once(*_: object) -> None:
        stack.enter_context(read_only(root))
        (root / "more").touch()

    with ExitStack() as stack:
        monkeypatch.setattr(launch, "hand_over", at_once)
        with pytest.raises(SubmissionError, match="Nothing was submitted: Read-only file system"):
            submit("x = 1", target)
        assert {path for path in tree(root) - before if path.endswith("record.json")}
    until(lambda: not {path for path in tree(root) if path.startswith("runs/")}, "nothing is left of it")


@pytest.mark.parametrize("target", TARGETS)
def test_a_payload_that_is_too_large_gives_its_room_back(root: Path, target: str) -> None:
    first, second = os.urandom(4 << 20), os.urandom(9 << 20)
    with pytest.raises(SubmissionError, match="No space left"):
        submit("y = len(first) + len(second)", target, {"first": first, "second": second})
    assert not [path for path in tree(root) if not (root / path).is_dir()]
    job = submit("y = len(first)", target, {"first": first})
    assert job.wait(120)
    assert job.outcome().names == {"y": 4 << 20}


@pytest.mark.parametrize("target", TARGETS)
def test_a_job_whose_id_has_no_room_is_taken_back(
    root: Path, target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody could find it again: the disk became full while the scheduler took it."""
    import errno

    def full_now(run: Run, **fields: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(run.path))

    before, go = tree(root), tmp_path / "go"
    with monkeypatch.context() as patch:
        patch.setattr(Run, "write", full_now)
        with pytest.raises(SubmissionError, match="No space left"):
            submit(until_file(go, f"open({str(tmp_path / 'ran')!r}, 'w')"), target, name="unfindable")
    assert not {path for path in tree(root) - before if path.startswith("runs/")}
    if target == "slurm":
        until(lambda: not slurm("squeue", "-h", "--name", "unfindable"), "it is no longer in the queue")
    until(lambda: not open_below(root), "its processes are gone")
    go.touch()
    assert not (tmp_path / "ran").exists()


SUBMITS = """
import sys
from tests.faults.road import submit
job = submit("x = 6\\nprint(x)", sys.argv[1])
print(job.id)
"""


@pytest.mark.parametrize("target", TARGETS)
def test_a_finished_job_in_a_read_only_folder(root: Path, target: str) -> None:
    """Who submitted it is gone, and its end is written nowhere yet."""
    argv = [sys.executable, "-c", SUBMITS, target]
    run_id = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout.split()[-1]
    job = Job(Run(root / "runs" / run_id))
    until(lambda: (job.run.path / "end.json").exists() and not open_below(root), "nobody writes there any more")
    with read_only(root):
        assert state_elsewhere(job.run) == "COMPLETED"
        assert job.result(120) == {"x": 6}
        assert job.state is JobState.COMPLETED
        assert state_elsewhere(job.run) == "COMPLETED"
        assert "6" in command("result", run_id)
    until(lambda: recorded(job.run) == "COMPLETED", "the end is written when it can be")
