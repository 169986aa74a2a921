"""The end of a job's log as panel and card show it: bounded, in order, as a terminal would show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ..rundir.reader import TEXT, Output
from .failures import Failures
from .screen import Row, Screen, to_html
from .style import BAD, STEP_PX

MAX_LINES = 200
MAX_BYTES = 64 << 10
BLOCK_LINES = 40
MOST_BLOCKS = 10
WHOLE_ROWS = 40  # of a log that a card shows whole; a longer one is shown by its end
END_ROWS = 20
_COLUMNS = 120  # of a card, about: a longer line takes several rows
_AT_ONCE = 4 * MAX_BYTES  # of more only the end is looked at
_FAILED = f"display:block;border-left:2px solid {BAD};padding-left:{2 * STEP_PX}px"

Marked = tuple[Row, str]  # a line, and what it is of a traceback


@dataclass
class Block:
    """Some lines. Those that can't change any more are rendered once, and a page keeps what it has of them.

    Attributes
    ----------
    number : int
        Counts up.
    """

    number: int
    lines: list[Marked]
    is_settled: bool = False
    _html: str | None = None

    @property
    def size(self) -> int:
        return sum(len(row.text) + 1 for row, _ in self.lines)

    def html(self) -> str:
        """Return escaped HTML, a line each; nothing where nothing stands."""
        if self._html is not None:
            return self._html
        found = html_of(self.lines)
        found = found if found.strip() else ""
        if self.is_settled:
            self._html = found
        return found


def html_of(lines: Sequence[Marked]) -> str:
    """Return escaped HTML; tracebacks have a line at their left, and what went wrong stands out."""
    found = []
    for is_failure, group in groupby(lines, lambda line: bool(line[1])):
        if not is_failure:
            found.append(to_html([row for row, _ in group]))
            continue
        inner = "".join(f"<b>{to_html([row])[:-1]}</b>\n" if mark == "error" else to_html([row]) for row, mark in group)
        found.append(f'<span style="{_FAILED}">{inner}</span>')
    return "".join(found)


@dataclass(frozen=True)
class End:
    """The last lines of a log.

    Attributes
    ----------
    above : int
        How many lines there are before them.
    """

    above: int
    html: str
    text: str


def lines_above(count: int) -> str:
    """Say how much of a log isn't shown."""
    return f"{count} line{'s' if count != 1 else ''} above"


class LogTail:
    """The last lines of a job's text.

    Parameters
    ----------
    traceback : bool
        Show the one that ended the cell; where the exception is raised below, it would stand there twice.
    """

    def __init__(self, *, traceback: bool = False) -> None:
        self._kinds = TEXT if traceback else TEXT[:2]
        self._clears = False
        self._number = 0  # of the next block
        self._begin()

    def _begin(self) -> None:
        self._screen, self._failures = Screen(), Failures()
        self._settled: list[Block] = []
        self._open: list[Marked] = []  # lines that are settled and fill no block yet
        self._dropped = 0
        self._shown: list[Block] | None = None

    def add(self, outputs: Sequence[Output]) -> None:
        """Take the text among the outputs; `clear_output` empties it, as in a notebook."""
        for output in outputs:
            if output.kind == "clear_output":
                self._clears = True
                if output.wait:
                    continue
            elif output.kind not in (*self._kinds, "display"):
                continue
            if self._clears:
                self._clears = False
                self._number += len(self.blocks)  # a page knows the numbers of those that are gone
                self._begin()
            if output.text and output.kind in self._kinds:
                self._take(output.kind, output.text)

    def _take(self, kind: str, text: str) -> None:
        if kind == TEXT[2] and self._screen.is_within_line:
            text = f"\n{text}"
        if len(text) > _AT_ONCE:
            self._skip(text[:-_AT_ONCE])
            text = text[-_AT_ONCE:]
        self._settle(self._screen.add(text))
        self._shown = None

    def _skip(self, text: str) -> None:
        """Count what is too much to be looked at."""
        lines = self.lines + text.count("\n")
        number = self._number + len(self.blocks)
        self._begin()
        self._dropped, self._number = lines, number

    def _settle(self, rows: Sequence[Row]) -> None:
        self._open += [(row, self._failures.take(row.text)) for row in rows]
        while len(self._open) >= BLOCK_LINES:
            self._settled.append(Block(self._number, self._open[:BLOCK_LINES], is_settled=True))
            self._number += 1
            del self._open[:BLOCK_LINES]
            while len(self._settled) > MOST_BLOCKS:
                self._dropped += len(self._settled.pop(0).lines)

    @property
    def blocks(self) -> list[Block]:
        """What is shown: at least one, the newest last."""
        if self._shown is None:
            failures = self._failures.copy()
            lines = self._open + [(row, failures.take(row.text)) for row in self._screen.rows()]
            new = [
                Block(self._number + i, lines[at : at + BLOCK_LINES])
                for i, at in enumerate(range(0, len(lines), BLOCK_LINES))
            ]
            self._shown = _bounded(self._settled + new)
        return self._shown

    @property
    def lines(self) -> int:
        """How many there were in all."""
        rows = self._screen.rows()
        settled = sum(len(block.lines) for block in self._settled) + len(self._open)
        return self._dropped + settled + len(rows) - (not rows[-1].text)

    @property
    def dropped(self) -> bool:
        """Earlier text is no longer here."""
        return self.lines > sum(len(block.lines) for block in self.blocks)

    def end(self) -> End:
        """Return what a card shows: all of a short log, else the last lines."""
        lines = [line for block in self.blocks for line in block.lines]
        while lines and not lines[-1][0].text.strip():
            lines.pop()
        heights = [1 + len(row.text) // _COLUMNS for row, _ in lines]
        most = WHOLE_ROWS if sum(heights) <= WHOLE_ROWS and not self.dropped else END_ROWS
        first, used = len(lines), 0
        while first > 0 and (first == len(lines) or used + heights[first - 1] <= most):
            first -= 1
            used += heights[first]
        rows = self._visible()
        hidden = first + self.lines - (len(rows) - (not rows[-1].text))
        if not lines and self.dropped:  # nothing but empty lines at the end: all that there is stands above
            hidden = self.lines
        text = "\n".join(row.plain() for row, _ in lines[first:])
        return End(hidden, html_of(lines[first:]).removesuffix("\n"), text)

    def _visible(self) -> list[Row]:
        return [row for block in self.blocks for row, _ in block.lines]

    def plain(self) -> str:
        """Return the text without colours."""
        return "\n".join(row.plain() for row in self._visible())

    def html(self) -> str:
        """Return escaped HTML."""
        return "".join(block.html() for block in self.blocks).removesuffix("\n")


def _bounded(blocks: list[Block]) -> list[Block]:
    """Return the newest blocks, as many as a page can bear."""
    first, lines, size = len(blocks) - 1, len(blocks[-1].lines), blocks[-1].size
    while first > 0:
        lines, size = lines + len(blocks[first - 1].lines), size + blocks[first - 1].size
        if lines > MAX_LINES + BLOCK_LINES or size > MAX_BYTES or len(blocks) - first >= MOST_BLOCKS:
            break
        first -= 1
    return blocks[first:]
