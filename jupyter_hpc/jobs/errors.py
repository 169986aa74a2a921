"""What a failed job raises here."""

from __future__ import annotations

from typing import Any

from ..model import exceptions
from ..model.attributes import attributes_of
from ..model.exceptions import JobError, RemoteError
from ..model.printable import printable
from ..model.states import state_words
from ..worker.apart import apart
from . import not_sent
from .job import Job
from .outcome import Outcome

PRINTS_NOTES = hasattr(BaseException, "add_note")  # since Python 3.11
TAIL_LINES = 16  # a crash has the frames of the worker below those of the cell


class RemoteTraceback(Exception):
    """The traceback on the node, as the cause of the exception that was raised there."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"\n{printable(self.text)}"


def tail(job: Job, lines: int = TAIL_LINES) -> str:
    """Return the last lines of the log, carriage returns folded."""
    from ..views.screen import plain

    return "\n".join(plain(job.logs()[-20_000:]).rstrip().splitlines()[-lines:])


def _job_error(job: Job, verdict: dict[str, Any]) -> JobError:
    named = getattr(exceptions, str(verdict["error"]), None)
    kind = named if isinstance(named, type) and issubclass(named, JobError) else JobError
    message = verdict.get("message") or f"{job.id} ended: {state_words(verdict.get('state'))}."
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
    hint = printable(str(job.verdict.get("hint") or not_sent.hint(described, job.record)))
    apart("the suggestion", _add_note, error, described, hint)
    attributes_of(error).update(job=job, _render_traceback_=lambda: _render(error, described, where, hint))
    return error


def say_once(error: BaseException, *, card: bool) -> None:
    """Leave out of what a notebook shows of an error what stands above it: the log, on a card also what helps."""
    attributes_of(error).update(_is_below_log=True, _is_below_card=card)


def _add_note(error: BaseException, described: dict[str, Any], hint: str) -> None:
    """Give a suggestion to an exception of the cell, for whoever prints it outside a notebook."""
    text = described["traceback"]
    if hint and PRINTS_NOTES:
        attributes_of(error).setdefault("__notes__", []).append(hint)
    elif hint:  # the cause is printed
        text = f"{text.rstrip()}\n{hint}\n"
    BaseException.__dict__["__cause__"].__set__(error, RemoteTraceback(text))  # also where the class forbids it


def _render(error: BaseException, described: dict[str, Any], where: str, hint: str) -> list[str]:
    """In a notebook: the traceback of the node, as if it had happened here."""
    lines = [*described["traceback"].rstrip().splitlines(), f"(raised {where})"]
    said = [] if attributes_of(error).get("_is_below_card") else [f"→ {line}" for line in hint.splitlines()]
    return [printable(line) for line in (*lines, *said)]
