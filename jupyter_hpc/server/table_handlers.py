"""What the table of jobs asks: its rows, what differs between two runs, and tags for what is chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..lineage.ask.compare import difference
from ..lineage.index import tags
from ..model.exceptions import OptionError
from ..views.job_order import GROUPS
from ..views.job_table import COLUMNS, is_column
from .handlers import HPCHandler
from .listing import MOST, Query
from .table import Asked, Table


class TableHandler(HPCHandler):
    @property
    def table(self) -> Table:
        """The one of this server: what it has read of runs that ended is read once."""
        found: Table = self.settings.setdefault("hpc_table", Table(self.listing))
        return found

    @web.authenticated
    @authorized
    async def get(self) -> None:
        target, text = self.text("target")[:200], self.text("text")[:200]
        offset, limit = self.number("offset", 0, 0, 10_000_000), self.number("limit", 100, 1, MOST)
        query = Query(self.word("group", GROUPS), target=target, text=text, offset=offset, limit=limit)
        sort = self.text("sort")[:200]
        column = sort.removeprefix("-")
        if column and not is_column(column):
            raise OptionError(
                f"sort must be one of {', '.join(COLUMNS)}, parameters.NAME and metrics.NAME; -X for down."
            )
        asked = Asked(query, self.text("where")[:1000], column, down=sort.startswith("-"))
        self.feed.touch()
        self.finish(await asyncio.to_thread(self.table.page, asked))


class CompareHandler(HPCHandler):
    """What differs between two runs."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str, other_id: str) -> None:
        first, second = self.job(run_id), self.job(other_id)
        found = await asyncio.to_thread(difference, self.listing.store, first.run, second.run)
        self.finish(found.to_json())


class TagHandler(HPCHandler):
    @web.authenticated
    @authorized
    async def post(self, run_id: str) -> None:
        job, asked = self.job(run_id), self.body()
        tag = asked.get("tag")
        if asked.keys() != {"tag"} or not isinstance(tag, str):
            raise OptionError("The body must have a tag, and nothing else.")
        self.set_status(201)
        self.finish({"tag": await asyncio.to_thread(tags.of_a_run, self.listing.store, tag, job.id)})


class TagRemovalHandler(HPCHandler):
    also: ClassVar[Mapping[str, str]] = {"tag": tags.WHOLE}

    @web.authenticated
    @authorized
    async def delete(self, run_id: str, tag: str) -> None:
        await asyncio.to_thread(tags.remove, self.listing.store, tag, self.job(run_id).id)
        self.set_status(204)
        self.finish()


_RUN = "(?P<run_id>[^/]{1,2000})"
ROUTES: list[tuple[str, type[HPCHandler]]] = [
    ("/table", TableHandler),
    (f"/jobs/{_RUN}/compare/(?P<other_id>[^/]{{1,2000}})", CompareHandler),
    (f"/jobs/{_RUN}/tag", TagHandler),
    (f"/jobs/{_RUN}/tag/(?P<tag>[^/]{{1,2000}})", TagRemovalHandler),
]
