"""What to ask for when a job is submitted again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ..model.declaration import declared, is_set
from ..model.resources import Resources
from ..model.spec import JobSpec
from .cause import AGAIN, MORE_MEMORY, MORE_TIME

# how each resource is written on a line
OPTIONS = {option.flags[-1]: option.dest for option in declared(Resources)}


def changed_options(resources: Mapping[str, Any], options: Mapping[str, Any], target: str | None) -> str:
    """Return as a line's options what a job is submitted again with, as somebody wrote it."""
    flags = {option.dest: option for option in (*declared(Resources), *declared(JobSpec)) if option.flags}
    words = ["--on", target] if target else []
    for name, value in {**resources, **options}.items():
        if (option := flags.get(name)) is not None and is_set(value):
            words += option.flags[-1:] if value is True else [option.flags[-1], shlex.quote(str(value))]
    return " ".join(words)


def suggestion(record: Mapping[str, Any]) -> str | None:
    """Return the line that submits an ended job again, better; None if that would be no use.

    Values of ``--env`` are kept nowhere, so a job that had some can't be submitted again from its record.
    """
    again = (record.get("verdict") or {}).get("again")
    if again is None or record["spec"].get("env"):
        return None
    return f"%hpc resubmit {record['id']} {again}".rstrip()


def advice(record: Mapping[str, Any]) -> str:
    """Return what helps, without what `suggestion` says already."""
    verdict = record.get("verdict") or {}
    words = str(verdict.get("hint") or "")
    if suggestion(record) is not None:
        for remedy in (MORE_MEMORY, MORE_TIME, AGAIN):
            words = words.replace(remedy.words.format(options=verdict["again"]), "")
    return " ".join(words.split(" ")).strip()


def suggested_resources(record: Mapping[str, Any]) -> dict[str, str]:
    """Return what a job's verdict suggests to ask for instead."""
    words = str((record.get("verdict") or {}).get("again") or "").split()
    return {OPTIONS[option]: value for option, value in zip(words[::2], words[1::2])}
