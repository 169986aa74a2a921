"""Slurm through pyslurm, in a child process of ours, for sites that ship it; the commands are the default.

Pyslurm is used if the kernel's interpreter has it and the child can import it there. Whatever it can't do, or fails
to do, is done by the command instead; a child that fails for good is not started again, and one line in the log
says so.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....model.exceptions import TargetError
from ....runtime import process
from .requests import Request, printed, request_for

SETTINGS = ("auto", "never")
START_S = 20.0  # the import reads libraries from a network disk
REST_S = 60.0  # after an error of Slurm's: the commands wait out a dead controller, not both
ERRORS_IN_A_ROW = 3
DEATHS = 2  # started again once
_SCRIPT = Path(__file__).with_name("service.py")
# the script's folder would be searched first, and has modules whose names others use
_RUN = (
    "import sys; sys.path[:] = filter(None, sys.path); import runpy; runpy.run_path(sys.argv[1], run_name='__main__')"
)
_REFUSED = 2000  # Slurm's codes from here on are the controller's own answers; below, it may not have answered


class Pyslurm:
    """One cluster's pyslurm."""

    def __init__(self) -> None:
        self._child: process.Child | None = None
        self._lock = asyncio.Lock()
        self._is_off = importlib.util.find_spec("pyslurm") is None
        self._number = self._deaths = self._errors = 0
        self._rest_until = 0.0
        self._has_archive = True

    async def run(
        self, argv: Sequence[str], *, env: Mapping[str, str], cwd: str | None, timeout_s: float
    ) -> process.Completed | None:
        """Return what a command would have said, or None if the command is to be run.

        Raises
        ------
        CommandTimeout
            If a job was being submitted when the answer was lost: it may exist.
        """
        if self._is_off or time.monotonic() < self._rest_until:
            return None
        request = request_for(argv, env, cwd or os.getcwd())
        if request is None or (request["do"] == "accounting" and not self._has_archive):
            return None
        async with self._lock:
            return await self._answered(argv, request, env, timeout_s)

    async def _answered(
        self, argv: Sequence[str], request: Request, env: Mapping[str, str], timeout_s: float
    ) -> process.Completed | None:
        is_submission = request["do"] == "submit"
        if self._is_off or (is_submission and await self._ask({"do": "ping"}, env, timeout_s) is None):
            return None
        answer = await self._ask(request, env, timeout_s)
        if answer is not None:
            return printed(argv, answer)
        if is_submission and self._lost:
            raise process.CommandTimeout(f"pyslurm's answer to a submission was lost: {self._lost}")
        return None

    async def _ask(self, request: Request, env: Mapping[str, str], timeout_s: float) -> dict[str, Any] | None:
        """Return the child's answer, or None; ``_lost`` says if the request may have been carried out all the same."""
        self._lost = ""
        child = await self._started(env)
        if child is None:
            return None
        try:
            self._number += 1
            line = json.dumps({**request, "n": self._number, "limit_s": int(timeout_s) + 5})
            answer = _parsed(await child.ask(line.encode() + b"\n", timeout_s=timeout_s), self._number)
        except (process.ChildGone, process.CommandTimeout) as error:
            self._lost = str(error)
            await self._died(str(error))
            return None
        except asyncio.CancelledError:
            self._child = None  # it was stopped, as its answer would be taken for the next one's
            raise
        if "error" in answer and request["do"] == "accounting":
            self._has_archive = False  # as on many sites; sacct has the last word
        elif "error" in answer:
            self._lost = answer["error"] if answer["errno"] < _REFUSED else ""
            self._refused(answer)
        elif "unable" not in answer:
            self._errors = 0
            return answer
        logging.getLogger(__name__).debug("pyslurm can't %s: %s", request["do"], answer)
        return None

    async def _started(self, env: Mapping[str, str]) -> process.Child | None:
        if self._is_off:
            return None
        if self._child is not None and self._child.is_alive:
            return self._child
        if self._child is not None:
            await self._died(self._child.how_it_ended())
            if self._is_off:
                return None
        try:
            child = await process.Child.start([sys.executable, "-c", _RUN, str(_SCRIPT)], env=env)
            hello = _parsed(await child.ask(b"", timeout_s=START_S), 0)
        except (process.ChildGone, process.CommandTimeout, process.CommandMissing) as error:
            self._off(str(error))
            return None
        if "unable" in hello:
            await child.stop()
            self._off(hello["unable"])
            return None
        self._child = child
        return child

    async def _died(self, how: str) -> None:
        if self._child is not None:
            await self._child.stop()
        self._child = None
        self._deaths += 1
        if self._deaths >= DEATHS:
            self._off(how)

    def _refused(self, answer: Mapping[str, Any]) -> None:
        if answer["errno"] >= _REFUSED:
            return
        self._errors += 1
        self._rest_until = time.monotonic() + REST_S
        if self._errors >= ERRORS_IN_A_ROW:
            self._off(f"Slurm's answer is {answer['error']}")

    def _off(self, why: str) -> None:
        self._is_off = True
        logging.getLogger(__name__).warning(
            "pyslurm is installed here but can't be used (%s); Slurm's commands are used instead. "
            "`pyslurm: never` in the target's settings leaves it out.",
            why,
        )


def _parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or answer.get("n") != number:
        raise process.ChildGone(f"it said {line[:80]!r}, which is no answer")
    return answer


_known: dict[str, Pyslurm] = {}  # by slurm.conf: all backends of a process share one child


def pyslurm_of(conf: str | None, setting: object) -> Pyslurm | None:
    """Return the pyslurm of a cluster, or None if its target doesn't want one.

    Raises
    ------
    TargetError
        If the setting is neither ``auto`` nor ``never``.
    """
    if setting not in SETTINGS:
        raise TargetError(f"The setting pyslurm: {setting!r} is not known.", hint=f"It may be {' or '.join(SETTINGS)}.")
    if setting == "never":
        return None
    return _known.setdefault(conf or "", Pyslurm())


os.register_at_fork(after_in_child=_known.clear)
