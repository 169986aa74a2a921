"""The lines of a cell as a traceback counts them, and the one that failed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_IN_NOTEBOOK = "Cell In["  # there the magic's line is the first


def first_line(record: Mapping[str, Any]) -> int:
    """Return what a traceback calls the first line of a run's code."""
    said = record["code"].get("first_line")
    if said is not None:
        return int(said)
    return 2 if str(record["code"].get("label") or "").startswith(_IN_NOTEBOOK) else 1  # of an older record


def failed_line(record: Mapping[str, Any]) -> int | None:
    """Return the line of a run's code that raised, as its traceback calls it: of several, the one called last."""
    label, text = record["code"].get("label"), record["code"].get("text") or ""
    traceback = (record.get("exception") or {}).get("traceback") or ""
    found = re.findall(rf'File "{re.escape(label)}", line (\d{{1,9}})', traceback) if label else []
    first = first_line(record)
    line = int(found[-1]) if found else 0
    return line if first <= line < first + len(text.splitlines()) else None
