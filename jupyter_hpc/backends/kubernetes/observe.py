"""What is in a namespace: one watch of the pods, and a list of the Jobs where no pod tells, whatever their number."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Mapping
from typing import Any

from ...model.exceptions import HPCError
from .client import ApiError, Client, Unreachable
from .manifest import MANAGED_BY, MANAGER, RUN, USER, user_label
from .objects import ended_at, is_over, time_stamp

SELECTOR = f"{MANAGED_BY}={MANAGER},{USER}={user_label()}"
IDLE_S = 120.0  # a watch that nobody has looked at for this long ends
WATCH_S = 60  # how long the server keeps a watch open before it is asked for anew
SLOWEST_RETRY_S = 5.0
JOBS_S = 0.5, 15.0  # between two lists of the Jobs: when a question is new, and when it is old
EVENTS_S = 3.0  # between two looks at the events of one object


class Listed:
    """The objects of one kind in one namespace, as of the last look.

    Attributes
    ----------
    found : dict
        By name, as the server has them.
    gone : dict
        By name, as they were when they were deleted.
    """

    def __init__(self, client: Client, path: str, selector: str = SELECTOR) -> None:
        self._client = client
        self._path = path
        self._selector = selector
        self.found: dict[str, dict[str, Any]] = {}
        self.gone: dict[str, dict[str, Any]] = {}
        self._looking = asyncio.Lock()
        self._looked = -math.inf

    async def look(self, max_age_s: float) -> None:
        """List them, unless that was done so short a time ago; many who ask at once make one request.

        Raises
        ------
        ApiError, Unreachable
            If they can't be had.
        """
        async with self._looking:
            began = time.monotonic()
            if began - self._looked > max_age_s:
                await self._list()
                self._looked = began

    async def _list(self) -> str:
        """Return the version of what is here now."""
        answer = await self._client.request("GET", self._path, query={"labelSelector": self._selector})
        now = {item["metadata"]["name"]: item for item in answer["items"]}
        version = int(answer["metadata"]["resourceVersion"])
        for name, old in self.found.items():
            if name not in now and int(old["metadata"]["resourceVersion"]) > version:
                now[name] = old  # made while the list was on its way
            elif name not in now:
                self._remember(name, old)
        self.found = now
        return str(version)

    def _remember(self, name: str, item: dict[str, Any]) -> None:
        self.gone[name] = item
        while len(self.gone) > 1000:
            del self.gone[next(iter(self.gone))]


class Watched(Listed):
    """The objects of one kind in one namespace, kept fresh by one watch.

    Attributes
    ----------
    problem : HPCError or ApiError or None
        Why what is here may be old.
    """

    def __init__(self, client: Client, path: str) -> None:
        super().__init__(client, path)
        self.problem: Exception | None = None
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._used = 0.0
        self._is_listed = False

    async def ready(self, timeout_s: float = 20.0) -> None:
        """Wait until what is here is the server's own view.

        Raises
        ------
        ApiError, Unreachable
            If it can't be had.
        """
        self.use()
        deadline = time.monotonic() + timeout_s
        while not self._is_listed:
            if self.problem is not None:
                raise self.problem
            if not await self.changed(max(0.0, deadline - time.monotonic())):
                raise Unreachable("The Kubernetes API server has not answered yet.")
        if self.problem is not None:
            raise self.problem

    def use(self) -> None:
        """Keep the watch alive, or start it."""
        self._used = time.monotonic()
        if self._task is None or self._task.done():
            self.problem, self._is_listed = None, False
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def changed(self, timeout_s: float) -> bool:
        """Wait for a change, but not longer; tell whether there was one."""
        self._used = time.monotonic()
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except (asyncio.TimeoutError, TimeoutError):
            return False
        return True

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _notify(self) -> None:
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    async def _run(self) -> None:
        retry_s = 0.2
        while time.monotonic() - self._used < IDLE_S:
            try:
                version = await self._list()
                retry_s = 0.2
                while version and time.monotonic() - self._used < IDLE_S:
                    version = await self._watch(version)
            except (HPCError, ApiError) as error:
                self.problem = error
                self._notify()
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, SLOWEST_RETRY_S)
        self._is_listed = False

    async def _list(self) -> str:
        version = await super()._list()
        self.problem, self._is_listed = None, True
        self._notify()
        return version

    async def _watch(self, version: str) -> str:
        """Apply changes until the server ends the watch; return where to go on, empty to list anew."""
        query = {
            "labelSelector": self._selector,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": WATCH_S,
        }
        async for line in self._client.lines(self._path, query, WATCH_S + 15.0):
            event = json.loads(line)
            item = event["object"]
            if event["type"] == "ERROR":  # most often 410: what we last saw is too old to go on from
                return ""
            version = str(item["metadata"]["resourceVersion"])
            name = item["metadata"].get("name")
            if event["type"] == "DELETED":
                self.found.pop(name, None)
                self._remember(name, item)
            elif event["type"] != "BOOKMARK":
                self.found[name] = item
            self._notify()
        return version


class Namespace:
    """The jobs and pods of one namespace, and what their events say."""

    def __init__(self, client: Client, name: str) -> None:
        self.name = name
        self._client = client
        self.jobs = Listed(client, f"/apis/batch/v1/namespaces/{name}/jobs")
        self.pods = Watched(client, f"/api/v1/namespaces/{name}/pods")
        self.uids: dict[str, str] = {}  # run id → the uid of its Job, where that is known: a name may be used again
        self.foreign = Listed(client, f"/apis/batch/v1/namespaces/{name}/jobs", f"{MANAGED_BY}!={MANAGER}")
        self._events: dict[str, tuple[float, list[dict[str, Any]]]] = {}
        self._nodes: tuple[float, list[dict[str, Any]]] = (0.0, [])

    def close(self) -> None:
        self.pods.close()

    async def job(self, name: str, run_id: str) -> dict[str, Any] | None:
        """Return a Job, or None if it is gone; asked for only where its pods don't tell all.

        Raises
        ------
        ApiError, Unreachable
            If it can't be had.
        """
        job, pods = self.jobs.found.get(name), self.pods_of(run_id)
        if self.was_deleted(name, run_id):
            return None
        since = self._asks_since(job, pods[-1] if pods else None)
        if since is not None:
            newest, oldest = JOBS_S
            await self.jobs.look(min(max((time.time() - since) / 10, newest), oldest))
        return None if self.was_deleted(name, run_id) else self.jobs.found.get(name)

    def was_deleted(self, name: str, run_id: str) -> bool:
        """Whether a run's Job is gone; another may have its name."""
        job, uid = self.jobs.found.get(name), self.uids.get(run_id)
        if job is None:
            return name in self.jobs.gone
        return bool(uid) and job["metadata"]["uid"] != uid

    def _asks_since(self, job: Mapping[str, Any] | None, pod: Mapping[str, Any] | None) -> float | None:
        """Return for how long the Job itself has had to say what comes; None while its pod does."""
        if job is None:
            return time.time()
        if pod is None:
            return time_stamp(job["metadata"].get("creationTimestamp"))
        deleted = time_stamp(pod["metadata"].get("deletionTimestamp"))
        if deleted is not None or self.is_gone(pod):
            return deleted or time.time()
        may_be_replaced = int(job["spec"].get("backoffLimit", 6)) > 0
        if is_over(pod) and may_be_replaced:
            return ended_at(pod) or time.time()
        return None

    def pods_of(self, run_id: str) -> list[dict[str, Any]]:
        """Return the pods of a run, also those that were deleted, oldest first."""
        both = {**self.pods.gone, **self.pods.found}
        own = [p for p in both.values() if self._is_of(p["metadata"], run_id)]
        return sorted(own, key=lambda p: (p["metadata"].get("creationTimestamp") or "", p["metadata"]["name"]))

    def _is_of(self, metadata: Mapping[str, Any], run_id: str) -> bool:
        uid, owners = self.uids.get(run_id), metadata.get("ownerReferences") or ()
        is_marked = (metadata.get("labels") or {}).get(RUN) == run_id
        return is_marked and (not uid or not owners or any(owner.get("uid") == uid for owner in owners))

    def is_gone(self, pod: Mapping[str, Any]) -> bool:
        known = self.pods.found.get(pod["metadata"]["name"])
        return known is None or known["metadata"]["uid"] != pod["metadata"]["uid"]

    async def events(self, item: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the events about an object; none if we may not see them."""
        uid = item["metadata"]["uid"]
        known = self._events.get(uid)
        if known is not None and time.monotonic() - known[0] < EVENTS_S:
            return known[1]
        found: list[dict[str, Any]]
        query = {"fieldSelector": f"involvedObject.uid={uid}", "limit": 100}
        try:
            found = (await self._client.request("GET", f"/api/v1/namespaces/{self.name}/events", query=query))["items"]
        except (ApiError, HPCError):
            found = known[1] if known else []
        self._events[uid] = (time.monotonic(), found)
        return found

    async def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes; none if we may not see them, which is common."""
        if time.monotonic() - self._nodes[0] > 30 or not self._nodes[0]:
            try:
                found: list[dict[str, Any]] = (
                    await self._client.request("GET", "/api/v1/nodes", query={"limit": 500})
                )["items"]
            except (ApiError, HPCError):
                found = []
            self._nodes = (time.monotonic(), found)
        return self._nodes[1]

    async def all_pods(self) -> list[dict[str, Any]] | None:
        """Return everybody's pods that may hold a part of a node; None if we may not see them, which is common."""
        query = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed", "limit": 5000}
        try:
            found: list[dict[str, Any]] = (await self._client.request("GET", "/api/v1/pods", query=query))["items"]
        except (ApiError, HPCError):
            return None
        return found

    async def workload(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return Kueue's Workload of a job, if there is one and we may see it."""
        path = f"/apis/kueue.x-k8s.io/v1beta1/namespaces/{self.name}/workloads"
        query = {"labelSelector": f"kueue.x-k8s.io/job-uid={job['metadata']['uid']}"}
        try:
            found = (await self._client.request("GET", path, query=query))["items"]
        except (ApiError, HPCError):
            return None
        return found[0] if found else None
