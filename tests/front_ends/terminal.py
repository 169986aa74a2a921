"""A terminal of a fixed size, for programs that want one: what is typed, and what a person would have seen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
WHERE = b"\x1b[6n"  # a program asks for the cursor's place, and some wait for the answer
ROWS, COLUMNS = 50, 160


class Terminal:
    """Runs a program in a session of its own, at a terminal that answers as one does."""

    def __init__(self, argv: Sequence[str], environment: dict[str, str], folder: Path) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # Ctrl-C is then a signal, as at any terminal
        )
        os.close(theirs)
        self._bytes = b""
        self._answered = 0
        self._read = 0  # of the text: what was waited for before stands above

    @property
    def text(self) -> str:
        """All that was shown so far, without what only moves and colours."""
        return SEQUENCE.sub("", self._bytes.decode("utf-8", "replace"))

    @property
    def raw(self) -> str:
        return self._bytes.decode("utf-8", "replace")

    def type(self, text: str) -> None:
        os.write(self._own, text.encode())

    def until(self, words: str, timeout_s: float = 120) -> str:
        """Wait until these words are shown, after those that were waited for before; return what came till then."""
        deadline = time.monotonic() + timeout_s
        while (at := self.text.find(words, self._read)) < 0:
            assert time.monotonic() < deadline, f"{words!r} did not come; so far:\n{self.text[-6000:]}"
            self._take(deadline)
        begin, self._read = self._read, at + len(words)
        return self.text[begin : self._read]

    def _take(self, deadline: float) -> None:
        readable, _, _ = select.select([self._own], [], [], max(0.0, min(1.0, deadline - time.monotonic())))
        if not readable:
            return
        try:
            new = os.read(self._own, 1 << 16)
        except OSError:  # its last process is gone
            new = b""
        assert new, f"it ended:\n{self.text[-6000:]}"
        self._bytes += new
        while (at := self._bytes.find(WHERE, self._answered)) >= 0:
            self._answered = at + len(WHERE)
            self.type("\x1b[1;1R")

    def close(self) -> None:
        """End it and all that it started, whatever became of it."""
        for number in (signal.SIGHUP, signal.SIGKILL):
            for session in {self._process.pid, *_children(self._process.pid)}:
                try:
                    os.killpg(session, number)
                except (ProcessLookupError, PermissionError):
                    pass
            try:
                self._process.wait(120)
                break
            except subprocess.TimeoutExpired:
                continue
        os.close(self._own)


def _children(pid: int) -> set[int]:
    """Return the process groups below a process: a console's kernel has a group of its own."""
    import psutil

    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return set()
    groups = set()
    for child in below:
        try:
            groups.add(os.getpgid(child.pid))
        except ProcessLookupError:
            continue
    return groups - {os.getpgid(0)}
