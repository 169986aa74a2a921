"""What stands on a terminal when a job's text has been printed there: progress bars by their last state.

The same rules, on the same cases (``tests/unit/recorded/screen.json``), are in ``labextension/src/job/screen.ts``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from ..model.printable import printable
from .ansi import ALTERNATE, PLAIN, SEQUENCE, Style, colour, css, divided, styled

HEIGHT = 50  # rows that can still change: what has scrolled further stays as it is
LONGEST = 4000  # of a line that a page shows
LONGEST_OF_ALL = 1 << 20
_PIECE = 1 << 16
WIDTH = 500  # how far the cursor moves to the right of what is written
MOST_SPANS = 1000  # of some rows; more is no reading matter, and each costs a page more than its text
LONGER = "… (a longer line)"
_TOKEN = re.compile(rf"(?P<text>[^\x00-\x08\x0a-\x1f\x7f-\x9f]+)|(?P<control>[\n\r\b])|{SEQUENCE.pattern}")
_ACTS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Row:
    """One line: its text, and a style for each character, or none where all is plain."""

    __slots__ = ("_characters", "_styles", "_text", "is_longer")

    def __init__(self, text: str = "") -> None:
        self._text = text  # what was written at once; most lines are
        self._characters: list[str] | None = None
        self._styles: list[Style] | None = None
        self.is_longer = False

    @property
    def text(self) -> str:
        return self._text if self._characters is None else "".join(self._characters)

    def __len__(self) -> int:
        return len(self._text if self._characters is None else self._characters)

    def put(self, column: int, text: str, style: Style) -> None:
        """Write over what stands there."""
        if style or self._styles is not None:
            styles = self._styles = self._styles if self._styles is not None else [PLAIN] * len(self)
            styles += [PLAIN] * (column - len(styles))
            styles[column : column + len(text)] = [style] * len(text)
        if column == 0 and not len(self):
            self._text, self._characters = text, None
            return
        characters = self._written()
        characters += " " * (column - len(characters))
        characters[column : column + len(text)] = text

    def cut(self, begin: int, end: int, blanks: int = 0) -> None:
        """Take characters out, and leave so many blanks instead."""
        if self._styles is not None:
            self._styles[begin:end] = [PLAIN] * blanks
        characters = self._written()
        characters[begin:end] = " " * blanks
        if end >= len(characters):
            self.is_longer = False

    def runs(self) -> list[tuple[str, Style]]:
        """Return the text by pieces of one style; what would act is shown as text."""
        text, begin = self.text, 0
        found: list[tuple[str, Style]] = []
        if self._styles is None:
            found += [(printable(text), PLAIN)] if text else []
        for style, group in groupby(self._styles or ()):
            end = begin + sum(1 for _ in group)
            found.append((printable(text[begin:end]), style))
            begin = end
        return [*found, (LONGER, PLAIN)] if self.is_longer else found

    def plain(self) -> str:
        return "".join(text for text, _ in self.runs())

    def _written(self) -> list[str]:
        if self._characters is None:
            self._characters = list(self._text)
        return self._characters


class Screen:
    """A terminal of unlimited width; each character costs a bounded number of steps, and `HEIGHT` rows are kept.

    Parameters
    ----------
    longest : int
        How much of a line is kept.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rows = [Row()]
        self._at = self._column = 0  # where the cursor is
        self._saved = (0, 0)
        self._printed: tuple[list[Row], int, int] | None = None  # rows and cursor, while the alternate screen is shown
        self._style = PLAIN
        self._begun = ""
        self._settled: list[Row] = []

    @property
    def is_within_line(self) -> bool:
        return self._column > 0

    def add(self, text: str) -> list[Row]:
        """Take text; return the rows that nothing can change any more."""
        whole, self._begun = divided(self._begun + text)
        self._take(whole)
        settled, self._settled = self._settled, []
        return settled

    def rows(self) -> list[Row]:
        """Return the rows that still can change; those below the cursor as far as there is something in them."""
        count = len(self._rows)
        while count - 1 > self._at and not len(self._rows[count - 1]):
            count -= 1
        return [*(self._printed[0] if self._printed else ()), *self._rows[:count]]

    def _take(self, text: str) -> None:
        for token in _TOKEN.finditer(text):
            if token["text"]:
                self._put(token["text"])
            elif control := token["control"]:
                if control == "\n":
                    self._feed_line()
                else:
                    self._column = 0 if control == "\r" else max(0, self._column - 1)
            elif (codes := colour(token)) is not None:
                self._style = styled(self._style, codes)
            elif token["final"] and not token["between"]:
                self._act(token["final"], token["parameters"])
            elif token["escape"]:
                self._escape(token["escape"])

    def _put(self, text: str) -> None:
        row, room = self._row(), self._longest - self._column
        row.put(self._column, text[:room], self._style)
        row.is_longer |= len(text) > room
        self._column = min(self._longest, self._column + len(text))

    def _row(self) -> Row:
        while len(self._rows) <= self._at:
            self._rows.append(Row())
        return self._rows[self._at]

    def _feed_line(self) -> None:
        self._column = 0
        self._at += 1
        if self._at >= HEIGHT:
            row = self._rows.pop(0)
            self._at -= 1
            if self._printed is None:  # an alternate screen forgets what has left it
                self._settled.append(row)
        self._row()

    def _escape(self, what: str) -> None:
        if what == "7":
            self._saved = (self._at, self._column)
        elif what == "8":
            self._at, self._column = self._saved
        elif what == "M":
            self._move(-1, 0)
        elif what == "D":
            self._move(1, 0)
        elif what == "E":
            self._feed_line()
        elif what == "c":
            self._turn(alternate=False)
            self._at = self._column = 0
            self._style = PLAIN
            self._erase_display(2)

    def _turn(self, *, alternate: bool) -> None:
        """Show an empty screen for a program that fills it, or what was printed before again."""
        if alternate and self._printed is None:
            self._printed = self._rows, self._at, self._column
            self._rows, self._at, self._column = [Row()], 0, 0
        elif not alternate and self._printed is not None:
            self._rows, self._at, self._column = self._printed
            self._printed = None

    def _move(self, rows: int, columns: int) -> None:
        self._at = max(0, min(self._at + rows, HEIGHT - 1))
        self._column = max(0, min(self._column + columns, max(self._column, WIDTH)))

    def _act(self, final: str, parameters: str) -> None:
        if final in "hl" and parameters in ALTERNATE:
            self._turn(alternate=final == "h")
        if not re.fullmatch(r"[0-9;]*", parameters):  # of another mode, such as whether the cursor is seen
            return
        first, *more = [min(int(part[:6] or 0), 9999) for part in parameters.split(";")]
        count = max(first, 1)
        if final in "AF":
            self._move(-count, 0)
        elif final in "BE":
            self._move(count, 0)
        elif final in "CD":
            self._move(0, count if final == "C" else -count)
        elif final in "G`":
            self._move(0, count - 1 - self._column)
        elif final in "Hf":
            self._move(count - 1 - self._at, max(more[0] if more else 1, 1) - 1 - self._column)
        elif final == "d":
            self._move(count - 1 - self._at, 0)
        elif final == "J":
            self._erase_display(first)
        elif final == "K":
            self._erase_line(first)
        elif final in "PX@":
            self._shift(final, count)
        elif final in "LM":
            self._shift_rows(final, count)
        elif final == "s" and not parameters:
            self._escape("7")
        elif final == "u":
            self._escape("8")
        if final in "EF":
            self._column = 0

    def _erase_line(self, which: int) -> None:
        row = self._row()
        if which == 0:
            row.cut(self._column, len(row))
        elif which == 1:
            row.cut(0, self._column + 1, min(self._column + 1, len(row)))
        elif which == 2:
            row.cut(0, len(row))

    def _erase_display(self, which: int) -> None:
        if which in (0, 2):
            del self._rows[self._at + 1 :]
        for row in self._rows[: self._at] if which in (1, 2) else ():
            row.cut(0, len(row))
        self._erase_line(which)

    def _shift(self, final: str, count: int) -> None:
        row, at = self._row(), self._column
        end = min(at + count, len(row))
        if final == "@" and at < len(row):
            row.cut(at, at, min(count, WIDTH))
            row.cut(self._longest, len(row))
        elif at < end:
            row.cut(at, end, end - at if final == "X" else 0)

    def _shift_rows(self, final: str, count: int) -> None:
        """Put empty rows in at the cursor, or take rows out there."""
        self._row()
        self._column = 0
        if final == "M":
            del self._rows[self._at : self._at + count]
        else:
            self._rows[self._at : self._at] = [Row() for _ in range(min(count, HEIGHT))]
            del self._rows[HEIGHT:]
        self._row()


def rows_of(text: str) -> Iterator[Row]:
    """Give what stands there when a whole text was printed, line by line."""
    if not _ACTS.search(text):
        yield from map(Row, text.split("\n"))
        return
    screen = Screen(LONGEST_OF_ALL)
    for at in range(0, len(text), _PIECE):
        yield from screen.add(text[at : at + _PIECE])
    yield from screen.rows()


def plain(text: str) -> str:
    """Return a log as it stands in the end, without colours."""
    return "\n".join(row.plain() for row in rows_of(text))


def coloured(text: str) -> str:
    """Return a log for a terminal as it stands in the end; each line has its own colours, wherever it is cut."""
    return "\n".join(_coloured(row) for row in rows_of(text))


def _coloured(row: Row) -> str:
    found: list[str] = []
    now = PLAIN
    for text, style in row.runs():
        if style != now:
            found.append(f"\x1b[{';'.join(x for x in ('0' if now else '', style) if x)}m")
            now = style
        found.append(text)
    return "".join([*found, "\x1b[0m" if now else ""])


def to_html(rows: Iterable[Row], *, most: int = MOST_SPANS) -> str:
    """Return escaped HTML of rows, a line each, with spans for colours."""
    found = []
    for row in rows:
        runs = row.runs()
        for text, style in runs:
            text = html.escape(text, quote=False)
            most -= bool(style)
            found.append(f'<span style="{css(style)}">{text}</span>' if style and text and most >= 0 else text)
        found.append("\n")
    return "".join(found)
