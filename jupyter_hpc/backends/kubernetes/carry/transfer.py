"""Payload in and result out through exec: in pieces, checked, and resumed where a broken connection left them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from ....rundir.run import Run
from ....runtime import portal
from ....worker.digest import digest_file
from ...build import LINK
from ..client import Client, Exec, Unreachable
from ..manifest import BOOT, CONTAINER
from .archive import files as payload_files
from .archive import uv_of
from .tree import LocalFiles, ResultFiles

PIECE = 1 << 20


async def _start(client: Client, namespace: str, pod: Mapping[str, Any], python: str, *words: str) -> Exec:
    return await client.exec(namespace, pod["metadata"]["name"], CONTAINER, [python, "-c", BOOT, *words])


async def put(
    client: Client, namespace: str, pod: Mapping[str, Any], python: str, run: Run, what: str = "payload"
) -> bool:
    """Stream the payload, or uv, into a pod; return True when the pod has all of it.

    Raises
    ------
    ApiError, Unreachable
        If it can't be done now; a later call goes on from there.
    """
    uv = uv_of(run) if what == "uv" else None
    files = payload_files(run) if what == "payload" else {f"{LINK}/uv": uv} if uv else {}
    sources = {f"{i:05d}": item for i, item in enumerate(sorted(files.items()))}
    async with await _start(client, namespace, pod, python, "put", what) as there:
        answer = await _answer(there)
        if answer.get("busy"):
            return False
        digests = {
            key: asyncio.create_task(asyncio.to_thread(digest_file, str(path), "sha256"))
            for key, (_, path) in sources.items()
        }
        for key, (_, path) in sources.items():
            size = path.stat().st_size
            begin = int(answer["have"].get(key, 0))
            begin = begin if begin <= size else 0
            await there.send(json.dumps({"f": key, "o": begin, "n": size - begin}).encode() + b"\n")
            with open(path, "rb", buffering=0) as file:  # noqa: ASYNC230 a local file, a piece at a time
                file.seek(begin)
                while data := file.read(PIECE):
                    await there.send(data)
        wanted = {key: [name, await digests[key]] for key, (name, _) in sources.items()}
        await there.send(json.dumps({"verify": wanted}).encode() + b"\n")
        return not (await _answer(there))["bad"]


async def get(
    client: Client,
    namespace: str,
    pod: Mapping[str, Any],
    python: str,
    files: LocalFiles,
    result: ResultFiles | None = None,
    expected: Mapping[str, int] | None = None,
) -> None:
    """Fetch what is new in a pod's files, and the result if one is expected; tell the pod when it is here.

    Raises
    ------
    ApiError, Unreachable
        If it can't be done now; a later call goes on from there.
    """
    asked = {"offsets": files.offsets(), "result": result.offsets() if result is not None else None}
    async with await _start(client, namespace, pod, python, "get", json.dumps(asked)) as there:
        while "f" in (head := await _answer(there)):
            await _take_piece(there, head, files, result)
        if result is None:
            return
        with portal.last_words():  # with its result a process may end, and the pod would hold it for long
            if not await asyncio.to_thread(result.commit, head["done"]):
                raise Unreachable(f"The result of {pod['metadata']['name']} came damaged.")
            await there.send(b"ok\n")
            await there.line()


async def _take_piece(there: Exec, head: Mapping[str, Any], files: LocalFiles, result: ResultFiles | None) -> None:
    offset, left = int(head["o"]), int(head["n"])
    while left:
        data = await there.read(min(left, PIECE))
        if not data:
            raise Unreachable("The connection ended in the middle of a piece.")
        if head["f"].startswith("result/") and result is not None:
            result.place(head["f"], offset, data)
        else:
            files.place(head["f"], offset, data)
        offset, left = offset + len(data), left - len(data)


async def _answer(there: Exec) -> dict[str, Any]:
    line = await there.line()
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        said = there.errors.decode(errors="replace").strip() or line.decode(errors="replace") or "nothing"
        raise Unreachable(f"The pod answered {said[-300:]}") from None
    return found
