"""The only place that starts processes: argv lists, a time limit, no shell."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Completed:
    """What a finished command said. ``status`` is negative if a signal ended it."""

    argv: tuple[str, ...]
    status: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line of stderr (or of stdout), for error messages."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1] if lines else f"{self.argv[0]} ended with status {self.status}"


class CommandMissing(Exception):
    """The program is not on PATH."""


class CommandTimeout(Exception):
    """The program did not end in time and was killed."""


async def run(
    argv: Sequence[str],
    *,
    timeout_s: float = 20.0,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    cwd: str | None = None,
) -> Completed:
    """Run a command and return what it said.

    Raises
    ------
    CommandMissing
        If the program isn't there.
    CommandTimeout
        If it takes longer than ``timeout_s`` seconds.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=pipe if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env=dict(os.environ) if env is None else dict(env),
            cwd=cwd,
        )
    except (FileNotFoundError, PermissionError) as error:
        raise CommandMissing(f"{argv[0]}: {error.strerror}") from None
    try:
        out, err = await asyncio.wait_for(child.communicate(stdin), timeout_s)
    except BaseException as error:
        if child.returncode is None:
            child.kill()
            await child.wait()
        if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
            raise CommandTimeout(f"{argv[0]} did not answer in {timeout_s:g} s") from None
        raise
    status = child.returncode if child.returncode is not None else -1
    return Completed(tuple(argv), status, out.decode(errors="replace"), err.decode(errors="replace"))
