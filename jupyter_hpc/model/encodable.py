"""Text from outside that no encoding has, made fit for whoever takes only Unicode: terminals, browsers, SQLite.

``os.fsdecode(b"data-\\xff.csv")`` is such a text. Records keep it as it is, since it names the file (`write_json`);
where it is shown or searched, what can't be encoded is written out: ``data-\\udcff.csv``.
"""

from __future__ import annotations

from typing import Any

from .printable import with_texts


def encodable(text: str) -> str:
    """Return a text with what can't be encoded written out."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def all_encodable(found: Any) -> Any:
    """Return JSON-able data in which every text is encodable."""
    return with_texts(found, encodable)
