"""What a job printed may hold for a terminal: its sequences, colours kept, all else without effect."""

from __future__ import annotations

import re
from functools import lru_cache

from ..model.printable import printable

_STRING = r"[^\x07\x1b\x9c\n]*"  # of a title, a link, the clipboard; none hides the lines after it
SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)(?P<parameters>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    rf"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b(?P<escape>[ -/]*[0-~])|\x1b"
)
_BEGUN = re.compile(  # at the end of a piece of text
    r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*"
    rf"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_STRING}\x1b?"
    r"|\x1b[ -/]*)\Z"
)
_LONGEST = 4096  # of what is taken for a sequence that is still to end
ALTERNATE = ("?47", "?1047", "?1049")  # the screen of programs that fill it, apart from what was printed
_APART = 1 << 16
_FARTHEST = 500  # that a cursor is moved at once
_MOVES = "\b\r"  # within a line: progress bars
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOUR = re.compile(r"[0-9;:]*")
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


def divided(text: str) -> tuple[str, str]:
    """Divide a piece of text from the sequence at its end of which more is to come."""
    begun = _BEGUN.search(text, max(0, len(text) - _LONGEST))
    end = begun.start() if begun else len(text)
    return text[:end], text[end:]


def strip(text: str) -> str:
    """Return the text without escape sequences and control characters."""
    return inert(SEQUENCE.sub("", text))


def inert(text: str, but: str = "") -> str:
    """Without control characters; what turns its direction is shown as text."""
    return printable(_CONTROL.sub(lambda found: found[0] if found[0] in but else "", text), but=but)


class Colours:
    """Text for a terminal as it comes, piece by piece: colours, and what moves within its own lines; nothing else."""

    def __init__(self) -> None:
        self._begun = ""
        self._is_coloured = False
        self._above = self._below = 0  # how many of its lines stand above the cursor, and below
        self._apart: str | None = None  # the end of what a program shows on a screen of its own

    def add(self, text: str) -> str:
        """Return what of the text so far can be shown."""
        whole, self._begun = divided(self._begun + text)
        return self._shown(whole)

    def end(self) -> str:
        """Return the rest; what is shown after it has its own colours."""
        rest, self._begun = self._shown(self._begun), ""
        if self._apart:  # it was never left
            rest, self._apart = rest + self._apart, None
        was, self._is_coloured = self._is_coloured, False
        return rest + ("\x1b[0m" if was else "")

    def _shown(self, text: str) -> str:
        found: list[str] = []
        position = 0
        for match in SEQUENCE.finditer(text):
            self._put(found, self._words(text[position : match.start()]))
            position = match.end()
            if match["final"] in ("h", "l") and match["parameters"] in ALTERNATE:
                self._apart = None if match["final"] == "l" else self._apart or ""
            elif (codes := colour(match)) is not None:
                self._is_coloured = bool(codes.strip("0"))
                found.append(f"\x1b[{codes}m")
            elif match["final"] and not match["between"] and self._apart is None:
                found.append(self._moved(match["final"], match["parameters"]))
        self._put(found, self._words(text[position:]))
        return "".join(found)

    def _put(self, found: list[str], words: str) -> None:
        if self._apart is None:
            found.append(words)
        else:
            self._apart = (self._apart + words)[-_APART:]

    def _words(self, text: str) -> str:
        if self._apart is not None:
            return inert(text, "\r")
        count = text.count("\n")
        self._above, self._below = self._above + count, max(0, self._below - count)
        return inert(text, _MOVES)

    def _moved(self, final: str, parameters: str) -> str:
        """Move as bars below each other do, but not into what others have written; erase what is in its own lines."""
        if (final == "K" and parameters in ("", "0", "1", "2")) or (final == "J" and parameters in ("", "0")):
            return f"\x1b[{parameters}{final}"
        if final not in "ABCDEFG" or not re.fullmatch(r"[0-9]*", parameters):
            return ""
        count = min(max(1, _number(parameters)), _FARTHEST)
        if final in "CD":
            return f"\x1b[{count}{final}"
        if final == "G":
            return "\r" + (f"\x1b[{count - 1}C" if count > 1 else "")
        is_up = final in "AF"
        count = min(count, self._above if is_up else self._below)
        self._above, self._below = (
            (self._above - count, self._below + count) if is_up else (self._above + count, self._below - count)
        )
        begin = "\r" if final in "EF" else ""
        return begin + (f"\x1b[{count}{'A' if is_up else 'B'}" if count else "")


# -- colours ---------------------------------------------------------------------------------------

Style = str  # the codes that bring it about, one of each kind in a fixed order, such as "1;31"; empty: none
PLAIN: Style = ""
_KINDS = ("bold", "dim", "italic", "underline", "inverse", "strike", "colour", "background")
_SETS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
_ENDS = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("inverse",),
    29: ("strike",),
    39: ("colour",),
    49: ("background",),
}
_MOST_CODES = 32


def colour(match: re.Match[str]) -> str | None:
    """Return the codes of a sequence that sets colours; None of any other."""
    if match["final"] != "m" or match["between"] or not _COLOUR.fullmatch(match["parameters"]):
        return None
    return match["parameters"]


@lru_cache(maxsize=4096)
def styled(style: Style, codes: str) -> Style:
    """Return a style after more codes; what blinks or hides has no effect."""
    kinds = _kinds(style)
    parts = codes.split(";")[:_MOST_CODES]
    while parts:
        code, *more = parts.pop(0).split(":")
        number = _number(code)
        if number == 0:
            kinds.clear()
        elif number in (38, 48):
            if found := _extended([x for x in more if x] if more else parts):
                kinds["colour" if number == 38 else "background"] = f"{number};{found}"
        elif number == 4 and more == ["0"]:
            kinds.pop("underline", None)
        elif number in _SETS:
            kinds[_SETS[number]] = str(number)
        elif number in _ENDS:
            for kind in _ENDS[number]:
                kinds.pop(kind, None)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            kinds["colour"] = str(number)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            kinds["background"] = str(number)
    return ";".join(kinds[kind] for kind in _KINDS if kind in kinds)


def _kinds(style: Style) -> dict[str, str]:
    """Return what codes a style has, by kind."""
    kinds: dict[str, str] = {}
    parts = style.split(";") if style else []
    while parts:
        number = int(parts.pop(0))
        if number in (38, 48):
            kinds["colour" if number == 38 else "background"] = f"{number};{_extended(parts)}"
        elif number in _SETS:
            kinds[_SETS[number]] = str(number)
        else:
            kinds["colour" if number < 40 or 90 <= number < 100 else "background"] = str(number)
    return kinds


def _number(code: str) -> int:
    return int(code) if code.isascii() and code.isdigit() and len(code) < 6 else 0 if not code else -1


def _extended(parts: list[str]) -> str:
    """Take a colour by its number, or by red, green and blue; empty if it is none."""
    kind = parts.pop(0) if parts else ""
    count = {"5": 1, "2": 3}.get(kind, 0)
    if not count or len(parts) < count:
        return ""
    values = [str(max(0, min(_number(parts.pop(0)), 255))) for _ in range(count)]
    return ";".join([kind, *values])


@lru_cache(maxsize=4096)
def css(style: Style) -> str:
    """Return a style for a page."""
    kinds = _kinds(style)
    found = {
        "font-weight": "bold" if "bold" in kinds else "",
        "opacity": ".7" if "dim" in kinds else "",
        "font-style": "italic" if "italic" in kinds else "",
        "text-decoration": " ".join(
            word for kind, word in (("underline", "underline"), ("strike", "line-through")) if kind in kinds
        ),
    }
    colours = [_css_colour(kinds.get("colour", "")), _css_colour(kinds.get("background", ""))]
    if "inverse" in kinds:
        front, back = colours
        colours = [
            back or "var(--jp-layout-color0, #fff)",
            front or "var(--jp-content-font-color1, #333)",
        ]
    found["color"], found["background-color"] = colours
    return ";".join(f"{key}:{value}" for key, value in found.items() if value)


def _css_colour(code: str) -> str:
    numbers = [int(part) for part in code.split(";") if part]
    if len(numbers) == 5:
        return "rgb({},{},{})".format(*numbers[2:])
    if len(numbers) == 3:
        index = numbers[2]
        if index < 16:
            return _named(index % 8)
        if index < 232:
            index -= 16
            return f"rgb({index // 36 * 51},{index // 6 % 6 * 51},{index % 6 * 51})"
        grey = (index - 232) * 10 + 8
        return f"rgb({grey},{grey},{grey})"
    return _named(numbers[0] % 10) if numbers else ""


def _named(index: int) -> str:
    name = _NAMES[index]
    return f"var(--jp-ansi-{name}, {_COLOURS[name]})"
