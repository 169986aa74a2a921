"""Every way in which a pod fails to start or dies, on a real Kubernetes: a state, a reason in words, what to do."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.kubernetes import rights
from jupyter_hpc.commands import cli
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import (
    EnvironmentMismatch,
    JobCancelled,
    JobError,
    NodeFailed,
    OutOfMemory,
    ProcessDied,
    SegmentationFault,
    SubmissionError,
    TargetError,
    TimeLimitExceeded,
)
from jupyter_hpc.model.states import JobState
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.faults.occurrences import shows
from tests.faults.road import events, submit, until
from tests.kubernetes.access import NAMESPACE, Admin, bind
from tests.kubernetes.conftest import Targets

WAITS = "import time\nbefore = 41\nprint('ready', flush=True)\ntime.sleep(300)\nafter = 1"
SLOW_S = 120  # a machine that others use too


def waits_with(job: Job, words: str) -> str:
    """Wait until a job says why it waits, and return that."""
    return str(until(lambda: words in job.reason and job.reason, f"{words!r}: {job}", SLOW_S))


def ended(job: Job, cause: str = "") -> Any:
    """Wait for the end and return what is raised; its cause is a row of the table, with evidence and suggestion."""
    assert job.wait(SLOW_S), job
    error = job.outcome().error
    if cause:
        assert job.verdict["cause"] == cause, job.verdict
        assert job.verdict["evidence"] and job.verdict["hint"], job.verdict
        assert isinstance(error, JobError) and error.cause == cause
    return error


def saved(job: Job) -> Any:
    """Return what the cell had assigned before it was ended; what comes after is not there."""
    names = job.outcome().names
    assert "after" not in names
    return names["before"]


def pod_of(admin: Admin, job: Job) -> dict[str, Any]:
    query = {"labelSelector": f"jupyter-hpc/run={job.id}"}
    found: list[dict[str, Any]] = admin("GET", f"/api/v1/namespaces/{NAMESPACE}/pods", query=query)["items"]
    return found[0]


def job_exists(admin: Admin, job: Job) -> bool:
    items = admin("GET", f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")["items"]
    return any(item["metadata"]["name"] in job.native_id for item in items)


# -- it doesn't start ----------------------------------------------------------------------------


def test_more_gpus_than_there_are(targets: Targets, kubernetes: Kubernetes) -> None:
    job = submit("x = 1", "k8s", gpus=kubernetes.gpus + 1)
    assert f"nvidia.com/gpu ({kubernetes.gpus + 1} asked" in waits_with(job, "no node has enough")
    assert job.state is JobState.PENDING
    job.cancel()
    assert type(ended(job)) is JobCancelled


def test_gpus_are_given(targets: Targets, kubernetes: Kubernetes) -> None:
    job = submit("import os\nx = os.environ['NVIDIA_VISIBLE_DEVICES']", "k8s", gpus=2)
    assert job.wait(SLOW_S)
    assert len(job.result()["x"].split(",")) == 2


def test_an_image_that_is_nowhere(targets: Targets) -> None:
    job = submit("x = 1", "k8s", image="localhost:1/no/such:1")
    assert "localhost:1/no/such:1" in waits_with(job, "image can't be pulled")
    job.cancel()
    assert type(ended(job)) is JobCancelled


@shows("image-never-pulled")
def test_an_image_that_may_not_be_pulled(targets: Targets, admin: Admin) -> None:
    job = submit("x = 1", targets.add("never", image_pull_policy="Never"), image="localhost/none:1")
    error = ended(job, "image-never-pulled")
    assert type(error) is EnvironmentMismatch
    assert "never to pull" in error.message
    assert error.hint
    until(lambda: not job_exists(admin, job), "its Job is removed", SLOW_S)


@shows("image-name")
def test_an_image_that_has_no_images_name(targets: Targets) -> None:
    error = ended(submit("x = 1", "k8s", image="Not An Image"), "image-name")
    assert type(error) is EnvironmentMismatch
    assert "--image" in error.hint


@shows("image-without-python")
def test_an_image_without_python(targets: Targets) -> None:
    error = ended(submit("x = 1", "k8s", python="/opt/none/python3"), "image-without-python")
    assert type(error) is EnvironmentMismatch
    assert "/opt/none/python3" in error.message
    assert "--python" in error.hint


def test_a_secret_that_is_missing(targets: Targets) -> None:
    job = submit("x = 1", targets.add("secretive", env_from_secrets=["no-such-secret"]))
    assert "no-such-secret" in waits_with(job, "can't be set up")
    job.cancel()
    assert type(ended(job)) is JobCancelled


def test_a_volume_that_is_missing(targets: Targets) -> None:
    volume = {"persistentVolumeClaim": {"claimName": "no-such-claim"}, "mountPath": "/data"}
    job = submit("x = 1", targets.add("unmounted", volumes=[volume]))
    assert "no-such-claim" in waits_with(job, "no-such-claim")
    job.cancel()


def test_a_quota_that_is_used_up(targets: Targets, admin: Admin) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"
    admin("POST", path, {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})
    try:
        job = submit("x = 1", "k8s")
        assert "quota none" in waits_with(job, "used up")
    finally:
        admin("DELETE", f"{path}/none")
    job.cancel()
    assert type(ended(job)) is JobCancelled


def test_a_namespace_that_is_not_there(targets: Targets, kubernetes: Kubernetes) -> None:
    target = targets.add("elsewhere", namespace="no-such", kubeconfig=str(kubernetes.kubeconfig))
    with pytest.raises(SubmissionError, match="no-such") as caught:
        submit("x = 1", target)
    assert "namespace" in caught.value.hint


def test_a_right_that_is_missing(targets: Targets, kubernetes: Kubernetes) -> None:
    target = targets.add("forbidden", kubeconfig=str(kubernetes.own.kubeconfig("bob")))
    with pytest.raises(SubmissionError, match=r"you may not create and get .* jobs\.batch") as caught:
        submit("x = 1", target)
    assert "Role" in str(caught.value)


def test_a_right_that_the_result_would_need_is_missed_before_submission(
    targets: Targets, kubernetes: Kubernetes, admin: Admin
) -> None:
    role = rights.role("lessened")
    role["rules"] = [rule for rule in role["rules"] if rule["resources"] != ["pods/exec"]]
    assert kubernetes.own
    bind(admin, "alice", role, "lessened")
    with pytest.raises(SubmissionError, match="you may not get and create pods/exec") as caught:
        submit("x = 1", targets.add("lessened", namespace="lessened"))
    assert "Role" in str(caught.value)
    assert admin("GET", "/apis/batch/v1/namespaces/lessened/jobs")["items"] == []


def test_doctor_names_the_verbs_that_are_missing(
    targets: Targets, kubernetes: Kubernetes, admin: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    role = rights.role("examined")
    role["rules"] = [rule for rule in role["rules"] if rule["resources"] not in (["pods/exec"], ["events"])]
    assert kubernetes.own
    bind(admin, "alice", role, "examined")
    targets.add("examined", namespace="examined")
    cli.main(["doctor"])
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if "namespace examined" in line)
    assert row.startswith("✗ examined"), said
    assert "get and create pods/exec, list events" in row
    assert "✓ k8s" in said


def test_a_token_that_is_not_known(targets: Targets, kubernetes: Kubernetes, tmp_path: Path) -> None:
    import yaml

    found = yaml.safe_load(Path(targets.settings["kubeconfig"]).read_text())
    found["users"] = [{"name": user["name"], "user": {"token": "expired"}} for user in found["users"]]
    (tmp_path / "config").write_text(yaml.safe_dump(found))
    with pytest.raises(SubmissionError, match="token") as caught:
        submit("x = 1", targets.add("expired", kubeconfig=str(tmp_path / "config")))
    assert "Log in again" in caught.value.hint


def test_a_login_plug_in_is_asked_again_when_its_token_has_expired(targets: Targets, tmp_path: Path) -> None:
    import yaml

    found = yaml.safe_load(Path(targets.settings["kubeconfig"]).read_text())
    version = "client.authentication.k8s.io/v1"
    (tmp_path / "tokens").write_text(f"expired\n{found['users'][0]['user']['token']}\n")
    plugin = tmp_path / "login"
    plugin.write_text(
        f"#!{sys.executable}\nimport json, pathlib\nfile = pathlib.Path({str(tmp_path / 'tokens')!r})\n"
        "first, *rest = file.read_text().splitlines()\nfile.write_text('\\n'.join(rest or [first]))\n"
        f"print(json.dumps({{'apiVersion': {version!r}, 'kind': 'ExecCredential', 'status': {{'token': first}}}}))\n"
    )
    plugin.chmod(0o700)
    found["users"][0]["user"] = {"exec": {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}}
    (tmp_path / "config").write_text(yaml.safe_dump(found))
    job = submit("x = 1", targets.add("plugged", kubeconfig=str(tmp_path / "config")))
    assert job.result(SLOW_S) == {"x": 1}


def test_a_server_that_does_not_answer(targets: Targets, tmp_path: Path) -> None:
    import yaml

    found = yaml.safe_load(Path(targets.settings["kubeconfig"]).read_text())
    found["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "config").write_text(yaml.safe_dump(found))
    with pytest.raises(TargetError, match="doesn't answer"):
        submit("x = 1", targets.add("away", kubeconfig=str(tmp_path / "config")))


def test_the_record_has_the_image_that_really_ran(targets: Targets, kubernetes: Kubernetes) -> None:
    job = submit("x = 1", "k8s")
    assert job.wait(SLOW_S), job
    image = until(lambda: job.record.get("image"), "the record has it", SLOW_S)
    assert image["name"] == kubernetes.image
    assert re.search(r"sha256:[0-9a-f]{64}$", image["id"])


# -- it dies -------------------------------------------------------------------------------------


@shows("out-of-memory-cgroup")
def test_it_runs_out_of_memory(targets: Targets) -> None:
    error = ended(
        submit("print('ready', flush=True)\nx = b'x' * (1 << 30)", "k8s", memory="96M"),
        "out-of-memory-cgroup",
    )
    assert type(error) is OutOfMemory
    assert "96 MiB" in error.message
    assert "--mem" in error.hint
    assert "ready" in error.log_tail


def test_it_reaches_its_time_limit(targets: Targets) -> None:
    job = submit(WAITS, "k8s", time="2s")
    assert type(ended(job)) is TimeLimitExceeded
    assert saved(job) == 41


@shows("active-deadline")
def test_it_reaches_kubernetes_own_deadline(targets: Targets) -> None:
    job = submit(WAITS, "k8s", patch="{spec: {activeDeadlineSeconds: 8}}")
    assert type(ended(job, "active-deadline")) is TimeLimitExceeded
    assert saved(job) == 41


def test_a_crash_in_compiled_code(targets: Targets) -> None:
    error = ended(submit("import ctypes\nctypes.string_at(0)", "k8s"))
    assert type(error) is SegmentationFault


def test_it_ends_its_own_process(targets: Targets) -> None:
    error = ended(submit("import os\nos._exit(7)", "k8s"))
    assert (type(error), error.exit_code) == (ProcessDied, 7)


def test_what_fails_runs_again_as_often_as_it_may(targets: Targets) -> None:
    job = submit("import os\nos._exit(7)", "k8s", retries=1)
    error = ended(job)
    assert (type(error), error.exit_code) == (ProcessDied, 7)
    assert len(events(job, "started")) == 2


@shows("evicted-for-storage")
def test_its_node_evicts_it(targets: Targets) -> None:
    """The kubelet's own eviction, of a pod that writes more than it may."""
    limits = "{spec: {containers: [{name: cell, resources: {limits: {ephemeral-storage: 4Mi}}}]}}"
    job = submit(f"open('much', 'wb').write(bytes(64 << 20))\n{WAITS}", "k8s", patch=limits)
    error = ended(job, "evicted-for-storage")
    assert type(error) is NodeFailed
    assert "evicted the job" in error.message
    assert "ephemeral" in error.message


def test_cancel_brings_what_there_is(targets: Targets, admin: Admin) -> None:
    job = submit(WAITS, "k8s")
    until(lambda: "ready" in job.logs(), "the cell prints", SLOW_S)
    job.cancel()
    assert type(ended(job)) is JobCancelled
    assert saved(job) == 41
    until(lambda: not job_exists(admin, job), "its Job is removed", SLOW_S)
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets"
    until(
        lambda: all(s["metadata"]["name"] not in job.native_id for s in admin("GET", path)["items"]),
        "its Secret is removed",
        SLOW_S,
    )


@shows("deleted")
def test_its_pod_is_deleted_by_hand(targets: Targets, admin: Admin) -> None:
    job = submit(WAITS, "k8s")
    until(lambda: "ready" in job.logs(), "the cell prints", SLOW_S)
    name = pod_of(admin, job)["metadata"]["name"]
    admin("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")
    assert type(ended(job, "deleted")) is JobCancelled
    assert saved(job) == 41


@shows("node-drained")
def test_it_is_evicted(targets: Targets, admin: Admin) -> None:
    job = submit(WAITS, "k8s")
    until(lambda: "ready" in job.logs(), "the cell prints", SLOW_S)
    name = pod_of(admin, job)["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": NAMESPACE},
    }
    admin("POST", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction", eviction)
    error = ended(job, "node-drained")
    assert type(error) is NodeFailed
    assert "drained" in error.message
    assert saved(job) == 41
