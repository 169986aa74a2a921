"""Kubernetes: a cell is a ``batch/v1`` Job, and its files come through the API server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...model.capacity import Capacity
from ...model.declaration import KUBERNETES
from ...model.exceptions import SubmissionError, TargetError
from ...model.observation import Availability, ForeignJob, Observation
from ...model.states import JobState
from ...rundir.run import Run
from ...worker.events import EVENTS
from ..base import Backend, NoAnswer, Submission, Submitted
from . import manifest, rights
from .availability import available
from .carry import archive
from .carry.channel import Channel
from .carry.tree import LocalFiles
from .client import ApiError, Client, Unreachable
from .foreign import foreign_job
from .objects import Seen, is_over, time_stamp
from .observe import Namespace
from .reasons import SUSPENDED, explain, is_held
from .refusals import refusal
from .waits import WAITING

ARRIVAL_S = 5.0  # how long an ended job's last files may take before we say that they are on their way
FOREIGN_S = 10.0  # between two lists of other people's Jobs, while somebody looks
LOOK_CLOSER_S = 2.0  # a job that has waited for longer is worth a look at its events
COMMAND = ("kubectl", "create", "-f", "-")


class KubernetesBackend(Backend):
    """One namespace of one cluster. Settings: see ``manifest.SETTINGS``."""

    options_of = KUBERNETES
    lists_foreign = True
    scheduler = "the Kubernetes API server"
    has_kernels_python = False
    restarts = "`--retries N` lets Kubernetes start it again by itself."
    first_poll_s = 0.5
    settles_s = 20.0  # a node that has much to do tells of an eviction seconds after it ended the pod
    slowest_poll_s = 2.0  # what is asked is in memory mostly: one watch keeps it fresh

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(settings)
        unknown = sorted(set(settings) - set(manifest.SETTINGS))
        if unknown:
            raise TargetError(
                f"A kubernetes target has no setting {unknown[0]!r}.",
                hint=f"It has: {', '.join(sorted(manifest.SETTINGS))}.",
            )
        self._client = Client(settings)
        self._namespaces: dict[str, Namespace] = {}
        self._channels: dict[str, Channel] = {}
        self._final: dict[str, Observation] = {}
        self._has_rights = False

    async def check(self) -> str:
        try:
            version = await self._client.request("GET", "/version", timeout_s=10)
            lacking = await rights.missing(self._client, rights.NEEDED)
        except ApiError as error:
            raise TargetError(*_sentence(error)) from None
        finally:
            if not self._namespaces:
                await self._client.close()
        if lacking:
            raise TargetError(*self._lacking(lacking))
        return f"Kubernetes {version['gitVersion']} from {self._client.where}, namespace {self._client.namespace}"

    def _lacking(self, lacking: Sequence[rights.Right]) -> tuple[str]:
        where = f"namespace {self._client.namespace} of {self._client.where}"
        return (f"In {where} you may not {rights.as_text(lacking)}. Ask for the Role in docs/kubernetes.md.",)

    async def _check_rights(self) -> None:
        """Refuse, once for each kernel, what would run and then not come back for want of a right.

        Raises
        ------
        SubmissionError
            Naming all that is missing.
        """
        if not self._has_rights:
            lacking = await rights.missing(self._client, rights.ESSENTIAL)
            if lacking:
                raise SubmissionError(*self._lacking(lacking))
            self._has_rights = True

    async def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        for namespace in self._namespaces.values():
            namespace.close()
        await self._client.close()

    def _namespace(self, name: str) -> Namespace:
        return self._namespaces.setdefault(name, Namespace(self._client, name))

    def _space(self, run: Run, native_id: str) -> Namespace:
        """Return the namespace of a run's Job, which knows by its uid what is the run's."""
        found = self._namespace(native_id.partition("/")[0])
        if run.id not in found.uids:
            found.uids[run.id] = str((run.record_or_none() or {}).get("native_uid") or "")
        return found

    # -- submission ------------------------------------------------------------------------------

    def preview(self, submission: Submission) -> Submitted:
        job = manifest.job(submission.run, submission.spec, self.settings, submission.worker)
        notes = manifest.notes(submission.run, submission.spec, self.settings)
        return Submitted("", COMMAND, manifest.as_yaml(job), notes)

    async def submit(self, submission: Submission) -> Submitted:
        run, spec = submission.run, submission.spec
        job = manifest.job(run, spec, self.settings, submission.worker)
        await self._client.connect()
        await self._check_rights()
        namespace = self._namespace(self._client.namespace)
        namespace.pods.use()
        written = manifest.as_yaml(job)
        (run.path / manifest.FILE).write_text(written, encoding="utf-8")  # first: on a full disk there is no Job
        if manifest.is_shared(run, self.settings):
            archive.write_shared_request(run, spec, self.settings)
            made = await self._create("jobs", job)
        else:
            made = await self._create_with_payload(submission, job)
        namespace.jobs.found.setdefault(made["metadata"]["name"], made)
        native_id = f"{namespace.name}/{made['metadata']['name']}"
        namespace.uids[run.id] = uid = made["metadata"]["uid"]
        self._follow(run, native_id)
        return Submitted(native_id, COMMAND, written, native_uid=uid)

    async def _create_with_payload(self, submission: Submission, job: Mapping[str, Any]) -> dict[str, Any]:
        """Create the Job, the Secret that it owns, and let it go: no pod ever waits for a kernel that died here."""
        run, spec = submission.run, submission.spec
        request = await asyncio.to_thread(archive.build, run, spec, submission.worker, self.settings)
        made = await self._create("jobs", {**job, "spec": {**job["spec"], "suspend": True}})
        try:
            await self._create("secrets", manifest.secret(run, made, request.data))
            if not spec.queue:  # else Kueue lets it go
                patch = {"spec": {"suspend": False}}
                made = await self._again("PATCH", self._path("jobs", made["metadata"]["name"]), patch)
        except BaseException:
            await self.end(_handle(self._client.namespace, made))
            raise
        return made

    def _path(self, kind: str, name: str = "", space: str = "") -> str:
        group = "/apis/batch/v1" if kind == "jobs" else "/api/v1"
        return f"{group}/namespaces/{space or self._client.namespace}/{kind}{'/' if name else ''}{name}"

    async def _create(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create an object, or return the one that an earlier try created.

        Raises
        ------
        SubmissionError
            If the server refuses, in its own words.
        """
        try:
            return await self._again("POST", self._path(kind), body)
        except ApiError as error:
            if error.reason == "AlreadyExists" and kind == "secrets":
                return dict(body)
            if error.reason == "AlreadyExists":
                found: dict[str, Any] = await self._again("GET", self._path(kind, body["metadata"]["name"]))
                if _origin(found) == _origin(body):
                    return found
            message, hint = refusal(error)
            raise SubmissionError(f"Kubernetes refused the job: {message.rstrip('.')}.", hint=hint) from None

    async def _again(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Make a request, and again where no answer came: each of ours may happen twice."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        for wait_s in (0.5, 1.5, 3.0):
            try:
                found: dict[str, Any] = await self._client.request(method, path, body, kind=kind)
                return found
            except Unreachable:
                await asyncio.sleep(wait_s)
        last: dict[str, Any] = await self._client.request(method, path, body, kind=kind)
        return last

    # -- following -------------------------------------------------------------------------------

    async def sync(self, run: Run) -> None:
        native_id = str((run.record_or_none() or {}).get("native_id") or "") if run.id not in self._channels else ""
        if native_id:
            await self._client.connect()
            self._follow(run, native_id)

    def _follow(self, run: Run, native_id: str) -> Channel | None:
        known = self._channels.get(run.id)
        if known is not None or manifest.is_shared(run, self.settings):
            return known
        name = native_id.partition("/")[2]
        spec = (run.record_or_none() or {}).get("spec") or {}
        python = spec.get("python") or (f"{spec['venv']}/bin/python" if spec.get("venv") else "python3")
        made = self._channels[run.id] = Channel(
            self._client, self._space(run, native_id), run, name, python, archive.store_of(run, self.settings)
        )
        return made

    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        await self._client.connect()
        try:
            found = await asyncio.gather(*(self._observe(run_id, native) for run_id, native in jobs.items()))
        except ApiError as error:
            raise TargetError(*_sentence(error)) from None
        return dict(zip(jobs, found))

    async def _observe(self, run_id: str, native_id: str) -> Observation:
        if run_id in self._final:
            return self._final[run_id]
        seen = await self._seen(run_id, native_id)
        found = explain(seen)
        if found.state is JobState.PENDING and seen.pods and self._has_begun(run_id, seen.pods[-1]):
            return Observation(JobState.RUNNING, "", "Running", str(seen.pods[-1]["spec"].get("nodeName") or ""))
        if found.state is None or not found.state.is_final:
            return found
        space = native_id.partition("/")[0]
        if seen.job is not None and found.native_state in WAITING:  # it can't start, and would wait for ever
            await self.end(_handle(space, seen.job))
        elif not await self._has_arrived(run_id, native_id):
            return Observation(
                JobState.RUNNING,
                "it has ended; its files are on their way",
                found.native_state,
                found.node,
                found.started_at,
            )
        if seen.job is not None and found.native_state == SUSPENDED:  # else its queue would start it anew, unheard
            await self.end(_handle(space, seen.job))
        if found.native_state == "Deleted" and self._run(run_id).was_cancelled:
            found = replace(found, reason="")  # by us
        self._final[run_id] = found
        return found

    def _has_begun(self, run_id: str, pod: Mapping[str, Any]) -> bool:
        """Whether the worker's own files are ahead of the pod's status, which comes a second later."""
        run = self._run(run_id)
        if is_over(pod):
            return False
        if manifest.is_shared(run, self.settings):
            return (run.path / EVENTS).exists()
        return LocalFiles(run).has_heard(pod["metadata"]["uid"])

    def _run(self, run_id: str) -> Run:
        from ...rundir.store import store

        return store().run(run_id)

    async def _has_arrived(self, run_id: str, native_id: str) -> bool:
        """Wait a little for what an ended job still has to bring."""
        channel = self._follow(self._run(run_id), native_id)
        if channel is None:
            return True
        try:
            await asyncio.wait_for(channel.over.wait(), ARRIVAL_S)
        except (asyncio.TimeoutError, TimeoutError):
            return False
        return True

    async def _seen(self, run_id: str, native_id: str) -> Seen:
        """Return what there is of a job; events and the like only where they may explain something."""
        namespace, name = self._space(self._run(run_id), native_id), native_id.partition("/")[2]
        await namespace.pods.ready()
        job = await namespace.job(name, run_id)
        pods = namespace.pods_of(run_id)
        seen = Seen(job, pods, namespace.was_deleted(name, run_id), now=time.time())
        if job is None or seen.now - (time_stamp(job["metadata"].get("creationTimestamp")) or 0) < LOOK_CLOSER_S:
            return seen
        if is_held(seen):
            seen = replace(seen, workload=await namespace.workload(job))
        if not pods:
            return replace(seen, events=await namespace.events(job))
        if (pods[-1].get("status") or {}).get("phase") == "Pending":
            is_placed = bool(pods[-1]["spec"].get("nodeName"))
            if is_placed:
                return replace(seen, events=await namespace.events(pods[-1]))
            return replace(seen, nodes=await namespace.nodes())
        return seen

    async def foreign_jobs(self) -> Sequence[ForeignJob]:
        await self._client.connect()
        listed = self._namespace(self._client.namespace).foreign
        with contextlib.suppress(ApiError, Unreachable):  # what was seen last stands
            await listed.look(FOREIGN_S)
        return [foreign_job(item) for item in listed.found.values()]

    async def availability(self) -> Availability:
        """Return the nodes and their GPUs, where we may see them; what of them is free takes rights on all pods."""
        message = await self.check()
        namespace, kinds = self._namespace(self._client.namespace), manifest.gpu_kinds(self.settings)
        return available(message, await namespace.nodes(), await namespace.all_pods(), *kinds)

    async def capacity(self) -> Capacity:
        from .occupancy import capacity

        await self._client.connect()
        namespace, kinds = self._namespace(self._client.namespace), manifest.gpu_kinds(self.settings)
        return capacity(await namespace.nodes(), await namespace.all_pods(), manifest.user_label(), *kinds)

    async def owned(self, run: Run, native_id: str) -> Sequence[str]:
        """By the uid that the server told at submission; where none was recorded, by the label."""
        space, _, name = native_id.partition("/")
        if uid := (run.record_or_none() or {}).get("native_uid"):
            return [f"{native_id}/{uid}"]
        await self._client.connect()
        try:
            job = await self._client.request("GET", self._path("jobs", name, space))
        except Unreachable as error:
            raise NoAnswer(error.message, hint=error.hint) from None
        except ApiError as error:
            if error.status == 404:
                return []
            raise TargetError(*_sentence(error)) from None
        is_ours = (job["metadata"].get("labels") or {}).get(manifest.RUN) == run.id
        return [f"{native_id}/{job['metadata']['uid']}"] if is_ours else []

    async def end(self, native_id: str) -> None:
        """Delete the Job NAMESPACE/NAME/UID: the server itself compares the uid."""
        await self._client.connect()
        space, name, uid = native_id.split("/")
        wanted = {"propagationPolicy": "Background", "preconditions": {"uid": uid}}
        try:
            await self._client.request("DELETE", self._path("jobs", name, space), wanted)
        except Unreachable as error:
            raise NoAnswer(error.message, hint=error.hint) from None
        except ApiError as error:
            if error.status not in (404, 409):  # it is gone, or the name is another Job's by now
                raise TargetError(*_sentence(error)) from None


def _handle(space: str, job: Mapping[str, Any]) -> str:
    return f"{space}/{job['metadata']['name']}/{job['metadata']['uid']}"


def _origin(item: Mapping[str, Any]) -> str | None:
    return (item["metadata"].get("annotations") or {}).get(manifest.ORIGIN)


def _sentence(error: ApiError) -> tuple[str]:
    message, hint = refusal(error)
    return (f"Kubernetes refused: {message.rstrip('.')}.{' ' + hint if hint else ''}",)
