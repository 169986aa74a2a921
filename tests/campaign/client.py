"""Submits a trial's cells, and waits for them, as a user's kernel would; may be killed at any moment.

usage: python -m tests.campaign.client FOLDER
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.testing.notebook import Notebook
from tests.faults.road import submit

from .cells import KINDS, noted
from .plans import Plan, Planned

PATIENCE_S = 150.0


class Client:
    """One process that has a trial's jobs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = Plan.from_json((folder / "plan.json").read_text())
        self.jobs: list[Job] = []
        self._notebook: Notebook | None = None
        self._requests: list[str] = []

    def run(self) -> None:
        if any(KINDS[cell.kind].through != "core" for cell in self.plan.cells):
            self._in_kernel()  # whose start jupyter_client gives up when the time of day jumps
        self._wear_a_clock()
        for cell in self.plan.cells:
            time.sleep(cell.after_s)
            self._note(f"begins {cell.key}")
            try:
                self._begin(cell)
            except HPCError as error:  # it can't be submitted now: the user is told so
                self._note(f"refused {cell.key} {type(error).__name__}: {error.message}")
        deadline = time.monotonic() + PATIENCE_S
        for job in self.jobs:
            job.wait(max(0.0, deadline - time.monotonic()))
        if self._notebook is not None:
            for request in self._requests:
                self._notebook.finish(request, fails=None)
            self._notebook.stop()
        self._note("ended")

    def _begin(self, cell: Planned) -> None:
        kind = KINDS[cell.kind]
        text = noted(kind.text(cell.number), cell.key, str(self.folder / "ran"))
        if kind.through == "core":
            self.jobs.append(submit(text, self.plan.world, name=cell.key, **kind.options))
        else:
            notebook = self._in_kernel()
            detach = " --detach" if kind.through == "detached" else ""
            code = f"{notebook.magic} --name {cell.key}{detach}\n{text}"
            self._requests.append(str(notebook.client.execute(code, allow_stdin=False, stop_on_error=False)))

    def _in_kernel(self) -> Notebook:
        if self._notebook is None:
            sockets = self.folder / "k"
            sockets.mkdir()
            self._notebook = Notebook(self.plan.world, dict(os.environ), sockets)
        return self._notebook

    def _wear_a_clock(self) -> None:
        """Time of day is wrong by what a file says: what is not monotonic may jump."""
        true, file = time.time, self.folder / "clock"

        def wrong() -> float:
            try:
                return true() + float(file.read_text() or 0)
            except (OSError, ValueError):
                return true()

        time.time = wrong

    def _note(self, words: Any) -> None:
        with open(self.folder / "client", "a", encoding="utf-8") as file:
            file.write(f"{words}\n")


if __name__ == "__main__":
    Client(Path(sys.argv[1])).run()
