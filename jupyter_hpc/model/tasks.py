"""Tasks of an array: indices as sbatch writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .exceptions import OptionError
from .resources import quote

MOST_TASKS = 10_000


_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?")


_HINT = "Write it as sbatch does: 1-6, 0-15:4, 1,3,7, and %2 behind it for two at once."


@dataclass(frozen=True)
class Tasks:
    """An array's tasks, as sbatch writes them: ``1-6%3`` has six, three of them at once."""

    indices: tuple[int, ...]
    limit: int | None
    text: str


def parse_tasks(written: str) -> Tasks:
    """Read the value of ``--array``.

    Raises
    ------
    OptionError
        If it isn't what sbatch would take, or has more than `MOST_TASKS` tasks.
    """
    text = re.sub(r"\s+", "", written)
    ranges, percent, limit = text.partition("%")
    found: list[int] = []
    for part in ranges.split(","):
        match = _PART.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        step = int(match[3] or 1) if match else 1
        if match is None or last < first or step < 1:
            raise OptionError(f"--array {quote(written)} has no tasks that can be read.", hint=_HINT)
        if (last - first) // step >= MOST_TASKS:
            raise OptionError(f"--array {quote(written)} has more than {MOST_TASKS:,} tasks.", hint=_HINT)
        found += range(first, last + 1, step)
    if percent and not re.fullmatch(r"[1-9]\d{0,5}", limit):
        raise OptionError(f"--array {quote(written)}: behind % stands how many run at once.", hint=_HINT)
    indices = tuple(sorted(set(found)))
    if len(indices) > MOST_TASKS:
        raise OptionError(f"--array {quote(written)} has more than {MOST_TASKS:,} tasks.", hint=_HINT)
    return Tasks(indices, int(limit) if percent else None, text)
