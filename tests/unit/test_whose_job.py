"""A scheduler's job is a run's by its id and its mark together: for what is read of it, and for what is done to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.kubernetes import KubernetesBackend
from jupyter_hpc.backends.kubernetes.client import ApiError
from jupyter_hpc.backends.local import LocalBackend
from jupyter_hpc.backends.slurm import SlurmBackend
from jupyter_hpc.backends.slurm.accounting import paired
from jupyter_hpc.backends.slurm.job_states import parse_queue
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.runtime import portal, process
from jupyter_hpc.testing.fake import new_run
from jupyter_hpc.worker import carrier

OURS, OTHER = "20261124-061122-a20a37", "20261124-061123-b31b48"
ROW = "{id}|{array}|{task}|{state}|0|2026-11-24T06:26:41|N/A|c1|None|{comment}|1-00:00:00|2026-11-24T06:26:40|1|||"
ROW += "|{log}|/home/ann|wrap|\n"


def row(native_id: str, comment: str, state: str = "RUNNING", log: str = "/home/ann/slurm.out") -> str:
    array, _, task = native_id.partition("_")
    return ROW.format(id=array, array=array, task=task or "N/A", state=state, comment=comment, log=log)


SQUEUE = '#!/bin/bash\ncat "{folder}/rows"\n'
SCANCEL = '#!/bin/bash\necho "$@" >> "{folder}/ended"\n'


class Site:
    """A Slurm that lists what a test wrote down, and notes what it is asked to end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {"squeue": SQUEUE, "scancel": SCANCEL}.items():
            (folder / name).write_text(text.format(folder=folder))
            (folder / name).chmod(0o755)
        (folder / "slurm.conf").touch()
        self.backend = SlurmBackend({"conf": str(folder / "slurm.conf"), "pyslurm": "never"})

    def cancel(self, run_id: str, native_id: str, *rows: str) -> list[str]:
        """Return what it was asked to end."""
        (self.folder / "rows").write_text("".join(rows))
        whole, _, task = run_id.partition("_")
        run = Run(self.folder / "runs" / whole)
        portal.call(self.backend.cancel(run.part(int(task)) if task else run, native_id), 20)
        ended = self.folder / "ended"
        return ended.read_text().split() if ended.exists() else []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Site(tmp_path)


def mark(run_id: str) -> str:
    return f"jupyter_hpc:{run_id}"


def test_our_job_is_ended(site: Site) -> None:
    assert site.cancel(OURS, "7", row("7", mark(OURS))) == ["7"]


@pytest.mark.parametrize("comment", [mark(OTHER), "(null)", "", "a job of mine"])
def test_another_s_job_under_our_id_is_not(site: Site, comment: str) -> None:
    assert site.cancel(OURS, "7", row("7", comment)) == []


def test_our_job_under_another_id_is_ended_instead(site: Site) -> None:
    assert site.cancel(OURS, "7", row("7", mark(OTHER)), row("9", mark(OURS))) == ["9"]


def test_what_has_ended_is_left_alone(site: Site) -> None:
    assert site.cancel(OURS, "7", row("7", mark(OURS), "COMPLETED")) == []


def test_an_array_by_its_one_id_and_a_task_alone(site: Site) -> None:
    rows = [row(f"7_{n}", mark(OURS)) for n in (1, 2)] + [row(f"8_{n}", mark(OTHER)) for n in (1, 2)]
    assert site.cancel(OURS, "7", *rows) == ["7"]
    assert site.cancel(f"{OURS}_2", "7_2", *rows) == ["7", "7_2"]


def test_a_task_under_an_id_that_is_another_s_array(site: Site) -> None:
    assert site.cancel(f"{OURS}_2", "7_2", row("7_2", mark(OTHER))) == []


def test_a_site_with_comments_of_its_own(site: Site) -> None:
    """The log is in the run directory, whatever the comment says."""
    log = f"/scratch/ann/runs/{OURS}/scheduler.log"
    assert site.cancel(OURS, "7", row("7", "billed to physics", log=log)) == ["7"]
    task = f"/scratch/ann/runs/{OURS}/tasks/{OURS}_3/scheduler.log"
    assert parse_queue(row("7_3", "billed", log=task))["7_3"][1] == mark(OURS)


@pytest.mark.parametrize("comment", [mark(OTHER), "(null)", "a job of mine"])
def test_another_s_job_says_nothing_of_ours(comment: str) -> None:
    assert paired({OURS: "7"}, parse_queue(row("7", comment, "COMPLETED"))) == {}


def test_ours_is_found_by_its_mark() -> None:
    seen = paired({OURS: "7"}, parse_queue(row("7", "(null)", "COMPLETED") + row("9", mark(OURS))))[OURS]
    assert (seen.state, seen.native_id) == (JobState.RUNNING, "9")


def test_why_another_s_job_waits_is_not_why_ours_does(site: Site) -> None:
    (site.folder / "rows").write_text(row("7", mark(OTHER), "PENDING"))
    run = new_run(site.folder / "runs" / OURS)
    waiting = portal.call(site.backend.explain(run, "7"), 30)
    assert (waiting.native_reason, waiting.place) == ("", None)
    assert "doesn't know job 7" in waiting.reason


# -- a process of this machine -------------------------------------------------------------------


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[tuple[Run, subprocess.Popen[bytes]]]:
    """A process that a run started, as its arguments tell."""
    run = new_run(tmp_path / OURS)
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)", str(run.path)]
    child = subprocess.Popen(sleeps, start_new_session=True)
    yield run, child
    child.kill()
    child.wait()


def test_a_process_of_another_run_is_not_ended(sleeper: tuple[Run, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    run, child = sleeper
    backend = LocalBackend({})
    portal.call(backend.cancel(new_run(tmp_path / OTHER), process.identity_of(child.pid)), 20)
    assert child.poll() is None
    pid, _, started = process.identity_of(child.pid).partition(".")
    portal.call(backend.cancel(run, f"{pid}.{int(started) - 1}"), 20)  # an earlier process of that number
    assert child.poll() is None


def test_one_that_is_being_started_is_asked_again(
    sleeper: tuple[Run, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a moment a process is there and has no arguments yet."""
    run, child = sleeper
    read, answers = Path.read_bytes, [b""]
    monkeypatch.setattr(Path, "read_bytes", lambda path: answers.pop() if answers else read(path))
    portal.call(LocalBackend({}).cancel(run, process.identity_of(child.pid)), 20)
    assert child.wait(120) < 0


def test_the_run_s_own_process_is(sleeper: tuple[Run, subprocess.Popen[bytes]]) -> None:
    run, child = sleeper
    portal.call(LocalBackend({}).cancel(run, process.identity_of(child.pid)), 20)
    assert child.wait(120) < 0


# -- a Kubernetes Job ----------------------------------------------------------------------------


class Api:
    """An API server with one Job, which a DELETE without its uid ends too."""

    namespace = "ann"

    def __init__(self, uid: str, run_id: str) -> None:
        labels = {"jupyter-hpc/run": run_id}
        self.job: dict[str, Any] | None = {"metadata": {"uid": uid, "labels": labels}}

    async def connect(self) -> None:
        pass

    async def request(self, method: str, path: str, body: Any = None, **_: Any) -> Any:
        assert path == "/apis/batch/v1/namespaces/ann/jobs/name"
        if self.job is None:
            raise ApiError(404, "not found", "NotFound", None)
        if method == "GET":
            return self.job
        wanted = ((body or {}).get("preconditions") or {}).get("uid")
        if wanted not in (None, self.job["metadata"]["uid"]):
            raise ApiError(409, "the UID in the precondition is another", "Conflict", None)
        self.job = None
        return {}


def cancelled(api: Api, run: Run) -> bool:
    backend = KubernetesBackend({})
    backend._client = api  # type: ignore[assignment]
    portal.call(backend.cancel(run, "ann/name"), 20)
    return api.job is None


@pytest.mark.parametrize(("uid", "is_ended"), [("u1", True), ("u2", False)])
def test_a_job_that_was_made_anew_under_the_name_is_not_ended(tmp_path: Path, uid: str, is_ended: bool) -> None:
    run = new_run(tmp_path / OURS, native_id="ann/name", native_uid="u1")
    assert cancelled(Api(uid, OURS), run) is is_ended


@pytest.mark.parametrize(("label", "is_ended"), [(OURS, True), (OTHER, False)])
def test_where_no_uid_is_known_its_label_tells(tmp_path: Path, label: str, is_ended: bool) -> None:
    run = new_run(tmp_path / OURS, native_id="ann/name")
    assert cancelled(Api("u1", label), run) is is_ended


@pytest.mark.parametrize(("retries", "starts"), [(0, [True, False]), (2, [True, True])])
def test_a_pod_in_the_run_directory_is_the_only_one_unless_retries_were_asked_for(
    tmp_path: Path, retries: int, starts: list[bool]
) -> None:
    """Kubernetes itself may start a Job's pod twice."""
    request = {"environment": None, "retries": retries}
    found = [carrier._Carrier(str(tmp_path), "", request, is_shared=True)._is_first() for _ in starts]
    assert found == starts
    said = (tmp_path / "scheduler.log").read_text() if not retries else ""
    assert ("the job was started a second time" in said) is not starts[1]
