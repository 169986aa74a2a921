"""What the line of a cell magic says: how to run, and what else a cell can ask for."""

from __future__ import annotations

from dataclasses import dataclass, field

from .declaration import option
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
