"""A process of this machine that ends while it is looked at says how."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_hpc.backends.local import LocalBackend
from jupyter_hpc.model.states import JobState
from jupyter_hpc.runtime import process


class Child:
    """Ends with a code as soon as somebody has asked whether it lives."""

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def is_alive(self, identity: str) -> bool:
        self.code = 3
        return False


def test_what_ends_while_it_is_looked_at_tells_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    child, backend = Child(), LocalBackend({})
    backend._children["7.1"] = child  # type: ignore[assignment]
    monkeypatch.setattr(process, "is_alive", child.is_alive)
    seen = asyncio.run(backend.observe({"run": "7.1"}))["run"]
    assert (seen.state, seen.exit_code) == (JobState.FAILED, 3)
