"""Runs trials: a client, accidents beside it, and a look by a new process when all is well again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from . import accidents
from .accidents import FORGOT, KINDS, STALE
from .plans import Accident, Plan, plan
from .worlds import World

Found = TypeVar("Found")
CLIENT_S = 240.0
LOOK_S = 240.0
KEPT = Path("campaign")  # of trials in which something was violated; git ignores it


class Trial:
    """One plan on one world."""

    def __init__(self, world: World, its_plan: Plan) -> None:
        self.world = world
        self.plan = its_plan
        self.folder = world.folder / f"t{its_plan.seed}"
        self._environment = world.prepared(self.folder)
        self.root = Path(self._environment["JUPYTER_HPC_ROOT"])
        self.disk = world.disk
        self._client: subprocess.Popen[bytes] | None = None
        self.happened: list[tuple[str, str]] = [(FORGOT, "")] if world.forgot_jobs else []
        world.forgot_jobs = False

    def violations(self) -> list[str]:
        """Run the trial and return what was not as it should be."""
        (self.folder / "plan.json").write_text(self.plan.to_json())
        command = [sys.executable, "-m", "tests.campaign.client", str(self.folder)]
        environment = self._environment
        if any(accident.name == STALE for accident in self.plan.accidents):
            environment = {**environment, **self.world.stale(self.root)}
        with open(self.folder / "client.log", "wb") as log:
            self._client = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._befall, self.plan.accidents))
        found = []
        try:
            self._client.wait(CLIENT_S)
        except subprocess.TimeoutExpired:
            found.append(f"the client still waited after {CLIENT_S:g} s")
        self.kill_client()
        self.world.heal()
        return [*found, *self._look()]

    def _befall(self, accident: Accident) -> None:
        time.sleep(accident.after_s)
        self.happened.append((accident.name, accident.key))
        KINDS[accident.name].happens(self, accident.key, accident.lasts_s)

    def _look(self) -> list[str]:
        """A process that knows nothing says how it finds things."""
        (self.folder / "happened.json").write_text(json.dumps(self.happened))
        command = (sys.executable, "-m", "tests.campaign.look", str(self.folder))
        try:
            done = self.world.run(self.folder, *command, timeout_s=LOOK_S)
        except subprocess.TimeoutExpired:
            return [f"a new process had not looked through in {LOOK_S:g} s"]
        if done.returncode:
            return [f"a new process could not look: {done.stderr[-2000:]}"]
        # what a controller that was killed has of an ended job starts again, and ends at once
        self.within(LOOK_S, lambda: not self._alive())
        left = [f"still at the scheduler: {row}" for row in self._alive()]
        return [*json.loads(done.stdout.splitlines()[-1]), *left, *self._processes()]

    def _alive(self) -> list[str]:
        own = [path.name for path in (self.root / "runs").glob("*")]
        return [row for row in self.world.alive() if any(run_id in row for run_id in own)]

    def _processes(self) -> Iterable[str]:
        """Processes of the trial's jobs that nobody ended."""
        mark = f"JUPYTER_HPC_ROOT={self.root}".encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                environment = Path("/proc", pid, "environ").read_bytes().split(b"\0")
                command = Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if mark in environment and "tests.campaign" not in command:
                yield f"process {pid} is left: {command[:120]}"

    def end(self, *, keep: bool = False) -> None:
        """Leave nothing, or a copy of it all in `KEPT`."""
        self.kill_client()
        if keep:
            with suppress(shutil.Error):  # of sockets there is no copy
                shutil.copytree(self.folder, KEPT / self.folder.name, symlinks=True, dirs_exist_ok=True)
                shutil.copytree(self.root, KEPT / self.folder.name / "hpc", symlinks=True, dirs_exist_ok=True)
        for folder in (self.folder, self.root):
            shutil.rmtree(folder, ignore_errors=True)

    # -- what accidents need -----------------------------------------------------------------------

    def kill_client(self) -> None:
        """Kill the client with its kernel, if it still runs."""
        if self._client is not None and self._client.poll() is None:
            os.killpg(self._client.pid, signal.SIGKILL)
            self._client.wait()

    def set_clock(self, by_s: float) -> None:
        """Let the client's clock be wrong by so much."""
        (self.folder / "clock").write_text(str(by_s))

    def run(self, *command: str) -> str:
        return self.world.run(self.folder, *command).stdout

    def command(self, *words: str) -> str:
        """Run one of our commands, as from a shell."""
        return self.run(sys.executable, "-m", "jupyter_hpc.commands.cli", *words)

    def run_id(self, key: str, patience_s: float) -> str:
        """The run of a cell, as soon as it is there; empty if it isn't in time."""
        record = self.within(patience_s, lambda: self._record(key))
        return str(record["id"]) if record else ""

    def native_id(self, key: str, patience_s: float) -> str:
        def known() -> str:
            record = self._record(key)
            return str(record.get("native_id") or "") if record else ""

        return self.within(patience_s, known) or ""

    def pids(self, key: str, patience_s: float) -> list[int]:
        """The workers of a cell, as soon as one has begun."""

        def begun() -> list[int]:
            record = self._record(key)
            files = (self.root / "runs" / record["id"]).rglob("events.jsonl") if record else ()
            lines = (line for file in files for line in file.read_text().splitlines() if '"started"' in line)
            return [int(json.loads(line)["pid"]) for line in lines]

        return self.within(patience_s, begun) or []

    def _record(self, key: str) -> dict[str, Any] | None:
        for path in self.root.glob("runs/*/record.json"):
            try:
                record: dict[str, Any] = json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
            if record.get("name") == key:
                return record
        return None

    def within(self, patience_s: float, condition: Callable[[], Found]) -> Found | None:
        """Return what is found as soon as it is there; None if it isn't in time."""
        deadline = time.monotonic() + patience_s
        while not (found := condition()):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.1)
        return found


def trial(world: World, name: str, seed: int) -> tuple[Trial, list[str]]:
    """Run the trial of a seed and return it with its violations; what there was of it lies in `KEPT` where there are some."""
    one = Trial(world, plan(seed, world.target, accidents.of(name)))
    try:
        found = one.violations()
    except BaseException:
        one.end()
        raise
    one.end(keep=bool(found))
    return one, found
