"""What a run was asked for, as the line of a cell magic that asks for the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..model.cell_arguments import asked_again
from ..model.declaration import Option, declared, is_set
from ..model.exceptions import HPCError
from ..model.options import CELL_OPTIONS
from ..model.redaction_of_code import MARK
from ..model.resources import Resources
from ..model.spec import JobSpec
from ..runtime.settings import BUILT_IN_TARGETS
from .target import Target

_PLAIN = re.compile(r"[\w@%+:,./=~^-]+", re.ASCII)
_VARIABLE = re.compile(r"\$(?=[\w.]+(?:[^']*'[^']*')*[^']*$)")
_SIZES = ((40, "T"), (30, "G"), (20, "M"), (10, "K"))
_TIMES = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def magic_of(target: str) -> str:
    """Return what sends a cell to a target, in any notebook: its options follow."""
    return f"%%{target}" if target in BUILT_IN_TARGETS else f"%%hpc --on {target}"


def magic_line(
    where: Target,
    spec: JobSpec,
    cell: Mapping[str, Any],
    workdir: str | None,
    asked: Mapping[str, Any] | None = None,
) -> tuple[str, list[str]]:
    """Return the line, and the options that it can't have.

    Parameters
    ----------
    spec : JobSpec
        As the run's record has it: with the target's defaults, which the line leaves to the target.
    cell : mapping
        What the worker was told of the cell.
    workdir : str or None
        Where a cell runs that says nothing of it.
    asked : mapping, optional
        What the record has of the line beside the spec; an older one has nothing, and the worker was told of a part.

    Returns
    -------
    (str, list of str)
        Values of ``--env`` and what looks like a secret are kept nowhere, and a line has no second one.
    """
    left_out = [f"--env {name}" for name in spec.env]
    wanted = replace(spec, env={}, prologue="", workdir=None if spec.workdir == workdir else spec.workdir)
    own = where.kind.own_options(str(cell.get("text") or ""))
    if own and wanted.passthrough[: len(own)] == own:
        wanted = replace(wanted, passthrough=wanted.passthrough[len(own) :])
    words = [magic_of(where.name)]
    others = _told(cell) if asked is None else asked_again(asked)
    for option, value in (*_asked(_undefaulted(where, wanted)), *others):
        written = list(_words(option, value))
        if any(MARK in word or not word.isprintable() for word in written):
            left_out.append(option.flags[-1])
        else:
            words += [_quoted(word) for word in written]
    if through := [word for word in wanted.passthrough if MARK not in word and word.isprintable()]:
        words += ["--", *map(_quoted, through)]
    return " ".join(words), left_out


def _undefaulted(where: Target, spec: JobSpec) -> JobSpec:
    """Return the spec without what the target adds by itself."""
    try:
        whole = where.complete(spec)
        for names in (("gpus", "gpu_type"), ("gpus_per_task", "gpu_type"), *((o.dest,) for o in declared(Resources))):
            unset: dict[str, Any] = dict.fromkeys(names)
            fewer = replace(spec, resources=replace(spec.resources, **unset))
            spec = fewer if where.complete(fewer) == whole else spec
        for option in declared(JobSpec):
            unset = {option.dest: {} if option.kind == "pairs" else option.default}
            fewer = replace(spec, **unset)
            spec = fewer if where.complete(fewer) == whole else spec
    except HPCError:  # a configuration that is wrong by now: all is said
        pass
    return spec


def _asked(spec: JobSpec) -> Iterator[tuple[Option, Any]]:
    for option in CELL_OPTIONS:
        owner = spec.resources if option.resource else spec
        value: Any = getattr(owner, option.dest, None)
        if is_set(value) and option.flags:
            if option.dest == "memory":
                value = _size(value)
            elif option.dest == "time":
                value = _time(value)
            elif option.dest in ("gpus", "gpus_per_task") and spec.resources.gpu_type and value:
                value = f"{spec.resources.gpu_type}:{value}"
            yield option, value


def _told(cell: Mapping[str, Any]) -> Iterator[tuple[Option, Any]]:
    """What the line said of names and files, as far as the worker was told."""
    by_name = {option.dest: option for option in CELL_OPTIONS}
    explicit = cell.get("explicit_outputs") or []
    if explicit:
        yield by_name["outputs"], explicit
    elif cell.get("kind") == "cell" and cell.get("all_new") is False:
        yield by_name["no_outputs"], True
    for name in ("reads", "writes"):
        if cell.get(name):
            yield by_name[name], cell[name]


def _words(option: Option, value: Any) -> Iterator[str]:
    flag = option.flags[0] if option.kind == "names" else option.flags[-1]
    if option.kind == "flag":
        yield option.flags[-1]
        return
    values = [",".join(value)] if option.kind == "names" else value if option.kind == "append" else [value]
    for each in map(str, values):
        yield from ([f"{flag}={each}"] if each.startswith("-") else [flag, each])


def _size(count: int) -> str:
    for power, unit in _SIZES:
        if count % (1 << power) == 0:
            return f"{count >> power}{unit}"
    return f"{count}B"


def _time(seconds: int) -> str:
    parts = []
    for size, unit in _TIMES:
        count, seconds = divmod(seconds, size)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"


def _quoted(word: str) -> str:
    """Return a word as a magic's line takes it: nothing in it is a variable, and nothing ends it."""
    if _PLAIN.fullmatch(word):
        return word
    pieces = re.split("(?<=[{}])", word)  # in each, IPython looks for variables by itself, and never in its quotes
    pieces = [_VARIABLE.sub("$$", piece).replace("{", "{{").replace("}", "}}") for piece in pieces]
    literal = "".join(pieces)
    if "'" not in literal:
        return f"'{literal}'"
    escaped = literal.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
