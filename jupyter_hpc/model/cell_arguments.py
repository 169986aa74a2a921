"""What the line of a cell magic says: how to run, and what else a cell can ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .declaration import Option, declared, option
from .spec import JobSpec


@dataclass(frozen=True)
class CellArguments:
    """The line of a cell magic, read: the spec, and what is the cell's own matter."""

    spec: JobSpec = field(default_factory=JobSpec)
    on: str | None = option("--on", "TARGET", "where to run; unset: the magic's own target", "scheduler")
    inputs: tuple[str, ...] = option(
        "-i --input",
        "A,B",
        "send these too, besides what the cell reads",
        "names",
        kind="names",
        in_calls=False,
    )
    outputs: tuple[str, ...] | None = option(
        "-o --output",
        "A,B",
        "bring back only these; unset: all assigned",
        "names",
        kind="names",
        default=None,
        in_calls=False,
    )
    no_outputs: bool = option("-O --no-outputs", None, "bring back no names", "names", in_calls=False)
    auto: bool = option(
        "--no-auto",
        None,
        "send only what -i names; don't look for names",
        "names",
        default=True,
        in_calls=False,
    )
    reads: tuple[str, ...] = option(
        "--reads",
        "PATH",
        "a file or folder that the cell reads, for the record; repeatable",
        "names",
        kind="append",
    )
    writes: tuple[str, ...] = option(
        "--writes", "PATH", "one that it writes, for the record; repeatable", "names", kind="append"
    )
    detach: bool = option(
        "--detach",
        None,
        "return the job at once; `%hpc attach` gets what it makes",
        "behaviour",
        in_calls=False,
    )
    reuse: bool = option(
        "--reuse",
        None,
        "take the result of an earlier run with the same code, inputs and environment, if there is one",
        "behaviour",
    )
    dry_run: bool = option("--dry-run", None, "show what would be sent; submit nothing", "behaviour", in_calls=False)
    quiet: bool = option("--quiet", None, "only the cell's own output: no panel, no card", "behaviour", in_calls=False)
    help: bool = option("-h --help", None, "show this text", "behaviour", in_calls=False)

    def to_record(self) -> dict[str, Any]:
        """Return what was asked for beside the spec, as a record keeps it: what makes the line again."""
        found = {option.dest: getattr(self, option.dest) for option in _repeated()}
        defaults = {option.dest: option.default for option in _repeated()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items() if v != defaults[k]}


def asked_again(asked: Mapping[str, Any]) -> Iterator[tuple[Option, Any]]:
    """Yield the options of which a record keeps that they were given, with their values."""
    for each in _repeated():
        if each.dest in asked:
            yield each, asked[each.dest]


def _repeated() -> list[Option]:
    """The target is in the magic's name, and a line that only looks makes no run."""
    return [each for each in declared(CellArguments) if each.dest not in ("on", "dry_run", "help")]
