"""What a command of ``%hpc`` and ``jupyter hpc`` is, and how its answer is laid out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Command:
    """One command: its help line, its arguments, what it does."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], Any]
    run: Callable[[argparse.Namespace], str]


def takes_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="run id, a part of it, the scheduler's id, or the job's name")


def table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows)
