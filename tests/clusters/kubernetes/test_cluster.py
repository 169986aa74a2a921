"""The Kubernetes of our own: it is a real one, it can be broken and mended, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError

import pytest

from jupyter_hpc.practice import kubernetes as practice
from jupyter_hpc.practice.kubernetes import keeper
from jupyter_hpc.practice.kubernetes.api import Api
from jupyter_hpc.practice.kubernetes.processes import Machine

from . import pods
from .fixtures import Kubernetes

_IN_CLUSTER = """
import json, os, ssl, urllib.request
folder = "/var/run/secrets/kubernetes.io/serviceaccount"
trusted = ssl.create_default_context(cafile=f"{folder}/ca.crt")
request = urllib.request.Request(f"https://{os.environ['KUBERNETES_SERVICE_HOST']}/version")
request.add_header("Authorization", "Bearer " + open(f"{folder}/token").read())
print(json.load(urllib.request.urlopen(request, context=trusted))["gitVersion"])
"""


@pytest.fixture
def api(kubernetes: Kubernetes) -> Api:
    return kubernetes.own.control_plane.api()


def test_an_image_has_this_python_and_no_numpy(kubernetes: Kubernetes, api: Api) -> None:
    code = (
        "import sys, importlib.util as u; print(sys.version_info[:3], u.find_spec('numpy'), u.find_spec('cloudpickle'))"
    )
    said = pods.output(api, "bare", kubernetes.image, ["python3", "-c", code])
    assert said.strip() == f"{sys.version_info[:3]} None None"


def test_the_other_image_computes_with_numpy(kubernetes: Kubernetes, api: Api) -> None:
    import numpy

    code = "import numpy, pandas, cloudpickle, matplotlib.pyplot; print(numpy.__version__, int(numpy.arange(5).sum()))"
    said = pods.output(api, "packages", kubernetes.image_with_packages, ["python3", "-c", code])
    assert said.strip() == f"{numpy.__version__} 10"


def test_a_pod_gets_the_gpus_that_it_asked_for(kubernetes: Kubernetes, api: Api) -> None:
    command = ["sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES"]
    limits = {"limits": {"nvidia.com/gpu": "2"}}
    assert set(pods.output(api, "two", kubernetes.image, command, resources=limits).strip().split(",")) == {
        "GPU-0",
        "GPU-1",
    }


def test_more_gpus_than_there_are_wait(kubernetes: Kubernetes, api: Api) -> None:
    pods.create(api, "three", kubernetes.image, ["true"], resources={"limits": {"nvidia.com/gpu": "3"}})
    try:
        pods.wait(lambda: bool(pods.get(api, "three")["status"].get("conditions")), "the scheduler has looked")
        (condition,) = pods.get(api, "three")["status"]["conditions"]
        assert condition["reason"] == "Unschedulable"
        nodes = len(kubernetes.own.nodes)  # an earlier test may have added one
        assert f"{nodes} Insufficient nvidia.com/gpu" in condition["message"]
    finally:
        pods.delete(api, "three")


def test_in_cluster_configuration_works(kubernetes: Kubernetes, api: Api) -> None:
    assert pods.output(api, "inside", kubernetes.image, ["python3", "-c", _IN_CLUSTER]).startswith("v1.")


def test_a_user_has_no_rights_of_her_own(kubernetes: Kubernetes) -> None:
    with pytest.raises(HTTPError, match="403"):
        kubernetes.own.control_plane.api("alice").call("GET", pods.PODS)


def test_a_user_can_be_made_on_a_cluster_of_others(kubernetes: Kubernetes, tmp_path: Path) -> None:
    import kubernetes as client

    foreign = replace(kubernetes, practice=None, folder=tmp_path)
    kubeconfig, subject = foreign.user("carol")
    assert subject == {"kind": "ServiceAccount", "name": "carol", "namespace": "default"}
    found = client.config.new_client_from_config(str(kubeconfig))
    with pytest.raises(client.client.ApiException, match="system:serviceaccount:default:carol"):
        client.client.CoreV1Api(found).list_namespaced_pod("default")


def test_the_api_server_killed_and_started_again(kubernetes: Kubernetes, api: Api) -> None:
    pods.create(api, "through", kubernetes.image, ["sleep", "600"])
    pods.wait(lambda: pods.phase(api, "through") == "Running", "the pod runs")
    kubernetes.own.kill("kube-apiserver")
    assert not api.ready()
    kubernetes.own.start("kube-apiserver")
    kubernetes.own.wait_ready()
    assert pods.phase(api, "through") == "Running"
    pods.delete(api, "through")


def test_a_pod_outlives_the_kubelet(kubernetes: Kubernetes, api: Api) -> None:
    pods.create(api, "lasting", kubernetes.image, ["sleep", "600"])
    pods.wait(lambda: pods.phase(api, "lasting") == "Running", "the pod runs")
    before = pods.get(api, "lasting")["status"]["containerStatuses"][0]["containerID"]
    kubernetes.own.kill("kubelet-node1")
    kubernetes.own.start("kubelet-node1")
    kubernetes.own.wait_ready()
    limits = {"limits": {"nvidia.com/gpu": "1"}}  # the plugin has registered again
    assert pods.output(api, "after", kubernetes.image, ["true"], resources=limits) == ""
    assert pods.get(api, "lasting")["status"]["containerStatuses"][0]["containerID"] == before
    pods.delete(api, "lasting")


def test_pods_of_two_nodes_talk_and_one_is_evicted(two_nodes: Kubernetes, api: Api) -> None:
    serve = ["sh", "-c", "echo hello > index.html && exec httpd -f -p 8000"]
    pods.create(api, "server", two_nodes.image, serve, nodeName="node2", terminationGracePeriodSeconds=1)
    pods.wait(lambda: pods.phase(api, "server") == "Running", "the server runs")
    address = pods.get(api, "server")["status"]["podIP"]
    fetch = ["sh", "-c", f"until wget -q -O - http://{address}:8000; do sleep 0.1; done"]
    assert pods.output(api, "client", two_nodes.image, fetch, nodeName="node1") == "hello\n"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "server"}}
    api.call("POST", f"{pods.PODS}/server/eviction", eviction)
    pods.wait(lambda: not api.exists(f"{pods.PODS}/server"), "the server is evicted")


@pytest.mark.campaign
def test_a_lost_node_is_noticed_and_comes_back(two_nodes: Kubernetes, api: Api) -> None:
    toleration = {
        "key": "node.kubernetes.io/unreachable",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 1,
    }
    pods.create(api, "lost", two_nodes.image, ["sleep", "600"], nodeName="node2", tolerations=[toleration])
    pods.wait(lambda: pods.phase(api, "lost") == "Running", "the pod runs")
    two_nodes.own.kill("kubelet-node2")
    try:
        pods.wait(lambda: not api.node_ready("node2"), "the node is not Ready")
        pods.wait(lambda: "deletionTimestamp" in pods.get(api, "lost")["metadata"], "the pod is to go")
    finally:
        two_nodes.own.start("kubelet-node2")
    two_nodes.own.wait_ready()
    pods.wait(lambda: not api.exists(f"{pods.PODS}/lost"), "the node that is back has ended the pod")


def _traces(directory: Path) -> dict[str, object]:
    """What a cluster might leave on the machine."""
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    machine = Machine.find(directory / "state")
    groups = {path.name for root in keeper.hierarchies() for path in root.glob("jupyter_hpc-*")}
    own = {name for name in groups if keeper.start_time(int(name.split("-")[1])) is None}
    return {
        "mounts": [line for line in mounts if str(directory) in line],
        "groups of keepers that are gone": own,
        "machine": machine,
        "state": (directory / "state").exists(),
    }


_NOTHING = {"mounts": [], "groups of keepers that are gone": set(), "machine": None, "state": False}


@pytest.fixture
def cluster(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> practice.Cluster:
    """A second cluster beside the first, with a container that runs."""
    directory = Path("/tmp") / f"jk{os.getpid()}"
    directory.mkdir()
    made = practice.up(directory, gpus=(0,), owner=os.getpid())
    pods.create(made.control_plane.api(), "running", kubernetes.image, ["sleep", "600"])
    pods.wait(lambda: pods.phase(made.control_plane.api(), "running") == "Running", "the pod runs")
    yield made
    practice.down(directory)
    subprocess.run(["rm", "-rf", str(directory)], check=True)


def test_down_leaves_nothing_behind(cluster: practice.Cluster) -> None:
    interface = f"/sys/class/net/hpc-k8s{cluster.network.number}"
    assert Path(interface).exists()
    assert practice.down(cluster.directory)
    assert _traces(cluster.directory) == _NOTHING
    pods.wait(lambda: not Path(interface).exists(), "the interface is gone")


@pytest.mark.campaign
def test_a_killed_keeper_takes_all_along_and_the_next_start_cleans_up(cluster: practice.Cluster) -> None:
    os.kill(cluster.machine.keeper, signal.SIGKILL)
    pods.wait(lambda: keeper.start_time(cluster.machine.first) is None, "the namespace is gone")
    assert not practice.status(cluster.directory).running
    again = practice.up(cluster.directory, gpus=(0,), owner=os.getpid())
    assert again.control_plane.api().node_ready("node1")
    assert not again.control_plane.api().exists(f"{pods.PODS}/running")
    practice.down(cluster.directory)
    assert _traces(cluster.directory) == _NOTHING


@pytest.mark.campaign
def test_a_cluster_ends_with_the_process_that_it_is_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("k")
    (directory / "state").mkdir()
    owner = subprocess.Popen(["sleep", "600"])
    machine = Machine.create(directory / "state", owner.pid)
    machine.start("sleeper", ["sleep", "600"])
    keeper.make_cgroup(f"{machine.cgroup}/node1")
    owner.kill()
    owner.wait()
    pods.wait(lambda: keeper.start_time(machine.keeper) is None, "the keeper has ended")
    assert _traces(directory) == _NOTHING


@pytest.mark.campaign
def test_the_command_line_starts_one_and_ends_it(
    tmp_path_factory: pytest.TempPathFactory, kubernetes: Kubernetes
) -> None:
    home = Path(f"/tmp/jkc{os.getpid()}")  # short: sockets lie below it
    home.mkdir()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    own = {"JUPYTER_HPC_PRACTICE_DIR": str(home / "p"), "HOME": str(home), "XDG_CACHE_HOME": cache}
    environment = {**os.environ, **own}

    def practise(action: str) -> str:
        argv = [sys.executable, "-m", "jupyter_hpc.commands.cli", "practice", action, "--kubernetes"]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        assert "`%%k8s` cells run there now" in practise("up")
        assert practise("status").startswith("Kubernetes v1.")
        kubeconfig = home / "p-kubernetes" / "state" / "admin.kubeconfig"
        assert practise("env") == f"export KUBECONFIG={kubeconfig}\n"
    finally:
        assert practise("down") == "The practice Kubernetes is stopped.\n"
    assert _traces(home / "p-kubernetes") == _NOTHING
    subprocess.run(["rm", "-rf", str(home)], check=True)
