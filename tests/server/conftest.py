"""A real Jupyter server with our extension, for these tests alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.practice.slurm_conf import free_ports
from tests.conftest import Sandbox
from tests.faults.conftest import cluster  # noqa: F401 a fixture
from tests.server.described import check

BASE = "/hub/user/ann"  # as a JupyterHub gives each user
TOKEN = "t" * 48


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Server:
    """The server's address, and requests to it as a client with the token makes them."""

    url: str
    process: subprocess.Popen[bytes]

    def ask(self, path: str, method: str = "GET", body: Any = None, token: str | None = TOKEN) -> Answer:
        """Return the answer, which is as the description has it."""
        answer = self._ask(path, method, body, token)
        check(method, path, answer.status, answer.body, body)
        return answer

    def _ask(self, path: str, method: str, body: Any, token: str | None) -> Answer:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"token {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return Answer(reply.status, _read(reply), dict(reply.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _read(error), dict(error.headers))

    def hpc(self, path: str, *arguments: Any, **named: Any) -> Answer:
        return self.ask(f"/jupyter-hpc{path}", *arguments, **named)


def _read(reply: Any) -> Any:
    data = reply.read()
    if "json" in reply.headers.get("Content-Type", ""):
        return json.loads(data)
    return data


@pytest.fixture(scope="session")
def server(cluster: Path, sandbox: Sandbox) -> Iterator[Server]:  # noqa: F811
    with started(cluster / "server") as found:
        yield found


@contextmanager
def started(folder: Path, *, path: str = "", extra: str = "") -> Iterator[Server]:
    """A server which finds commands first in ``path``, with an extra piece of configuration."""
    [port] = free_ports("127.0.0.1", 1)
    folder.mkdir()
    config = folder / "server_config.py"
    config.write_text(f"c.ServerApp.jpserver_extensions = {{'jupyter_hpc.server': True}}\n{extra}")
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--config={config}"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.base_url={BASE}"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"),
        "--ServerApp.allow_unauthenticated_access=False",
    ]
    log = (folder / "server.log").open("wb")
    environment = {**os.environ, "PATH": os.pathsep.join(filter(None, (path, os.environ["PATH"])))}
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
    found = Server(f"http://127.0.0.1:{port}{BASE}", process)
    try:
        _wait(found, folder / "server.log")
        yield found
    finally:
        process.terminate()
        process.wait(120)
        log.close()


def _wait(server: Server, log: Path) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            if server.ask("/api").status == 200:
                return
        except OSError:
            pass
        assert server.process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)
