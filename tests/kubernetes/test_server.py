"""What an API server does besides answering: it forgets, it changes its mind about tokens, its policies refuse."""

from __future__ import annotations

import base64
import http.server
import json
import os
import ssl
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import jupyter_hpc
from jupyter_hpc.backends.kubernetes.client import ApiError, Client
from jupyter_hpc.follow.following import watcher_of
from jupyter_hpc.model.exceptions import JobCancelled, SubmissionError
from jupyter_hpc.model.states import JobState
from jupyter_hpc.runtime import portal
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.faults.road import submit, until
from tests.kubernetes.access import NAMESPACE, Admin, bind
from tests.kubernetes.conftest import Gate, Targets
from tests.kubernetes.test_troubles import came_whole, is_ready

SLOW_S = 180
GUARDED = "guarded"
REGISTRATION = "/apis/admissionregistration.k8s.io/v1"


# -- it forgets ----------------------------------------------------------------------------------


def test_a_watch_that_has_expired_is_begun_anew(
    gate: Gate, targets: Targets, kubernetes: Kubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server answers 410 to whoever wants to go on from what was before its start."""
    kubernetes.own.kill("kube-apiserver")
    kubernetes.own.start("kube-apiserver")
    kubernetes.own.wait_ready()
    lines = Client.lines
    begun: list[str] = []
    errors: list[int] = []

    async def forgotten(self: Client, path: str, query: Any, silent_s: float) -> Any:
        is_watch = bool(query.get("watch")) and len(begun) < 2  # not by their errors: two may be begun at once
        if is_watch:
            begun.append(path)
            query = {**query, "resourceVersion": "1"}
        async for line in lines(self, path, query, silent_s):
            if is_watch:
                event = json.loads(line)
                assert event["type"] == "ERROR"
                errors.append(event["object"]["code"])
            yield line

    monkeypatch.setattr(Client, "lines", forgotten)
    target = targets.add("forgetful", **gate.settings)
    job = is_ready(submit(gate.cell(), target))
    gate.open()
    came_whole(job)
    assert errors == [410, 410]
    assert portal.call(watcher_of(target)).backend is not None


# -- what others have in it ----------------------------------------------------------------------


@pytest.mark.campaign
def test_the_jobs_of_others_are_listed_and_ours_are_not(
    gate: Gate, targets: Targets, kubernetes: Kubernetes, admin: Admin
) -> None:
    target = targets.add("shared", **gate.settings)
    ours = is_ready(submit(gate.cell(), target))
    container = {"name": "c", "image": kubernetes.image, "command": ["sleep", "600"]}
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
    spec = {"activeDeadlineSeconds": 900, "template": {"spec": pod}}
    admin("POST", path, {"metadata": {"name": "by-hand"}, "spec": spec})
    backend = portal.call(watcher_of(target)).backend

    def listed() -> dict[str, Any]:
        return {job.native_id: job for job in portal.call(backend.foreign_jobs(), 30)}

    try:
        name = f"{NAMESPACE}/by-hand"
        runs = until(
            lambda: (job := listed().get(name)) and job.seen.state is JobState.RUNNING and job,
            "it runs",
            SLOW_S,
        )
        assert (runs.name, runs.time_limit_s, runs.gpus) == ("by-hand", 900, 0)
        assert runs.ends_with == f"kubectl delete job -n {NAMESPACE} by-hand"
        assert ours.native_id not in listed()
    finally:
        admin("DELETE", f"{path}/by-hand", query={"propagationPolicy": "Background"})
    until(lambda: name not in listed(), "it is gone from the list", SLOW_S)
    gate.open()
    came_whole(ours)


# -- who one is ----------------------------------------------------------------------------------


class Account:
    """A service account with the documented Role, and tokens of its that can be taken back."""

    def __init__(self, admin: Admin, name: str) -> None:
        self._admin = admin
        self.name = name
        admin.ensure(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": name}})
        bind(admin, f"system:serviceaccount:{NAMESPACE}:{name}", binding=name)
        self._secrets = f"/api/v1/namespaces/{NAMESPACE}/secrets"

    def token(self) -> tuple[str, Callable[[], Any]]:
        """Return a token, and what makes it worthless."""
        name = f"token-{uuid.uuid4().hex[:8]}"
        secret = self._admin("POST", self._secrets, {"metadata": {"name": name}})
        bound = {"kind": "Secret", "apiVersion": "v1", "name": name, "uid": secret["metadata"]["uid"]}
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{self.name}/token"
        made = self._admin("POST", path, {"spec": {"boundObjectRef": bound}})
        return made["status"]["token"], lambda: self._admin("DELETE", f"{self._secrets}/{name}")


def test_a_token_that_expires_in_mid_run_is_said_and_a_new_one_taken(
    gate: Gate, targets: Targets, admin: Admin, tmp_path: Path
) -> None:
    account = Account(admin, "carol")
    described = json.loads(Path(targets.settings["kubeconfig"]).read_text())
    config = tmp_path / "config"

    def log_in() -> Callable[[], Any]:
        token, revoke = account.token()
        described["users"][0]["user"] = {"token": token}
        config.write_text(json.dumps(described))
        return revoke

    revoke = log_in()
    job = is_ready(submit(gate.cell(), targets.add("expiring", kubeconfig=str(config), **gate.settings)))
    revoke()
    until(lambda: "doesn't know who you are" in job.reason, f"the panel says so: {job}", SLOW_S)
    assert not job.state.is_final
    log_in()
    gate.open()
    came_whole(job)


_INSIDE = """
import jupyter_hpc
job = jupyter_hpc.submit(pow, 2, 10, on="k8s")
print(job.result(150), job.run.record_or_none()["native_id"])
"""


def test_a_kernel_in_a_pod_uses_its_service_account(
    targets: Targets, kubernetes: Kubernetes, admin: Admin, tmp_path: Path
) -> None:
    assert kubernetes.own
    account = Account(admin, "inside")
    tmp_path.chmod(0o755)
    settings = {"backend": "kubernetes", "image": kubernetes.image}
    (tmp_path / "jupyter_hpc_config.json").write_text(json.dumps({"JupyterHPC": {"targets": {"k8s": settings}}}))
    repository = str(Path(jupyter_hpc.__file__).parents[1])
    folders = [repository, *(path for path in sys.path if path.endswith("site-packages"))]
    places = [(folder, folder) for folder in folders] + [(str(tmp_path), "/config")]
    variables = {
        "PYTHONPATH": os.pathsep.join(folders),
        "JUPYTER_CONFIG_DIR": "/config",
        "JUPYTER_HPC_ROOT": "/tmp/root",
        "HOME": "/tmp",
        "USER": "inside",
    }
    container = {
        "name": "kernel",
        "image": kubernetes.image,
        "command": ["python3", "-B", "-c", _INSIDE],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "volumeMounts": [
            {"name": f"v{i}", "mountPath": there, "readOnly": True} for i, (_, there) in enumerate(places)
        ],
    }
    spec = {
        "serviceAccountName": account.name,
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": f"v{i}", "hostPath": {"path": here}} for i, (here, _) in enumerate(places)],
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/pods"
    admin("POST", path, {"metadata": {"name": "notebook"}, "spec": spec})
    try:
        until(
            lambda: admin("GET", f"{path}/notebook")["status"]["phase"] in ("Succeeded", "Failed"),
            "it ends",
            SLOW_S,
        )
        said = portal.call(_log(targets, "notebook"), 30)
        assert said.splitlines()[-1].startswith(f"1024 {NAMESPACE}/jupyter-hpc-"), said
    finally:
        admin("DELETE", f"{path}/notebook", query={"gracePeriodSeconds": 0})


async def _log(targets: Targets, pod: str) -> str:
    client = Client(targets.settings)
    try:
        found = [line async for line in client.lines(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/log", {}, 20)]
        return b"\n".join(found).decode()
    finally:
        await client.close()


# -- its policies --------------------------------------------------------------------------------


class _Refuser(http.server.BaseHTTPRequestHandler):
    """An admission webhook that refuses."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        response = {
            "uid": asked["uid"],
            "allowed": False,
            "status": {"message": "no jobs on Fridays", "code": 403},
        }
        answer = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def guarded(targets: Targets, admin: Admin) -> str:
    """A target in a namespace that policies are for."""
    admin.ensure(
        "/api/v1/namespaces",
        {"metadata": {"name": GUARDED, "labels": {"kubernetes.io/metadata.name": GUARDED}}},
    )
    bind(admin, "alice", namespace=GUARDED)
    return targets.add(GUARDED, namespace=GUARDED)


_SELECTOR = {"matchLabels": {"kubernetes.io/metadata.name": GUARDED}}


@pytest.fixture
def webhook(kubernetes: Kubernetes, guarded: str, admin: Admin) -> Iterator[str]:
    """A webhook of the cluster's that refuses Jobs in that namespace."""
    own = kubernetes.own
    address, folder = own.network.outside, own.machine.folder
    own.machine.run(str(own.programs / "certificate"), str(folder / "webhook"), "webhook", address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "webhook.crt", folder / "webhook.key")
    server = http.server.ThreadingHTTPServer((address, 0), _Refuser)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    certificate = base64.b64encode((folder / "webhook.crt").read_bytes()).decode()
    rule = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
    hook = {
        "name": "fridays.example.org",
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": f"https://{address}:{server.server_port}/", "caBundle": certificate},
        "namespaceSelector": _SELECTOR,
        "failurePolicy": "Fail",
    }
    path = f"{REGISTRATION}/validatingwebhookconfigurations"
    admin("POST", path, {"metadata": {"name": "fridays"}, "webhooks": [hook]})
    job = {"metadata": {"generateName": "try-"}, "spec": {"template": {"spec": _EMPTY_POD}}}
    _until_refused(admin, f"/apis/batch/v1/namespaces/{GUARDED}/jobs", job)
    yield "fridays"
    admin("DELETE", f"{path}/fridays")
    server.shutdown()
    server.server_close()
    thread.join()


_EMPTY_POD = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "localhost/none:1"}]}


def _until_refused(admin: Admin, path: str, body: dict[str, Any]) -> None:
    """Wait until the server's policies are in force."""

    def is_refused() -> bool:
        try:
            admin("POST", path, body, query={"dryRun": "All"})
        except ApiError as error:
            return "denied" in error.message
        return False

    until(is_refused, "the policy is in force", SLOW_S)


def test_an_admission_webhook_refuses_the_job(webhook: str, guarded: str) -> None:
    with pytest.raises(SubmissionError, match=r"policy refuses it: .*no jobs on Fridays") as caught:
        submit("x = 1", guarded)
    assert "--patch" in caught.value.hint


@pytest.fixture
def policy(kubernetes: Kubernetes, guarded: str, admin: Admin) -> Iterator[None]:
    """A policy of the cluster's that refuses pods in that namespace."""
    assert kubernetes.own
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "false", "message": "pods need an owner's label"}],
    }
    binding = {
        "policyName": "owners",
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": _SELECTOR},
    }
    kinds = {"validatingadmissionpolicies": spec, "validatingadmissionpolicybindings": binding}
    for kind, body in kinds.items():
        admin("POST", f"{REGISTRATION}/{kind}", {"metadata": {"name": "owners"}, "spec": body})
    pod = {"metadata": {"generateName": "try-"}, "spec": _EMPTY_POD}
    _until_refused(admin, f"/api/v1/namespaces/{GUARDED}/pods", pod)
    yield
    for kind in kinds:
        admin("DELETE", f"{REGISTRATION}/{kind}/owners")


def test_an_admission_policy_refuses_the_pod(policy: None, guarded: str) -> None:
    job = submit("x = 1", guarded)
    until(lambda: "policy refuses the pod" in job.reason, f"it says why it waits: {job}", SLOW_S)
    assert "pods need an owner's label" in job.reason
    job.cancel()
    assert job.wait(SLOW_S)
    assert type(job.outcome().error) is JobCancelled
