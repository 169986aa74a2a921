"""``--dependency``: jobs by our ids or the scheduler's own, as sbatch writes them."""

from __future__ import annotations

import re

from ..model.exceptions import JobNotFound, OptionError
from ..model.resources import quote
from ..rundir.run import Run
from ..rundir.store import Store

_KINDS = ("after", "afterany", "afterok", "afternotok", "aftercorr", "afterburstbuffer")
_HINT = "Write it as afterok:ID, afterany:ID:ID or singleton; an ID alone means afterok."


def resolved(written: str, target: str, store: Store) -> str:
    """Return the dependency with the scheduler's ids for ours.

    Raises
    ------
    OptionError
        If a job can't be found, was never submitted, or runs on another target.
    """
    separator = "?" if "?" in written else ","
    if separator == "?" and "," in written:
        raise OptionError(f"--dependency {quote(written)} mixes ',' (all) with '?' (any).", hint=_HINT)
    return separator.join(_one(part.strip(), target, store) for part in written.split(separator))


def _one(written: str, target: str, store: Store) -> str:
    if written.lower() == "singleton":
        return "singleton"
    kind, colon, rest = written.partition(":")
    if kind.lower() not in _KINDS:
        kind, colon, rest = "afterok", ":", written
    ids = [each.strip() for each in rest.split(":")]
    if not colon or not all(ids):
        raise OptionError(f"--dependency {quote(written)} names no job.", hint=_HINT)
    return ":".join([kind.lower(), *(_native(each, target, store) for each in ids)])


def _native(written: str, target: str, store: Store) -> str:
    text, plus, minutes = written.partition("+")
    try:
        run = _latest(store.find(text), store)
    except JobNotFound as error:
        if re.fullmatch(r"\d+(?:_(?:\d+|\*))?", text):  # a job that was submitted without us
            return written
        raise OptionError(f"--dependency: {error.message}", hint=f"{error.hint} {_HINT}") from None
    record = run.record()
    if record["target"]["name"] != target:
        raise OptionError(
            f"--dependency: {run.id} runs on {record['target']['name']}, and {target} knows nothing of it.",
            hint=f"Wait for it first: `%hpc result {run.id}`.",
        )
    native_id = str(record.get("native_id") or "")
    if not native_id:
        raise OptionError(f"--dependency: {run.id} was never submitted.", hint="`%hpc jobs` lists the jobs.")
    return f"{native_id}{plus}{minutes}"


def _latest(run: Run, store: Store) -> Run:
    """Return the run that was submitted in a run's place, if one was: the other never starts."""
    seen = {run.id}
    while (new := (run.record_or_none() or {}).get("replaced_by")) and new not in seen:
        seen.add(new)
        run = store.find(new)
    return run
