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
from tests.faults.road import preview, submit
from dataclasses import asdict

async def explain(job):
    return await (await connection_of("slurm")).backend.explain(job.run, job.native_id)

def answer(do, wanted, options):
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    if do == "preview":
        return {"expected": preview("x = 1", **options).expected}
    job = submit("x = 1", **options)
    if do == "start":
        began = time.monotonic()
        job.result(60)
        return {"native_id": job.native_id, "took": time.monotonic() - began}
    deadline = time.monotonic() + 15
    while True:
        waiting = portal.call(explain(job), 30)
        if time.monotonic() > deadline or wanted in waiting.native_reason:
            break
        time.sleep(0.2)
    time.sleep(1.2)  # one round of the scheduler more, which plans what waits
    waiting = portal.call(explain(job), 30)
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
        done = self.cluster.run(self.name, sys.executable, "-c", _PROGRAM, said, timeout_s=100)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def asks(self, wanted: str = "", **options: Any) -> dict[str, Any]:
        """Submit; return why it waits once Slurm says ``wanted``, or the error of a refusal."""
        return self._do("explain", wanted, options)

    def runs(self, **options: Any) -> dict[str, Any]:
        """Submit, and return how long it took until the result was there."""
        return self._do("start", "", options)

    def previews(self, **options: Any) -> str:
        return str(self._do("preview", "", options)["expected"])

    def cancels(self, *jobs: str) -> None:
        if jobs:
            self.cluster.run(self.name, "scancel", *jobs, check=False)
