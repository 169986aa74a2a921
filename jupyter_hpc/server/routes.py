"""Every route; ``openapi.yaml`` beside it describes each."""

from __future__ import annotations

from . import acts, handlers, page_handlers, resubmissions, table_handlers

ROUTES = [
    *handlers.ROUTES,
    *acts.ROUTES,
    *page_handlers.ROUTES,
    *resubmissions.ROUTES,
    *table_handlers.ROUTES,
]
