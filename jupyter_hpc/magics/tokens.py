"""The line of a magic as tokens: split as a POSIX shell would, expanded after that, so that no value is split again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..model.exceptions import OptionError
from ..model.resources import quote

BLANK = " \t\r\n"
_PLAIN = re.compile(r"""[^ \t\r\n'"\\{]+""")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)


def split_line(line: str) -> list[str]:
    """Split as a POSIX shell would, but run and expand nothing.

    An unquoted ``{...}`` stays one token with its spaces and quotes, so ``{d["x y"]}`` can be
    expanded later; inside quotes the shell's rules hold. ``#`` at the start of a token begins a
    comment.

    Raises
    ------
    OptionError
        If a quote or a brace isn't closed.
    """
    tokens: list[str] = []
    current: str | None = None
    at = 0
    while at < len(line):
        if line[at] in BLANK:
            if current is not None:
                tokens.append(current)
            current, at = None, at + 1
            continue
        if line[at] == "#" and current is None:
            break
        piece, at = _piece(line, at)
        current = (current or "") + piece
    return tokens if current is None else [*tokens, current]


def expand(tokens: Sequence[str], expand_one: Callable[[str], object]) -> list[str]:
    """Replace each token by its value, a list or tuple by several; no value is split again."""
    expanded: list[str] = []
    for token in tokens:
        value = expand_one(token)
        expanded += map(str, value if isinstance(value, (list, tuple)) else (value,))
    return expanded


def _piece(line: str, at: int) -> tuple[str, int]:
    """The quoted, braced, escaped or plain text at a position, and where it ends."""
    char = line[at]
    if char == "'" and (end := line.find("'", at + 1)) > 0:
        return line[at + 1 : end], end + 1
    if char == '"' and (match := _DOUBLE.match(line, at)):
        return re.sub(r'\\(["\\])', r"\1", match[1]), match.end()
    if char == "\\" and at + 1 < len(line):
        return line[at + 1], at + 2
    if char == "{":
        end = _closing_brace(line, at)
        return line[at:end], end
    if match := _PLAIN.match(line, at):
        return match[0], match.end()
    what = "ends in a backslash" if char == "\\" else f"has an unclosed {char}"
    hint = "Close it, or put the text in quotes."
    raise OptionError(f"The line {what}: {quote(line[at:])}.", hint=hint)


def _closing_brace(line: str, start: int) -> int:
    depth, at = 0, start
    while at < len(line):
        if match := _STRING.match(line, at):
            at = match.end()
            continue
        depth += {"{": 1, "}": -1}.get(line[at], 0)
        at += 1
        if depth == 0:
            return at
    hint = "Close it, or put the text in quotes."
    raise OptionError(f"The line has an unclosed {{: {quote(line[start:])}.", hint=hint)
