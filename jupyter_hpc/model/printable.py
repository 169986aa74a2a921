"""Text from outside (names, reasons, exceptions, paths) as text that does nothing to a terminal or a page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

# control characters of both halves, separators that begin a line, what turns the direction of the text around it,
# and halves of characters, which are no text (os.fsdecode makes them of a name in another encoding)
_ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_COLOUR = re.compile("\x1b\\[[0-9;:]*m")


def printable(text: str, *, but: str = "") -> str:
    r"""Return the text with each character that acts written as in Python, such as ``\x1b``; lines and tabs stay.

    Colours, which say nothing, are left out: what raises an error for a terminal writes its message with some.

    Parameters
    ----------
    but : str
        Characters that stay, too.
    """
    if text.isascii() and text.isprintable():  # nearly always
        return text
    text = text if "\x1b" in but else _COLOUR.sub("", text)
    return _ACTIVE.sub(lambda found: found[0] if found[0] in but else _written(found[0]), text)


def _written(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def all_printable(record: Any) -> Any:
    """Return JSON-able data in which every text is printable."""
    return with_texts(record, printable)


def with_texts(found: Any, changed: Callable[[str], str]) -> Any:
    """Return JSON-able data with each text and each key in it changed."""
    if isinstance(found, str):
        return changed(found)
    if isinstance(found, dict):
        return {changed(str(key)): with_texts(each, changed) for key, each in found.items()}
    if isinstance(found, (list, tuple)):
        return [with_texts(each, changed) for each in found]
    return found
