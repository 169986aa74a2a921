"""A target whose jobs wait until a test says otherwise: what is done to them is done by the package's own ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from jupyter_hpc.backends.budget import Budget
from jupyter_hpc.capture.cell.analysis import analyze
from jupyter_hpc.capture.request import Request
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.jobs.submit import submit_request
from jupyter_hpc.model.exceptions import SubmissionError
from jupyter_hpc.model.observation import Suggestion, Waiting
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.testing.fake import FakeBackend, FakeClock, FakeWorker

WAITING = Waiting(
    "the nodes are busy",
    "Resources",
    3,
    2,
    1_800_000_000.0,
    (
        Suggestion("--gpus 1", "one is free", confirmed=True),
        Suggestion("--time 1h", "it fits before the next", confirmed=False, expected_start=1_790_000_000.0),
    ),
    "Ask for less.",
    12,
)


class Queue(FakeBackend):
    """A scheduler with full nodes."""

    made: ClassVar[list[Queue]] = []
    starts_at_submission: str = ""  # a job that starts while the next one is submitted
    refuses = False
    dependents: dict[str, str]  # jobs that wait for one of the others → why they can't wait for another
    repointed: list[tuple[str, str, tuple[str, ...]]]  # old, new, and what had been ended by then
    noted: dict[str, dict[str, Any]]  # native id → the run's record when its end was asked for

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(FakeClock(), (0, JobState.PENDING), settings=settings)
        self.noted = {}
        self.dependents = {}
        self.repointed = []
        self.budget = Budget(None)
        Queue.made.append(self)

    async def submit(self, submission: Any) -> Any:
        if self.refuses:
            raise SubmissionError("No such partition.")
        taken = await super().submit(submission)
        if self.starts_at_submission:
            self.says(self.starts_at_submission, (0, JobState.RUNNING))
        return taken

    async def repoint(self, old: str, new: str) -> Mapping[str, str]:
        self.repointed.append((old, new, tuple(self.cancelled)))
        return dict(self.dependents)

    async def explain(self, run: Run, native_id: str) -> Waiting:
        return WAITING

    async def end(self, native_id: str) -> None:
        run_id = self._jobs[native_id].run_id
        self.noted[native_id] = json.loads((_runs() / run_id / "record.json").read_text())
        await super().end(native_id)

    def worker_of(self, job: Job) -> FakeWorker:
        """Start a job, and return its worker."""
        self.says(job.native_id, (0, JobState.RUNNING))
        worker = FakeWorker(job.run, FakeClock())
        (job.run.path / "attempt.1").touch()
        worker.starts()
        return worker


def _runs() -> Path:
    from jupyter_hpc.rundir.store import store

    return store().runs_directory


def configure(folder: Path, monkeypatch: Any) -> None:
    """Let this process have the target ``queue``, and a store of its own."""
    config = {"JupyterHPC": {"targets": {"queue": {"backend": f"{__name__}:Queue", "mark": str(folder)}}}}
    folder.joinpath("jupyter_hpc_config.json").write_text(json.dumps(config))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(folder / "hpc"))
    monkeypatch.chdir(folder)


def submit(text: str = "x = 1", **resources: Any) -> Job:
    """Submit a cell to the queue."""
    request = Request(text=text, code=text, names=analyze(text, text), namespace={}, hints=frozenset())
    return submit_request(request, "queue", JobSpec(Resources.parse(**resources)))
