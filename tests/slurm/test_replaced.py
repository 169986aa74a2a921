"""A job that waits on a real Slurm gives way to one with other options, and the cell goes on with that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.jobs.submit import replace_waiting
from jupyter_hpc.model.states import JobState
from jupyter_hpc.practice.slurm_conf import GPUS
from jupyter_hpc.rundir.store import store
from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox
from tests.faults.conftest import cluster, few_questions  # noqa: F401 fixtures
from tests.faults.occurrences import shows
from tests.faults.road import submit, until

pytestmark = pytest.mark.usefixtures("cluster")


@pytest.fixture(scope="module")
def kernel(sandbox: Sandbox, practice_slurm: object) -> Iterator[Notebook]:
    directory = sandbox.directory / "replaced"
    directory.mkdir()
    notebook = Notebook("slurm", dict(sandbox.environment), directory)
    yield notebook
    notebook.stop()


@pytest.fixture
def busy() -> Iterator[Job]:
    """One of the gpus is taken."""
    job = submit("import time\ntime.sleep(600)", gpus=1)
    until(lambda: job.state is JobState.RUNNING, "it has its gpu")
    yield job
    job.cancel()
    assert job.wait(120)


def waiting_one(busy: Job) -> Job:
    """The cell's job, once it waits."""

    def found() -> Job | None:
        newest = Job(store().runs()[0])
        is_there = newest.id != busy.id and (newest.run.record_or_none() or {}).get("native_id")
        return newest if is_there and newest.state is JobState.PENDING else None

    job: Job = until(found, "a job that waits")
    return job


@shows("replaced")
def test_the_cell_goes_on_with_the_job_that_took_its_place(busy: Job, notebook: Notebook) -> None:
    notebook.run("x = [1]")
    request = notebook.begin(notebook.cell("x.append(2)\ny = sum(x)\nprint('here')", f"--gpus {GPUS}"))
    old = waiting_one(busy)
    new = replace_waiting(old, resources={"gpus": 1})  # in another process than the cell's
    executed = notebook.finish(request)
    assert notebook.value("(x, y, _hpc.id)") == ([1, 2], 3, new.id)  # and the change is in the kernel's own list
    assert f"submitted again as {new.id} with --gpus 1" in executed.text
    assert new.state is JobState.COMPLETED
    assert old.wait(120)
    assert (old.state, old.verdict["cause"], old.verdict["again"]) == (JobState.CANCELLED, "replaced", None)
    assert old.result(120)["y"] == 3


def test_an_interrupt_after_that_is_the_new_ones(busy: Job, notebook: Notebook) -> None:
    request = notebook.begin(notebook.cell("import time\ntime.sleep(600)", f"--gpus {GPUS}"))
    new = replace_waiting(waiting_one(busy), resources={"gpus": 1})
    until(lambda: new.run.waits(), "the cell waits for the new one")
    notebook.interrupt()
    executed = notebook.finish(request, fails=True)
    assert executed.error is not None and f"%hpc attach {new.id}" in executed.text
    new.cancel()
    assert new.wait(120)
