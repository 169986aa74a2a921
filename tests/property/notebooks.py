"""Random notebooks of small cells, some to be sent: each statement makes sense where it stands."""

from __future__ import annotations

import contextlib
import io
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from .statements import KINDS, SETUP, Space

BLOCKS = {
    "for": "for i in range(2):\n{inside}",
    "if": "if len('ab') == 2:\n{inside}\nelse:\n    zz = 1",
    "try": "try:\n{inside}\n    1 / 0\nexcept ZeroDivisionError:\n    caught = 1",
    "finally": "try:\n{inside}\nfinally:\n    done = 1",
    "with": "with contextlib.suppress(ValueError):\n{inside}\n    raise ValueError('no')",
    "while": "n = 0\nwhile n < 2:\n    n += 1\n{inside}",
}
IN_BLOCKS = ("change", "share", "call", "assign", "augment", "copy")
OFTEN = ("change", "change", "change", "share", "call", "call")  # beside once each kind


@dataclass(frozen=True)
class Cell:
    """A cell, and whether it is sent."""

    code: str
    is_sent: bool = False
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class RandomNotebook:
    """Cells that follow the setup; shown as what a person can paste."""

    cells: tuple[Cell, ...]

    def text(self, magic: str) -> str:
        shown = [f"{magic}\n{c.code}" if c.is_sent else c.code for c in self.cells]
        return "\n\n".join(f"# %% cell {i}\n{code}" for i, code in enumerate([SETUP.rstrip(), *shown]))

    def __repr__(self) -> str:
        return "\n" + self.text("%%local") + "\n"


class _Writer:
    """Writes statements into a namespace that has what the cells so far would leave there."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw
        self.space: Space = {"__name__": "__main__"}
        self._before: Space = {}  # as it was when the cell began
        self.run(SETUP)

    def run(self, code: str) -> bool:
        """Run a statement; return False if it fails."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(code, "<cell>", "exec"), self.space)
        except Exception:
            return False
        return True

    def statement(self) -> tuple[str, str]:
        """Return the kind and the text of a statement."""
        kinds = [kind for kind in (*KINDS, *OFTEN) if KINDS[kind](self.space)]
        kind = self._draw(st.sampled_from(kinds))
        texts = KINDS[kind](self.space)
        if kind == "delete":  # a name that the cell bound itself: whether the kernel has one, the node isn't told
            texts = [t for t in texts if self._is_as_it_was(t.partition(" ")[2])] or ["pass"]
        text = self._draw(st.sampled_from(texts))
        block = self._draw(st.sampled_from(["", "", "", "", *BLOCKS])) if kind in IN_BLOCKS else ""
        if not block:
            return kind, text
        return f"{kind} in {block}", BLOCKS[block].format(inside=textwrap.indent(text, "    "))

    def _is_as_it_was(self, name: str) -> bool:
        return name not in self._before or self.space.get(name) is self._before[name]

    def cell(self) -> Cell:
        """Return a cell; one that fails ends there."""
        self._before = dict(self.space)
        kinds, texts = [], []
        for _ in range(self._draw(st.integers(1, 4))):
            kind, text = self.statement()
            kinds.append(kind)
            texts.append(text)
            if not self.run(text):
                break
        return Cell("\n".join(texts), self._draw(st.booleans()), tuple(kinds))


@st.composite
def notebooks(draw: Callable[[Any], Any], at_least: int = 3, at_most: int = 8) -> RandomNotebook:
    """Notebooks of some cells."""
    writer = _Writer(draw)
    return RandomNotebook(tuple(writer.cell() for _ in range(draw(st.integers(at_least, at_most)))))
