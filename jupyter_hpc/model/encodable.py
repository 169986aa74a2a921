"""Text from outside that no encoding has, made fit for whoever takes only Unicode: terminals, browsers, SQLite.

``os.fsdecode(b"data-\\xff.csv")`` is such a text. Records keep it as it is, since it names the file (`write_json`);
where it is shown or searched, what can't be encoded is written out: ``data-\\udcff.csv``.
"""

from __future__ import annotations

from typing import Any


def encodable(text: str) -> str:
    """Return a text with what can't be encoded written out."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def all_encodable(found: Any) -> Any:
    """Return the same of JSON."""
    if isinstance(found, str):
        return encodable(found)
    if isinstance(found, list):
        return [all_encodable(each) for each in found]
    if isinstance(found, dict):
        return {encodable(str(key)): all_encodable(each) for key, each in found.items()}
    return found
