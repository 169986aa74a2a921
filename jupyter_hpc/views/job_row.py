"""A job as one row: the same fields in the sidebar, the table, ``%hpc jobs`` and ``jupyter hpc jobs --json``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..model.printable import printable
from ..model.spec import first_line
from ..model.states import JobState, Status
from ..rundir.parts import indices_of
from ..rundir.run import Run

Row = dict[str, Any]
MOST_METRICS = 6
FIELDS = (  # of `jobs --json`: names that stay
    *("id", "name", "target", "backend", "native_id", "state", "reason", "error", "node", "partition", "created"),
    *("started_at", "ended_at", "time_limit_s", "gpus", "gpu_type", "notebook", "tasks", "tags"),
    *("parameters", "metrics", "gpu_use"),
)


def job_row(run: Run, record: Mapping[str, Any], status: Status | None = None) -> Row:
    """Return what a row shows of a run, as its record has it or as it stands now."""
    spec = record["spec"]
    resources = spec.get("resources") or {}
    row: Row = {
        "id": run.id,
        "name": record.get("name") or first_line(str(record["code"].get("text") or ""))[:120],
        "target": record["target"]["name"],
        "backend": record["target"].get("backend", ""),
        "native_id": str(record.get("native_id") or ""),
        "state": str(record.get("state")),
        "reason": record.get("reason") or "",
        "error": (record.get("verdict") or {}).get("error") or "",
        "node": record.get("node") or "",
        "partition": spec.get("partition") or "",
        "created": record.get("created"),
        "started_at": record.get("started_at"),
        "ended_at": record.get("ended_at"),
        "time_limit_s": resources.get("time"),
        "gpus": resources.get("gpus") or 0,
        "gpu_type": resources.get("gpu_type") or "",
        "notebook": (record.get("notebook") or {}).get("path") or "",
        "tasks": len(indices_of(record)),
        "task_states": {},
        "array": "",
        "tags": [],
        "acts": [],
        "metrics": metrics(told(record)),
        "foreign": False,
    }
    return {**printable_row(row), **(live_fields(status) if status else {})}


def told(record: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the numbers that a run told of itself, or an array's tasks together."""
    return record.get("metrics") or record.get("task_metrics") or {}


def metrics(summary: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what a row shows of the numbers that a job told of itself: the last of each, and how the first went."""
    return [
        {
            "name": printable(name)[:64],
            "last": total["last"],
            "trend": total.get("trend") or [],
            **({key: total[key] for key in ("tasks", "min", "max")} if "tasks" in total else {}),
        }
        for name, total in list(summary.items())[:MOST_METRICS]
    ]


def live_fields(status: Status) -> Row:
    """Return those fields of a row that change while a job lives."""
    found: Row = {
        "state": status.state.value,
        "reason": status.reason,
        "node": status.node,
        "started_at": status.started_at,
        "ended_at": status.ended_at,
    }
    return printable_row({**found, **({"native_id": status.native_id} if status.native_id else {})})


def damaged_row(run: Run) -> Row:
    """Return the row of a run whose record can't be read."""
    created = datetime.strptime(run.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=timezone.utc).timestamp()
    nothing = {"id": run.id, "target": {"name": "?"}, "spec": {}, "code": {}, "state": JobState.LOST.value}
    row = job_row(run, {**nothing, "created": created, "reason": "its record.json is damaged"})
    return {**row, "name": run.id}


def printable_row(row: Row) -> Row:
    """Return the row with texts that do nothing to whoever shows them."""
    return {key: printable(value) if isinstance(value, str) else value for key, value in row.items()}
