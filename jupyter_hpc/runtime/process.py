"""The only place that starts processes: argv lists, a time limit, no shell."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


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
    """The program is not on PATH, or what it needs to begin isn't there or may not be used: ``what``, a path."""

    def __init__(self, program: str, error: OSError) -> None:
        self.what = str(error.filename or program)  # the folder to begin in, or /dev/null, where it isn't the program
        self.is_program = self.what == program
        super().__init__(f"{self.what}: {error.strerror}")


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
        If the program isn't there, or can't begin.
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
        raise CommandMissing(argv[0], error) from None
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


class ChildGone(Exception):
    """A child that should go on answering has ended, or says what is no answer."""


class Child:
    """A child that lives on and answers each line with a line; in a session of its own, so that no Ctrl-C ends it."""

    LONGEST_LINE = 256 * 1024**2

    def __init__(self, name: str, child: asyncio.subprocess.Process) -> None:
        self._name, self._child, self._words = name, child, b""
        self._listening = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls, argv: Sequence[str], *, env: Mapping[str, str], cwd: str = "/") -> Child:
        """Start it.

        Raises
        ------
        CommandMissing
            If the program isn't there.
        """
        pipe = asyncio.subprocess.PIPE
        try:
            child = await asyncio.create_subprocess_exec(
                *argv,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                limit=cls.LONGEST_LINE,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise CommandMissing(argv[0], error) from None
        return cls(argv[0], child)

    @property
    def is_alive(self) -> bool:
        return self._child.returncode is None

    @property
    def pid(self) -> int:
        return self._child.pid

    async def _listen(self) -> None:
        """Take what it says on stderr, so that it never waits for a reader, and keep the end."""
        assert self._child.stderr is not None  # noqa: S101 for mypy: it was started with a pipe
        while words := await self._child.stderr.read(4096):
            self._words = (self._words + words)[-2000:]

    async def ask(self, line: bytes, *, timeout_s: float) -> bytes:
        """Send a line and return the next one; nothing is sent if it is empty.

        Raises
        ------
        ChildGone
            If it has ended.
        CommandTimeout
            If it doesn't answer in ``timeout_s`` seconds; it is killed then.
        """
        try:
            answer = await asyncio.wait_for(self._ask(line), timeout_s)
        except BaseException as error:
            await self.stop()
            if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
                raise CommandTimeout(f"{self._name} did not answer in {timeout_s:g} s") from None
            if isinstance(error, (OSError, ValueError)):  # a broken pipe, a line without end
                raise ChildGone(self.how_it_ended()) from None
            raise
        if not answer.endswith(b"\n"):
            await self.stop()
            raise ChildGone(self.how_it_ended())
        return answer

    async def _ask(self, line: bytes) -> bytes:
        assert self._child.stdin is not None  # noqa: S101 as above
        assert self._child.stdout is not None  # noqa: S101 as above
        if line:
            self._child.stdin.write(line)
            await self._child.stdin.drain()
        return await self._child.stdout.readline()

    def how_it_ended(self) -> str:
        """Return its status and its last words."""
        words = self._words.decode(errors="replace").strip().splitlines()
        return f"it ended with status {self._child.returncode}" + (f": {words[-1]}" if words else "")

    async def stop(self) -> None:
        """Let it end at the end of its input, or kill it."""
        assert self._child.stdin is not None  # noqa: S101 as above
        self._child.stdin.close()
        try:
            await asyncio.wait_for(asyncio.shield(self._child.wait()), 0.2)
        except (asyncio.TimeoutError, TimeoutError):
            with suppress(ProcessLookupError):  # it ended just now
                self._child.kill()
            await self._child.wait()
        await asyncio.wait({self._listening}, timeout=1)


def identity_of(pid: int) -> str:
    """Return ``PID.START``: with the time when it started, in clock ticks, a process id is unique."""
    return f"{pid}.{_start_time(pid)}"


def is_alive(identity: str) -> bool:
    """Tell whether the process of an identity still runs here."""
    pid, _, started = identity.partition(".")
    if not pid.isdecimal():  # of a file that another program left
        return False
    if os.path.isdir("/proc/self"):
        return started != "0" and _start_time(int(pid)) == started
    try:
        os.kill(int(pid), 0)
    except OSError:
        return False
    return True


def _start_time(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return "0"
    return "0" if fields[0] == "Z" else fields[19]
