"""Kueue and the S3 gateway, as the tests of queues and object stores need them."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.practice.kubernetes.api import Api

from . import pods
from .components import S3, Kueue
from .fixtures import Kubernetes

_QUEUES = "/apis/kueue.x-k8s.io/v1beta1"
_JOBS = "/apis/batch/v1/namespaces/default/jobs"


@pytest.fixture
def api(kubernetes: Kubernetes) -> Api:
    return kubernetes.own.control_plane.api()


def _job(name: str, image: str, command: list[str]) -> dict[str, Any]:
    gpu = {"limits": {"nvidia.com/gpu": "1"}}
    container = {"name": "main", "image": image, "command": command, "resources": gpu}
    return {
        "metadata": {"name": name, "labels": {"kueue.x-k8s.io/queue-name": "one"}},
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def _reasons(api: Api, job: str) -> dict[str, str]:
    """What Kueue says of a job: each condition of its Workload with the message."""
    items = api.call("GET", f"{_QUEUES}/namespaces/default/workloads")["items"]
    found = (item for item in items if item["metadata"]["ownerReferences"][0]["name"] == job)
    conditions = next(found, {}).get("status", {}).get("conditions") or ()
    return {f"{each['type']}={each['status']}": each["message"] for each in conditions}


@pytest.mark.campaign
def test_kueue_admits_a_job_when_the_one_before_it_is_gone(kubernetes: Kubernetes, kueue: Kueue, api: Api) -> None:
    kueue.make_queue("one", gpus=1)
    api.call("POST", _JOBS, _job("first", kubernetes.image, ["sleep", "600"]))
    pods.wait(lambda: "Admitted=True" in _reasons(api, "first"), "the first is admitted")
    api.call("POST", _JOBS, _job("second", kubernetes.image, ["true"]))
    pods.wait(lambda: "QuotaReserved=False" in _reasons(api, "second"), "the second waits")
    assert "insufficient unused quota for nvidia.com/gpu" in _reasons(api, "second")["QuotaReserved=False"]
    assert api.call("GET", f"{_JOBS}/second")["spec"]["suspend"]
    api.call("DELETE", f"{_JOBS}/first?propagationPolicy=Foreground")
    pods.wait(lambda: api.call("GET", f"{_JOBS}/second")["status"].get("succeeded") == 1, "the second has run")
    api.call("DELETE", f"{_JOBS}/second?propagationPolicy=Foreground")


def test_the_gateway_keeps_what_it_is_given(kubernetes: Kubernetes, s3: S3, api: Api) -> None:
    import s3fs

    files = s3fs.S3FileSystem(
        key=s3.access_key, secret=s3.secret_key, endpoint_url=s3.endpoint, skip_instance_cache=True
    )
    files.pipe("runs/a/b", b"x" * 100_000)
    assert files.cat("runs/a/b") == b"x" * 100_000
    assert (s3.folder / "runs" / "a" / "b").stat().st_size == 100_000
    fetch = ["sh", "-c", f"wget -q -O - {s3.endpoint}/runs/a/b 2>&1; true"]
    assert "403" in pods.output(api, "s3", kubernetes.image, fetch)  # reached, and not without a key
