"""REST under ``/jupyter-hpc/``; ``openapi.yaml`` beside it describes each route."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from ..jobs.job import Job
from ..jobs.submit import resubmit
from ..lineage.show.view import of_run as lineage_of
from ..model.exceptions import HPCError, JobNotFound, OptionError, TargetError
from ..rundir.run import Run
from ..rundir.store import ANY_ID_PATTERN
from ..worker.regular import open_regular
from .detail import detail
from .feed import Feed
from .foreign_jobs import SEPARATOR, readable_log
from .foreign_jobs import detail as foreign_detail
from .listing import GROUPED_BY, GROUPS, MOST, Listing, Query
from .logs import WINDOW, search, window
from .target_list import availability

RUN_ID = rf"(?P<run_id>{ANY_ID_PATTERN.pattern})"
JOB_ID = rf"(?P<run_id>{ANY_ID_PATTERN.pattern}|[\w.@-]{{1,80}}{SEPARATOR}[\w.-]{{1,330}})"
TARGET = r"(?P<name>[\w.@-]{1,80})"


class HPCHandler(ExtensionHandlerMixin, APIHandler):
    """What all routes share: who may, what a client sent, how an error is told."""

    auth_resource = "hpc"
    _track_activity = False  # a sidebar that polls must not keep the server from being culled

    @property
    def listing(self) -> Listing:
        found: Listing = self.settings["hpc_listing"]
        return found

    @property
    def feed(self) -> Feed:
        found: Feed = self.settings["hpc_feed"]
        return found

    def job(self, run_id: str) -> Job:
        """Return the job with this id, which the route's pattern has checked.

        Raises
        ------
        JobNotFound
            If there is none.
        """
        job = Job(self.listing.store.run(run_id))
        if not job.run.path.is_dir() or job.run.record_or_none() is None:
            raise JobNotFound(f"There is no run {run_id}.", hint="It may have been forgotten meanwhile.")
        return job

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a number of the query.

        Raises
        ------
        OptionError
            If it isn't one, or out of bounds.
        """
        written = self.get_query_argument(name, "")
        if not written:
            return default
        try:
            value = int(written)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise OptionError(f"{name} must be a whole number from {least} to {most}.")
        return value

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object; empty if there is none.

        Raises
        ------
        OptionError
            If it is something else.
        """
        try:
            found = json.loads(self.request.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise OptionError("The body must be a JSON object.")
        return found

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error of ours as ``{message, hint, code}`` with a status that fits."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, HPCError):
            super().write_error(status_code, **kwargs)
            return
        self.set_status(_status_of(error))
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"message": error.message, "hint": error.hint, "code": error.code}))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, HPCError):  # ours are answers, not accidents
            super().log_exception(typ, value, tb)


def _status_of(error: HPCError) -> int:
    if isinstance(error, JobNotFound):
        return 404
    if isinstance(error, OptionError):
        return 400
    return 503 if isinstance(error, TargetError) else 409


class JobsHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        group = self.get_query_argument("group", "")
        if group and group not in GROUPS:
            raise OptionError(f"group must be one of {', '.join(GROUPS)}.")
        by = self.get_query_argument("by", "")
        if by and by not in GROUPED_BY:
            raise OptionError(f"by must be one of {', '.join(GROUPED_BY)}.")
        texts = {name: self.get_query_argument(name, "")[:200] for name in ("state", "target", "notebook", "text")}
        offset, limit = self.number("offset", 0, 0, 10_000_000), self.number("limit", 100, 1, MOST)
        query = Query(group, **texts, by=by, offset=offset, limit=limit)
        self.feed.touch()
        self.finish(await asyncio.to_thread(self.listing.page, query))


class JobHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        self.feed.touch()
        if SEPARATOR in run_id:
            found = await asyncio.to_thread(self.listing.foreign.find, run_id)
            self.finish(foreign_detail(*found))
        else:
            self.finish(await asyncio.to_thread(detail, self.job(run_id)))

    @web.authenticated
    @authorized
    async def delete(self, run_id: str) -> None:
        """Forget a run that has ended: its directory goes."""
        if SEPARATOR in run_id:
            raise HPCError(f"{run_id} was not submitted from here.", hint="It has no run directory to remove.")
        job = self.job(run_id)
        await asyncio.to_thread(self.listing.store.forget, job.run)
        self.listing.forget(run_id)
        self.set_status(204)
        self.finish()


class CancelHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        job = self.job(run_id)
        status = await asyncio.to_thread(lambda: job.status)
        if status.state.is_final:
            raise HPCError(f"{run_id} has ended already ({status.state}).", hint="Nothing is left to cancel.")
        await asyncio.to_thread(job.cancel)
        self.set_status(202)
        self.finish({"id": run_id})


def _let_go(run: Run) -> None:
    for mark in run.waits():
        mark.unlink(missing_ok=True)


class DetachHandler(HPCHandler):
    """The job goes on; a cell that waits for it, in whatever kernel, does not."""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        job = self.job(run_id)
        await asyncio.to_thread(_let_go, job.run)
        self.set_status(202)
        self.finish({"id": run_id})


class ResubmitHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        job, asked = self.job(run_id), self.body()
        resources, target = asked.get("resources", {}), asked.get("target")
        if not isinstance(resources, dict) or not (target is None or isinstance(target, str)):
            raise OptionError("resources must be an object and target a string.")
        new = await asyncio.to_thread(resubmit, job, target=target, resources=resources)
        self.set_status(201)
        self.finish({"id": new.id})


class LogHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        path = await self._path(run_id)
        offset = self.number("offset", 0, -WINDOW, 1 << 50)
        found = await asyncio.to_thread(window, path, offset, self.number("limit", WINDOW, 1, WINDOW))
        self.finish(found)

    async def _path(self, run_id: str) -> Path:
        which = self.get_query_argument("which", "cell")
        if which not in ("cell", "scheduler"):
            raise OptionError("which must be cell or scheduler.")
        if SEPARATOR in run_id:  # where the scheduler says it is; a client only ever names the job
            _, job = await asyncio.to_thread(self.listing.foreign.find, run_id)
            return await asyncio.to_thread(readable_log, job)
        run = self.job(run_id).run
        return run.log if which == "cell" else run.scheduler_log


class LogSearchHandler(LogHandler):
    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        path, text = await self._path(run_id), self.get_query_argument("text", "", strip=False)
        if not 0 < len(text) <= 200:
            raise OptionError("text must have 1 to 200 characters.")
        start = self.number("offset", 0, 0, 1 << 50)
        self.finish(await asyncio.to_thread(search, path, text, start))


class LogFileHandler(LogHandler):
    """The whole log as a download, in pieces."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        path = await self._path(run_id)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Disposition", f'attachment; filename="{run_id}.log"')
        with suppress(OSError), await asyncio.to_thread(open_regular, path) as file:  # there may be none
            while data := await asyncio.to_thread(file.read, 1 << 20):
                self.write(data)
                await self.flush()
        self.finish()


class RecordHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        self.finish(self.job(run_id).record)


def _text_of(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


class ScriptHandler(HPCHandler):
    """The command and the script as submitted."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        run = self.job(run_id).run
        run = run.whole or run
        script = next(filter(None, map(_text_of, (run.path / "job.sh", run.path / "manifest.yaml"))), "")
        self.finish({"command": run.record().get("command") or [], "script": script})


class LineageHandler(HPCHandler):
    """What led to a run: nodes and links, and the same as a picture and as text."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        job = self.job(run_id)
        self.finish(await asyncio.to_thread(lineage_of, self.listing.store, job.id))


class TargetsHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self) -> None:
        self.finish({"targets": await availability()})


class TargetHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        found = [each for each in await availability() if each["name"] == name]
        if not found:
            raise JobNotFound(f"There is no target {name}.", hint="`%hpc targets` lists them.")
        self.finish(found[0])


ROUTES: list[tuple[str, type[HPCHandler]]] = [
    ("/jobs", JobsHandler),
    (f"/jobs/{JOB_ID}", JobHandler),
    (f"/jobs/{RUN_ID}/cancel", CancelHandler),
    (f"/jobs/{RUN_ID}/detach", DetachHandler),
    (f"/jobs/{RUN_ID}/resubmit", ResubmitHandler),
    (f"/jobs/{JOB_ID}/log", LogHandler),
    (f"/jobs/{JOB_ID}/log/search", LogSearchHandler),
    (f"/jobs/{JOB_ID}/log/file", LogFileHandler),
    (f"/jobs/{RUN_ID}/record", RecordHandler),
    (f"/jobs/{RUN_ID}/script", ScriptHandler),
    (f"/jobs/{RUN_ID}/lineage", LineageHandler),
    ("/targets", TargetsHandler),
    (f"/targets/{TARGET}", TargetHandler),
]
