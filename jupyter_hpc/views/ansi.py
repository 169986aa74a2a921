"""What a job printed, for a page or a terminal: colours kept, carriage returns folded, all else without effect."""

from __future__ import annotations

import html
import re

from ..model.printable import printable

_STRING = r"[^\x07\x1b\x9c\n]*"  # of a title, a link, the clipboard; none hides the lines after it
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)(?:(?P<colour>[0-9;:]*)m|[0-?]*[ -/]*[@-~])"
    rf"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]|\x1b"
)
_ERASE = re.compile(r"(?:\x1b\[|\x9b)[0-2]?[JK]")
_BEGUN = re.compile(  # at the end of a piece of text
    r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*"
    rf"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_STRING}\x1b?"
    r"|\x1b[ -/]*)\Z"
)
_LONGEST = 4096  # of what is taken for a sequence that is still to end
_MOVES = "\b\r"  # within a line: progress bars
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
# readable on light and on dark pages; JupyterLab's own variables where they exist
_COLOURS = {
    "black": "#3e424d",
    "red": "#e75c58",
    "green": "#00a250",
    "yellow": "#ddb62b",
    "blue": "#208ffb",
    "magenta": "#d160c4",
    "cyan": "#60c6c8",
    "white": "#a1a6b2",
}


def fold(text: str) -> str:
    """Apply carriage returns and backspaces, as a terminal would: progress bars become their last state."""
    if "\r" not in text and "\b" not in text:
        return text
    return "\n".join(_fold_line(line) for line in text.replace("\r\n", "\n").split("\n"))


def _fold_line(line: str) -> str:
    if "\r" in line:
        pieces = line.split("\r")
        shown = pieces[0]
        for piece in pieces[1:]:
            if not (_ESCAPE.sub("", piece) or _ERASE.search(piece)):  # nothing is drawn over what stands there
                shown += piece
                continue
            # colours make positions unequal to characters; a bar redraws its whole line anyway
            shown = piece if len(piece) >= len(shown) or "\x1b" in shown + piece else piece + shown[len(piece) :]
        line = shown
    if "\b" in line:
        kept: list[str] = []
        for character in line:
            if character != "\b":
                kept.append(character)
            elif kept:
                kept.pop()
        line = "".join(kept)
    return line


def strip(text: str) -> str:
    """Return the text without escape sequences and control characters."""
    return _inert(_ESCAPE.sub("", text))


def _inert(text: str, but: str = "") -> str:
    """Without control characters; what turns its direction is shown as text."""
    return printable(_CONTROL.sub(lambda found: found[0] if found[0] in but else "", text), but=but)


class Colours:
    """Text for a terminal as it comes, piece by piece: colours and what moves within a line, no other sequence."""

    def __init__(self) -> None:
        self._begun = ""
        self._is_coloured = False

    def add(self, text: str) -> str:
        """Return what of the text so far can be shown."""
        text = self._begun + text
        begun = _BEGUN.search(text, max(0, len(text) - _LONGEST))
        end = begun.start() if begun else len(text)
        self._begun = text[end:]
        return self._shown(text[:end])

    def end(self) -> str:
        """Return the rest; what is shown after it has its own colours."""
        rest, self._begun = self._shown(self._begun), ""
        was, self._is_coloured = self._is_coloured, False
        return rest + ("\x1b[0m" if was else "")

    def _shown(self, text: str) -> str:
        found: list[str] = []
        position = 0
        for match in _ESCAPE.finditer(text):
            found.append(_inert(text[position : match.start()], _MOVES))
            position = match.end()
            if (colour := match["colour"]) is not None:
                self._is_coloured = bool(colour.strip("0"))
                found.append(f"\x1b[{colour}m")
        found.append(_inert(text[position:], _MOVES))
        return "".join(found)


def coloured(text: str) -> str:
    """Return a log for a terminal."""
    stream = Colours()
    return stream.add(text) + stream.end()


MOST_SPANS = 1000  # more is no reading matter, and each costs a page more than its text


def to_html(text: str, style: dict[str, str] | None = None) -> str:
    """Return escaped HTML with spans for colours; any other sequence is dropped.

    Parameters
    ----------
    style : dict, optional
        How the text before ended; changed to how this one ends.
    """
    found: list[str] = []
    style = {} if style is None else style
    position = changes = 0
    for match in _ESCAPE.finditer(text):
        found.append(_span(text[position : match.start()], style))
        position = match.end()
        if match["colour"] is not None and (changes := changes + 1) <= MOST_SPANS:
            now = _apply(style, match["colour"] or "0") if changes < MOST_SPANS else {}
            style.clear()
            style.update(now)
    found.append(_span(text[position:], style))
    return "".join(found)


def _span(text: str, style: dict[str, str]) -> str:
    text = html.escape(_inert(text), quote=False)
    if not text or not style:
        return text
    return f'<span style="{";".join(f"{k}:{v}" for k, v in style.items())}">{text}</span>'


def _apply(style: dict[str, str], codes: str) -> dict[str, str]:
    style = dict(style)
    numbers = [int(c) if c.isdigit() else 0 for c in re.split(r"[;:]", codes)[:32]]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            style = {}
        elif code == 1:
            style["font-weight"] = "bold"
        elif code == 3:
            style["font-style"] = "italic"
        elif code == 4:
            style["text-decoration"] = "underline"
        elif code == 22:
            style.pop("font-weight", None)
        elif code in (38, 48):
            colour = _extended(numbers)
            if colour:
                style["color" if code == 38 else "background-color"] = colour
        elif code in (39, 49):
            style.pop("color" if code == 39 else "background-color", None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["color"] = _colour(code % 10)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["background-color"] = _colour(code % 10)
    return style


def _colour(index: int) -> str:
    name = _NAMES[index]
    return f"var(--jp-ansi-{name}, {_COLOURS[name]})"


def _extended(numbers: list[int]) -> str:
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:
        index = min(numbers.pop(0), 255)
        if index < 16:
            return _colour(index % 8)
        if index < 232:
            index -= 16
            return f"rgb({index // 36 * 51},{index // 6 % 6 * 51},{index % 6 * 51})"
        grey = (index - 232) * 10 + 8
        return f"rgb({grey},{grey},{grey})"
    if kind == 2 and len(numbers) >= 3:
        red, green, blue = (min(numbers.pop(0), 255) for _ in range(3))
        return f"rgb({red},{green},{blue})"
    return ""
