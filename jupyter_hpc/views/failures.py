"""Which lines of a log tell of an error: tracebacks, of this job and of programs that it started.

The same rules, on the same cases (``tests/unit/recorded/screen.json``), are in ``labextension/src/job/screen.ts``.
"""

from __future__ import annotations

import re

_TASK = re.compile(r"\[\d+\] ")  # before each line of an array's log
_BEGIN = re.compile(r"\s*(?P<group>\+ Exception Group )?Traceback \(most recent call last\):\s*$")
_SYNTAX = re.compile(r'  File "[^"]*", line \d+$')
_LINK = re.compile(r"During handling of the above exception|The above exception was the direct cause")
_GROUP = re.compile(r"\s+[|+]")
_LAST = re.compile(r"[^\W\d][\w.]*(?:: |:?$)")


class Failures:
    """Told lines in order, it tells which belong to a traceback, and which of those say what went wrong."""

    def __init__(self) -> None:
        self._within = ""  # a traceback, a group of them, or neither

    def copy(self) -> Failures:
        made = Failures()
        made._within = self._within
        return made

    def take(self, line: str) -> str:
        """Return ``"trace"`` for a line of a traceback, ``"error"`` for its last, else nothing."""
        line = line[match.end() :] if (match := _TASK.match(line)) else line
        if begin := _BEGIN.match(line):
            self._within = "group" if begin["group"] else "trace"
            return "trace"
        if not self._within:
            self._within = "trace" if _SYNTAX.match(line) else ""
            return "trace" if self._within or _LINK.match(line) else ""
        if self._within == "group":
            self._within = "group" if _GROUP.match(line) else ""
            return "trace" if self._within else ""
        if not line.strip() or line[0].isspace():
            return "trace"
        self._within = ""
        return "error" if _LAST.match(line) else ""
