"""What the user may do with their own jobs that we did not submit."""

from __future__ import annotations

import asyncio

from jupyter_server.auth.decorator import authorized
from tornado import web

from .handlers import JOB_ID, HPCHandler


class ActHandler(HPCHandler):
    """One of them. Which jobs there are, only the scheduler's last answer says; a client names a row of the list."""

    named = JOB_ID
    act = ""

    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        await asyncio.to_thread(self.listing.foreign.act, run_id, self.act)
        self.set_status(202)
        self.finish({"id": run_id})


class HoldHandler(ActHandler):
    act = "hold"


class ReleaseHandler(ActHandler):
    act = "release"


class RequeueHandler(ActHandler):
    act = "requeue"


ROUTES: list[tuple[str, type[HPCHandler]]] = [
    (f"/jobs/(?P<run_id>[^/]{{1,2000}})/{handler.act}", handler)
    for handler in (HoldHandler, ReleaseHandler, RequeueHandler)
]
