"""Bring back what a cell made: verify, unpickle, and raise what it raised."""

from __future__ import annotations

import importlib
import os
import sys
from itertools import chain
from typing import Any

from ..capture import memo
from ..capture.sent import to as sent_to
from ..lineage.record.end import RESULT
from ..lineage.record.known import SIMPLE, Known, known_values
from ..model.exceptions import ResultError
from ..model.states import JobState
from ..rundir import checked
from ..rundir.checked import Checked
from ..rundir.run import Run
from ..worker import container
from ..worker.apart import apart
from ..worker.continuation import Hole
from ..worker.result_writer import CHANGE, EXCEPTION, RETURN
from ..worker.shown import SHOWN
from . import source_lines
from .changed import Base, ResultUnpickler
from .errors import _job_error, _remote_error
from .job import Job
from .outcome import Outcome
from .salvage import needed

PICKLED_AGAIN_BYTES = 1 << 20


def load(job: Job, *, here: bool = False) -> Outcome:
    """Return the outcome of an ended job.

    Parameters
    ----------
    here : bool
        Names hold the kernel's own objects, whose changes wait in ``Outcome.changes``; else copies.

    Raises
    ------
    ResultError
        If the result isn't ours, was changed, or can't be read by this Python.
    """
    record = job.run.record()
    verdict = job.verdict
    outcome = Outcome(is_call=record.get("kind") == "call")
    outcome.sent = sent_to((job.run.whole or job.run).id)
    manifest: dict[str, Any] = {}
    if os.path.lexists(job.run.result / container.MANIFEST):
        with checked.result(job.run) as found:
            manifest = found.manifest
            _check_python(job.run, manifest)
            _load_values(job, found, outcome, here)
    elif verdict.get("state") == JobState.COMPLETED.value:
        raise _missing(job.run)
    if verdict.get("error") and (manifest.get("error") or {}).get("kind") in (None, "signal", "unsaved"):
        outcome.error = _job_error(job, verdict)
    elif manifest.get("error"):
        outcome.error = _remote_error(job, manifest["error"], outcome)
    elif RETURN in outcome.unsent:
        outcome.error = _lost_value(job, outcome.unsent[RETURN])
    elif verdict.get("state") != JobState.COMPLETED.value:
        if not record.get("exception"):  # it ended badly, and nothing tells how
            raise _missing(job.run)
        outcome.error = _remote_error(job, {"message": "", "traceback": "", **record["exception"]}, outcome)
    outcome.unsent.pop(RETURN, None)
    return outcome


def _missing(run: Run) -> ResultError:
    """What should be there and isn't: nothing else may stand for it."""
    return ResultError(
        f"The result of {run.id} is missing: it has ended, and {run.result} holds no manifest.",
        hint=f"Somebody removed it. `%hpc resubmit {(run.whole or run).id}` runs the job again.",
    )


def _lost_value(job: Job, why: str) -> ResultError:
    """A call's value is all that somebody waits for: where it can't come, nothing else may stand for it."""
    why = why.replace(RETURN, "the value")
    return ResultError(
        f"What the function returned did not come back: {why}.", hint=f"`%hpc show {job.id}` has the rest."
    )


def _check_python(run: Run, manifest: dict[str, Any]) -> None:
    if manifest["has_code"] and tuple(manifest["python"][:2]) != sys.version_info[:2]:
        there = ".".join(map(str, manifest["python"][:2]))
        here = ".".join(map(str, sys.version_info[:2]))
        raise ResultError(
            f"The result of {run.id} holds functions or classes of Python {there}; this kernel runs {here}.",
            hint=f"Open it in a kernel with Python {there}.",
        )


def _load_values(job: Job, found: Checked, outcome: Outcome, here: bool) -> None:
    manifest = found.manifest
    outcome.unsent.update(manifest.get("unsent") or {})
    outcome.mutated = list(manifest.get("mutated") or [])
    outcome.missing = list(manifest.get("missing") or [])
    outcome.deleted = list(manifest.get("deleted") or [])
    outcome.settings = dict(manifest.get("settings") or {})
    for name, module in (manifest.get("modules") or {}).items():
        try:
            outcome.names[name] = importlib.import_module(module)
        except Exception as error:  # what it runs when it is imported may raise anything
            outcome.unsent[name] = needed(module, "", error)
    if not manifest["names"]:
        return
    if manifest["has_code"]:
        source_lines.remember(job.run)
    base = Base(job.run, manifest, here=here)
    names = [entry["name"] for entry in manifest["names"]]
    values: list[tuple[str, Any, str | None]]
    try:
        if base.lost:
            raise ResultError(base.lost)
        values = [(name, value, None) for name, value in zip(names, _read(job, found, base))]
    except Exception:  # a foreign __setstate__ may raise anything; the other names still come
        values = _salvaged(job, found, names, base)
    known = dict(zip(names, manifest["names"]))
    for name, value, why in values:
        if name == SHOWN:
            outcome.shown = value if why is None else None
        elif why is not None:
            outcome.unsent[name.replace(CHANGE, "")] = why
        elif name == EXCEPTION:
            outcome.error = value
        elif name == RETURN:
            outcome.value = value
            apart("the origin of the value", _remember, job, RESULT, value, known[name], manifest)
        elif name.startswith(CHANGE):
            outcome.changes.add(name.replace(CHANGE, ""), value)
        else:
            outcome.names[name] = value
            made = apart(f"the origin of {name}", _remember, job, name, value, known[name], manifest)
            outcome.known.update({name: made} if made is not None else {})
    apart("changes in place", outcome.changes.of, base, job.id, manifest.get("changed") or [])
    apart("what did not load, in the record,", _note_unloaded, job, outcome, manifest)
    if not base.here:
        made = outcome.changes.made()
        if here and base.sent is not None:  # they were brought into this kernel already
            outcome.again = made
        else:
            outcome.names.update(made)
    outcome.remember = lambda name, value: _remember(job, name, value, known[CHANGE + name], manifest)


def _remember(job: Job, name: str, value: Any, item: dict[str, Any], manifest: dict[str, Any]) -> Known:
    """Let the value be known again; its pickle here may be another than there, which small ones are asked for."""
    first, end = item["buffers"]
    inside = item["nbytes"] - sum(b["size"] for b in manifest["buffers"][first:end])
    here = item["digest"]
    if not isinstance(value, SIMPLE):
        here = memo.digest_here(value) if inside <= PICKLED_AGAIN_BYTES else None
    return known_values.made(job.id, name, value, item["digest"], here, item["nbytes"])


def _read(job: Job, found: Checked, base: Base) -> list[Any]:
    buffers = found.buffers()
    unpickler = ResultUnpickler(found.pickle(), job.run, buffers=chain(base.objects, buffers))
    try:
        if base.objects:
            unpickler.load()  # the prelude
        values = [unpickler.load() for _ in found.manifest["names"]]
    finally:
        unpickler.memo = {}  # it may hold the unpickler itself, and so everything
    apart("the origin of large arrays", memo.remember_loaded, buffers, found.manifest["buffers"])
    return values


def _note_unloaded(job: Job, outcome: Outcome, manifest: dict[str, Any]) -> None:
    """Keep in the record what did not load here, so that no card says that it was received."""
    said = manifest.get("unsent") or {}
    unloaded = {n: why for n, why in outcome.unsent.items() if n not in said and not n.startswith("<")}
    if unloaded != (job.record.get("unloaded") or {}):
        job.run.update(unloaded=unloaded)


def _salvaged(job: Job, found: Checked, names: list[str], base: Base) -> list[tuple[str, Any, str | None]]:
    try:
        return _salvage(job, found, names, base)
    except Exception as error:  # nothing can be read: each name says why
        return [(name, None, f"{type(error).__name__}: {error}") for name in names]


def _salvage(job: Job, found: Checked, names: list[str], base: Base) -> list[tuple[str, Any, str | None]]:
    """Return each name with its value, or with the reason why that can't be rebuilt here."""
    from .salvage import SalvagingUnpickler

    file = found.pickle()
    finder = ResultUnpickler(file, job.run)
    unpickler = SalvagingUnpickler(file, finder, buffers=chain(base.objects, found.buffers()))
    if base.objects:
        unpickler.load()
        unpickler.damage((n for n, obj in enumerate(base.objects) if obj is Hole), base.lost)
    return [(name, unpickler.load_name(), unpickler.failure) for name in names]


# -- errors --------------------------------------------------------------------------------------
