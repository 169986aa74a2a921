"""For tests of waiting jobs: submit a cell as one of the full Slurm's users, and ask why it waits."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from tests.clusters.slurm.cluster import FullSlurm

_PROGRAM = """
import json, sys, time
from jupyter_hpc import HPCError, JobState
from jupyter_hpc.runtime import portal
from jupyter_hpc.targets.connection import connection_of
import pytest
from tests.faults.looks import Looks
from tests.faults.road import done, preview, submit
looks = Looks(pytest.MonkeyPatch())
from dataclasses import asdict

async def explain(job):
    return await (await connection_of("slurm")).backend.explain(job.run, job.native_id)

PLANNED = ("Resources", "Priority")  # what backfill finds a start for; what waits for anything else it passes over

def answer(do, wanted, options):
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    if do == "preview":
        return {"expected": preview("x = 1", **options).expected}
    job = submit("x = 1", **options)
    if do == "start":
        job.result(120)
        return {"native_id": job.native_id, "vain": looks.since(job, done(job))}
    deadline = time.monotonic() + 60
    while True:
        waiting = portal.call(explain(job), 30)
        is_planned = wanted not in PLANNED or waiting.expected_start is not None
        if time.monotonic() > deadline or (wanted in waiting.native_reason and is_planned):
            break
        time.sleep(0.2)
    return {"native_id": job.native_id, "id": job.id, "state": str(job.state), **asdict(waiting)}

do, wanted, options = json.loads(sys.argv[1])
try:
    found = answer(do, wanted, options)
except HPCError as error:
    found = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
print(json.dumps(found))
"""


@dataclass(frozen=True)
class User:
    """Somebody on the full Slurm."""

    cluster: FullSlurm
    name: str

    def _do(self, do: str, wanted: str, options: dict[str, Any]) -> dict[str, Any]:
        said = json.dumps([do, wanted, options])
        done = self.cluster.run(self.name, sys.executable, "-c", _PROGRAM, said, timeout_s=200)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def asks(self, wanted: str = "", **options: Any) -> dict[str, Any]:
        """Submit; return why it waits once Slurm says ``wanted``, or the error of a refusal."""
        return self._do("explain", wanted, options)

    def runs(self, **options: Any) -> dict[str, Any]:
        """Submit, and return how often its result was looked for in vain when it was there."""
        return self._do("start", "", options)

    def previews(self, **options: Any) -> str:
        return str(self._do("preview", "", options)["expected"])

    def cancels(self, *jobs: str) -> None:
        if jobs:
            self.cluster.run(self.name, "scancel", *jobs, check=False)
