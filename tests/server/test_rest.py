"""The routes of a real Jupyter server, behind a JupyterHub's base URL, over jobs of a real Slurm."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.store import store
from tests.faults.road import submit, until
from tests.server.conftest import TOKEN, Server
from tests.server.described import ROUTES

LIVE = "import time\nprint('ready', flush=True)\ntime.sleep(300)"


@pytest.fixture(scope="module")
def done(server: Server) -> Job:
    job = submit("print('héllo\\n' * 3)\nx = 1", name="<script>alert(1)</script>")
    assert job.wait(120)
    return job


def quiet(server: Server) -> dict[str, Any] | None:
    """Return the list once nothing in it lives: what tests before have left ends by itself."""
    page: dict[str, Any] = server.hpc("/jobs?limit=500").body
    return page if page["counts"]["running"] == page["counts"]["waiting"] == 0 else None


def test_a_job_is_listed_with_its_state_and_counts(server: Server, done: Job) -> None:
    page = until(lambda: quiet(server), "nothing lives any more")
    row = next(row for row in page["jobs"] if row["id"] == done.id)
    assert (row["state"], row["target"], row["native_id"]) == ("COMPLETED", "slurm", done.native_id)
    assert row["name"] == "<script>alert(1)</script>"  # text in JSON; the page shows it as text
    assert page["counts"]["ended"] >= 1
    assert page["counts"]["ours"] == {"waiting": 0, "running": 0}
    assert "slurm" in page["targets"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("group=ended", True),
        ("group=running", False),
        ("state=COMPLETED", True),
        ("state=FAILED", False),
        ("target=slurm", True),
        ("target=nowhere", False),
        ("text=ALERT(1)", True),
        ("text=nothing+of+this", False),
        ("notebook=other.ipynb", False),
    ],
)
def test_filters(server: Server, done: Job, query: str, found: bool) -> None:
    rows = server.hpc(f"/jobs?limit=500&{query}").body["jobs"]
    assert (done.id in [row["id"] for row in rows]) is found


@pytest.mark.parametrize("by", ["target", "state", "notebook"])
def test_groups_have_a_heading_each(server: Server, done: Job, by: str) -> None:
    rows = server.hpc(f"/jobs?limit=500&by={by}").body["jobs"]
    heading, count = rows[0], 0
    for row in rows[1:]:
        if "heading" in row:
            assert heading["count"] == count
            heading, count = row, 0
        else:
            assert row[by] == heading["heading"]
            count += 1
    assert heading["count"] == count > 0


def test_pages_hold_every_job_once(server: Server, done: Job) -> None:
    assert submit("x = 1").wait(120)
    total = until(lambda: quiet(server), "nothing lives any more")["total"]
    rows = [server.hpc(f"/jobs?limit=1&offset={i}").body["jobs"][0] for i in range(total)]
    ids = [row["id"] for row in rows if not row["foreign"]]
    assert len(set(ids)) == len(store().runs())
    ends = [row["ended_at"] for row in rows if row["ended_at"] and not row["foreign"]]
    assert ends == sorted(ends, reverse=True)


def test_a_job_of_another_process_is_seen_live_and_cancelled(server: Server) -> None:
    job = submit(LIVE)

    def state() -> str:
        return str(server.hpc(f"/jobs/{job.id}").body["state"])

    until(lambda: state() == "RUNNING", "the server sees it run")
    assert server.hpc(f"/jobs/{job.id}", method="DELETE").status == 409
    assert server.hpc(f"/jobs/{job.id}/cancel", method="POST", body={}).status == 202
    until(lambda: state() == "CANCELLED", "the server sees its end")
    assert job.wait(120)
    assert job.state is JobState.CANCELLED
    again = server.hpc(f"/jobs/{job.id}/cancel", method="POST", body={})
    assert again.status == 409 and "ended already" in again.body["message"]


def test_the_whole_of_a_job(server: Server, done: Job) -> None:
    found = server.hpc(f"/jobs/{done.id}").body
    assert found["code"].endswith("x = 1")
    assert [o["name"] for o in found["outputs"]] == ["x"]
    assert found["directory"] == str(done.run.path)
    assert server.hpc(f"/jobs/{done.id}/record").body["id"] == done.id
    script = server.hpc(f"/jobs/{done.id}/script").body
    assert script["command"][0] == "sbatch" and script["script"].startswith("#!/bin/bash")


def test_what_led_to_a_job(server: Server) -> None:
    one = submit("import array\nraw = array.array('d', range(100))", name="prepare")
    names = one.result(120)
    two = submit("model = sum(raw)", names=names, name="<b>train</b>")
    assert two.wait(120)
    found = server.hpc(f"/jobs/{two.id}/lineage").body
    assert [node["id"] for node in found["nodes"]] == [two.id, one.id]
    assert found["links"] == [{"child": two.id, "parent": one.id, "names": ["raw"], "via": "hash"}]
    assert found["nodes"][0]["details"]["code"]["text"] == "model = sum(raw)"
    assert "&lt;b&gt;train" in found["svg"] and "<b>" not in found["svg"]
    assert f"run {one.id}" in found["text"]
    assert server.hpc("/jobs/20200101-000000-000000/lineage").status == 404


def test_the_table_compares_and_tags(server: Server) -> None:
    one, two = (submit(f"rate = {rate}\nprint('loss=0.5')", name="table") for rate in (0.1, 0.2))
    assert one.wait(120) and two.wait(120)
    asked = "/table?text=table&sort=-parameters.rate&where=completed"

    def rows(path: str = asked) -> list[str]:
        return [row["id"] for row in server.hpc(path).body["rows"]]

    until(lambda: rows() == [two.id, one.id], "the table has both")  # how all stand is looked at now and then
    page = server.hpc(asked).body
    assert page["rows"][0]["parameters"]["rate"] == "0.2"
    assert server.hpc("/table?where=florid").status == 400
    assert server.hpc("/table?sort=florid").status == 400
    found = server.hpc(f"/jobs/{one.id}/compare/{two.id}").body
    parts = {part["part"]: part["rows"] for part in found["parts"]}
    assert parts["parameters"] == [{"name": "rate", "first": "0.1", "second": "0.2"}]
    assert "-rate = 0.1" in found["code"] and "+rate = 0.2" in found["code"]
    assert server.hpc(f"/jobs/{one.id}/compare/20200101-000000-000000").status == 404
    made = server.hpc(f"/jobs/{one.id}/tag", method="POST", body={"tag": "best"})
    assert (made.status, made.body) == (201, {"tag": f"best:{one.id[-6:]}"})
    assert rows("/table?text=best") == [one.id]
    for body in ({"tag": "a b"}, {"tag": 3}, {}, {"tag": "a", "more": 1}):
        assert server.hpc(f"/jobs/{one.id}/tag", method="POST", body=body).status == 400
    best = f"best:{one.id[-6:]}"
    assert server.hpc(f"/jobs/{two.id}/tag/{best}", method="DELETE").status == 400  # it is the other's
    assert server.hpc(f"/jobs/{one.id}/tag/{best}", method="DELETE").status == 204
    assert rows("/table?text=best") == []
    assert server.hpc(f"/jobs/{one.id}/tag/{best}", method="DELETE").status == 400


def test_a_log_is_read_by_windows_that_cut_no_character(server: Server, done: Job) -> None:
    size = server.hpc(f"/jobs/{done.id}/log").body["size"]
    text, offset = "", 0
    while offset < size:
        found = server.hpc(f"/jobs/{done.id}/log?offset={offset}&limit=2").body
        assert found["next"] > offset
        text, offset = text + found["text"], found["next"]
    assert text == done.logs() == "héllo\n" * 3 + "\n"
    for offset, end in ((-9, "héllo\n\n"), (-8, "héllo\n\n"), (-6, "\n")):  # from the next line on
        assert server.hpc(f"/jobs/{done.id}/log?offset={offset}").body["text"] == end
    whole = server.hpc(f"/jobs/{done.id}/log/file")
    assert whole.body.decode() == text
    assert whole.headers["Content-Disposition"].startswith("attachment")
    found = server.hpc(f"/jobs/{done.id}/log/search?text=h%C3%A9").body
    assert [m["line"] for m in found["matches"]] == ["héllo"] * 3


def test_resubmitted_with_more(server: Server, done: Job) -> None:
    made = server.hpc(f"/jobs/{done.id}/resubmit", method="POST", body={"resources": {"memory": "64M"}})
    assert made.status == 201, made
    new = Job(store().find(made.body["id"]))
    assert new.result(120)["x"] == 1
    assert new.record["resubmits"] == done.id
    assert new.record["spec"]["resources"]["memory"] == 64 << 20
    assert new.id != done.id


def test_the_form_of_a_resubmission(server: Server, done: Job) -> None:
    form = server.hpc(f"/jobs/{done.id}/resubmit").body
    assert form["target"] == "slurm" and {"slurm", "local"} <= {*form["targets"]}
    assert {"gpus", "cpus", "memory", "time", "partition"} == {field["name"] for field in form["fields"]}
    there = server.hpc(f"/jobs/{done.id}/resubmit?target=local").body
    assert "partition" not in {field["name"] for field in there["fields"]}
    assert server.hpc(f"/jobs/{done.id}/resubmit?target=nowhere").status == 400


def test_resubmitted_as_a_form_says(server: Server, done: Job) -> None:
    body = {"resources": {"memory": "64M", "time": ""}, "spec": {"partition": "debug"}, "options": "--name again"}
    made = server.hpc(f"/jobs/{done.id}/resubmit", method="POST", body={**body, "target": "slurm", "instead": False})
    assert made.status == 201, made
    new = Job(store().find(made.body["id"]))
    assert new.result(120)["x"] == 1
    spec = new.record["spec"]
    assert (spec["partition"], spec["name"], spec["resources"]) == ("debug", "again", {"memory": 64 << 20})
    assert new.record["changed_options"] == "--mem 64M --partition debug --name again"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"options": "--memory 3"}, "is no option with which a job can be submitted again."),
        ({"spec": {"array": "1-3"}}, "can't be another when a job is submitted again."),
        ({"instead": "yes"}, "instead must be true or false."),
        ({"instead": True}, "doesn't wait"),
    ],
)
def test_a_resubmission_that_is_refused_says_why(
    server: Server, done: Job, body: dict[str, object], words: str
) -> None:
    said = server._ask(f"/jupyter-hpc/jobs/{done.id}/resubmit", "POST", body, TOKEN)
    assert 400 <= said.status < 500 and words in said.body["message"]


def test_forgotten(server: Server) -> None:
    job = submit("x = 1")
    assert job.wait(120)
    assert server.hpc(f"/jobs/{job.id}", method="DELETE").status == 204
    assert not job.run.path.exists()
    gone = server.hpc(f"/jobs/{job.id}")
    assert gone.status == 404 and gone.body["code"] == "job-not-found"
    assert job.id not in [row["id"] for row in server.hpc("/jobs?limit=500").body["jobs"]]


def test_targets(server: Server) -> None:
    found = {each["name"]: each for each in server.hpc("/targets").body["targets"]}
    assert found["slurm"]["available"]
    assert [row["partition"] for row in found["slurm"]["partitions"]] == ["debug", "gpu"]
    assert [(gpu["type"], gpu["total"]) for gpu in found["slurm"]["gpus"]] == [("a100", 4)]
    assert found["local"]["available"]
    assert found["slurm"]["magic"] == "%%slurm"
    assert server.hpc("/targets/slurm").body["name"] == "slurm"
    assert server.hpc("/targets/nowhere").status == 404


def test_who_holds_what_of_the_nodes(server: Server) -> None:
    found = server.hpc("/targets/slurm/nodes").body
    by_name = {node["name"]: node for node in found["nodes"]}
    assert by_name["g1"]["gpus"]["total"] == 4
    assert by_name["g1"]["gpu_type"] == "a100"
    assert all(node["partitions"] and node["state"] == "up" for node in found["nodes"])
    (here,) = server.hpc("/targets/local/nodes").body["nodes"]
    assert (here["partitions"], here["cpus"]["mine"]) == ([], None)
    assert server.hpc("/targets/nowhere/nodes").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/jobs?limit=0",
        "/jobs?limit=x",
        "/jobs?offset=-1",
        "/jobs?group=all",
        "/jobs?limit=501",
        "/jobs?by=size",
    ],
)
def test_nonsense_is_one_sentence(server: Server, path: str) -> None:
    answer = server.hpc(path)
    assert answer.status == 400
    assert answer.body["message"].endswith(".") and answer.body["code"] == "option"


@pytest.mark.parametrize("path", ["/jobs/../../etc/passwd", "/jobs/%2e%2e%2fx", "/jobs/20261124", "/jobs/x/log"])
def test_an_id_is_an_id(server: Server, path: str) -> None:
    assert server.hpc(path).status == 404


def routes() -> list[tuple[str, str]]:
    return [(path, verb) for path, verbs in ROUTES["paths"].items() for verb in verbs]


@pytest.mark.parametrize(("path", "verb"), routes())
def test_no_verb_answers_without_the_token(server: Server, done: Job, path: str, verb: str) -> None:
    real = path.replace("{run_id}", done.id).replace("{other_id}", done.id).replace("{name}", "slurm")
    answer = server.ask(real, method=verb.upper(), body={} if verb == "post" else None, token=None)
    assert answer.status == 403, answer


def test_the_description_has_every_route_and_verb() -> None:
    from jupyter_hpc.server.routes import ROUTES

    real = set()
    for pattern, handler in ROUTES:
        path = "/jupyter-hpc" + re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", pattern)
        own = {verb for cls in handler.__mro__[:2] for verb in ("get", "post", "delete") if verb in vars(cls)}
        real |= {(path, verb) for verb in own}
    assert real == set(routes())


def test_errors_hold_no_page(server: Server) -> None:
    answer = server.hpc("/jobs?group=%3Cscript%3E")
    assert "application/json" in answer.headers["Content-Type"]
    assert "<script>" not in json.dumps(answer.body)
