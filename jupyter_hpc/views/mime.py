"""What JupyterLab's extension needs to fill a job's output again: which job, and how it stood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..explain.again import suggested_resources
from ..model.states import JobState

MIME = "application/vnd.jupyter-hpc.job+json"


def job_mime(run_id: str, state: JobState) -> dict[str, Any]:
    """Return the bundle's entry; a front end without our extension passes it over."""
    return {MIME: {"id": run_id, "state": state.value}}


def lacking(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return a final card that stands alone: a kernel can't put under it what the job displayed."""
    return {**card, MIME: {**card[MIME], "lacks_displays": True}}


def again_mime(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the extension needs for a button that submits an ended job again."""
    words = str((record.get("verdict") or {}).get("again") or "")
    again = {"options": words, "resources": suggested_resources(record)}
    return {MIME: {"id": record["id"], "state": record["state"], "again": again}}
