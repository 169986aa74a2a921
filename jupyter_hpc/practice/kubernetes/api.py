"""Just enough of a client to start a cluster: JSON over HTTPS with a token. Tests use the real client."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Api:
    """The API server, as one user sees it."""

    url: str
    certificate: Path
    token: str

    def call(self, method: str, path: str, body: object = None, *, kind: str = "application/json") -> Any:
        """Send one request; text bodies travel as they are, everything else as JSON.

        Raises
        ------
        OSError
            When the server can't be reached, or refuses: urllib.error.HTTPError is one.
        """
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        request = urllib.request.Request(self.url + path, data, method=method)  # noqa: S310 - https
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", kind)
        trusted = ssl.create_default_context(cafile=str(self.certificate))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
        )
        with opener.open(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text[:1] == b"{" else text.decode()

    def ready(self) -> bool:
        """Whether the server says that it can do everything."""
        try:
            return bool(self.call("GET", "/readyz") == "ok")
        except OSError:
            return False

    def exists(self, path: str) -> bool:
        """Whether the server knows an object."""
        try:
            self.call("GET", path)
        except OSError:
            return False
        return True

    def node(self, name: str) -> dict[str, Any]:
        """A node, or nothing while it isn't registered."""
        try:
            return dict(self.call("GET", f"/api/v1/nodes/{name}"))
        except OSError:
            return {}

    def node_ready(self, name: str, gpus: int = 0) -> bool:
        """Whether a node is Ready and offers its GPUs."""
        status = self.node(name).get("status", {})
        ready = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
        offered = int(status.get("allocatable", {}).get("nvidia.com/gpu", 0))
        return ready.get("Ready") == "True" and offered >= gpus
