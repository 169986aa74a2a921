"""A run with parts: one submission, and in its directory a run for each part; today, the tasks of an array.

``ROOT/runs/ID/tasks/ID_3/`` is part 3: a run of its own in all but code and inputs, which are the whole's. So whatever
reads a run directory reads a part's, and whatever follows, shows, cancels or loads parts asks here which there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .run import PARTS, Run

FIELDS = ("array",)  # of a record, one for each kind of parts; each holds ``indices``


def make_parts(run: Run, indices: Sequence[int]) -> None:
    """Make the parts' run directories, before any of them can start."""
    folder = run.path / PARTS
    folder.mkdir(mode=0o700)
    for index in indices:
        part = run.part(index).path
        part.mkdir(mode=0o700)
        (part / "payload").symlink_to("../../payload")


def indices_of(record: Mapping[str, Any]) -> list[int]:
    """Return the indices of a run's parts in order; empty for a run without."""
    return next((list(record[field]["indices"]) for field in FIELDS if record.get(field)), [])


def parts_of(run: Run, record: Mapping[str, Any] | None = None) -> list[Run]:
    """Return the parts of a run in order; empty for a run without."""
    return [run.part(index) for index in indices_of(run.record() if record is None else record)]
