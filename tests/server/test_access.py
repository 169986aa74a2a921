"""Who may do what: XSRF as Jupyter's, an authorizer's word on each verb; and what all may hear."""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_hpc.jobs.job import Job
from tests.faults.conftest import cluster  # noqa: F401 a fixture
from tests.faults.road import submit
from tests.server.conftest import TOKEN, Server, started

READS_ONLY = """
from jupyter_server.auth import Authorizer

class ReadsOnly(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "hpc" or action == "read"

c.ServerApp.authorizer_class = ReadsOnly
"""
CHANGED = "https://jupyter-hpc.readthedocs.io/events/changed/v1"


@pytest.fixture(scope="module")
def done(server: Server) -> Job:
    job = submit("x = 1")
    assert job.wait(120)
    return job


def test_a_cookie_alone_changes_nothing(server: Server, done: Job) -> None:
    """As from another site's page: the browser sends the cookie, and can't know the XSRF token."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with opener.open(f"{server.url}/api/status?token={TOKEN}", timeout=120):
        pass
    url = f"{server.url}/jupyter-hpc/jobs/{done.id}"
    with opener.open(url, timeout=120) as reply:
        assert json.load(reply)["id"] == done.id
    for path, method in (("", "DELETE"), ("/cancel", "POST"), ("/resubmit", "POST")):
        request = urllib.request.Request(url + path, data=b"{}", method=method)
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            opener.open(request, timeout=120)
        refused.value.close()
    assert done.run.path.is_dir()


@pytest.fixture(scope="module")
def restricted(cluster: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:  # noqa: F811
    folder = tmp_path_factory.mktemp("restricted")
    with started(folder / "server", extra=READS_ONLY) as found:
        yield found


def test_an_authorizer_decides_on_each_verb(restricted: Server, done: Job) -> None:
    assert restricted.hpc(f"/jobs/{done.id}").status == 200
    for path, method in (("", "DELETE"), ("/cancel", "POST"), ("/resubmit", "POST")):
        assert restricted.hpc(f"/jobs/{done.id}{path}", method=method, body={}).status == 403
    assert done.run.path.is_dir()


def test_a_change_is_told_on_the_event_bus(server: Server) -> None:
    async def heard() -> list[str]:
        url = f"ws{server.url.removeprefix('http')}/api/events/subscribe"
        request = HTTPRequest(url, headers={"Authorization": f"token {TOKEN}"})
        socket = await websocket_connect(request)
        await asyncio.to_thread(server.hpc, "/jobs")  # somebody watches
        job = await asyncio.to_thread(submit, "x = 1")
        told: list[str] = []
        while job.id not in told:
            event = json.loads(await asyncio.wait_for(socket.read_message(), 120))
            if event["schema_id"] == CHANGED:
                told += event["jobs"]
        socket.close()
        return told

    with ThreadPoolExecutor(1) as pool:  # the browser tests leave a loop in this thread
        assert pool.submit(lambda: asyncio.run(heard())).result(250)
