"""What the record says of each input's origin."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import Any

from ...capture.payload import Item
from ...rundir.store import Store
from ...worker.apart import apart
from ...worker.looking import is_a
from .known import Known, known_values
from .session import session

_MOST_PARTS = 1000


def origins(items: Iterable[Item], namespace: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return ``origin`` and ``derived`` of each input, as far as they are known, by its name.

    A run that made the same content comes first, then one that made this object or what it is a view of, then local
    cells, which may have derived it. What is none of these is new to us.
    """
    return {
        item.name: apart(f"the origin of {item.name}", _origin, item, namespace[item.name], default={})
        for item in items
    }


def sent(items: Iterable[Item], namespace: Mapping[str, Any], runs: Store) -> None:
    """A run got these values: remember what they were, and begin to write local cells."""
    for item in items:
        if not _is_code(namespace[item.name]):
            apart(f"the origin of {item.name}", known_values.sent, item.name, namespace[item.name], item.digest)
    apart("the record of local cells", session.begin, runs)


def _origin(item: Item, value: Any) -> dict[str, Any]:
    before = session.ancestry(item.name)
    if _is_code(value):
        before = (
            before if before.cells else session.ancestry(value.__name__)
        )  # a call's function has no name of its own
        return {"origin": {"cells": list(before.cells)}} if before.cells else {}
    found = known_values.origin(item.name, value, item.digest)
    if found.origin.get("via") == "hash":
        return found.to_record()
    if not found.origin and not found.derived:
        if (known := session.run_of(item.name)) is not None:
            found.origin = {"run": known.run, "name": known.name, "via": "name"}
            found.derived = [{"digest": known.digest, "how": "mutated"}]
        else:
            found.derived = [{"digest": digest, "how": "cells"} for digest in before.digests]
    if before.cells:
        found.origin["cells"] = list(before.cells)
    known_parts = {d["digest"] for d in found.derived}
    found.derived += [
        {"digest": part.digest, "how": "part"} for part in _parts(value) if part.digest not in known_parts
    ]
    return found.to_record()


def _parts(value: Any) -> list[Known]:
    """Return the known values directly inside a container, such as a call's arguments."""
    inside: Any = ()
    if is_a(value, dict):
        inside = dict.values(value)
    elif type(value) in (tuple, list):  # a subclass may iterate over anything
        inside = value
    if len(inside) > _MOST_PARTS:
        return []
    found = (known_values.by_identity(each) for each in inside)
    return list({known.digest: known for known in found if known is not None}.values())


def _is_code(value: Any) -> bool:
    return is_a(value, (type, types.FunctionType))
