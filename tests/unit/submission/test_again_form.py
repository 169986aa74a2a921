"""The form with which a job is submitted again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc import OptionError
from jupyter_hpc.jobs.submit import replace_waiting
from jupyter_hpc.model.resubmission import as_written
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.submission.again_form import Form, form_of
from jupyter_hpc.submission.resubmit import _left, not_had
from jupyter_hpc.targets.targets import target as find_target
from jupyter_hpc.testing.fake import new_run
from tests.unit.submission import queued

OOM = {"state": "OUT_OF_MEMORY", "again": "--mem 1G"}
SPEC = {
    "resources": {"memory": 300 << 20, "gpus": 2, "gpu_type": "a100", "time": 5400, "cpus": 4},
    "partition": "gpu",
    "qos": "high",
}


@pytest.fixture
def failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    return new_run(tmp_path / "run", spec=SPEC, verdict=OOM, target={"name": "slurm", "backend": "slurm"})


def values(form: Form) -> dict[str, str]:
    return {field.name: field.value for field in form.fields}


def test_it_has_what_was_asked_for_and_what_the_verdict_suggests(failed: Run) -> None:
    form = form_of(failed)
    expected = {"gpus": "a100:2", "cpus": "4", "memory": "1G", "time": "1h30m", "partition": "gpu"}
    assert values(form) == expected
    assert {f.name: f.was for f in form.fields if f.is_suggested} == {"memory": "300M"}
    assert "--qos" in form.others and "--mem" not in form.others and "--queue" not in form.others


@pytest.mark.parametrize(("target", "has_partition", "other"), [("k8s", False, "--queue"), ("local", False, "")])
def test_fields_that_a_target_does_not_have_are_not_there(
    failed: Run, target: str, has_partition: bool, other: str
) -> None:
    form = form_of(failed, target)
    assert ("partition" in values(form)) is has_partition
    assert not other or other in form.others
    assert "--qos" not in form.others


@pytest.mark.parametrize(
    ("changed", "line", "asked"),
    [
        ({}, "", {"resources": {"memory": "1G"}, "options": {}}),
        ({"memory": "300M"}, "", {"resources": {"memory": "300M"}, "options": {}}),  # somebody insists
        ({"gpus": "1", "partition": ""}, "", {"resources": {"memory": "1G", "gpus": "1"}, "unset": ("partition",)}),
        ({}, "--qos low --on k8s", {"target": "k8s", "options": {"qos": "low"}}),
    ],
)
def test_only_what_was_changed_is_asked_for(
    failed: Run, changed: dict[str, str], line: str, asked: dict[str, Any]
) -> None:
    form = form_of(failed)
    found = form.asked({**values(form), **changed}, line).changes
    assert {key: found.get(key) for key in asked} == asked


def test_what_is_wrong_is_said_in_a_sentence(failed: Run) -> None:
    with pytest.raises(OptionError, match="is no option"):
        form_of(failed).asked({}, "--memory 3")


def test_a_field_that_was_emptied_is_left_to_the_target() -> None:
    spec = JobSpec.from_record(SPEC)
    left = _left(spec, ("gpus", "partition"))
    assert left == JobSpec.from_record({"resources": {"memory": 300 << 20, "time": 5400, "cpus": 4}, "qos": "high"})


def test_what_another_target_does_not_have_is_left_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    spec = JobSpec.from_record({**SPEC, "array": "1-3"})
    assert not_had(spec, find_target("k8s").kind) == {"partition", "qos"}  # without the array it were another job
    assert not_had(spec, find_target("slurm").kind) == set()


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"memory": 1 << 30}, {"memory": "1G"}),
        ({"memory": (1 << 30) + 1}, {"memory": "1073741825B"}),
        ({"time": 86_400 + 61}, {"time": "1d1m1s"}),
        ({"gpus": 0}, {"gpus": "0"}),
    ],
)
def test_values_are_as_somebody_would_write_them(resources: dict[str, int], words: dict[str, str]) -> None:
    spec = JobSpec.from_record({"resources": resources})
    assert as_written(spec) == words
    from jupyter_hpc.model.resources import Resources

    assert Resources.parse(**words) == spec.resources


def test_a_job_that_waits_takes_the_forms_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queued.configure(tmp_path, monkeypatch)
    old = queued.submit(gpus=2, time="1h")
    form = form_of(old.run)
    new = replace_waiting(old, **form.asked({**values(form), "gpus": "1", "time": ""}, "").changes)
    assert new.record["spec"]["resources"] == {"gpus": 1}
    assert new.record["changed_options"] == "--gpus 1"
