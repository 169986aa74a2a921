"""What a job is submitted again with, as a line has it: ``--gpus 1 -p gpu --on k8s``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .declaration import Option, is_set
from .exceptions import OptionError
from .given import asked_of
from .options import RESUBMIT_OPTIONS
from .resources import Resources, did_you_mean, quote
from .spec import JobSpec

_BY_FLAG = {flag: option for option in RESUBMIT_OPTIONS for flag in option.flags}
_TARGET = "--on"


@dataclass(frozen=True)
class Resubmission:
    """What to ask for instead.

    Attributes
    ----------
    target : str or None
        Another target.
    resources : mapping
        As people write them, by field.
    options : mapping
        Fields of the spec.
    unset : tuple of str
        Fields that are left to the target, whatever they were.
    """

    target: str | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()

    @property
    def changes(self) -> dict[str, Any]:
        """The keywords of `submission.resubmit.resubmit`."""
        found = {"target": self.target, "resources": dict(self.resources), "options": dict(self.options)}
        return {**found, "unset": self.unset} if self.unset else found


def asked_again(written: Mapping[str, Any], target: str | None = None) -> Resubmission:
    """Return what was written for options by their fields; what is empty is left to the target.

    Raises
    ------
    OptionError
        If a value is of the wrong kind, or no such option can be another.
    """
    known = {option.dest: option for option in RESUBMIT_OPTIONS}
    for name in written:
        if name not in known:
            raise OptionError(f"{quote(name)} can't be another when a job is submitted again.")
    unset = tuple(name for name, value in written.items() if value is False or str(value).strip() == "")
    asked = {name: value for name, value in written.items() if name not in unset}
    return Resubmission(target or None, asked_of(Resources, asked), asked_of(JobSpec, asked), unset)


def read_line(line: str) -> tuple[dict[str, Any], str | None]:
    """Read a line of options: what it says by field, and the target that it names.

    Raises
    ------
    OptionError
        In one sentence, whatever is wrong.
    """
    try:
        tokens = shlex.split(line)
    except ValueError:
        raise OptionError(f"A quote in {quote(line)} is not closed.") from None
    found: dict[str, Any] = {}
    target = None
    while tokens:
        flag, equals, value = tokens.pop(0).partition("=")
        option = _option(flag)
        if option is not None and option.kind == "flag":
            if equals:
                raise OptionError(f"{flag} takes no value.")
            found[option.dest] = True
            continue
        if not equals:
            value = tokens.pop(0) if tokens else ""
        if not value:
            raise OptionError(f"{flag} needs a value.")
        if option is None:
            target = value
        else:
            found[option.dest] = value
    return found, target


def _option(flag: str) -> Option | None:
    """Return the option that a word names; None for the target's.

    Raises
    ------
    OptionError
        If it names none.
    """
    if flag == _TARGET:
        return None
    if flag in _BY_FLAG:
        return _BY_FLAG[flag]
    sbatch = {word: option.flags[-1] for option in RESUBMIT_OPTIONS for word in option.sbatch}
    hint = did_you_mean(sbatch.get(flag, flag), [*_BY_FLAG, _TARGET])
    raise OptionError(f"{quote(flag)} is no option with which a job can be submitted again.", hint=hint)


def as_written(spec: JobSpec) -> dict[str, str]:
    """Return resources and options of a spec as somebody would write them, by field; what isn't set is left out."""
    resources = spec.resources
    gpu = f"{resources.gpu_type}:" if resources.gpu_type else ""
    words = {
        "memory": _size(resources.memory) if resources.memory else None,
        "time": _duration(resources.time) if resources.time else None,
        "gpus": None if resources.gpus is None else f"{gpu if resources.gpus else ''}{resources.gpus}",
        "gpus_per_task": resources.gpus_per_task and f"{gpu}{resources.gpus_per_task}",
    }
    found = {}
    for option in RESUBMIT_OPTIONS:
        value = words.get(option.dest) or getattr(resources if option.resource else spec, option.dest)
        if is_set(value) and option.kind in ("value", "number"):
            found[option.dest] = str(value)
    return found


def _size(count: int) -> str:
    """``300M``: the largest unit in which it is a whole number."""
    for power, unit in ((4, "T"), (3, "G"), (2, "M"), (1, "K")):
        if count % (1 << 10 * power) == 0:
            return f"{count >> 10 * power}{unit}"
    return f"{count}B"


def _duration(seconds: int) -> str:
    """``1h30m``."""
    words = ""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        words += f"{count}{unit}" if count else ""
    return words
