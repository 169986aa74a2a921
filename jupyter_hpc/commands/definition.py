"""What a command of ``%hpc`` and ``jupyter hpc`` is, and how its answer is laid out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.printable import printable
from ..views.screen import coloured
from ..views.style import plain

_LONGEST_CELL = 4000


@dataclass(frozen=True)
class Command:
    """One command: its help line, its arguments, what it does.

    Attributes
    ----------
    is_log : bool
        Its answer is what a job printed, which keeps its colours.
    """

    help: str
    arguments: Callable[[argparse.ArgumentParser], Any]
    run: Callable[[argparse.Namespace], str]
    is_log: bool = False

    def answer(self, arguments: argparse.Namespace) -> str:
        """Run it; return text that does nothing to a terminal, whatever names and reasons hold."""
        text = self.run(arguments)
        return coloured(text) if self.is_log else printable(text)


def takes_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="run id, a part of it, the scheduler's id, or the job's name")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows, a line each."""
    rows = [[plain(cell, _LONGEST_CELL) for cell in row] for row in rows]
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in rows)
