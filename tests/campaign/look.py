"""A new process looks at a trial that is over, and prints what is not as it should be, as a JSON list.

usage: python -m tests.campaign.look FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from itertools import chain
from pathlib import Path
from typing import Any

from jupyter_hpc.commands.catalogue import COMMANDS
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.index.index import index_of
from jupyter_hpc.rundir.store import store
from jupyter_hpc.server.listing import Listing

from .accidents import allowed
from .cells import KINDS, digest
from .plans import Plan, Planned

BOUND_S = 180.0  # when a job that is not over, though all is well again, never will be


class Look:
    """What a process finds that knows nothing but the files and the scheduler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = Plan.from_json((folder / "plan.json").read_text())
        self.happened = [(name, key) for name, key in json.loads((folder / "happened.json").read_text())]
        self.said = _lines(folder / "client")
        self.violations: list[str] = []

    def look(self) -> list[str]:
        records, damaged = store().records()
        by_name = {record["name"]: Job(run) for run, record in records if record.get("name")}
        self.violations += [f"{run.id}: {why}" for run, why in damaged if not self._was("client killed", "disk full")]
        for cell in self.plan.cells:
            if cell.key in by_name:
                self._judge(cell, by_name[cell.key])
            else:
                self._never_submitted(cell)
        self._compare(by_name)
        self._left_behind()
        return self.violations

    def _was(self, *names: str) -> bool:
        return any(name in names for name, _ in self.happened)

    def _wrong(self, cell: Planned, words: str) -> None:
        self.violations.append(f"{cell.key} ({cell.kind}): {words}")

    def _never_submitted(self, cell: Planned) -> None:
        if not (self._was_refused(cell) or self._was("client killed") or KINDS[cell.kind].through != "core"):
            self._wrong(cell, "it has no run, and nobody was told why")

    def _was_refused(self, cell: Planned) -> bool:
        return any(line.startswith(f"refused {cell.key} ") for line in self.said)

    def _judge(self, cell: Planned, job: Job) -> None:
        if not job.wait(BOUND_S):
            self._wrong(cell, f"it has not ended after {BOUND_S:g} s: {job.describe()}")
            return
        kind, outcome = KINDS[cell.kind], job.outcome()
        may_fail = allowed(self.happened, cell.key)
        error = type(outcome.error).__name__ if outcome.error is not None else ""
        if error and error != kind.error:
            causes = _causes(outcome.error)
            # on a disk that had become read-only the beginning of a run stays until its process can remove it, and
            # what a process that was killed had begun stays
            ends = {each.verdict.get("cause") for each in job.tasks or [job]}
            is_beginning = (self._was_refused(cell) or self._was("client killed")) and ends == {"never-submitted"}
            if not causes & may_fail and not is_beginning:
                self._wrong(cell, f"it ended with {error}: {outcome.error}")
            if not str(outcome.error).strip():
                self._wrong(cell, "it ended without a word")
            return
        if not error and kind.error:
            self._wrong(cell, f"it did not raise {kind.error}")
            return
        if not error and digest(outcome.names.get("y")) != kind.value(cell.number):
            self._wrong(cell, f"y is {digest(outcome.names.get('y'))[:80]}, not {kind.value(cell.number)[:80]}")
        self._count(cell, job)

    def _count(self, cell: Planned, job: Job) -> None:
        """It ran once (an array: each task), and its log has each of its lines."""
        kind = KINDS[cell.kind]
        parts = max(1, len(job.tasks))
        if self.plan.world != "k8s" and not (
            kind.options.get("requeue") and self._was("requeue", "node daemon killed")
        ):
            ran = _lines(self.folder / "ran").count(cell.key)  # now: it may have begun after we did
            if ran != parts:
                self._wrong(cell, f"it ran {ran} times, not {parts}")
            printed = sum(line.startswith("line") for line in job.logs().splitlines())
            if printed != kind.prints * parts:
                self._wrong(cell, f"its log has {printed} of {kind.prints * parts} lines")

    def _compare(self, by_name: dict[str, Job]) -> None:
        """The list, this process and a further one say the same."""
        rows = {row["id"]: row["state"] for row in Listing(store()).summaries()}
        further = subprocess.run(
            [sys.executable, "-m", "jupyter_hpc.commands.cli", "jobs", "-n", "100"],
            capture_output=True,
            text=True,
            check=False,
        )
        if further.returncode:
            self.violations.append(f"`jupyter hpc jobs` failed: {further.stderr[-500:]}")
        for name, job in by_name.items():
            state = job.state.value
            if rows.get(job.id) != state:
                self.violations.append(f"{name}: the list says {rows.get(job.id)}, the job {state}")
            line = next((line for line in further.stdout.splitlines() if name in line), "")
            if state.lower().replace("_", " ") not in line.lower().replace("_", " "):
                self.violations.append(f"{name} is {state}, and another process says {line.strip()!r}")

    def _left_behind(self) -> None:
        """No file of a process that is gone, once somebody has cleaned, and an index that holds every run."""
        COMMANDS["clean"].run(Namespace(older_than=30.0, yes=True))
        root = store().root
        places = (root.glob(".*"), root.glob("*/.*"), (root / "blobs").rglob(".*"), (root / "runs").rglob(".*"))
        for path in chain.from_iterable(places):
            self.violations.append(f"left behind: {path.relative_to(root)}")
        indexed = {run_id for (run_id,) in index_of().query("SELECT run_id FROM run")}
        missing = {run.id for run, _ in store().records()[0]} - indexed
        self.violations += [f"{run_id} is not in the index of lineage" for run_id in sorted(missing)]


def _causes(error: BaseException) -> set[str]:
    """The classes of an error and of its tasks' errors."""
    found: set[str] = {each.__name__ for each in type(error).__mro__}
    tasks: dict[int, BaseException] = getattr(error, "errors", None) or {}
    for each in tasks.values():
        found |= _causes(each)
    return found - {"Exception", "BaseException", "object", "JobError", "HPCError", "LookupError"}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []


def main(folder: Path) -> None:
    found: list[Any] = Look(folder).look()
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
