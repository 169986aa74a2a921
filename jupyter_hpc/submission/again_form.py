"""The form with which a job is submitted again: what can be another there, filled with what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from ..backends.base import Backend
from ..explain.again import suggested_resources
from ..model.declaration import Option
from ..model.exceptions import HPCError
from ..model.options import RESUBMIT_OPTIONS, refusal
from ..model.resubmission import Resubmission, as_written, asked_again, read_line
from ..model.spec import JobSpec
from ..rundir.run import Run
from ..runtime import portal
from ..targets.connection import connection_of
from ..targets.target import Target
from ..targets.targets import target as find_target
from ..targets.targets import targets

LABELS = {"gpus": "GPUs", "cpus": "CPUs", "memory": "Memory", "time": "Time limit", "partition": "Partition"}
ASK_S = 2.0


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes
    ----------
    name, flag : str
        Of the option.
    label, hint : str
        What it is called, and how a value is written.
    value, was : str
        What is suggested, or as it was; empty is left to the target.
    is_resource : bool
        Whether it is one of the resources, else an option of the scheduler.
    choices : tuple of str
        Values that are known there.
    """

    name: str
    flag: str
    label: str
    hint: str
    value: str
    was: str
    is_resource: bool
    choices: tuple[str, ...] = ()

    @property
    def is_suggested(self) -> bool:
        return self.value != self.was


@dataclass(frozen=True)
class Form:
    """All of it.

    Attributes
    ----------
    target : str
        The one whose fields these are.
    targets : tuple of str
    fields : tuple of Field
    others : tuple of str
        The flags of what may stand in the line of other options.
    """

    target: str
    targets: tuple[str, ...]
    fields: tuple[Field, ...]
    others: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        fields = [{**asdict(each), "choices": list(each.choices)} for each in self.fields]
        return {"target": self.target, "targets": [*self.targets], "fields": fields, "others": [*self.others]}

    def asked(self, values: Mapping[str, str], line: str) -> Resubmission:
        """Return what somebody who filled it in asks for: what was changed, by them or by the suggestion.

        Parameters
        ----------
        values : mapping
            By the fields' names.
        line : str
            Other options.

        Raises
        ------
        OptionError
            In one sentence, whatever is wrong.
        """
        said, named = read_line(line)
        changed = {
            field.name: value
            for field in self.fields
            if (value := values.get(field.name, field.value)) != field.was or field.is_suggested
        }
        return asked_again({**changed, **said}, named or self.target)


def form_of(run: Run, target: str | None = None) -> Form:
    """Return the form for a run, on its own target or another.

    Raises
    ------
    TargetError
        If there is no such target.
    """
    record = run.record()
    was = as_written(JobSpec.from_record(record["spec"]))
    values = {**was, **suggested_resources(record)}
    where = find_target(target or str(record["target"]["name"]))
    had = [option for option in RESUBMIT_OPTIONS if _has(where.kind, option)]
    choices = _choices(where)
    fields = tuple(
        Field(
            name=option.dest,
            flag=option.flags[-1],
            label=label,
            hint=option.help,
            value=values.get(option.dest, ""),
            was=was.get(option.dest, ""),
            is_resource=option.resource,
            choices=tuple(choices.get(option.dest, ())),
        )
        for name, label in LABELS.items()
        for option in had
        if option.dest == name
    )
    others = tuple(option.flags[-1] for option in had if option.dest not in LABELS)
    return Form(where.name, tuple(targets()), fields, others)


def _has(kind: type[Backend], option: Option) -> bool:
    """Whether an option means anything there; where no scheduler is, none of a scheduler's."""
    if not option.resource and not kind.options_of:
        return option.dest in kind.supports
    return refusal(option, kind.options_of, kind.supports) is None


def _choices(where: Target) -> Mapping[str, Sequence[str]]:
    """Return values that are known of a target, from what was asked before."""

    async def known() -> Mapping[str, Sequence[str]]:
        return (await connection_of(where.name)).backend.choices()

    with suppress(HPCError, OSError, TimeoutError):
        return portal.call(known(), ASK_S)
    return {}
