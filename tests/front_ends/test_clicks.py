"""A front end that has widgets and no subshells, as VS Code: its clicks are answered while their cell runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.store import store
from jupyter_hpc.testing.notebook import Notebook

CELL = "import os, time\nwhile not os.path.exists({gate!r}): print('.', flush=True); time.sleep(0.1)"


def clicks(notebook: Notebook, request: str, button: str) -> None:
    """Click on a button until the cell ends, as a front end says it that names no subshell."""
    comms: list[str] = []

    def click(message: dict[str, Any]) -> bool:
        content = message["content"]
        state = content.get("data", {}).get("state", {})
        if message["msg_type"] == "comm_open" and state.get("description") == button:
            comms.append(content["comm_id"])
        if message["msg_type"] == "comm_msg" and comms:
            data = {"method": "custom", "content": {"event": "click"}}
            said = notebook.client.session.msg("comm_msg", {"comm_id": comms[-1], "data": data})
            notebook.client.shell_channel.send(said)
        return message["msg_type"] == "error"

    notebook.wait_for(request, click)


@pytest.mark.parametrize(("button", "state"), [("Cancel", "CANCELLED"), ("Detach", "COMPLETED")])
def test_a_click_is_answered_while_its_cell_runs(notebook: Notebook, here: Path, button: str, state: str) -> None:
    request = notebook.begin(notebook.cell(CELL.format(gate=str(here / "gate")), "--name clicked"))
    clicks(notebook, request, button)
    job = next(Job(run) for run in store().runs())
    if button == "Detach":
        assert not job.state.is_final
        (here / "gate").touch()
    assert job.wait(60)
    assert str(job.state) == state
