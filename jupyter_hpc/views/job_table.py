"""The table of jobs: what it has beside a row of the list, its columns and their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..explain.use import measured
from ..lineage.ask.parameters import parameters
from ..model.printable import all_printable, printable
from ..rundir.reader import PartsReader, RunReader, reader_of
from ..rundir.run import Run
from ..rundir.series import Summary, of_tasks
from ..worker.apart import apart
from .job_order import by_name, duration, rank_of
from .job_row import Row, told

_COLUMNS: dict[str, Callable[[Row], Any]] = {
    "state": lambda row: rank_of(row["state"]),
    "name": by_name,
    "target": lambda row: row["target"].lower() or None,
    "started": lambda row: row["started_at"],
    "ended": lambda row: row["ended_at"],
    "created": lambda row: row["created"],
    "duration": duration,
    "node": lambda row: row["node"].lower() or None,
}
OF_RUNS = {"parameters": "parameters", "metrics": "numbers"}  # columns as ``metrics.loss``, and the field that has them
COLUMNS = tuple(_COLUMNS)


def more(run: Run, record: Mapping[str, Any], reader: RunReader | PartsReader | None = None) -> Row:
    """Return what the table shows of a run beside its row: parameters, numbers that it told, how much of gpus it used.

    Parameters
    ----------
    reader : optional
        What has read its events so far; else they are read now.
    """
    if reader is None:
        reader = reader_of(run, dict(record), outputs=False)
        apart("its events", reader.poll, default=[])
    found = {
        "gpu_use": apart("use of gpus", _gpu_use, reader, default=[]),
        "numbers": {name: total["last"] for name, total in (told(record) or _told_so_far(reader)).items()},
    }
    return {"parameters": given(run, record), **{key: all_printable(value) for key, value in found.items()}}


def given(run: Run, record: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a run: none of it changes once it is submitted."""
    code = str(record["code"].get("text") or "")
    found: dict[str, str] = all_printable(apart("parameters", parameters, run.whole or run, code, default={}))
    return found


def _told_so_far(reader: RunReader | PartsReader) -> Summary:
    if isinstance(reader, PartsReader):
        return of_tasks(task.series.summary() for task in reader.readers.values())
    return reader.series.summary()


def _gpu_use(reader: RunReader | PartsReader) -> list[dict[str, float]]:
    use = measured(reader)
    return [{"percent": gpu.percent, "mib": gpu.mib, "mib_total": gpu.mib_total} for gpu in use.gpus] if use else []


def is_column(name: str) -> bool:
    """Whether rows can be sorted by it: one of ``COLUMNS``, or ``parameters.NAME`` and ``metrics.NAME``."""
    kind, dot, own = name.partition(".")
    return name in _COLUMNS or bool(kind in OF_RUNS and dot and own)


def _in_row(row: Row, kind: str, name: str) -> Any:
    return row[OF_RUNS[kind]].get(name)


def sorted_by(
    rows: Iterable[Row], column: str, *, down: bool = False, of_run: Callable[[Row, str, str], Any] = _in_row
) -> list[Row]:
    """Return the rows in the order of a column; those that have nothing there come last either way.

    Parameters
    ----------
    of_run : optional
        Returns a parameter or a metric of a row, where the row itself may not have it yet.
    """
    kind, _, own = column.partition(".")
    value = _COLUMNS.get(column) or (lambda row: _as_number(of_run(row, kind, own)))
    having: list[tuple[Any, Row]] = []
    lacking: list[Row] = []
    for row in rows:
        found = value(row)
        if found is None:
            lacking.append(row)
        else:
            having.append((found, row))
    having.sort(key=lambda pair: pair[0], reverse=down)
    return [*(row for _, row in having), *lacking]


def _as_number(value: Any) -> tuple[int, float, str] | None:
    """Numbers come before words, whatever they are written as."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 1, 0.0, printable(str(value)).lower()
    return (0, number, "") if number == number else (1, 0.0, "nan")
