"""A process of this machine that ends while it is looked at says how."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from jupyter_hpc.backends.local import LocalBackend
from jupyter_hpc.follow.glance import refresh
from jupyter_hpc.model.states import JobState
from jupyter_hpc.runtime import process
from jupyter_hpc.testing.fake import new_run


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


def test_a_job_whose_record_names_no_process_yet_has_not_ended(tmp_path: Path) -> None:
    """Another process lists it in the moment between the start of its process and the line in its record."""
    run = new_run(tmp_path / "20260101-000000-aaaaaa", state="SUBMITTING", native_id="")
    run.update(target={"name": "local", "backend": "local"})
    assert [status.state for status in refresh([run])] == [JobState.SUBMITTING]
    assert run.record()["state"] == "SUBMITTING"
    process_of_run = subprocess.Popen(["sleep", "60"])
    try:
        run.update(native_id=process.identity_of(process_of_run.pid))
        assert [status.state for status in refresh([run])] == [JobState.RUNNING]
    finally:
        process_of_run.kill()
        process_of_run.wait()
