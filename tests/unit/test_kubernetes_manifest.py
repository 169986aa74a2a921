"""From a spec and settings to a Job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.kubernetes import KubernetesBackend, manifest
from jupyter_hpc.backends.kubernetes.merge import merged
from jupyter_hpc.model.exceptions import OptionError, TargetError
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.rundir.run import Run

RUN = Run(Path("/nowhere/runs/20261124-055301-3f9a1c"))


def job(spec: JobSpec | None = None, **settings: Any) -> dict[str, Any]:
    return manifest.job(RUN, spec or JobSpec(), settings, Path("/worker"))


def pod(spec: JobSpec | None = None, **settings: Any) -> dict[str, Any]:
    return job(spec, **settings)["spec"]["template"]["spec"]


def asked(resources: dict[str, object], **settings: Any) -> dict[str, Any]:
    return pod(JobSpec(Resources.parse(**resources)), **settings)["containers"][0]["resources"]


def test_a_job_runs_once_and_says_whose_it_is():
    made = job()
    assert made["spec"]["backoffLimit"] == 0
    assert made["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "jupyter-hpc"
    assert made["metadata"]["labels"] == made["spec"]["template"]["metadata"]["labels"]
    assert "suspend" not in made["spec"]


def test_memory_is_request_and_limit_and_cpus_are_a_request():
    found = asked({"cpus": 2, "memory": "4G", "tasks": 3})
    assert found == {"requests": {"cpu": "6", "memory": str(4 << 30)}, "limits": {"memory": str(4 << 30)}}
    assert asked({"cpus": 2}, cpu_limit=True)["limits"] == {"cpu": "2"}


def test_nothing_asked_is_nothing_written():
    assert asked({}) == {"requests": {}, "limits": {}}


def test_gpus_are_the_targets_resource():
    assert asked({"gpus": 2})["limits"] == {"nvidia.com/gpu": "2"}
    assert asked({"gpus": 2}, gpu_resource="amd.com/gpu")["limits"] == {"amd.com/gpu": "2"}
    assert asked({"gpus_per_task": 2, "tasks": 3})["limits"] == {"nvidia.com/gpu": "6"}


def test_a_gpu_type_is_a_label_of_the_node():
    spec = JobSpec(Resources.parse(gpus="a100:2"))
    assert pod(spec)["nodeSelector"] == {"nvidia.com/gpu.product": "a100"}
    types = {"a100": "NVIDIA-A100-SXM4-40GB"}
    assert pod(spec, gpu_types=types)["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB"}


def test_a_gpu_type_can_be_a_resource_of_its_own():
    types = {"small": {"resource": "nvidia.com/mig-1g.5gb", "labels": {"pool": "mig"}}}
    found = pod(JobSpec(Resources.parse(gpus="small:1")), gpu_types=types)
    assert found["containers"][0]["resources"]["limits"] == {"nvidia.com/mig-1g.5gb": "1"}
    assert found["nodeSelector"] == {"pool": "mig"}


def test_the_deadline_leaves_time_to_start_and_to_fetch():
    assert pod(JobSpec(Resources.parse(time="10m")), result_hold=100)["activeDeadlineSeconds"] == 600 + 600 + 100
    assert "activeDeadlineSeconds" not in pod()


def test_the_targets_settings_reach_the_pod():
    found = pod(
        service_account="runner",
        image_pull_secrets=["registry"],
        priority_class="high",
        node_selector={"a": "b"},
        tolerations=[{"key": "gpu", "operator": "Exists"}],
        env_from_secrets=["tokens"],
        image="localhost/x:1",
        volumes=[{"persistentVolumeClaim": {"claimName": "data"}, "mountPath": "/data", "readOnly": True}],
    )
    cell = found["containers"][0]
    assert (found["serviceAccountName"], found["automountServiceAccountToken"]) == ("runner", True)
    assert found["imagePullSecrets"] == [{"name": "registry"}]
    assert (found["priorityClassName"], found["nodeSelector"]) == ("high", {"a": "b"})
    assert {"key": "gpu", "operator": "Exists"} in found["tolerations"]
    assert (cell["image"], cell["envFrom"]) == ("localhost/x:1", [{"secretRef": {"name": "tokens"}}])
    assert {"name": "volume-0", "mountPath": "/data", "readOnly": True} in cell["volumeMounts"]
    assert {"name": "volume-0", "persistentVolumeClaim": {"claimName": "data"}} in found["volumes"]


def test_no_token_of_the_cluster_is_in_the_pod_unless_asked_for():
    assert pod()["automountServiceAccountToken"] is False


def test_the_image_of_the_cell_comes_before_the_targets():
    assert pod(JobSpec(image="mine:2"), image="theirs:1")["containers"][0]["image"] == "mine:2"
    assert pod()["containers"][0]["image"] == manifest.default_image()


def test_a_queue_is_kueues_label_and_suspends():
    made = job(JobSpec(queue="team"))
    assert made["spec"]["suspend"] is True
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team"


def test_a_patch_merges_into_the_pod(tmp_path: Path):
    text = "{spec: {hostNetwork: true, containers: [{name: cell, env: [{name: A, value: b}]}]}}"
    found = pod(JobSpec(patch=text))
    assert found["hostNetwork"] is True
    assert [e["name"] for e in found["containers"][0]["env"]] == ["JUPYTER_HPC_NODE", "A"]
    file = tmp_path / "patch.yaml"
    file.write_text(text)
    assert pod(JobSpec(patch=str(file))) == found


@pytest.mark.parametrize("text", ["{spec: [", "just words", "{kind: Pod}", "nowhere.yaml", "[1]"])
def test_a_patch_that_is_none_is_refused(text: str):
    with pytest.raises(OptionError, match="--patch"):
        job(JobSpec(patch=text))


@pytest.mark.parametrize(
    ("spec", "option"),
    [
        (JobSpec(partition="gpu"), "--partition"),
        (JobSpec(account="a"), "--account"),
        (JobSpec(conda="env"), "--conda"),
        (JobSpec(modules=("gcc",)), "--module"),
        (JobSpec(Resources.parse(nodes=2)), "--nodes"),
        (JobSpec(Resources.parse(exclusive=True)), "--exclusive"),
    ],
)
def test_what_means_nothing_here_is_refused_by_name(spec: JobSpec, option: str):
    with pytest.raises(OptionError, match=f"^{option}") as caught:
        KubernetesBackend.check_supported(spec)
        job(spec)
    assert caught.value.hint


def test_a_volume_without_a_place_is_refused():
    with pytest.raises(OptionError, match="mountPath"):
        job(volumes=[{"emptyDir": {}}])


def test_what_could_be_lost_is_said_before():
    assert "is lost then" in manifest.notes(RUN, JobSpec(), {"result_hold": 60})[0]
    assert "1 min at most" in manifest.notes(RUN, JobSpec(), {"result_hold": 60})[0]
    assert "s3://b" in manifest.notes(RUN, JobSpec(), {"store": "s3://b"})[0]
    volume = {"hostPath": {"path": "/nowhere"}, "mountPath": "/nowhere", "shared": True}
    assert "shared volume" in manifest.notes(RUN, JobSpec(), {"volumes": [volume]})[0]


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(TargetError, match="'imgae'"):
        KubernetesBackend({"imgae": "x"})


def test_lists_of_named_things_merge_and_others_are_replaced():
    base = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "tolerations": [{"key": "x"}]}
    patch = {"containers": [{"name": "a", "tty": True}, {"name": "c"}], "tolerations": [{"key": "y"}]}
    assert merged(base, patch) == {
        "containers": [{"name": "a", "image": "1", "tty": True}, {"name": "b"}, {"name": "c"}],
        "tolerations": [{"key": "y"}],
    }


def test_directives_delete_and_replace():
    base = {"containers": [{"name": "a"}, {"name": "b"}], "selector": {"x": 1}, "gone": 1}
    patch = {
        "containers": [{"name": "a", "$patch": "delete"}],
        "selector": {"$patch": "replace", "y": 2},
        "gone": None,
    }
    assert merged(base, patch) == {"containers": [{"name": "b"}], "selector": {"y": 2}}
