"""Bring back what a cell made: verify, unpickle, and raise what it raised."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from ..capture import memo
from ..capture.sent import Sent
from ..capture.sent import to as sent_to
from ..lineage.record.ending import RESULT
from ..lineage.record.registry import SIMPLE, Known, known_values
from ..model import exceptions
from ..model.exceptions import JobError, RemoteError, ResultError
from ..runs.run import Run
from ..worker import container
from ..worker.apart import apart
from ..worker.continuation import Hole
from ..worker.outcome import CHANGE, EXCEPTION, RETURN
from ..worker.shown import SHOWN
from . import not_sent, source_lines
from .changed import Base, Changes, ResultUnpickler, left_words
from .job import Job
from .salvage import needed

TAIL_LINES = 16  # a crash has the frames of the worker below those of the cell
PICKLED_AGAIN_BYTES = 1 << 20


class RemoteTraceback(Exception):
    """The traceback on the node, as the cause of the exception that was raised there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{self.text}"


@dataclass
class Outcome:
    """What a job made.

    Attributes
    ----------
    names : dict
        Values by name, as far as they came back.
    unsent : dict
        Names that can't come back, each with the path to the part that can't and why.
    mutated : list of str
        Inputs that the cell changed in place there and not here.
    changes : Changes
        What it changed in place, and still has to be changed here (``bring``).
    deleted : list of str
        Names that it deleted.
    missing : list of str
        Names asked for that the cell did not assign.
    error : BaseException or None
        What to raise.
    is_call : bool
        It was ``submit(function)``; ``value`` is what that returned.
    shown : object
        The value that the cell showed, if that came back.
    known : dict
        What is remembered of the names' values, so that they are known again as inputs.
    """

    names: dict[str, Any] = field(default_factory=dict)
    unsent: dict[str, str] = field(default_factory=dict)
    mutated: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    deleted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    error: BaseException | None = None
    is_call: bool = False
    of_tasks: bool = False  # of an array's tasks, which change copies
    value: Any = None
    shown: Any = None
    known: dict[str, Known] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)  # of the process, as the cell left them
    sent: Sent | None = None
    again: dict[str, Any] = field(default_factory=dict)  # changed names that were brought before, as copies
    remember: Callable[[str, Any], Known] | None = None  # a changed value; holds none

    def bring(self, namespace: dict[str, Any], *, check: bool = True, force: Sequence[str] = ()) -> None:
        """Put what came back into a namespace: names, changes, deletions.

        Parameters
        ----------
        check : bool
            Other cells may have run since the cell was sent; what they changed is left alone.
        force : sequence of str
            Names that are changed even so.
        """
        was = dict(self.sent.values) if self.sent is not None else {}
        for name in self.changes.bring(namespace, check=check, force=force):
            if self.remember is not None and name in namespace:
                made = apart(f"the origin of {name}", self.remember, name, namespace[name])
                self.known.update({name: made} if made is not None else {})
        for name in self.deleted:
            if name in namespace and namespace[name] is was.get(name, namespace[name]):
                del namespace[name]
        namespace.update(self.names)
        namespace.update({name: self.again[name] for name in force if name in self.again})
        if self.sent is not None and not self.changes.kept:
            self.sent.let_go()

    def notes(self) -> list[str]:
        """Return what the user should know, a line each."""
        lines = [f"{name} did not come back: {why}" for name, why in self.unsent.items()]
        lines += [f"{name} was asked for, but the cell did not assign it." for name in self.missing]
        lines += self.settings.get("notes") or []
        if self.mutated:
            lines.append(left_words(self.mutated, self.of_tasks, "`"))
        return lines + self.changes.notes()


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
    outcome.sent = sent_to(job.run)
    manifest: dict[str, Any] = {}
    if (job.run.result / container.MANIFEST).exists():
        manifest = _checked_manifest(job.run)
        _load_values(job, manifest, outcome, here)
    if verdict.get("error") and (manifest.get("error") or {}).get("kind") in (None, "signal", "unsaved"):
        outcome.error = _job_error(job, verdict)
    elif manifest.get("error"):
        outcome.error = _remote_error(job, manifest["error"], outcome)
    elif RETURN in outcome.unsent:
        outcome.error = _lost_value(job, outcome.unsent[RETURN])
    outcome.unsent.pop(RETURN, None)
    return outcome


def _lost_value(job: Job, why: str) -> ResultError:
    """A call's value is all that somebody waits for: where it can't come, nothing else may stand for it."""
    why = why.replace(RETURN, "the value")
    return ResultError(
        f"What the function returned did not come back: {why}.", hint=f"`%hpc show {job.id}` has the rest."
    )


def _checked_manifest(run: Run) -> dict[str, Any]:
    run.check_ours(run.result)
    try:
        manifest = container.read_manifest(str(run.result))
        container.verify(str(run.result), manifest)
    except (container.ContainerError, OSError, KeyError, TypeError) as error:
        raise ResultError(
            f"The result of {run.id} can't be trusted: {error}.", hint="Nothing was loaded from it."
        ) from None
    if manifest["has_code"] and tuple(manifest["python"][:2]) != sys.version_info[:2]:
        there = ".".join(map(str, manifest["python"][:2]))
        here = ".".join(map(str, sys.version_info[:2]))
        raise ResultError(
            f"The result of {run.id} holds functions or classes of Python {there}; this kernel runs {here}.",
            hint=f"Open it in a kernel with Python {there}.",
        )
    return manifest


def _load_values(job: Job, manifest: dict[str, Any], outcome: Outcome, here: bool) -> None:
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
        values = [(name, value, None) for name, value in zip(names, _read(job, manifest, base))]
    except Exception:  # a foreign __setstate__ may raise anything; the other names still come
        values = _salvaged(job, manifest, names, base)
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


def _read(job: Job, manifest: dict[str, Any], base: Base) -> list[Any]:
    directory = str(job.run.result)
    with open(Path(directory, container.PICKLE), "rb") as file:
        buffers = container.load_buffers(directory, manifest)
        unpickler = ResultUnpickler(file, job.run, buffers=chain(base.objects, buffers))
        try:
            if base.objects:
                unpickler.load()  # the prelude
            values = [unpickler.load() for _ in manifest["names"]]
        finally:
            unpickler.memo = {}  # it may hold the unpickler itself, and so everything
    apart("the origin of large arrays", memo.remember_loaded, buffers, manifest["buffers"])
    return values


def _note_unloaded(job: Job, outcome: Outcome, manifest: dict[str, Any]) -> None:
    """Keep in the record what did not load here, so that no card says that it was received."""
    said = manifest.get("unsent") or {}
    unloaded = {n: why for n, why in outcome.unsent.items() if n not in said and not n.startswith("<")}
    if unloaded != (job.record.get("unloaded") or {}):
        job.run.update(unloaded=unloaded)


def _salvaged(
    job: Job, manifest: dict[str, Any], names: list[str], base: Base
) -> list[tuple[str, Any, str | None]]:
    try:
        return _salvage(job, manifest, names, base)
    except Exception as error:  # nothing can be read: each name says why
        return [(name, None, f"{type(error).__name__}: {error}") for name in names]


def _salvage(
    job: Job, manifest: dict[str, Any], names: list[str], base: Base
) -> list[tuple[str, Any, str | None]]:
    """Return each name with its value, or with the reason why that can't be rebuilt here."""
    from .salvage import SalvagingUnpickler

    directory = str(job.run.result)
    with open(Path(directory, container.PICKLE), "rb") as file:
        buffers = chain(base.objects, container.load_buffers(directory, manifest))
        finder = ResultUnpickler(file, job.run)
        unpickler = SalvagingUnpickler(file, finder, buffers=buffers)
        if base.objects:
            unpickler.load()
            unpickler.damage((n for n, obj in enumerate(base.objects) if obj is Hole), base.lost)
        return [(name, unpickler.load_name(), unpickler.failure) for name in names]


# -- errors --------------------------------------------------------------------------------------


def tail(job: Job, lines: int = TAIL_LINES) -> str:
    """Return the last lines of the log, carriage returns folded."""
    from ..views.ansi import fold, strip

    return "\n".join(strip(fold(job.logs()[-20_000:])).rstrip().splitlines()[-lines:])


def _job_error(job: Job, verdict: dict[str, Any]) -> JobError:
    kind = getattr(exceptions, str(verdict["error"]), JobError)
    message = verdict.get("message") or f"{job.id} ended as {verdict.get('state')}."
    hint = f"`%hpc show {job.id}` has the evidence."
    error: JobError = kind(message, hint=hint, job=job, log_tail=tail(job))
    _explain(error, verdict)
    for key in ("exit_code", "signal"):
        if hasattr(kind, key):
            setattr(error, key, verdict.get(key))
    return error


def _explain(error: JobError, verdict: dict[str, Any]) -> None:
    """Give an error the cause of its job's end, the suggestion first."""
    error.cause, error.evidence = str(verdict.get("cause") or ""), tuple(verdict.get("evidence") or ())
    error.hint = "\n".join(x for x in (verdict.get("hint"), error.hint) if x)


def _remote_error(job: Job, described: dict[str, Any], outcome: Outcome) -> BaseException:
    kind, where = described.get("kind"), f"on {job.record.get('node') or job.target}"
    if kind == "exit":
        code = described.get("exit_code")
        left = exceptions.CellExit(f"The cell ended itself with exit({code!r}).", job=job, log_tail=tail(job))
        left.exit_code = code
        _explain(left, job.verdict)
        return left
    if kind == "interrupt":
        stopped = exceptions.CellInterrupted(f"KeyboardInterrupt was raised in the cell {where}.", job=job)
        _explain(stopped, job.verdict)
        return stopped
    error = outcome.error
    if error is None:
        unsent = "The exception itself can't be sent; its traceback is above."
        remote = RemoteError(
            f"{described['type']}: {described['message']}",
            job=job,
            hint="\n".join(x for x in (not_sent.hint(described, job.record), unsent) if x),
        )
        remote.type_name, remote.traceback = described["type"], described["traceback"]
        _explain(remote, job.verdict)
        return remote
    hint = str(job.verdict.get("hint") or not_sent.hint(described, job.record))
    apart("the suggestion", _add_note, error, described, hint)
    try:
        error.job = job  # type: ignore[attr-defined]
        error._render_traceback_ = lambda: _render(error, described, where, hint)  # type: ignore[attr-defined]
    except Exception:  # an exception with __slots__, or one that forbids to set its attributes
        pass
    return error


def _add_note(error: BaseException, described: dict[str, Any], hint: str) -> None:
    """Give a suggestion to an exception of the cell, for whoever prints it outside a notebook."""
    add_note = getattr(error, "add_note", None)
    text = described["traceback"]
    if hint and add_note is not None:
        add_note(hint)
    elif hint:  # Python 3.10 prints no notes, but it prints the cause
        text = f"{text.rstrip()}\n{hint}\n"
    error.__cause__ = RemoteTraceback(text)


def _render(error: BaseException, described: dict[str, Any], where: str, hint: str) -> list[str]:
    """In a notebook: the traceback of the node, as if it had happened here."""
    lines = [*described["traceback"].rstrip().splitlines(), f"(raised {where})"]
    return [*lines, *(f"→ {line}" for line in hint.splitlines())]


def disk_use(path: Path) -> int:
    """Return the bytes under a folder; equal buffers that are shared count each time, and what goes meanwhile not."""
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            with suppress(FileNotFoundError):  # a record is written beside its place, and renamed
                total += os.lstat(os.path.join(folder, name)).st_size
    return total
