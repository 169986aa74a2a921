"""Lines of a cell, as its notebook counts them: every error names the line that people see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def joined(line: str, cell: str) -> tuple[str, str]:
    """Return a magic's line with those on which it goes on after a backslash, and the cell below."""
    while (len(line) - len(line.rstrip("\\"))) % 2 and cell:
        more, _, cell = cell.partition("\n")
        line = line[:-1] + more.rstrip()
    return line, cell


def lines_above(shell: Any, cell: str) -> int:
    """Return how many lines of the notebook's cell stand above what a magic was given: at least its own."""
    words = cell.split()
    for raw in _whole_cells(shell):
        if raw.lstrip().startswith("%%") and raw.split()[-len(words) :] == words:
            return max(1, raw.rstrip().count("\n") - cell.rstrip().count("\n"))
    return 1  # it was called by a program


def _whole_cells(shell: Any) -> Iterator[str]:
    """Yield what may be the cell that runs: what the front end sent, and the history's newest."""
    parent = getattr(shell, "parent_header", None)
    content = parent.get("content") if isinstance(parent, dict) else None
    yield str((content or {}).get("code") or "")
    yield from getattr(shell.history_manager, "input_hist_raw", [])[-1:]


def python(shell: Any, cell: str, above: int) -> str:
    """Return a cell as Python, each statement in the line in which the notebook has it.

    IPython drops blank lines above, and makes one line of a magic or a command that goes on after a backslash.
    """
    manager = shell.input_transformer_manager
    step = getattr(manager, "do_one_token_transform", None)
    if step is not None:
        manager.do_one_token_transform = lambda lines: _as_long(lines, *step(lines))
    try:
        code: str = shell.transform_cell(cell)
    finally:
        vars(manager).pop("do_one_token_transform", None)
    lines = cell.split("\n")
    blank = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    return "\n" * (above + blank) + code


def _as_long(before: list[str], is_changed: bool, after: list[str]) -> tuple[bool, list[str]]:
    """Give the lines after one step of IPython's as many as there were, below the one that was made of several."""
    at = next((i for i, (old, new) in enumerate(zip(before, after)) if old != new), len(after) - 1)
    lost = max(0, len(before) - len(after))
    return is_changed, [*after[: at + 1], *["\n"] * lost, *after[at + 1 :]]
