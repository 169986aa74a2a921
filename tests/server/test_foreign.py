"""Jobs that the user's own sbatch submitted: in the list, marked, with their logs, at no scheduler call more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.road import says, slurm, submit, until
from tests.server.conftest import Server


@pytest.fixture(scope="module")
def foreign(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A job of the user's own that runs, as the list has it, and the folder with its log."""
    folder = tmp_path_factory.mktemp("foreign")
    wrapped = "--wrap=printf 'one\\ntwo <script>\\n'; sleep 600"
    options = ("--gres=gpu:a100:1", "--time=20", "--comment=a|b", "--job-name=by | hand", f"--chdir={folder}")
    native = slurm("sbatch", "--parsable", *options, "--output=log-%5j.txt", wrapped)
    until(lambda: slurm("squeue", "-h", "-j", native, "-o", "%T") == "RUNNING", "it runs")
    log = folder / f"log-{int(native):05}.txt"
    until(lambda: log.exists() and log.read_text().count("\n") == 2, "it has printed")
    live = submit("import time\nprint('ready', flush=True)\ntime.sleep(300)")  # its questions tell of the other
    says(live, "ready")

    def found() -> dict[str, Any] | None:
        rows = server.hpc("/jobs?limit=500").body["jobs"]
        return next((r for r in rows if r["native_id"] == native and r["state"] == "RUNNING"), None)

    yield {**until(found, "the foreign job runs"), "folder": folder}
    slurm("scancel", native)
    live.cancel()


def test_it_is_listed_and_marked(server: Server, foreign: dict[str, Any]) -> None:
    assert foreign["foreign"] is True
    assert (foreign["name"], foreign["target"]) == ("by | hand", "slurm")
    assert (foreign["gpus"], foreign["gpu_type"], foreign["time_limit_s"]) == (1, "a100", 1200)
    page = server.hpc("/jobs?limit=500&target=slurm&text=by+%7C").body
    assert [row["id"] for row in page["jobs"]] == [foreign["id"]]
    own = [row for row in server.hpc("/jobs?limit=500").body["jobs"] if not row["foreign"]]
    natives = {row["native_id"] for row in own}
    assert foreign["native_id"] not in natives


def test_a_job_of_ours_is_listed_once(server: Server, foreign: dict[str, Any]) -> None:
    rows = server.hpc("/jobs?limit=500").body["jobs"]
    natives = [(row["target"], row["native_id"]) for row in rows if row["state"] in ("RUNNING", "PENDING")]
    assert len(natives) == len(set(natives)) >= 2


def test_its_log_is_opened_by_id(server: Server, foreign: dict[str, Any]) -> None:
    whole = server.hpc(f"/jobs/{foreign['id']}").body
    log = Path(foreign["folder"], f"log-{int(foreign['native_id']):05}.txt")
    assert (whole["log_path"], whole["ends_with"]) == (str(log), f"scancel {foreign['native_id']}")
    text = log.read_text()
    assert server.hpc(f"/jobs/{foreign['id']}/log").body["text"] == text == "one\ntwo <script>\n"
    assert server.hpc(f"/jobs/{foreign['id']}/log/file").body.decode() == text
    found = server.hpc(f"/jobs/{foreign['id']}/log/search?text=two").body["matches"]
    assert [match["line"] for match in found] == ["two <script>"]


def test_a_log_that_is_no_file_says_so(server: Server, foreign: dict[str, Any]) -> None:
    log = Path(server.hpc(f"/jobs/{foreign['id']}").body["log_path"])
    aside = log.rename(log.with_suffix(".aside"))
    try:
        gone = server.hpc(f"/jobs/{foreign['id']}/log")
        assert gone.status == 409 and str(log) in gone.body["message"]
        log.symlink_to("/dev/zero")
        assert server.hpc(f"/jobs/{foreign['id']}/log").status == 409
    finally:
        log.unlink(missing_ok=True)
        aside.rename(log)


def test_what_needs_a_run_directory_is_refused(server: Server, foreign: dict[str, Any]) -> None:
    for path, method in (("detach", "POST"), ("resubmit", "POST"), ("record", "GET"), ("script", "GET")):
        assert server.hpc(f"/jobs/{foreign['id']}/{path}", method=method, body={}).status == 404
    assert server.hpc(f"/jobs/{foreign['id']}", method="DELETE").status == 409


@pytest.mark.parametrize("name", ["slurm~99999999", "nowhere~1", "slurm~..", "~1"])
def test_an_id_that_no_list_gave_is_no_job(server: Server, name: str) -> None:
    for path in ("", "/log", "/log/file", "/log/search?text=x"):
        assert server.hpc(f"/jobs/{name}{path}").status == 404


def test_one_s_own_array_is_one_row_that_is_held_released_and_cancelled(
    server: Server, foreign: dict[str, Any], tmp_path: Path
) -> None:
    options = ("--array=1-3", "--gres=gpu:a100:4", "--job-name=by-hand-array", f"--chdir={tmp_path}")
    native = slurm("sbatch", "--parsable", *options, "--wrap=sleep 600")  # one gpu is taken: they wait

    def found() -> dict[str, Any] | None:
        rows = server.hpc("/jobs?limit=500&text=by-hand-array").body["jobs"]
        assert len(rows) <= 1
        return rows[0] if rows else None

    def is_so(acts: list[str]) -> bool:
        row = found()
        return row is not None and row["acts"] == acts

    def act(what: str) -> Any:
        return server.hpc(f"/jobs/slurm~{native}/{what}", method="POST", body={})

    try:
        until(lambda: is_so(["cancel", "hold"]), "the array is listed")
        row = found()
        assert row is not None
        assert (row["native_id"], row["tasks"], row["task_states"]) == (native, 3, {"PENDING": 3})
        page = server.hpc(f"/jobs?limit=500&text=by-hand-array&unfolded={row['id']}").body["jobs"]
        assert [each["native_id"] for each in page] == [native, *(f"{native}_{i}" for i in (1, 2, 3))]
        assert {each["array"] for each in page[1:]} == {row["id"]}
        assert len(server.hpc(f"/jobs/{row['id']}").body["array_tasks"]) == 3

        assert act("hold").status == 202
        until(lambda: is_so(["cancel", "release"]), "it is held")
        assert slurm("squeue", "-h", "-r", "-j", native, "-o", "%r").split() == ["JobHeldUser"] * 3
        again = act("hold")
        assert again.status == 409 and "hold is not for a job that is pending" in again.body["message"]
        assert act("release").status == 202
        until(lambda: is_so(["cancel", "hold"]), "it is released")
        assert act("cancel").status == 202
        until(lambda: not slurm("squeue", "-h", "-j", native, "-t", "PD,R", "-o", "%i"), "it is gone")
    finally:
        slurm("scancel", native)


def test_a_job_that_runs_is_requeued_and_only_where_a_list_has_it(server: Server, foreign: dict[str, Any]) -> None:
    assert foreign["acts"] == ["cancel", "requeue"]
    for what in ("cancel", "hold", "release", "requeue"):
        assert server.hpc(f"/jobs/slurm~99999999/{what}", method="POST", body={}).status == 404
    assert server.hpc(f"/jobs/{foreign['id']}/release", method="POST", body={}).status == 409
    assert server.hpc(f"/jobs/{foreign['id']}/requeue", method="POST", body={}).status == 202
    restarts = "scontrol", "show", "job", foreign["native_id"]
    until(lambda: "Restarts=1" in slurm(*restarts), "it was started again")
