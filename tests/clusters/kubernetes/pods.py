"""Run a pod and look at it, with nothing but the API, for tests of the cluster itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.error import HTTPError

from jupyter_hpc.practice.kubernetes.api import Api

PODS = "/api/v1/namespaces/default/pods"


def create(api: Api, name: str, image: str, command: Sequence[str], **spec: Any) -> None:
    """Create a pod with one container, which runs once."""
    container = {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "command": list(command)}
    container |= {"resources": spec.pop("resources", {})}
    body = {"metadata": {"name": name}, "spec": {"restartPolicy": "Never", "containers": [container], **spec}}
    api.call("POST", PODS, body)


def get(api: Api, name: str) -> dict[str, Any]:
    return dict(api.call("GET", f"{PODS}/{name}"))


def phase(api: Api, name: str) -> str:
    return str(get(api, name)["status"]["phase"])


def delete(api: Api, name: str) -> None:
    """Remove a pod without any grace, and wait until it is gone."""
    try:
        api.call("DELETE", f"{PODS}/{name}?gracePeriodSeconds=0")
    except HTTPError as error:
        if error.code != 404:
            raise
    wait(lambda: not api.exists(f"{PODS}/{name}"), f"{name} is gone")


def output(api: Api, name: str, image: str, command: Sequence[str], **spec: Any) -> str:
    """Run a pod to its end and return what it printed."""
    create(api, name, image, command, **spec)
    wait(lambda: phase(api, name) in ("Succeeded", "Failed"), f"{name} ends")
    text = str(api.call("GET", f"{PODS}/{name}/log"))
    assert phase(api, name) == "Succeeded", text
    delete(api, name)
    return text


def wait(condition: Callable[[], bool], what: str, timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {timeout_s:g} s: {what}"
        time.sleep(0.1)
