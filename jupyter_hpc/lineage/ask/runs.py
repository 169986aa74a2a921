"""Questions over all runs: which, and what their rows say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..index.index import Index, index_of
from .where import condition

_AT_ONCE = 500  # values of one question to SQLite
_LISTED = "kind != 'local_cell' AND parent_run_id IS NULL"
COLUMNS = (
    *("run_id", "name", "state", "target", "native_id", "node", "created", "started_at", "ended_at", "label"),
    *("notebook", "agent", "error", "env_digest", "code_digest"),
)


def rows(index: Index, where: str = "", *, limit: int | None = None, offset: int = 0) -> list[dict[str, Any]]:
    """Return runs as rows, newest first; tasks stand under their array, local cells are none.

    Raises
    ------
    OptionError
        If the condition can't be understood.
    """
    sql, values = condition(index, where) if where else ("1", [])
    found = index.query(
        # ids first: the index of times has them, so a page in the middle reads only its own rows
        f"SELECT {', '.join(COLUMNS)} FROM run WHERE run_id IN (SELECT run_id FROM run"  # noqa: S608
        f" WHERE {_LISTED} AND {sql}"
        " ORDER BY created DESC, run_id DESC LIMIT ? OFFSET ?) ORDER BY created DESC, run_id DESC",
        (*values, -1 if limit is None else limit, offset),
    )
    told = _metrics(index, [str(row[0]) for row in found])
    return [{**dict(zip(COLUMNS, row)), "metrics": told.get(str(row[0]), {})} for row in found]


def _metrics(index: Index, ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the last value of each series, by run and name."""
    known: dict[str, dict[str, float]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        sql = f"SELECT run_id, name, last FROM metric WHERE run_id IN ({', '.join('?' * len(some))}) AND last NOT NULL"  # noqa: S608
        for run, name, last in index.query(sql, some, fresh=False):
            known.setdefault(run, {})[name] = last
    return known


def ids(index: Index, where: str) -> set[str]:
    """Return the ids of the runs that meet a condition.

    Raises
    ------
    OptionError
        If it can't be understood.
    """
    sql, values = condition(index, where)
    return {str(row[0]) for row in index.query(f"SELECT run_id FROM run WHERE {_LISTED} AND {sql}", values)}  # noqa: S608


def runs(where: str = "", *, limit: int | None = None) -> Any:
    """Return the runs that meet a condition, newest first: a DataFrame where pandas is installed, else a list of dicts.

    Parameters
    ----------
    where : str
        As for ``%hpc runs --where``: ``"package numpy<2"``, ``"input b3:…"``, ``"commit abc"``, ``"tag model:v3"``,
        ``"metric loss<0.3"``, ``"failed since yesterday"``; joined with ``and``.
    limit : int, optional
        The newest so many.

    Examples
    --------
    >>> jupyter_hpc.runs("failed since yesterday")   # doctest: +SKIP
    """
    found = rows(index_of(), where, limit=limit)
    try:
        import pandas as pd
    except ImportError:
        return found
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    for name in sorted({name for row in found for name in row["metrics"]}):
        frame[f"metrics.{name}"] = [row["metrics"].get(name) for row in found]
    for column in ("created", "started_at", "ended_at"):
        frame[column] = pd.to_datetime(frame[column].astype("float64"), unit="s", utc=True)
    return frame


def offers(*, tags: bool) -> list[str]:
    """Return what completion may offer, as the index stands: the newest runs; names and tags where they are meant.

    It brings nothing up to date: completion waits for nothing.
    """
    index = index_of()
    if not index.path.exists():
        return []
    newest = f"SELECT run_id FROM run WHERE {_LISTED} ORDER BY created DESC LIMIT 20"  # noqa: S608
    found = [str(row[0]) for row in index.query(newest, fresh=False)]
    if tags:
        found += [row[0] for row in index.query("SELECT key || ':' || value FROM tag", fresh=False)]
        names = "SELECT DISTINCT name FROM edge WHERE role = 'generated' AND kind = 'value' ORDER BY t DESC LIMIT 200"
        found += [row[0] for row in index.query(names, fresh=False)]
    return found
