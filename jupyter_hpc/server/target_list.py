"""What each target has and who holds it, asked at most once in `FRESH_S` whoever asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from ..model.capacity import Capacity, as_record
from ..model.exceptions import HPCError, TargetError
from ..model.observation import Availability
from ..model.printable import all_printable
from ..runtime import portal
from ..targets.magic_line import magic_of
from ..targets.target import Target
from ..targets.targets import targets

FRESH_S = 60.0  # at most one question a minute for each target, whoever watches
PATIENCE_S = 15.0
_cache: tuple[float, list[dict[str, Any]]] | None = None
_asking: asyncio.Lock | None = None
_nodes: dict[str, tuple[float, Mapping[str, Any] | HPCError]] = {}
_looking: dict[str, asyncio.Lock] = {}  # a target that doesn't answer keeps nobody from another


async def availability() -> list[dict[str, Any]]:
    """Return one entry a target: whether it is there, its partitions or nodes, its GPUs by type."""
    global _cache, _asking
    _asking = _asking or asyncio.Lock()
    async with _asking:  # twenty clients are one question
        if _cache is None or time.monotonic() - _cache[0] > FRESH_S:
            found = await asyncio.gather(*(_one(target) for target in targets().values()))
            _cache = (time.monotonic(), found)
        return _cache[1]


async def _one(target: Target) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": target.name, "backend": target.backend, "source": target.source}
    entry["magic"] = magic_of(target.name)
    entry.update(available=False, message="", partitions=[], gpus=[])
    try:
        future = asyncio.wrap_future(portal.start(_ask(target)))
        found = await asyncio.wait_for(future, PATIENCE_S)
    except (HPCError, TimeoutError, asyncio.TimeoutError) as error:
        return {**entry, "message": (str(error).splitlines() or ["no answer in time"])[0]}
    rows = {"partitions": [dict(row) for row in found.partitions], "gpus": [dict(row) for row in found.gpus]}
    return {**entry, "available": True, "message": found.message, **rows}


async def _ask(target: Target) -> Availability:
    from ..targets.connection import connection_of

    return await (await connection_of(target.name)).backend.availability()


async def capacity(name: str) -> Mapping[str, Any]:
    """Return a target's nodes with who holds them.

    Raises
    ------
    TargetError
        If the target isn't there, or doesn't answer in time.
    """
    async with _looking.setdefault(name, asyncio.Lock()):
        known = _nodes.get(name)
        if known is None or time.monotonic() - known[0] > FRESH_S:
            known = _nodes[name] = (time.monotonic(), await _looked(name))
    if isinstance(known[1], HPCError):
        raise known[1]
    return known[1]


async def _looked(name: str) -> Mapping[str, Any] | HPCError:
    try:
        found = await asyncio.wait_for(asyncio.wrap_future(portal.start(_look(name))), PATIENCE_S)
    except (TimeoutError, asyncio.TimeoutError):
        return TargetError(f"{name} gave no answer in time.")
    except HPCError as error:
        return error
    answer: Mapping[str, Any] = all_printable(as_record(found))
    return answer


async def _look(name: str) -> Capacity:
    from ..targets.connection import connection_of

    return await (await connection_of(name)).backend.capacity()
