"""Writes the rows of one activity into the index, and finds from which others its inputs came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...model.encodable import encodable
from ..record.known import TRIVIAL_BYTES
from .activity import LOCAL_CELL, RUN_COLUMNS, Edge, Facts, environment, packages

_RUN = f"INSERT OR REPLACE INTO run({', '.join(RUN_COLUMNS)}) VALUES ({', '.join('?' * len(RUN_COLUMNS))})"  # noqa: S608 names of ours
_LINK = "INSERT OR IGNORE INTO link VALUES (?, ?, ?, ?)"
_MADE = (
    "SELECT run_id, name FROM edge WHERE digest = ? AND role = 'generated' AND t < ? AND kind != 'code'"
    " ORDER BY t DESC LIMIT 8"
)
_WROTE = (
    "SELECT run_id FROM edge JOIN run USING(run_id) WHERE edge.name = ? AND role = 'generated' AND t < ?"
    " AND edge.kind = ? AND (? IS NULL OR session = ?) ORDER BY t DESC LIMIT 1"
)
_WAITS = (
    "SELECT run_id, name, nbytes FROM edge AS u WHERE digest = ? AND role = 'used' AND t > ? AND kind != 'code'"
    " AND NOT EXISTS (SELECT 1 FROM link WHERE child = u.run_id AND link.name = u.name)"
)


def put(database: sqlite3.Connection, facts: Facts, *, is_new: bool = False) -> None:
    """Write one activity's rows in place of those that it had."""
    run_id, t = str(facts.run["run_id"]), facts.run["created"]
    if not is_new:
        remove(database, run_id)
    database.execute(_RUN, plain(facts.run[column] for column in RUN_COLUMNS))
    rows = [plain((run_id, e.role, e.kind, e.name, e.digest, e.nbytes, e.type, t)) for e in facts.edges]
    database.executemany("INSERT OR REPLACE INTO edge VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    used = [e for e in facts.edges if e.role == "used"]
    found = [row for e in used for row in _links(database, facts, e)]
    database.executemany(_LINK, [plain(row) for row in found if row[2] != run_id])
    pairs = [(e.digest, source, how) for e in used if e.digest for source, how in e.derived]
    database.executemany("INSERT OR IGNORE INTO derived VALUES (?, ?, ?)", pairs)
    code = [plain((run_id, *c.values())) for c in facts.code]
    database.executemany("INSERT OR REPLACE INTO code VALUES (?, ?, ?, ?, ?, ?, ?, ?)", code)
    metrics = [plain((run_id, *metric)) for metric in facts.metrics]
    database.executemany("INSERT OR REPLACE INTO metric VALUES (?, ?, ?, ?, ?, ?)", metrics)


def remove(database: sqlite3.Connection, run_id: str) -> list[str]:
    """Take an activity out; return those whose inputs came from it."""
    children = [row[0] for row in database.execute("SELECT child FROM link WHERE parent = ?", (run_id,))]
    for table in ("run", "edge", "code", "metric"):
        database.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608 names of ours
    database.execute("DELETE FROM link WHERE child = ?", (run_id,))
    return children


def connect_earlier(database: sqlite3.Connection, facts: Facts) -> None:
    """Link activities that were read before the one that made their inputs."""
    run_id, t = str(facts.run["run_id"]), facts.run["created"]
    for made in facts.edges:
        if made.role == "generated" and made.digest and made.kind != "code":
            waits = database.execute(_WAITS, (made.digest, t)).fetchall()
            rows = [(c, n, run_id, "hash") for c, n, size in waits if _tells(size, n == made.name)]
            database.executemany(_LINK, rows)


def put_environment(database: sqlite3.Connection, root: Path, digest: str | None) -> None:
    """Write an environment's packages, once."""
    known = "SELECT 1 FROM package WHERE name = 'python' AND env_digest = ?"
    if not digest or database.execute(known, (digest,)).fetchone():
        return
    found = environment(root, digest)
    if found:
        versions = {**packages(found), "python": str(found.get("python") or "")}
        rows = [plain((digest, name, version)) for name, version in versions.items()]
        database.executemany("INSERT OR REPLACE INTO package VALUES (?, ?, ?)", rows)


def plain(values: Iterable[Any]) -> tuple[Any, ...]:
    """Return values as SQLite takes them, which has no text that can't be encoded; for rows and for questions alike."""
    return tuple(encodable(value) if isinstance(value, str) else value for value in values)


def _links(database: sqlite3.Connection, facts: Facts, edge: Edge) -> Iterator[tuple[str, str, str, str]]:
    """Yield where one input came from: as recorded, else by content, else by name."""
    run_id, t = str(facts.run["run_id"]), facts.run["created"]
    for parent, via in edge.sources:
        yield run_id, edge.name, parent, via
    is_told = any(via == "cells" for _, via in edge.sources)  # those cells are linked to what they read themselves
    for source, how in edge.derived:
        parent_of = None if is_told and how == "cells" else _maker(database, source, t, None)
        if parent_of:
            yield run_id, edge.name, parent_of, how
    if edge.sources or edge.derived or edge.kind == "code":
        return
    maker = _maker(database, edge.digest, t, edge)
    if maker is not None:
        yield run_id, edge.name, maker, "hash"
    elif edge.kind == "file" or (facts.run["kind"] == LOCAL_CELL and edge.digest is None):
        session = facts.run["session"] if edge.kind == "value" else None
        wrote = database.execute(_WROTE, plain((edge.name, t, edge.kind, session, session))).fetchone()
        if wrote is not None:
            yield run_id, edge.name, wrote[0], "path" if edge.kind == "file" else "name"


def _maker(database: sqlite3.Connection, digest: str | None, t: float, edge: Edge | None) -> str | None:
    """Return who made this content last before ``t``."""
    if digest is None:
        return None
    for run_id, name in database.execute(_MADE, (digest, t)):
        if edge is None or _tells(edge.nbytes, name == edge.name):
            return str(run_id)
    return None


def _tells(nbytes: int | None, is_same_name: bool) -> bool:
    """Whether equal content means that one came from the other."""
    return is_same_name or (nbytes or 0) >= TRIVIAL_BYTES
