"""What to ask for when a job is submitted again."""

from __future__ import annotations

from ..jobs.job import Job

OPTIONS = {  # how each resource is written on a line
    "--mem": "memory", "--time": "time", "--cpus": "cpus", "--gpus": "gpus", "--nodes": "nodes", "--tasks": "tasks",
}  # fmt: skip


def suggestion(job: Job) -> str | None:
    """Return the line that submits an ended job again, better; None if that would be no use.

    Values of ``--env`` are kept nowhere, so a job that had some can't be submitted again from its record.
    """
    again = job.verdict.get("again")
    if again is None or job.record["spec"].get("env"):
        return None
    return f"%hpc resubmit {job.id} {again}".rstrip()


def suggested_resources(job: Job) -> dict[str, str]:
    """Return what a job's verdict suggests to ask for instead."""
    words = str(job.verdict.get("again") or "").split()
    return {OPTIONS[option]: value for option, value in zip(words[::2], words[1::2])}
