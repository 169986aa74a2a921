"""How a field says that it is an option: once, in its metadata; everything else about the option is derived.

From it come the parser of the cell magics, their help, their completion, the table in the docs, the keywords of
``submit()``, what ``%hpc resubmit`` takes, who refuses it and whether a run with another value can be reused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Literal

Kind = Literal["value", "number", "flag", "append", "pairs", "names"]
Group = Literal["resources", "scheduler", "environment", "names", "behaviour"]

SLURM, KUBERNETES = "Slurm", "Kubernetes"  # schedulers by the names that sentences have for them

_UNSET: dict[Kind, Any] = {"flag": False, "append": (), "names": ()}  # of the other kinds: None
_OPTION, _CHANGES_RESULT = "option", "changes_result"


@dataclass(frozen=True)
class Option:
    """One option: how it is written, what it takes, who has it, and what it says about itself.

    Attributes
    ----------
    flags : tuple of str
        How a cell's line writes it; empty for what follows a lone ``--``.
    metavar : str or None
        What its value looks like; None for a flag.
    sbatch : tuple of str
        What people who know sbatch type for it.
    only, instead : str
        The one scheduler that has it (empty: all do), and what to do elsewhere.
    meaningless : mapping
        A scheduler where it means nothing → what there is instead.
    bounds : (int, int)
        The least and the largest number.
    in_calls : bool
        Whether ``submit()`` takes it too.
    dest : str
        The field.
    default
        What the field is if the option isn't given.
    """

    flags: tuple[str, ...]
    metavar: str | None
    help: str
    group: Group
    kind: Kind
    sbatch: tuple[str, ...] = ()
    only: str = ""
    instead: str = ""
    meaningless: Mapping[str, str] = field(default_factory=dict, hash=False)
    bounds: tuple[int, int] = (0, 0)
    in_calls: bool = True
    dest: str = ""
    default: Any = None

    @property
    def resource(self) -> bool:
        """Whether the field is one of ``Resources``."""
        return self.group == "resources"

    @property
    def spoken(self) -> str:
        """What sentences call it."""
        return self.flags[-1] if self.flags else "What follows --"


def option(
    flags: str,
    metavar: str | None,
    help: str,  # noqa: A002 as argparse calls it
    group: Group,
    *,
    kind: Kind | None = None,
    default: Any = MISSING,
    sbatch: str = "",
    changes_result: bool = False,
    **more: Any,
) -> Any:
    """Return a dataclass field that is an option.

    Parameters
    ----------
    flags, sbatch : str
        Separated by spaces; the long flag last.
    kind : str, optional
        A flag if there is no metavar, else one value.
    changes_result : bool
        Whether a run with another value may have another result, so that ``--reuse`` looks for its like.
    **more
        Other attributes of :class:`Option`.
    """
    kind = kind or ("value" if metavar else "flag")
    metadata = {
        _OPTION: Option(tuple(flags.split()), metavar, help, group, kind, sbatch=tuple(sbatch.split()), **more),
        _CHANGES_RESULT: changes_result,
    }
    if kind == "pairs":
        return field(default_factory=dict, metadata=metadata)
    return field(default=_UNSET.get(kind) if default is MISSING else default, metadata=metadata)


def no_option(default: Any, *, changes_result: bool = False) -> Any:
    """Return a dataclass field that no user sets in a cell or a call."""
    return field(default=default, metadata={_CHANGES_RESULT: changes_result})


def declared(cls: Any) -> tuple[Option, ...]:
    """Return a dataclass's options, in the order of its fields."""
    return tuple(
        replace(f.metadata[_OPTION], dest=f.name, default=None if f.default is MISSING else f.default)
        for f in fields(cls)
        if _OPTION in f.metadata
    )


def changing_result(cls: Any) -> tuple[str, ...]:
    """Return the names of a dataclass's fields on which a run's result depends."""
    return tuple(f.name for f in fields(cls) if f.metadata.get(_CHANGES_RESULT))


def is_set(value: object) -> bool:
    """Whether a field was given a value: 0 is one."""
    return value is not False and value not in (None, "", (), {})
