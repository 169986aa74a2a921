"""Requests made up from ``openapi.yaml``, some that fit it and some that don't: never a 500, always as described."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from jupyter_hpc.jobs.job import Job
from tests.faults.road import submit
from tests.server.conftest import TOKEN, Server
from tests.server.described import FOLDER, check

SCHEMA = schemathesis.openapi.from_path(FOLDER / "openapi.yaml")
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}
ENDS = ("delete", "cancel", "resubmit")  # of a job that others of these ask for
HEADERS = {"Authorization": f"token {TOKEN}"}
EXAMPLES = 25


@pytest.fixture(scope="module")
def jobs(server: Server) -> list[Job]:
    """One to look at, one to end."""
    found = [submit("print('line')\nx = 1", "local") for _ in range(2)]
    assert all(job.wait(120) for job in found)
    return found


def test_every_operation_is_there() -> None:
    assert len(OPERATIONS) == len(SCHEMA.raw_schema["paths"]) + 2  # two paths have two verbs


@pytest.mark.parametrize(
    ("label", "mode"),
    [
        (label, mode)
        for label, operation in OPERATIONS.items()
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or any(operation.iter_parameters())  # else every request fits
    ],
)
@pytest.mark.timeout(900)
def test_no_request_is_too_odd(server: Server, jobs: list[Job], label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    job = jobs[any(word in label.lower() for word in ENDS)]
    ids = st.sampled_from([job.id, f"{job.id}_7", ""])  # "": what was made up

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=ids)
    def asked(case: Any, known: str) -> None:
        if known and "run_id" in case.path_parameters:
            case.path_parameters["run_id"] = known
        response = case.call(base_url=server.url, headers=HEADERS, timeout=120)
        case.validate_response(response, checks=[not_a_server_error])
        if label.startswith(case.method.upper()):  # a verb that isn't there is Jupyter's own answer
            check(case.method, case.formatted_path, response.status_code, _body(response))

    asked()


def _body(response: Any) -> Any:
    if "json" in "".join(response.headers.get("content-type") or ()):
        return response.json()
    return response.content
