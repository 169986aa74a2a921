"""What the fault tests share: run a cell through the core, wait for conditions, count scheduler calls."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_hpc.capture.cell.analysis import analyze
from jupyter_hpc.capture.request import Request
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.jobs.submit import submit_request
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.rundir.run import Run, read_json
from jupyter_hpc.rundir.store import store
from jupyter_hpc.submission.preflight import Preflight, preflight

PATIENCE_S = 120.0  # of a test that waits for something: not how long it may take, but when nothing will come any more
RESOURCES = {
    "nodes",
    "tasks",
    "tasks_per_node",
    "cpus",
    "memory",
    "gpus",
    "gpus_per_task",
    "time",
    "exclusive",
}


def _request(text: str, namespace: dict[str, Any], options: dict[str, Any]) -> tuple[Request, JobSpec]:
    asked = {k: options.pop(k) for k in RESOURCES & set(options)}
    request = Request(text=text, code=text, names=analyze(text, text), namespace=namespace, hints=frozenset())
    return request, JobSpec(resources=Resources.parse(**asked), **options)


def submit(text: str, on: str = "slurm", names: dict[str, Any] | None = None, **options: Any) -> Job:
    """Submit a cell as a magic would."""
    request, spec = _request(text, names if names is not None else {}, options)
    return submit_request(request, on, spec)


def preview(text: str, on: str = "slurm", **options: Any) -> Preflight:
    request, spec = _request(text, {}, options)
    return preflight(request, on, spec)


def until(condition: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """Return the condition's value as soon as it is true; how long that takes is the machine's matter."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)
    return value


def done(job: Job) -> float:
    """When a job's worker was done, which it notes after its result is there; in seconds since 1970."""
    return float(until(lambda: events(job, "done"), f"the last word of {job}'s worker")[0]["t"])


def says(job: Job, word: str) -> None:
    """Wait until the cell has printed a word."""

    def said() -> bool:
        is_over = job.wait(0)
        has_said = word in job.logs()
        assert has_said or not is_over, job
        return has_said

    until(said, f"{word!r} of {job.id}")


def until_file(go: Path, then: str = "y = 5") -> str:
    """Return a cell that says that it is ready, and goes on when a file is there."""
    return (
        f"import os, time\nprint('ready', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(.02)\n{then}"
    )


def over(job: Job) -> Job:
    """Wait until nobody writes into a job's run any more: the batch script's word comes after the result."""
    assert job.wait(120), job
    there = sorted(os.listdir(job.run.path))
    until((job.run.path / "end.json").exists, f"the batch script's end of {job}, which had {there}")
    return job


def wait_saved(job: Job) -> None:
    """Wait until the controller has the job on disk: it writes some seconds later, and a crash loses what is newer."""
    token = f"saved-{job.id}-{time.monotonic_ns()}"
    slurm("scontrol", "update", f"JobId={job.native_id}", f"AdminComment={token}")
    [where] = re.findall(r"(?m)^StateSaveLocation\s*= (\S+)", slurm("scontrol", "show", "config"))

    def has_it() -> bool:
        with suppress(FileNotFoundError):  # for a moment, while it is replaced
            return token.encode() in Path(where, "job_state").read_bytes()
        return False

    until(has_it, f"the controller has saved {job}")


def open_below(folder: Path) -> list[str]:
    """Return the files below a folder that any process has open."""
    found = []
    for opened in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):  # its process has ended
            for number in os.listdir(opened):
                with suppress(OSError):  # or closed it
                    found.append(os.readlink(opened / number))
    return [path for path in found if path.startswith(str(folder))]


def is_done(run: Run) -> bool:
    """Whether nobody has anything more to write for a run that has ended."""
    code = (read_json(run.path / "record.json") or {}).get("code") or {}
    return (run.path / "end.json").exists() and "sources" in code and not open_below(run.path)


def events(job: Job, kind: str) -> list[dict[str, Any]]:
    path = job.run.path / "events.jsonl"
    if not path.exists():
        return []
    return [e for e in map(json.loads, path.read_text().splitlines()) if e["e"] == kind]


def worker_pid(job: Job) -> int:
    return int(until(lambda: events(job, "started"), "the worker's start")[0]["pid"])


def slurm(*argv: str) -> str:
    """Run a command of the cluster that ``slurm`` is now: the practice cluster, or the one of SLURM_CONF."""
    from jupyter_hpc import practice

    env = {**(practice.environment() if "SLURM_CONF" not in os.environ else {}), **os.environ}

    def done() -> subprocess.CompletedProcess[str] | None:
        """None where Slurm itself says to ask again: a controller that has just begun tells its database of its jobs."""
        said = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=120, check=False)
        return None if "try again" in said.stderr else said

    said = until(done, f"{' '.join(argv)} is taken")
    assert said.returncode == 0, f"{' '.join(argv)}: {said.stderr}"
    return said.stdout.strip()


def run_directories() -> set[str]:
    return {run.id for run in store().runs()}


class Counter:
    """Scheduler commands that note each call before they do what they are asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls"

    def install(self, *names: str, before: str = "", instead: str = "") -> None:
        import shutil

        self.folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            real = shutil.which(name, path="/usr/bin:/usr/local/bin:/bin")
            path = self.folder / name
            body = instead.replace("REAL", str(real)) or f'exec {real} "$@"'
            path.write_text(f'#!/bin/bash\nprintf "%s %s\\n" {name} "$EPOCHREALTIME" >> {self.log}\n{before}\n{body}\n')
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def count(self, name: str) -> int:
        return self.log.read_text().split().count(name) if self.log.exists() else 0

    def busiest_minute(self, *names: str) -> int:
        """The most calls of these commands in any minute, less what a process may take to begin on a busy machine."""
        rows = [line.split() for line in self.log.read_text().splitlines()] if self.log.exists() else []
        times = sorted(float(moment.replace(",", ".")) for name, moment in rows if name in names)
        return max((sum(1 for t in times if first <= t < first + 55) for first in times), default=0)
