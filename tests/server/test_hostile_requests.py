"""Whatever a client sends, or a run directory holds, is answered with a sentence, and soon."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jupyter_hpc.jobs.job import Job
from tests.faults.road import submit
from tests.server.conftest import TOKEN, Server

DEEP = b'{"resources":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BODIES = {
    "deep lists": DEEP,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a deep list alone": b"[" * 100_000,
    "invalid UTF-8": b'{"target": "\xff\xfe"}',
    "UTF-16": json.dumps({"target": "local"}).encode("utf-16"),
    "half a character": b'{"target": "\\ud800"}',
    "NUL": b'{"target": "\\u0000"}',
    "a NUL alone": b"\0",
    "a number of a million digits": b'{"resources": {"cpus": ' + b"9" * 1_000_000 + b"}}",
    "infinity": b'{"resources": {"cpus": Infinity}}',
    "no number": b'{"resources": {"memory": NaN}}',
    "1e999": b'{"resources": {"cpus": 1e999}}',
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"7",
    "null": b"null",
    "resources of another type": b'{"resources": 7}',
    "a resource of another type": b'{"resources": {"cpus": {"a": [1]}}}',
    "a resource that is a list": b'{"resources": {"memory": [1, 2]}}',
    "a resource that is null": b'{"resources": {"cpus": null}}',
    "a target of another type": b'{"target": {"a": 1}}',
    "a target that is none": b'{"target": "nowhere"}',
    "an unknown field": b'{"nothing": 1}',
    "a long target": b'{"target": "' + b"x" * 1_000_000 + b'"}',
    "a separator": '{"resources": {"partition\u2028": "\u202e"}}'.encode(),
}


def raw(server: Server, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Ask with a body of any bytes; an answer that takes longer than a while fails."""
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(server.url + path, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def sentence(status: int, body: bytes) -> str:
    assert 400 <= status < 500, (status, body[:500])
    message = json.loads(body)["message"]
    assert " " in message and message.endswith(".") and "Traceback" not in message, message
    assert len(message) < 2000
    return str(message)


@pytest.fixture(scope="module")
def done(server: Server) -> Job:
    job = submit("print('line')\nx = 1", "local")
    assert job.wait(120)
    return job


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_request(server: Server, done: Job, body: bytes) -> None:
    sentence(*raw(server, "POST", f"/jupyter-hpc/jobs/{done.id}/resubmit", body))


QUERIES = [
    "limit=9" + "9" * 5000,
    "limit=-1",
    "limit=1e3",
    "limit=%00",
    "limit=%FF",
    "limit=0x10",
    "limit=1_0",
    "limit=%D9%A1",  # a digit of another script
    "limit=%2B5",
    "offset=" + "9" * 400,
    "group=%00",
    "group=%ff%fe",
    "by=%00",
    "text=%FF%FE",
    "text=%00",
    "state=%ED%A0%80",
    "notebook=%C0%AF",
    "target=%00",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_is_none(server: Server, query: str) -> None:
    sentence(*raw(server, "GET", f"/jupyter-hpc/jobs?{query}"))


@pytest.mark.parametrize(
    "query", ["log?offset=9" + "9" * 5000, "log?limit=0", "log?which=%00", "log/search?text=%FF", "log/search?text=%00"]
)
def test_a_log_asked_for_by_nonsense(server: Server, done: Job, query: str) -> None:
    sentence(*raw(server, "GET", f"/jupyter-hpc/jobs/{done.id}/{query}"))


@pytest.mark.parametrize(
    "path", ["/jobs/%00", "/jobs/%FF", "/jobs/20260101-000000-%00", "/targets/%00", "/targets/%FF%FE", "/jobs/a~%FF"]
)
def test_a_path_that_is_none(server: Server, path: str) -> None:
    status, _ = raw(server, "GET", f"/jupyter-hpc{path}")
    assert 400 <= status < 500


@pytest.mark.parametrize("number", ["١", "²", "٣٤"])
def test_an_id_has_digits_of_ours_alone(server: Server, number: str) -> None:
    from urllib.parse import quote

    status, _ = raw(server, "GET", f"/jupyter-hpc/jobs/{quote('2026010' + number)}-000000-abcdef")
    assert status == 404


@pytest.fixture(params=["fifo", "directory", "socket", "link to a device"])
def odd(request: pytest.FixtureRequest, server: Server) -> Iterator[Job]:
    """A job whose logs are no files."""
    job = submit("print('line')\nx = 1", "local")
    assert job.wait(120)
    opened = []
    for path in (job.run.log, job.run.scheduler_log):
        path.unlink(missing_ok=True)
        opened.append(_put(path, request.param))
    yield job
    for each in filter(None, opened):
        each.close()
    for path in (job.run.log, job.run.scheduler_log):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def _put(path: Path, kind: str) -> socket.socket | None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "socket":
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(path))
        return bound
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "link to itself":
        path.symlink_to(path)
    return None


@pytest.mark.parametrize("route", ["log", "log/search?text=x", "log/file"])
@pytest.mark.parametrize("which", ["cell", "scheduler"])
def test_a_log_that_is_no_file(server: Server, odd: Job, route: str, which: str) -> None:
    path = f"/jupyter-hpc/jobs/{odd.id}/{route}{'&' if '?' in route else '?'}which={which}"
    assert "The log" in sentence(*raw(server, "GET", path))


@pytest.mark.parametrize("route", ["log", "log/search?text=x", "log/file"])
def test_a_log_that_is_a_link_to_itself(server: Server, route: str) -> None:
    job = submit("x = 1", "local")
    assert job.wait(120)
    job.run.log.unlink(missing_ok=True)
    _put(job.run.log, "link to itself")
    assert "symbolic links" in sentence(*raw(server, "GET", f"/jupyter-hpc/jobs/{job.id}/{route}"))
    job.run.log.unlink()


@pytest.mark.parametrize("route", ["", "/record", "/script", "/lineage"])
def test_the_rest_of_a_job_whose_log_is_no_file(server: Server, odd: Job, route: str) -> None:
    answer = server.hpc(f"/jobs/{odd.id}{route}")
    assert answer.status == 200
    assert server.hpc("/jobs?limit=500").status == 200


@pytest.mark.parametrize("kind", ["fifo", "directory", "link to a device"])
def test_a_script_that_is_no_file(server: Server, kind: str) -> None:
    job = submit("print('line')\nx = 1", "local")
    assert job.wait(120)
    path = job.run.path / "job.sh"
    path.unlink()
    _put(path, kind)
    sentence(*raw(server, "GET", f"/jupyter-hpc/jobs/{job.id}/script"))
    path.rmdir() if kind == "directory" else path.unlink()


def test_a_request_line_of_any_bytes(server: Server) -> None:
    """As no library sends it."""
    place = urlsplit(server.url)
    assert place.hostname and place.port
    for target in (b"/jupyter-hpc/jobs?text=\xff\xfe", b"/jupyter-hpc/jobs?limit=\xd9\xa1", b"/jupyter-hpc/jobs/\xff"):
        with socket.create_connection((place.hostname, place.port), timeout=120) as connection:
            request = b"GET " + place.path.encode() + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            connection.sendall(request + f"Authorization: token {TOKEN}\r\n\r\n".encode())
            status = int(connection.makefile("rb").readline().split()[1])
        assert 400 <= status < 500, target
