"""A no-op ``%%k8s`` cell against a bare pod of the same image, interleaved, on one cluster.

A: an IPython kernel's cell ``%%k8s`` / ``x = 1``; from the start of the cell until it is over, with ``x`` in the
kernel (panel and card included). B: a pod of ``python3 -c print(1)``, created by the same client; until the first
line of its log is here.

The cluster is KUBECONFIG's with JUPYTER_HPC_TEST_IMAGE, else a practice Kubernetes of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from noop import Kernel

from jupyter_hpc.backends.kubernetes.client import ApiError, Client
from jupyter_hpc.runtime import portal

STAGES = (
    ("capture, payload, record", "begin", "created"),
    ("Job and Secret", "created", "submitted"),
    ("until the worker starts", "submitted", "started"),
    ("worker", "started", "done"),
    ("notice, fetch, load, card", "done", "end"),
)


@contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """Return the settings of a target."""
    if os.environ.get("KUBECONFIG"):
        yield {"kubeconfig": os.environ["KUBECONFIG"], "image": os.environ["JUPYTER_HPC_TEST_IMAGE"]}
        return
    from jupyter_hpc.practice import kubernetes
    from jupyter_hpc.practice.kubernetes import images

    folder = Path(tempfile.mkdtemp(prefix="jk", dir="/tmp"))
    try:
        up = kubernetes.up(folder, owner=os.getpid())
        yield {"kubeconfig": str(up.kubeconfig()), "image": images.PYTHON}
    finally:
        kubernetes.down(folder)
        shutil.rmtree(folder, ignore_errors=True)


async def bare_pod(client: Client, image: str, number: int) -> float:
    """Create a pod and return the seconds until the first line of its log is here."""
    container = {"name": "cell", "image": image, "command": ["python3", "-c", "print(1)"]}
    spec = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    name = f"bare-{os.getpid()}-{number}"
    path = f"/api/v1/namespaces/{client.namespace}/pods"
    began = time.perf_counter()
    await client.request("POST", path, {"metadata": {"name": name}, "spec": spec})
    while True:
        try:
            async for line in client.lines(f"{path}/{name}/log", {"follow": "true"}, 60):
                took = time.perf_counter() - began
                if line != b"1":
                    raise RuntimeError(f"the pod said {line!r}")
                await client.request("DELETE", f"{path}/{name}")
                return took
        except ApiError as error:
            if error.status not in (400, 404):
                raise
        await asyncio.sleep(0.05)


def cell(kernel: Kernel) -> dict[str, float]:
    """Run the cell and return the times of its stages, in seconds since the epoch."""
    kernel.run("%%k8s\nx = 1\n")
    text = kernel.value("__import__('json').dumps([str(_hpc.run.path), _stamps, x])")
    path, stamps, _ = json.loads(text.strip("'"))
    record = json.loads(Path(path, "record.json").read_text())
    lines = Path(path, "events.jsonl").read_text().splitlines()
    events = {event["e"]: event["t"] for event in map(json.loads, lines)}
    return {
        **stamps,
        "created": record["created"],
        "submitted": record["submitted_at"],
        "started": events["started"],
        "done": events["done"],
    }


def use(settings: dict[str, str], folder: Path) -> Client:
    """Make the cluster this process's ``k8s`` target, with run directories in the folder; return a client of it."""
    target = {"backend": "kubernetes", **settings}
    (folder / "jupyter_hpc_config.json").write_text(json.dumps({"JupyterHPC": {"targets": {"k8s": target}}}))
    os.environ["JUPYTER_CONFIG_PATH"] = str(folder)
    os.environ["JUPYTER_HPC_ROOT"] = str(folder / "root")
    client = Client(settings)
    portal.call(client.connect(), 60)
    return client


def measure(settings: dict[str, str], pairs: int, folder: Path) -> None:
    client = use(settings, folder)
    kernel = Kernel()
    ours: list[dict[str, float]] = []
    bare: list[float] = []
    try:
        cell(kernel)  # the first imports the client
        portal.call(bare_pod(client, settings["image"], 0), 120)
        for number in range(1, pairs + 1):
            ours.append(cell(kernel))
            bare.append(portal.call(bare_pod(client, settings["image"], number), 120))
    finally:
        kernel.close()
        portal.call(client.close(), 10)
    report(ours, bare)


def report(ours: list[dict[str, float]], bare: list[float]) -> None:
    mine = [stamps["end"] - stamps["begin"] for stamps in ours]
    a, b = statistics.median(mine), statistics.median(bare)
    print(f"%%k8s cell {a:.2f} s, bare pod {b:.2f} s, ratio {a / b:.2f}  (medians of {len(bare)} pairs)")
    for name, begin, end in STAGES:
        print(f"  {name:28} {statistics.median(s[end] - s[begin] for s in ours) * 1000:7.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    arguments = parser.parse_args()
    folder: Any = tempfile.mkdtemp(prefix="jhb", dir="/tmp")
    try:
        with cluster() as settings:
            measure(settings, arguments.pairs, Path(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
