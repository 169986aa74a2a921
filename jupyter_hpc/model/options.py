"""All options together, as the spec and the cell's arguments declare them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import get_args

from .cell_arguments import CellArguments
from .declaration import Group, Option, changing_result, declared, is_set
from .exceptions import OptionError
from .resources import Resources, did_you_mean
from .spec import JobSpec

_FIRST = ("gpus", "gpus_per_task", "cpus", "memory", "time")  # what people ask for most; the rest as declared


def _ordered(options: Iterable[Option]) -> tuple[Option, ...]:
    groups, first = get_args(Group), {name: place for place, name in enumerate(_FIRST)}
    return tuple(sorted(options, key=lambda o: (groups.index(o.group), first.get(o.dest, len(first)))))


_ALL = _ordered((*declared(Resources), *declared(CellArguments), *declared(JobSpec)))

# what a cell's line takes, and what `submit()` takes
CELL_OPTIONS = tuple(option for option in _ALL if option.flags)
CALL_OPTIONS = tuple(option for option in _ALL if option.in_calls)
# what can be another when a run is submitted again with the payload that it has
RESUBMIT_OPTIONS = tuple(
    option
    for option in _ordered((*declared(Resources), *declared(JobSpec)))
    if option.flags and option.group in ("resources", "scheduler") and option.dest not in changing_result(JobSpec)
)


def _find(token: str) -> Option | None:
    """The option that a token begins: ``--time``, ``--time=3``, ``-p`` or ``-pgpu``."""
    name = token.partition("=")[0]
    names = (name,) if name[:2] == "--" else (name, name[:2])
    return next((o for n in names for o in CELL_OPTIONS if n in o.flags), None)


def keyword_meant(word: str) -> str:
    """Return ``"Did you mean memory?"`` if a keyword looks like one of ``submit()``, else an empty string."""
    written = "--" + word.replace("_", "-")
    known = [o.dest for o in CALL_OPTIONS if written in (*o.flags, *o.sbatch)]
    return f"Did you mean {known[0]}?" if known else did_you_mean(word, [o.dest for o in CALL_OPTIONS])


def refusal(option: Option, scheduler: str, besides: Collection[str] = ()) -> OptionError | None:
    """Return why a scheduler doesn't have an option, or None if it has; see `check_had`."""
    if option.dest in besides:
        return None
    if scheduler in option.meaningless:
        message = f"{option.spoken} means nothing on a {scheduler.lower()} target."
        return OptionError(message, hint=option.meaningless[scheduler])
    if option.only not in ("", scheduler):
        message = f"{option.spoken} is for {option.only}, which this target is not."
        return OptionError(message, hint=option.instead)
    return None


def check_had(spec: JobSpec, scheduler: str, besides: Collection[str] = ()) -> None:
    """Refuse what a scheduler doesn't have.

    Parameters
    ----------
    scheduler : str
        Its name as the options have it: `SLURM`, `KUBERNETES`, or another.
    besides : collection of str
        Fields that it has, though they are another scheduler's.

    Raises
    ------
    OptionError
        Naming the option.
    """
    for owner in (spec, spec.resources):
        for option in declared(type(owner)):
            why = refusal(option, scheduler, besides) if is_set(getattr(owner, option.dest)) else None
            if why is not None:
                raise why
