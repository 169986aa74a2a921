"""The one way by which a run gets to a scheduler, the first time and again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..backends.base import Submission
from ..model.spec import JobSpec
from ..model.tasks import parse_tasks
from ..rundir import secret
from ..rundir.blobs import store_of
from ..rundir.parts import make_parts
from ..rundir.run import Run, write_json
from ..rundir.store import Store
from ..targets.target import Target
from .handover import Say, hand_over


@contextmanager
def new_run(runs: Store) -> Iterator[Run]:
    """Make a run's directory, of which nothing is left where the run can't be submitted."""
    run = runs.create()
    try:
        yield run
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)
        raise


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
