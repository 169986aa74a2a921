"""The one way by which a run gets to a scheduler, the first time and again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..backends.base import Submission
from ..model.exceptions import SubmissionError
from ..model.spec import JobSpec
from ..model.tasks import parse_tasks
from ..rundir import secret
from ..rundir.blobs import store_of
from ..rundir.parts import make_parts
from ..rundir.run import Run, write_json
from ..rundir.store import Store
from ..rundir.unwritten import may_pass, now_or_later
from ..targets.target import Target
from .handover import Say, hand_over


@contextmanager
def new_run(runs: Store) -> Iterator[Run]:
    """Make a run's directory, of which nothing is left where the run can't be submitted.

    Raises
    ------
    SubmissionError
        If the disk doesn't take what is to be submitted.
    """
    try:
        run = runs.create()
        try:
            yield run
        except BaseException:
            _discard(runs, run)
            raise
    except OSError as error:
        if not may_pass(error):
            raise
        raise SubmissionError(
            f"Nothing was submitted: {error.strerror} ({error.filename or runs.root}).",
            hint="Free space (`%hpc clean` shows what runs hold), or set JUPYTER_HPC_ROOT to a folder that you may "
            "write to, on a larger shared disk.",
        ) from error


def _discard(runs: Store, run: Run) -> None:
    """Leave nothing of a run that was never submitted, as soon as the disk lets us."""

    def discard() -> None:
        runs.discard(run)
        if run.path.exists():
            os.rmdir(run.path)  # says why it is still there

    with suppress(OSError):  # it is not the disk: `clean` says what is left
        now_or_later(run.path, discard)


def launch(run: Run, record: dict[str, Any], spec: JobSpec, where: Target, say: Say | None = None) -> None:
    """Hand a run whose payload is there to its backend; its tasks' directories and its record are written before.

    Parameters
    ----------
    spec : JobSpec
        As `checks.accepted` returned it.
    say : callable, optional
        Gets a sentence when there is something to wait for.
    """
    if spec.array:
        tasks = parse_tasks(spec.array)
        make_parts(run, tasks.indices)
        record["array"] = {"text": tasks.text, "indices": list(tasks.indices)}
    secret.begin(run)
    write_json(run.path / "record.json", record)
    hand_over(Submission(run, spec, store_of(run).worker_directory(), sys.executable), where, say)
