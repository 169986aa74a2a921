"""The description of the routes says what the code does, and its check finds what it doesn't."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jupyter_hpc.model.states import JobState
from jupyter_hpc.server import foreign_jobs, handlers, listing
from jupyter_hpc.server.logs import WINDOW
from jupyter_hpc.views import job_order
from tests.server.described import CLUSTERS, SCHEMAS, NotAsDescribed, check, operation, parameters

ID = "20261128-101112-abcdef"
JOB: dict[str, Any] = {
    "id": ID,
    "name": "n",
    "target": "slurm",
    "backend": "slurm",
    "native_id": "7",
    "state": "RUNNING",
    "reason": "",
    "error": "",
    "node": "",
    "partition": "",
    "created": 1.5,
    "started_at": None,
    "ended_at": None,
    "time_limit_s": 60,
    "gpus": 0,
    "gpu_type": "",
    "notebook": "",
    "tasks": 0,
    "task_states": {},
    "array": "",
    "tags": [],
    "acts": [],
    "metrics": [],
    "foreign": False,
}
PAGE: dict[str, Any] = {
    "jobs": [JOB, {"heading": "slurm", "count": 1}],
    "total": 2,
    "counts": {"waiting": 0, "running": 1, "ended": 0, "ours": {"waiting": 0, "running": 1}},
    "targets": ["slurm"],
    "notebooks": [],
}
LISTS = ("evidence", "attempts", "inputs", "outputs", "samples", "charts", "array_tasks")
WHOLE: dict[str, Any] = {
    **JOB,
    **{name: [] for name in LISTS},
    "waiting": None,
    "hint": "",
    "resources": {"gpus": 1},
    "spec": {},
    "code": "",
    "unsent": {},
    "directory": "",
    "traceback": "",
    "idle": "",
    "is_awaited": False,
    **dict.fromkeys(("replaces", "replaced_by", "changed_options"), ""),
    "first_line": 1,
    "failed_line": None,
    "files": [],
}


def test_what_is_as_described_passes() -> None:
    check("GET", "/jupyter-hpc/jobs?limit=500&by=target", 200, PAGE)
    check("GET", f"/jupyter-hpc/jobs/{ID}", 200, WHOLE)
    check("DELETE", f"/jupyter-hpc/jobs/{ID}", 204, b"")
    check("POST", f"/jupyter-hpc/jobs/{ID}_3/resubmit", 201, {"id": ID}, {"resources": {"memory": "8G"}})
    check("GET", "/jupyter-hpc/jobs/slurm~7", 404, {"message": "m.", "hint": "", "code": "job-not-found"})
    check("GET", "/jupyter-hpc/jobs", 403, {"message": "Forbidden", "reason": None})
    check("GET", "/api", 200, {"anything": "at all"})


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({**PAGE, "more": 1}, "more"),
        ({**PAGE, "total": "2"}, "total"),
        ({**PAGE, "jobs": [{**JOB, "state": "ASLEEP"}]}, "ASLEEP"),
        ({**PAGE, "jobs": [{**JOB, "secret": ""}]}, "secret"),
        ({**PAGE, "jobs": [{k: v for k, v in JOB.items() if k != "node"}]}, "node"),
        ({k: v for k, v in PAGE.items() if k != "counts"}, "counts"),
    ],
)
def test_a_page_that_is_not_as_described(page: Any, words: str) -> None:
    with pytest.raises(NotAsDescribed, match=words):
        check("GET", "/jupyter-hpc/jobs", 200, page)


@pytest.mark.parametrize(
    "whole",
    [{**WHOLE, "foreign": True}, {**WHOLE, "log_path": ""}, {**WHOLE, "samples": [{"t": 1.0, "rss": 1}]}],
)
def test_a_job_that_is_not_as_described(whole: Any) -> None:
    with pytest.raises(NotAsDescribed):
        check("GET", f"/jupyter-hpc/jobs/{ID}", 200, whole)


def test_what_the_server_takes_is_described_too() -> None:
    with pytest.raises(NotAsDescribed, match="order"):
        check("GET", "/jupyter-hpc/jobs?order=name", 200, PAGE)
    with pytest.raises(NotAsDescribed, match="option"):
        check("POST", f"/jupyter-hpc/jobs/{ID}/resubmit", 201, {"id": ID}, {"option": 1})
    with pytest.raises(NotAsDescribed, match="message"):
        check("GET", f"/jupyter-hpc/jobs/{ID}", 404, {"error": "gone"})


@pytest.mark.parametrize("name", [*SCHEMAS, *CLUSTERS])
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema({**SCHEMAS, **CLUSTERS}[name])


def described(path: str, name: str) -> dict[str, Any]:
    found = operation("GET", path)
    assert found is not None
    return {each["name"]: each["schema"] for each in parameters(found, "query")}[name]


def test_the_words_and_bounds_are_those_of_the_code() -> None:
    assert SCHEMAS["State"]["enum"] == [state.value for state in JobState]
    assert set(described("/jupyter-hpc/jobs", "group")["enum"]) == {"", *job_order.GROUPS}
    assert set(described("/jupyter-hpc/jobs", "by")["enum"]) == {"", *job_order.GROUPED_BY}
    assert set(described("/jupyter-hpc/jobs", "sort")["enum"]) == {"", *job_order.SORTED_BY}
    assert SCHEMAS["Job"]["properties"]["acts"]["items"]["enum"] == [*foreign_jobs.ACTS]
    assert described("/jupyter-hpc/jobs", "limit")["maximum"] == listing.MOST
    log = f"/jupyter-hpc/jobs/{ID}/log"
    assert described(log, "limit")["maximum"] == -described(log, "offset")["minimum"] == WINDOW


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        (f"/jupyter-hpc/jobs/{ID}/record", handlers.RUN_ID),
        (f"/jupyter-hpc/jobs/{ID}", handlers.JOB_ID),
        ("/jupyter-hpc/targets/slurm", handlers.TARGET),
    ],
)
def test_an_id_has_the_pattern_of_its_route(path: str, pattern: str) -> None:
    found = operation("GET", path)
    assert found is not None
    (parameter,) = parameters(found, "path")
    inside = pattern.removeprefix(f"(?P<{parameter['name']}>").removesuffix(")")
    assert parameter["schema"]["pattern"] in (f"^{inside}$", f"^(?:{inside})$")
