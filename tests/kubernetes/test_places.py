"""Large values without the API server: a volume of both sides, an object store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir import store
from tests.clusters.kubernetes.components import S3
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.faults.road import submit
from tests.kubernetes.access import NAMESPACE, Admin, claim_of
from tests.kubernetes.conftest import Targets

SLOW_S = 200
SIZE = 64 << 20
REVERSED = "y = data[::-1]"


@pytest.fixture
def claim(admin: Admin, targets: Targets, kubernetes: Kubernetes) -> Iterator[str]:
    """A claim on a volume that is the folder of the run directories."""
    assert kubernetes.own
    with claim_of(admin, store.store().root) as name:
        yield name


def test_an_array_goes_there_and_back_through_a_claim(targets: Targets, claim: str) -> None:
    root = str(store.store().root)
    volume = {"persistentVolumeClaim": {"claimName": claim}, "mountPath": root, "shared": True}
    target = targets.add("shared", volumes=[volume])
    data = bytearray(b"0123456789abcdef" * (SIZE >> 4))
    job = submit(f"{REVERSED}\nprint('over')", target, {"data": data})
    assert job.wait(SLOW_S), job
    assert (job.state, job.logs()) == (JobState.COMPLETED, "over\n")
    assert job.result()["y"] == data[::-1]
    assert not (job.run.path / "attempts.json").exists()  # nothing was carried
    cancelled = submit("import time\nbefore = 1\ntime.sleep(300)", target)
    cancelled.cancel()
    assert cancelled.wait(SLOW_S)
    assert cancelled.state is JobState.CANCELLED


def test_run_directories_outside_the_shared_volume_are_refused(targets: Targets) -> None:
    volume = {"persistentVolumeClaim": {"claimName": "runs"}, "mountPath": "/elsewhere", "shared": True}
    with pytest.raises(TargetError, match="/elsewhere") as caught:
        submit("x = 1", targets.add("astray", volumes=[volume]))
    assert "JUPYTER_HPC_ROOT" in caught.value.hint


def test_an_array_goes_there_and_back_through_an_object_store(
    targets: Targets, admin: Admin, kubernetes: Kubernetes, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets"
    admin.ensure(path, {"metadata": {"name": "s3-keys"}, "stringData": keys})
    target = targets.add(
        "stored",
        store="s3://runs/hpc",
        store_options={"endpoint_url": s3.endpoint},
        env_from_secrets=["s3-keys"],
        image=kubernetes.image_with_packages,
    )
    data = bytearray(b"0123456789abcdef" * (SIZE >> 4))
    job = submit(f"{REVERSED}\nprint('over')", target, {"data": data})
    assert job.wait(SLOW_S), job
    assert (job.state, job.logs()) == (JobState.COMPLETED, "over\n"), job
    assert job.result()["y"] == data[::-1]
    left = [p for p in (s3.folder / "runs").rglob("*") if p.is_file() and job.id in str(p)]
    assert left == []  # what was fetched is removed
    admin("DELETE", f"{path}/s3-keys")
