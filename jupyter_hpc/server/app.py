"""The server extension: its settings, its routes, its life."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyter_server.extension.application import ExtensionApp
from traitlets import Float

from ..rundir.store import store
from .feed import Feed
from .listing import Listing
from .metrics import register, unregister
from .routes import ROUTES

EVENTS = Path(__file__).parent / "events.yaml"


class HPCApp(ExtensionApp):
    """Jobs of Slurm, Kubernetes and this machine, for JupyterLab's sidebar."""

    name = "hpc"
    extension_url = "/jupyter-hpc/jobs"
    load_other_extensions = True
    look_every_s = Float(2.0, help="Seconds between looks for new runs, while somebody watches.").tag(config=True)

    def initialize_settings(self) -> None:
        listing = Listing(store())
        self.feed = Feed(listing, self._emit, self.look_every_s)
        self.metrics = register(listing)
        self.settings.update(hpc_listing=listing, hpc_feed=self.feed)
        logger = getattr(self.serverapp, "event_logger", None)
        if logger is not None and Feed.SCHEMA not in logger.schemas.schema_ids:
            logger.register_event_schema(EVENTS)

    def initialize_handlers(self) -> None:
        self.handlers.extend((rf"/jupyter-hpc{pattern}", handler) for pattern, handler in ROUTES)

    def _emit(self, ids: list[str]) -> None:
        logger = getattr(self.serverapp, "event_logger", None)
        if logger is not None:
            logger.emit(schema_id=Feed.SCHEMA, data={"jobs": ids[:100]})

    async def stop_extension(self) -> None:
        unregister(self.metrics)
        await asyncio.shield(self.feed.stop())
