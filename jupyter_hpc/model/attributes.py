"""What an exception carries beside what its class knows of."""

from __future__ import annotations

from typing import Any


def attributes_of(error: BaseException) -> dict[str, Any]:
    """Return the attributes of an exception, to add to: a class may forbid to set any, but each exception has them."""
    found: dict[str, Any] = BaseException.__dict__["__dict__"].__get__(error)
    return found
