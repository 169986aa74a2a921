"""What a job's cell shows for good, from its run directory: no kernel, and nothing is unpickled."""

from __future__ import annotations

from ..follow.glance import look, refresh
from ..rundir.reader import reader_of
from ..rundir.run import Run
from ..rundir.store import ANY_ID_PATTERN, Store
from ..views.log import LogTail
from ..views.outputs import Ended, as_ended
from .job import Job


def run_in(store: Store, run_id: str) -> Run | None:
    """Return the run that a notebook names, which may come from anywhere, if it is one of this store."""
    if not ANY_ID_PATTERN.fullmatch(run_id):
        return None
    run = store.run(run_id)
    return run if run.path.is_dir() and run.record_or_none() else None


def ended(run: Run) -> Ended | None:
    """Return what is left of a job that has ended, or of the one that took its place; None while it lives."""
    while (replacement := Job(run).replacement) is not None:
        run = replacement.run
    if not refresh([run])[0].state.is_final:
        return None
    reader, tail = reader_of(run), LogTail(traceback=True)
    outputs = reader.poll(everything=True)
    tail.add(outputs)
    return as_ended(look(run, reader, tail), outputs)
