"""What a run displayed, as it stands at last: updated, without what was cleared, and no more than a page can take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .parts import indices_of
from .reader import Output, RunReader
from .run import Run

MOST = 40
MOST_BYTES = 3 << 20  # of one kind of one display
MOST_BYTES_IN_ALL = 12 << 20
MOST_TASKS = 50
_WORDS = "text/plain"


@dataclass(frozen=True)
class Display:
    """One thing that the cell displayed, in nbformat's terms.

    Attributes
    ----------
    task : int or None
        Of an array, the task that displayed it.
    """

    data: dict[str, Any]
    metadata: dict[str, Any]
    task: int | None = None


class _DisplayReader(RunReader):
    """Reads displays alone: a log may have any length, and nobody asked for it."""

    def _text(self, end: int, *, whole: bool = False) -> list[Output]:
        return []


def displays(run: Run, record: Mapping[str, Any]) -> tuple[list[Display], int]:
    """Return the last displays of a run, or of the tasks of an array, and how many more there were."""
    found = list(_of_all(run, record))
    kept: list[Display] = []
    room = MOST_BYTES_IN_ALL
    for display in reversed(found[-MOST:]):
        fit, size = _fit(display, room)
        if fit is None:
            break
        kept.append(fit)
        room -= size
    return kept[::-1], len(found) - len(kept)


def _of_all(run: Run, record: Mapping[str, Any]) -> Iterator[Display]:
    indices = indices_of(record)
    if not indices:
        yield from _displays(run, None)
    for index in indices[:MOST_TASKS]:
        yield from _displays(run.part(index), index)


def _displays(run: Run, task: int | None) -> Iterator[Display]:
    for output in standing(_DisplayReader(run).poll()):
        yield Display(output.data, output.metadata, task)


def standing(outputs: Iterable[Output]) -> list[Output]:
    """Return displays and value as they stand after all of these: updated, and without what was cleared."""
    shown: list[Output] = []
    clears = False
    for output in outputs:
        if output.kind == "clear_output":
            clears = True
            if output.wait:
                continue
        if clears:
            shown, clears = [], False
        if output.kind in ("display", "value"):
            shown.append(output)
        elif output.kind == "update_display":
            name = output.transient.get("display_id")
            shown = [_updated(each, output) if each.transient.get("display_id") == name else each for each in shown]
    return shown


def _updated(shown: Output, new: Output) -> Output:
    return Output(shown.kind, data=new.data, metadata=new.metadata, transient=shown.transient)


def _fit(display: Display, room: int) -> tuple[Display | None, int]:
    """Return a display without what is too large of it, and its size; None if there is no room for it."""
    sizes = {kind: _size(value) for kind, value in display.data.items()}
    data = {kind: value for kind, value in display.data.items() if sizes[kind] <= MOST_BYTES}
    if not data and display.data:
        data = {_WORDS: f"{', '.join(sizes)}: too large to be shown here ({max(sizes.values()) >> 20} MiB)"}
    size = sum(map(_size, data.values()))
    return (replace(display, data=data), size) if size <= room else (None, 0)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value))
