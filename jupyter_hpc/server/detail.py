"""One job, whole: what a job's view shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..explain.use import idle_words
from ..follow.explained import explain_now_and_then
from ..jobs.job import Job
from ..model.observation import Waiting
from ..model.printable import all_printable
from ..model.states import JobState
from ..rundir.raised import traceback_of
from ..rundir.reader import PartsReader, RunReader, reader_of
from ..rundir.run import WAITS, Run
from ..runtime.process import is_alive
from ..views.charts import IN_A_CROWD, MOST_BUCKETS, Chart, charts_by, thinned
from ..views.code_lines import failed_line, first_line
from ..views.job_row import job_row
from .downloads import MOST_FILES

_OF_A_FILE = ("path", "role", "nbytes", "why")
MOST_CHARTS = 24


def detail(job: Job) -> dict[str, Any]:
    """Return a job's row and the rest of what is known of it."""
    record, status = job.record, job.status
    explain_now_and_then(job.run, record, status)
    verdict = record.get("verdict") or {}
    manifest = job.run.manifest() or {}
    reader = reader_of(job.run, record, outputs=False)
    reader.poll()
    samples = _samples(reader)
    tasks = job.tasks[:1000]
    found: dict[str, Any] = {
        **job_row(job.run, record, status),
        "waiting": _waiting(record) if status.state is JobState.PENDING else None,
        "hint": verdict.get("hint") or "",
        "evidence": verdict.get("evidence") or [],
        "traceback": traceback_of(record, _failed(tasks)),
        "attempts": record.get("attempts") or [],
        "resources": record["spec"].get("resources") or {},
        "is_awaited": any(is_alive(mark.name.removeprefix(WAITS)) for mark in job.run.waits()),
        **{k: record.get(k) or "" for k in ("replaces", "replaced_by", "changed_options")},
        "spec": {k: v for k, v in record["spec"].items() if k != "resources"},
        "code": record["code"].get("text") or "",
        "first_line": first_line(record),
        "failed_line": failed_line(record),
        "inputs": [_value(entry) | {"origin": (entry.get("origin") or {}).get("run")} for entry in record["inputs"]],
        "outputs": [_value(n) for n in manifest.get("names", []) if not str(n.get("name")).startswith("<")],
        "files": [{key: file.get(key) for key in _OF_A_FILE} for file in (record.get("files") or [])[:MOST_FILES]],
        "unsent": manifest.get("unsent") or {},
        "directory": str(job.run.path),
        "samples": samples,
        "idle": "" if status.state.is_final else idle_words(samples),
        "charts": [_chart(chart) for chart in charts_by(reader)[:MOST_CHARTS]],
        "array_tasks": [
            {
                "id": task.id,
                "task": task.run.index,
                "state": task.status.state.value,
                "reason": task.status.reason,
            }
            for task in tasks
        ],
    }
    return {key: all_printable(value) for key, value in found.items()}


def _waiting(record: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the scheduler said last of why it waits, as data."""
    said = record.get("waiting")
    return None if said is None else {"asked_at": said.get("asked_at"), **Waiting.from_record(said).to_record()}


def _failed(tasks: list[Job]) -> Iterator[Run]:
    return (task.run for task in tasks if task.state.is_final and task.state is not JobState.COMPLETED)


def _value(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry.get(key) for key in ("name", "type", "nbytes", "digest")}


def _chart(chart: Chart) -> dict[str, Any]:
    """Return a chart's lines, each with so many points that a chart can show; what is no number is null."""
    buckets = IN_A_CROWD if chart.is_crowd else MOST_BUCKETS
    lines = [
        {
            "label": line.label,
            "points": [[x, y if math.isfinite(y) else None] for x, y in thinned(line.points, buckets)],
            **{key: line.total[key] for key in ("last", "min", "max", "count")},
        }
        for line in chart.lines
    ]
    tasks = {"tasks": chart.number, "min": chart.low, "max": chart.high} if chart.of == "tasks" else {}
    return {"name": chart.name, "by": chart.by, "lines": lines, **tasks}


def _samples(reader: RunReader | PartsReader) -> list[dict[str, Any]]:
    """Return what the worker measured of itself in its last attempt; of an array, its largest task."""
    if isinstance(reader, PartsReader):
        reader = reader.largest
    return [{key: value for key, value in sample.items() if key != "e"} for sample in reader.samples]
