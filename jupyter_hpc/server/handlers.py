"""REST under ``/jupyter-hpc/``; ``openapi.yaml`` beside it describes each route."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from ..jobs.job import Job
from ..lineage.show.view import of_run as lineage_of
from ..model.exceptions import HPCError, JobNotFound, OptionError, TargetError
from ..rundir.run import Run
from ..rundir.store import ANY_ID_PATTERN
from ..targets.targets import targets
from ..views.job_order import GROUPED_BY, GROUPS, SORTED_BY
from .detail import detail
from .feed import Feed
from .foreign_jobs import SEPARATOR, readable_log
from .foreign_jobs import detail as foreign_detail
from .listing import MOST, Listing, Query
from .logs import WINDOW, Source, log_of, search, whole, window
from .target_list import availability, capacity

MOST_BODY = 64 << 10
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_TEXT = re.compile(r"[^\x00-\x08\x0e-\x1f\x7f]*")
RUN_ID = rf"(?P<run_id>{ANY_ID_PATTERN.pattern})"
JOB_ID = rf"(?P<run_id>{ANY_ID_PATTERN.pattern}|[\w.@-]{{1,80}}{SEPARATOR}[\w.-]{{1,330}})"
TARGET = r"(?P<name>[\w.@-]{1,80})"


class HPCHandler(ExtensionHandlerMixin, APIHandler):
    """What all routes share: who may, what a client sent, how an error is told."""

    auth_resource = "hpc"
    named = RUN_ID  # what the path may name
    also: ClassVar[Mapping[str, str]] = {}  # and further parts of it
    _track_activity = False  # a sidebar that polls must not keep the server from being culled

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.method not in ("GET", "HEAD"):
            self.listing.look_anew()
        return super().finish(*args, **kwargs)

    @property
    def listing(self) -> Listing:
        found: Listing = self.settings["hpc_listing"]
        return found

    @property
    def feed(self) -> Feed:
        found: Feed = self.settings["hpc_feed"]
        return found

    async def prepare(self) -> None:  # type: ignore[override]
        """Check what the path names, once it is decoded: the routes' patterns see what a client has quoted."""
        await super().prepare()
        for part, text in self.path_kwargs.items():
            if not re.fullmatch(self.also.get(part, self.named), text):
                raise JobNotFound(f"There is no {text[:80]!r}.", hint="It is no id that could be.")

    def job(self, run_id: str) -> Job:
        """Return the job with this id, which `prepare` has checked.

        Raises
        ------
        JobNotFound
            If there is none.
        """
        job = Job(self.listing.store.run(run_id))
        if not job.run.path.is_dir() or job.run.record_or_none() is None:
            raise JobNotFound(f"There is no run {run_id}.", hint="It may have been forgotten meanwhile.")
        return job

    def text(self, name: str, default: str = "", *, strip: bool = True) -> str:
        """Return a text of the query.

        Raises
        ------
        OptionError
            If it is no UTF-8, or has control characters, which Tornado would make spaces of.
        """
        given = self.request.query_arguments.get(name)
        if not given:
            return default
        try:
            text = given[-1].decode("utf-8")
        except UnicodeDecodeError:
            raise OptionError(f"{name} must be text in UTF-8.") from None
        if not _TEXT.fullmatch(text):
            raise OptionError(f"{name} must have no control characters.")
        return text.strip() if strip else text

    def word(self, name: str, known: Collection[str]) -> str:
        """Return a word of the query; empty if there is none.

        Raises
        ------
        OptionError
            If it is none of those that are known.
        """
        word = self.text(name)
        if word and word not in known:
            raise OptionError(f"{name} must be one of {', '.join(known)}.")
        return word

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """Return a number of the query.

        Raises
        ------
        OptionError
            If it isn't one, or out of bounds.
        """
        written = self.text(name)
        if not written:
            return default
        value = int(written) if _NUMBER.fullmatch(written) else least - 1
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
        if len(self.request.body) > MOST_BODY:
            raise OptionError(f"The body must have at most {MOST_BODY} bytes.")
        try:
            found = json.loads(self.request.body.decode("utf-8") or "{}", parse_constant=_refused)
        except (ValueError, RecursionError):
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


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


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
        group, by = self.word("group", GROUPS), self.word("by", GROUPED_BY)
        sort = self.word("sort", SORTED_BY)
        texts = {name: self.text(name)[:200] for name in ("state", "target", "notebook", "text")}
        offset, limit = self.number("offset", 0, 0, 10_000_000), self.number("limit", 100, 1, MOST)
        unfolded = frozenset(self.text("unfolded")[:4000].split())
        query = Query(group, **texts, by=by, sort=sort, unfolded=unfolded, offset=offset, limit=limit)
        self.feed.touch()
        self.finish(await asyncio.to_thread(self.listing.page, query))


class JobHandler(HPCHandler):
    named = JOB_ID

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        self.feed.touch()
        if SEPARATOR in run_id:
            found = await asyncio.to_thread(self.listing.foreign.find, run_id)
            self.finish(foreign_detail(found))
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
        self.listing.forget()
        self.set_status(204)
        self.finish()


def _cancel(job: Job) -> None:
    state = job.status.state
    if state.is_final:
        raise HPCError(f"{job.id} has ended already ({state.words}).", hint="Nothing is left to cancel.")
    job.cancel()


class CancelHandler(HPCHandler):
    named = JOB_ID

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        if SEPARATOR in run_id:
            await asyncio.to_thread(self.listing.foreign.act, run_id, "cancel")
        else:
            await asyncio.to_thread(_cancel, self.job(run_id))
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


class LogHandler(HPCHandler):
    named = JOB_ID

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        source = await self._source(run_id)
        offset = self.number("offset", 0, -WINDOW, 1 << 50)
        found = await asyncio.to_thread(window, source, offset, self.number("limit", WINDOW, 1, WINDOW))
        self.finish(found)

    async def _source(self, run_id: str) -> Source:
        which = self.text("which", "cell")
        if which not in ("cell", "scheduler"):
            raise OptionError("which must be cell or scheduler.")
        if SEPARATOR in run_id:  # where the scheduler says it is; a client only ever names the job
            found = await asyncio.to_thread(self.listing.foreign.find, run_id)
            return await asyncio.to_thread(readable_log, found.job)
        run = self.job(run_id).run
        return await asyncio.to_thread(log_of, run) if which == "cell" else run.scheduler_log


class LogSearchHandler(LogHandler):
    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        source, text = await self._source(run_id), self.text("text", strip=False)
        if not 0 < len(text) <= 200:
            raise OptionError("text must have 1 to 200 characters.")
        start = self.number("offset", 0, 0, 1 << 50)
        self.finish(await asyncio.to_thread(search, source, text, start))


class LogFileHandler(LogHandler):
    """The whole log as a download, in pieces."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        pieces = whole(await self._source(run_id))
        first = await asyncio.to_thread(next, pieces, b"")  # before anything is said: it may be unreadable
        kind = "text/plain; charset=utf-8"
        self.set_header("Content-Type", kind)
        self.set_header("X-Content-Type-Options", "nosniff")
        name = re.sub(r"[^\w.~-]", "_", run_id, flags=re.ASCII)
        self.set_header("Content-Disposition", f'attachment; filename="{name}.log"')
        while first:
            self.write(first)
            await self.flush()
            first = await asyncio.to_thread(next, pieces, b"")
        self.finish(set_content_type=kind)  # an empty one, too, is text


class RecordHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        self.finish(self.job(run_id).record)


class ScriptHandler(HPCHandler):
    """The command and the script as submitted."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        run = self.job(run_id).run
        run = run.whole or run
        found = [path for name in ("job.sh", "manifest.yaml") if (path := run.path / name).exists()]
        script = (await asyncio.to_thread(window, found[0], 0, WINDOW))["text"] if found else ""
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
    named = TARGET

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        found = [each for each in await availability() if each["name"] == name]
        if not found:
            raise JobNotFound(f"There is no target {name}.", hint="`%hpc targets` lists them.")
        self.finish(found[0])


class TargetNodesHandler(HPCHandler):
    """Who holds what of a target's nodes."""

    named = TARGET

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        if name not in targets():
            raise JobNotFound(f"There is no target {name}.", hint="`%hpc targets` lists them.")
        self.finish(await capacity(name))


_RUN, _NAME = "(?P<run_id>[^/]{1,2000})", "(?P<name>[^/]{1,1000})"
ROUTES: list[tuple[str, type[HPCHandler]]] = [
    ("/jobs", JobsHandler),
    (f"/jobs/{_RUN}", JobHandler),
    (f"/jobs/{_RUN}/cancel", CancelHandler),
    (f"/jobs/{_RUN}/detach", DetachHandler),
    (f"/jobs/{_RUN}/log", LogHandler),
    (f"/jobs/{_RUN}/log/search", LogSearchHandler),
    (f"/jobs/{_RUN}/log/file", LogFileHandler),
    (f"/jobs/{_RUN}/record", RecordHandler),
    (f"/jobs/{_RUN}/script", ScriptHandler),
    (f"/jobs/{_RUN}/lineage", LineageHandler),
    ("/targets", TargetsHandler),
    (f"/targets/{_NAME}", TargetHandler),
    (f"/targets/{_NAME}/nodes", TargetNodesHandler),
]
