"""The text that panel and card show of a log: bounded, in order, stdout and stderr told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..rundir.reader import TEXT, Output
from .ansi import fold, strip, to_html

MAX_LINES = 200
MAX_BYTES = 64 << 10
MAX_LINE = 2000
BLOCK_LINES = 40
WHOLE_ROWS = 40  # of a log that a card shows whole; a longer one is shown by its end
END_ROWS = 20
_COLUMNS = 120  # of a card, about: a longer line takes several rows
MOST_BLOCKS = 10

Pieces = list[tuple[str, str]]  # (stdout or stderr, text)
Styles = dict[str, dict[str, str]]  # of each stream


@dataclass
class Block:
    """Some lines; only the newest block changes, so a page keeps what it has of the others.

    Attributes
    ----------
    number : int
        Counts up.
    styles : dict
        The colours in which it begins.
    """

    number: int
    styles: Styles
    pieces: Pieces = field(default_factory=list)
    _whole: str | None = None  # its HTML, once it is full

    @property
    def size(self) -> int:
        return sum(len(text) for _, text in self.pieces)

    @property
    def lines(self) -> int:
        return sum(text.count("\n") for _, text in self.pieces)

    def html(self) -> str:
        return self._rendered()[0] if self._whole is None else self._whole

    def close(self) -> Styles:
        """Take no more text; return the colours in which it ends."""
        self._whole, styles = self._rendered()
        return styles

    def _rendered(self) -> tuple[str, Styles]:
        styles = {kind: dict(style) for kind, style in self.styles.items()}
        found = []
        for kind, text in self.pieces:
            inner = to_html(text, styles.setdefault(kind, {}))
            found.append(inner if kind == "stdout" else f'<span style="{_STDERR}">{inner}</span>')
        return "".join(found), styles


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


_STDERR = "background:rgba(231,92,88,.12);box-shadow:-3px 0 0 rgba(231,92,88,.6)"


@dataclass
class LogTail:
    """The last lines of a job's text.

    Attributes
    ----------
    lines : int
        How many there were in all.
    dropped : bool
        Earlier text is no longer here.
    traceback : bool
        Show the one that ended the cell; where the exception is raised below, it would stand there twice.
    """

    blocks: list[Block] = field(default_factory=lambda: [Block(0, {})])
    lines: int = 0
    dropped: bool = False
    traceback: bool = False
    _clears: bool = False

    def add(self, outputs: Sequence[Output]) -> None:
        """Take the text among the outputs; `clear_output` empties it, as in a notebook."""
        kinds = TEXT if self.traceback else TEXT[:2]
        for output in outputs:
            if output.kind == "clear_output":
                self._clears = True
                if output.wait:
                    continue
            elif output.kind not in (*kinds, "display"):
                continue
            if self._clears:
                self.blocks, self.lines, self._clears = [Block(self.blocks[-1].number + 1, {})], 0, False
            if output.text and output.kind in kinds:
                self._take(output.kind, output.text)

    def _take(self, kind: str, text: str) -> None:
        self.lines += text.count("\n")
        if len(text) > 4 * MAX_BYTES:
            text, self.dropped = text[-4 * MAX_BYTES :], True
        pieces = self.blocks[-1].pieces
        if pieces and pieces[-1][0] == kind:
            text = pieces.pop()[1] + text
        pieces.append((kind, _bounded(fold(text), self)))
        self._divide()
        while len(self.blocks) > 1 and (
            sum(b.lines for b in self.blocks[1:]) >= MAX_LINES
            or sum(b.size for b in self.blocks) > MAX_BYTES
            or len(self.blocks) > MOST_BLOCKS
        ):
            self.blocks.pop(0)
            self.dropped = True

    def _divide(self) -> None:
        """Begin new blocks where the newest has become too long."""
        newest = self.blocks[-1]
        while newest.lines > BLOCK_LINES or newest.size > MAX_BYTES // 4 or len(newest.pieces) > BLOCK_LINES:
            lines = [(kind, line) for kind, text in newest.pieces for line in text.splitlines(keepends=True)]
            if len(lines) < 2:
                return
            count = min(BLOCK_LINES, len(lines) - 1)
            newest.pieces = _grouped(lines[:count])
            newest = Block(newest.number + 1, newest.close(), _grouped(lines[count:]))
            self.blocks.append(newest)

    def end(self) -> End:
        """Return what a card shows: all of a short log, else the last lines."""
        pieces = [piece for block in self.blocks for piece in block.pieces]
        lines = "".join(text for _, text in pieces).rstrip("\n").split("\n")
        first, rows = len(lines), 0
        heights = [1 + len(strip(line)) // _COLUMNS for line in lines]
        most = WHOLE_ROWS if sum(heights) <= WHOLE_ROWS and not self.dropped else END_ROWS
        while first > 0 and (first == len(lines) or rows + heights[first - 1] <= most):
            first -= 1
            rows += heights[first]
        before, shown = _divided(pieces, sum(len(line) + 1 for line in lines[:first]))
        lead = Block(0, self.blocks[0].styles, before)
        html = Block(1, lead.close(), shown).html().rstrip("\n")
        total = self.lines + (not pieces[-1][1].endswith("\n")) if pieces else 0
        return End(max(0, total - (len(lines) - first)), html, strip("\n".join(lines[first:])))

    def plain(self) -> str:
        """Return the text without colours."""
        return strip("".join(text for block in self.blocks for _, text in block.pieces))

    def html(self) -> str:
        """Return escaped HTML; stderr is marked by a line at its left as well as by its colour."""
        return "".join(block.html() for block in self.blocks)


def _divided(pieces: Pieces, at: int) -> tuple[Pieces, Pieces]:
    """Divide pieces of text at a character."""
    before: Pieces = []
    after: Pieces = []
    for kind, text in pieces:
        before += [(kind, text[:at])] if at > 0 else []
        after += [(kind, text[max(at, 0) :])] if at < len(text) else []
        at -= len(text)
    return before, after


def _grouped(lines: Iterable[tuple[str, str]]) -> Pieces:
    found: Pieces = []
    for kind, line in lines:
        if found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + line)
        else:
            found.append((kind, line))
    return found


def _bounded(text: str, tail: LogTail) -> str:
    lines = text.split("\n")
    if len(lines) > MAX_LINES + 1:
        lines, tail.dropped = lines[-MAX_LINES - 1 :], True
    return "\n".join(x if len(x) <= MAX_LINE else f"{x[:MAX_LINE]}… (a longer line)" for x in lines)
