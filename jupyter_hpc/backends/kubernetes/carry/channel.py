"""One run's files, from its pod into its run directory.

What the pod tells comes through its container's log, piece by piece with file and offset, so a piece that comes
twice changes nothing, and one that is missing is noticed and fetched through exec. Several processes may do
this for one run at the same time: they write the same bytes to the same places.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import time
from collections.abc import Mapping
from typing import Any

from ....model.exceptions import HPCError
from ....rundir.run import Run
from ....rundir.unwritten import may_pass
from ....runtime import portal
from ....worker import depot
from ..client import ApiError, Client, Unreachable
from ..manifest import CONTAINER
from ..objects import condition, container_status, is_over, time_stamp
from ..observe import Namespace
from . import transfer
from .tree import LocalFiles, ResultFiles

LOG_S = 30.0  # how long the log of an ended pod may be out of reach: its kubelet may be starting
DISK_S = 2.0  # between two tries to write on a disk that takes nothing
SILENT_S = 20.0  # the carrier says something every five seconds
_LOGGER = logging.getLogger(__name__)


class Channel:
    """Follows the pods of one run until nothing more can come.

    Attributes
    ----------
    over : asyncio.Event
        Set when the run directory has all that there will be.
    """

    def __init__(
        self, client: Client, namespace: Namespace, run: Run, job_name: str, python: str, store: Any = None
    ) -> None:
        self._client = client
        self._namespace = namespace
        self.run = run
        self.job_name = job_name
        self._python = python
        self.store = store
        self.over = asyncio.Event()
        self.files = LocalFiles(run)
        self.pending: tuple[ResultFiles, Mapping[str, Any]] | None = None  # an end that another pod may undo
        self._finished: set[str] = set()
        self._putting: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        for task in (self._task, *self._putting.values()):
            task.cancel()

    async def _run(self) -> None:
        try:
            while (pod := await self._next_pod()) is not None:
                if self.pending is not None:
                    self.pending[0].discard()
                    self.pending = None
                await self._follow(pod)
                self._finished.add(pod["metadata"]["uid"])
            self._settle()
        except Exception:  # a border: an error of ours must not leave the job waiting for ever
            if not portal.is_ending():
                _LOGGER.warning("the files of %s can't be fetched", self.run.id, exc_info=True)
        finally:
            self.over.set()

    def _settle(self) -> None:
        """No other pod came: what the last one left is how it ended."""
        if self.pending is not None:
            result, frame = self.pending
            result.commit(frame.get("result") or {})
            self.files.write_json("end.json", frame["end"])

    def may_run_again(self, frame: Mapping[str, Any]) -> bool:
        """Whether Kubernetes may replace a pod that ended like this."""
        record = self.run.record_or_none() or {}
        has_outcome = frame.get("result") and not frame["end"]["signalled"]
        is_wanted = not self.run.was_cancelled and self.job_name in self._namespace.jobs.found
        return bool(not has_outcome and is_wanted and (record.get("spec") or {}).get("retries"))

    # -- which pod -------------------------------------------------------------------------------

    async def _next_pod(self) -> Mapping[str, Any] | None:
        """Wait for a pod that has not been followed yet; None when none will come."""
        while True:
            try:
                await self._namespace.pods.ready()
                if (pod := self._unfinished()) is not None:
                    return pod
                job = await self._namespace.job(self.job_name, self.run.id)
            except (HPCError, ApiError):
                await asyncio.sleep(1.0)
                continue
            if self._unfinished() is None:  # none came while the Job was asked for
                if _is_job_over(job, bool(self._finished)):
                    return None
                await self._namespace.pods.changed(1.0)

    def _unfinished(self) -> Mapping[str, Any] | None:
        pods = self._namespace.pods_of(self.run.id)
        return next((pod for pod in pods if pod["metadata"]["uid"] not in self._finished), None)

    # -- its log ---------------------------------------------------------------------------------

    async def _follow(self, pod: Mapping[str, Any]) -> None:
        name, wait_s = pod["metadata"]["name"], 0.05
        source = _Source(self, pod)
        over_since = 0.0
        while True:
            now = self._namespace.pods.found.get(name)
            if self._namespace.is_gone(pod) or self._is_replaced(pod):
                break
            was_over = now is not None and is_over(now)
            over_since = (over_since or time.monotonic()) if was_over else 0.0
            if now is not None and not now["spec"].get("nodeName") and not was_over:
                await self._namespace.pods.changed(5.0)
                continue
            try:
                if await source.read_log() or (was_over and (source.has_spoken or _never_ran(now or pod))):
                    break
                wait_s = 0.5  # the stream ended, and the pod has not: its phase comes a little later
            except ApiError:
                # 404 too: a kubelet that has just started doesn't know its pods yet
                if was_over and _never_ran(now or pod):
                    break
                waits = container_status(now or pod).get("state", {}).get("waiting", {}).get("reason", "")
                wait_s = 1.0 if waits not in ("", "ContainerCreating") else min(wait_s * 1.3, 0.5)
            except Unreachable:
                wait_s = min(max(wait_s, 0.2) * 1.6, 5.0)
            except OSError as error:
                if not may_pass(error):
                    raise
                wait_s, over_since = DISK_S, 0.0  # a full disk: the log has it for the next try
            if over_since and time.monotonic() - over_since > LOG_S:  # its log is gone, or its node is
                break
            await self._namespace.pods.changed(wait_s)
        source.finish()

    def _is_replaced(self, pod: Mapping[str, Any]) -> bool:
        """Whether a pod was given up (its node may never say so) and another one runs in its place."""
        newest = self._namespace.pods_of(self.run.id)[-1]
        now = self._namespace.pods.found.get(pod["metadata"]["name"], pod)
        return bool(newest["metadata"]["uid"] != pod["metadata"]["uid"] and now["metadata"].get("deletionTimestamp"))

    def put(self, pod: Mapping[str, Any], what: str) -> None:
        """Stream the payload, or uv, into a pod that asked for it."""
        key = (pod["metadata"]["uid"], what)
        if key not in self._putting:
            self._putting[key] = asyncio.get_running_loop().create_task(self._put(pod, what))

    async def _put(self, pod: Mapping[str, Any], what: str) -> None:
        there = (self._client, self._namespace.name, pod, self._python)
        while not self._namespace.is_gone(pod) and not self.over.is_set():
            try:
                if await transfer.put(*there, self.run, what):
                    return
            except (ApiError, Unreachable) as error:
                _LOGGER.info("the %s of %s waits: %s", what, self.run.id, error)
            await asyncio.sleep(0.5)


def _is_job_over(job: Mapping[str, Any] | None, had_pods: bool) -> bool:
    """Whether no pod will come any more."""
    if job is None:
        return True
    ends = [kind for kind in ("Complete", "Failed") if condition(job, kind)]
    return bool(ends) or (had_pods and int(job["spec"].get("backoffLimit", 6)) == 0)


def _never_ran(pod: Mapping[str, Any]) -> bool:
    """Whether an ended pod can have no log."""
    ended = container_status(pod).get("state", {}).get("terminated")
    return ended is None or time_stamp(ended.get("startedAt")) is None


class _Source:
    """One pod's log, and what came from it."""

    def __init__(self, channel: Channel, pod: Mapping[str, Any]) -> None:
        self._channel = channel
        self._pod = pod
        self._client, self._namespace = channel._client, channel._namespace
        self._files = channel.files
        self._files.adopt(pod["metadata"]["uid"])
        self._result = ResultFiles(channel.run)
        self._since = ""
        self._stray: list[str] = []
        self._was_held = False
        self.has_spoken = False  # a line of the carrier's own has come since the log was last opened
        self._has_ended = False

    async def read_log(self) -> bool:
        """Take the log from where it was left until it ends; return True if the worker's end was told."""
        name = self._pod["metadata"]["name"]
        query = {"container": CONTAINER, "follow": "true", "timestamps": "true"}
        if self._since:  # whole seconds only: what comes twice is passed over by its offset
            query["sinceTime"] = self._since[:19] + "Z"
        path = f"/api/v1/namespaces/{self._namespace.name}/pods/{name}/log"
        self.has_spoken = False
        async for line in self._client.lines(path, query, SILENT_S):
            stamp, _, text = line.partition(b" ")
            self._since = stamp.decode(errors="replace") if len(stamp) > 20 else self._since
            await self._take(text)
            if self._has_ended:
                return True
        return False

    async def _take(self, text: bytes) -> None:
        try:
            frame = json.loads(text)
            kind = next(iter(frame))
        except (ValueError, TypeError, StopIteration):
            self.has_spoken = self.has_spoken or not text.startswith(b"unable to retrieve")
            self._stray.append(text.decode(errors="replace"))
            del self._stray[:-20]
            return
        self.has_spoken = True
        if kind == "f":
            data = frame["d"].encode() if "d" in frame else base64.b64decode(frame["b"])
            await self._place(frame["f"], int(frame["o"]), data)
        elif kind == "skip":
            await self._fill({frame["skip"]: int(frame["n"])})
        elif kind == "beat":
            self._files.beat()
            await self._fill(frame.get("sizes") or {})
        elif kind == "wants":
            self._channel.put(self._pod, str(frame.get("what", "payload")))
        elif kind == "touch" and frame["touch"] == "time-limit":
            self._files.touch("time-limit")
        elif kind == "end":
            await self._end(frame)
        elif kind == "lost":
            self._lose(f"nobody fetched it in the {frame['lost']:g} s that the pod held it")

    async def _place(self, name: str, offset: int, data: bytes) -> None:
        if name.startswith("result/"):
            self._result.place(name, offset, data)
            return
        if not self._files.place(name, offset, data):
            await self._fill({name: offset})
            self._files.place(name, offset, data)

    async def _fill(self, wanted: Mapping[str, int]) -> None:
        """Fetch text and events up to the given sizes; what can't be had is marked as lost."""
        there = (self._client, self._namespace.name, self._pod, self._channel._python)
        while not self._files.holds(wanted):
            try:
                await transfer.get(*there, self._files)
                break  # what is not here now, the pod hasn't
            except (ApiError, Unreachable) as error:
                if self._is_over() or getattr(error, "status", 0) == 403:
                    break
            await asyncio.sleep(1.0)
        for name, size in wanted.items():
            self._files.mark_lost(name, size)

    def _is_over(self) -> bool:
        """Whether the pod can't be asked any more."""
        now = self._namespace.pods.found.get(self._pod["metadata"]["name"])
        return self._namespace.is_gone(self._pod) or (now is not None and is_over(now))

    async def _end(self, frame: Mapping[str, Any]) -> None:
        if self._has_ended:
            return
        expected = frame.get("result")
        if self._channel.may_run_again(frame):
            self._channel.pending = (self._result, frame)
            self._has_ended = True
            return
        if frame.get("stored"):
            await self._fetch_stored(frame)
        elif frame.get("held"):
            self._was_held = True
            if not await self._fetch(expected or {}):
                return  # what the pod says next tells why
        elif expected and not self._result.commit(expected):
            self._lose("its pod's log had lost a part of it")
            return
        await self._fill(frame.get("sizes") or {})
        self._files.write_json("end.json", frame["end"])
        self._has_ended = True

    async def _fetch_stored(self, frame: Mapping[str, Any]) -> None:
        """Take from the object store what the pod put there."""
        store = self._channel.store or {}
        expected: dict[str, int] = frame.get("result") or {}
        missing = {n: int(size) for n, size in frame["sizes"].items() if not self._files.holds({n: int(size)})}
        try:
            for name in (*expected, *missing):
                target = self._result.path(name) if name in expected else self._result.path("result/text")
                await asyncio.to_thread(depot.get, store, name, str(target))
                if name in missing:
                    begin = self._files.offsets()[name]
                    self._files.place(name, begin, target.read_bytes()[begin:])
                    target.unlink()
            if await asyncio.to_thread(self._result.commit, expected):
                await asyncio.to_thread(depot.remove, store)
        except Exception as error:  # whatever the store's library raises
            if may_pass(error):  # our own disk is full: the store still has it
                raise
            if not portal.is_ending():
                _LOGGER.warning("the store can't give the result of %s", self._channel.run.id, exc_info=True)
            self._lose(f"{store.get('url')} could not be read ({type(error).__name__}: {error})")

    async def _fetch(self, expected: Mapping[str, int]) -> bool:
        """Fetch what the pod holds until it is whole; False if the pod went away with it."""
        while not self._is_over():
            try:
                await transfer.get(
                    self._client,
                    self._namespace.name,
                    self._pod,
                    self._channel._python,
                    self._files,
                    self._result,
                    expected,
                )
                return True
            except (ApiError, Unreachable) as error:
                _LOGGER.info("the result of %s is not here yet: %s", self._channel.run.id, error)
                await asyncio.sleep(0.5)
        return self._channel.run.result.exists()  # another process had it in time

    def _lose(self, why: str) -> None:
        if self._channel.run.result.exists():  # another process had it in time
            return
        words = f"The cell ran to its end, but its result is lost: {why}."
        self._files.write_json("end.json", {"exit": 0, "signalled": 0, "lost": words})
        self._has_ended = True

    def finish(self) -> None:
        """Keep what else the pod said, and which image it ran."""
        if self._channel.pending is None:
            self._result.discard()
        if self._was_held and not self._has_ended:
            self._lose("its pod ended before it was fetched")
        if self._stray and not self._has_ended:
            self._files.append_text("\n".join(self._stray) + "\n")
        known = self._namespace.pods.found.get(self._pod["metadata"]["name"], self._pod)
        image = container_status(known)
        if image.get("imageID") and os.path.exists(self._channel.run.path):
            self._channel.run.update(image={"name": image.get("image"), "id": image["imageID"]})
