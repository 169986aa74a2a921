"""The kinds of cells: what each is, and what a process that looks later must find."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SIZE = 6_000_000


@dataclass(frozen=True)
class Kind:
    """One kind of cell.

    Attributes
    ----------
    text : callable
        From the cell's number to its text.
    value : callable
        From the cell's number to what the name ``y`` must be, as `digest` has it.
    error : str
        The class that the cell raises, where it does.
    prints : int
        How many lines of its own the log must have.
    through : str
        ``core``, or ``kernel``: a magic in a real kernel; ``detached``: the same with ``--detach``.
    """

    text: Callable[[int], str]
    value: Callable[[int], Any] = lambda number: digest(number * 2)
    error: str = ""
    prints: int = 0
    through: str = "core"
    options: dict[str, Any] = field(default_factory=dict)


def digest(value: Any) -> str:
    """What a value is known by: equal ones are equal."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes {hashlib.sha256(value).hexdigest()[:16]}"
    return repr(value)


def _talking(number: int) -> str:
    return f"import time\nfor i in range(40):\n    print('line', i, flush=True)\n    time.sleep(.05)\ny = {number * 2}"


def _big(number: int) -> str:
    return f"y = bytes([{number % 251}]) * {SIZE}"


def _long(number: int) -> str:
    return f"import time\nprint('line', flush=True)\nend = time.monotonic() + 5\nwhile time.monotonic() < end: time.sleep(.02)\ny = {number * 2}"


def _tiny(number: int) -> str:
    return f"y = {number * 2}"


def _failing(number: int) -> str:
    return f"import time\nprint('line', flush=True)\ntime.sleep(.5)\nraise KeyError({number})"


KINDS: dict[str, Kind] = {
    "tiny": Kind(_tiny),
    "talking": Kind(_talking, prints=40),
    "long": Kind(_long, prints=1),
    "failing": Kind(_failing, error="KeyError", prints=1),
    "big": Kind(_big, value=lambda number: digest(bytes([number % 251]) * SIZE)),
    "array": Kind(
        _long, prints=1, value=lambda number: digest({1: number * 2, 2: number * 2}), options={"array": "1-2"}
    ),
    "kernel": Kind(_talking, prints=40, through="kernel"),
    "detached": Kind(_long, prints=1, through="detached"),
    "requeued": Kind(_long, prints=1, options={"requeue": True}),
}


def noted(text: str, key: str, ran: str) -> str:
    """The cell with a note of each time that it begins, in a file beside the store."""
    return f"__import__('os').system({f'echo {key} >> {ran}'!r})\n{text}"
