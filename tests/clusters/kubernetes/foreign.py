"""A user without rights on a cluster that isn't ours: a service account, and a kubeconfig with a token of its."""

from __future__ import annotations

import json
import shutil
from pathlib import Path


def service_account(kubeconfig: Path, name: str, namespace: str, folder: Path) -> Path:
    """Make the account unless it is there, and write a kubeconfig for it into a folder.

    Parameters
    ----------
    kubeconfig : Path
        Of somebody who may do that.
    name, namespace : str
        What it is called, and where.
    folder : Path
        Gets the kubeconfig, and a copy of the cluster's certificate.
    """
    from kubernetes import client, config

    configuration = client.Configuration()
    config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    core = client.CoreV1Api(client.ApiClient(configuration))
    try:
        core.create_namespaced_service_account(namespace, {"metadata": {"name": name}})
    except client.ApiException as error:
        if error.status != 409:
            raise
    asked = {"spec": {"expirationSeconds": 24 * 3600}}
    token = core.create_namespaced_service_account_token(name, namespace, asked).status.token
    cluster = {"server": configuration.host, "insecure-skip-tls-verify": not configuration.verify_ssl}
    if configuration.ssl_ca_cert:  # a temporary file, if it stood in the kubeconfig itself
        cluster["certificate-authority"] = shutil.copyfile(configuration.ssl_ca_cert, str(folder / "ca.crt"))
    described = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": name, "namespace": namespace}}],
        "current-context": "tests",
    }
    written = folder / f"{name}.kubeconfig"
    written.touch(mode=0o600)
    written.write_text(json.dumps(described), encoding="ascii")
    return written
