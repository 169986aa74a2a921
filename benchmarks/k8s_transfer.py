"""An array of 512 MiB into a pod and out of it, through the API server, beside ``kubectl cp``.

A: a cell that takes the array and brings it back, less the same cell with an empty one: pickling, both ways, and the
check of every byte at both ends. B: ``kubectl cp`` of a file of the same size into a pod that runs, and back; it checks
nothing. On one cluster: KUBECONFIG's with JUPYTER_HPC_TEST_IMAGE (which needs ``tar``, for B), else a practice
Kubernetes of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from k8s_noop import cluster, use

from jupyter_hpc.backends.kubernetes.client import Client
from jupyter_hpc.runtime import portal
from tests.clusters.kubernetes.components import KUBECTL

CELL = "y = data\ny.append(1)"


def cell(size: int) -> float:
    """Send so many bytes and take them back; return the seconds until they are here."""
    from jupyter_hpc.capture.cell.analysis import analyze
    from jupyter_hpc.capture.request import Request
    from jupyter_hpc.model.spec import JobSpec
    from jupyter_hpc.submission.send import submit_request

    names: dict[str, Any] = {"data": bytearray(os.urandom(1 << 20)) * (size >> 20)}
    request = Request(text=CELL, code=CELL, names=analyze(CELL, CELL), namespace=names)
    began = time.perf_counter()
    found = submit_request(request, "k8s", JobSpec()).result(300)
    took = time.perf_counter() - began
    if len(found["y"]) != size + 1 or found["y"][:-1] != names["data"]:
        raise RuntimeError("it came back changed")
    return took


def start_pod(client: Client, image: str) -> str:
    """Start a pod that waits, for kubectl to copy to."""
    container = {
        "name": "cell",
        "image": image,
        "command": ["python3", "-c", "import time; time.sleep(3600)"],
    }
    name, path = f"bench-{os.getpid()}", f"/api/v1/namespaces/{client.namespace}/pods"
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    portal.call(client.request("POST", path, {"metadata": {"name": name}, "spec": spec}), 30)
    while portal.call(client.request("GET", f"{path}/{name}"), 30)["status"].get("phase") != "Running":
        time.sleep(0.2)
    return name


def copy(settings: dict[str, str], pod: str, source: Path, target: Path) -> float:
    """Copy a file into the pod and back."""
    base = [str(KUBECTL.path()), "--kubeconfig", settings["kubeconfig"], "cp"]
    began = time.perf_counter()
    for words in ([str(source), f"{pod}:/tmp/file"], [f"{pod}:/tmp/file", str(target)]):
        subprocess.run([*base, *words], check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - began
    if target.stat().st_size != source.stat().st_size:
        raise RuntimeError("kubectl cp lost something")
    return took


def measure(settings: dict[str, str], size: int, rounds: int, folder: Path) -> None:
    client = use(settings, folder)
    pod = start_pod(client, settings["image"])
    source = folder / "source"
    source.write_bytes(os.urandom(1 << 20) * (size >> 20))
    cell(0)  # the first imports the client
    full, empty, copied = [], [], []
    for _ in range(rounds):
        empty.append(cell(0))
        full.append(cell(size))
        copied.append(copy(settings, pod, source, folder / "back"))
    path = f"/api/v1/namespaces/{client.namespace}/pods/{pod}"
    portal.call(client.request("DELETE", path), 30)
    portal.call(client.close(), 10)
    ours, theirs = statistics.median(full) - statistics.median(empty), statistics.median(copied)
    mib = 2 * size / 2**20
    print(
        f"%%k8s {ours:.1f} s = {mib / ours:.0f} MiB/s, kubectl cp {theirs:.1f} s = {mib / theirs:.0f} MiB/s, "
        f"ratio {ours / theirs:.2f}  ({size >> 20} MiB each way, medians of {rounds})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder: Any = tempfile.mkdtemp(prefix="jhb", dir="/tmp")
    try:
        with cluster() as settings:
            measure(settings, arguments.mib << 20, arguments.rounds, Path(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
