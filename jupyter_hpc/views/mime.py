"""What JupyterLab's extension needs to fill a job's output again: which job, and how it stood."""

from __future__ import annotations

from typing import Any

from ..explain.again import suggested_resources
from ..jobs.job import Job
from ..model.states import JobState

MIME = "application/vnd.jupyter-hpc.job+json"


def job_mime(job: Job, state: JobState) -> dict[str, Any]:
    """Return the bundle's entry; a front end without our extension passes it over."""
    return {MIME: {"id": job.id, "state": state.value}}


def again_mime(job: Job) -> dict[str, Any]:
    """Return what the extension needs for a button that submits a failed job again."""
    again = {"options": str(job.verdict.get("again") or ""), "resources": suggested_resources(job)}
    return {MIME: {"id": job.id, "state": job.state.value, "again": again}}
