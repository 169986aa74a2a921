"""The page of troubles that comes with the package, and its places by name."""

from __future__ import annotations

import re
from pathlib import Path

from ..model.exceptions import OptionError
from ..model.resources import did_you_mean

PAGE = Path(__file__).with_name("troubleshooting.md")
_PLACE = re.compile(r'^<a id="([\w-]+)"></a>\n', re.MULTILINE)
_END = re.compile(r"^(?:<a id=|## )", re.MULTILINE)


def places() -> list[str]:
    """Return the names of all places: the codes of errors, and what doctor looks at."""
    return _PLACE.findall(PAGE.read_text(encoding="utf-8"))


def section(place: str) -> str:
    """Return what the page says at a place, as Markdown.

    Raises
    ------
    OptionError
        If it has no such place.
    """
    text = PAGE.read_text(encoding="utf-8")
    for found in _PLACE.finditer(text):
        if found[1] == place:
            rest = _PLACE.sub("", text[found.start() :], count=1)
            while _PLACE.match(rest):  # one section may have several names
                rest = _PLACE.sub("", rest, count=1)
            end = _END.search(rest)
            return rest[: end.start() if end else None].strip()
    known = places()
    raise OptionError(
        f"The page of troubles has no place {place[:60]!r}.",
        hint=f"{did_you_mean(place, known)} It has: {', '.join(known)}.".lstrip(),
    )
