"""Run the groups of `tests/plan.py` side by side, each in a pytest of its own, which starts the clusters that it needs once.

usage: python -m tests.side_by_side [PYTEST ARGUMENTS]

Each line that a group prints has its name before it. What failed is said once more at the end, each test with its reason,
since the end of a log is what people are shown first, and often all that they are. The status is that of the worst.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from tests.plan import GROUPS

AT_ONCE = 4  # a third of a run is waiting
NOTHING_THERE = 5  # pytest's status where no test was collected
SUMMARY = re.compile("=+ (?:short|rerun) test summary info =+")
ENTRY = re.compile(
    r"(FAILED|ERROR|RERUN) (\S+?(?:\[.*?\])?)(?: - (.*))?"
)  # of that summary; what follows goes on with it
CALLS = ("Call log:", "Full diff", "Differing items", "Use -v")  # where a message begins to be long
TOLD, WIDE, DEEP = 55, 240, 4  # lines at the end, their characters, and those of one test


class Failure(NamedTuple):
    """A test that failed, or did so at its first try."""

    how: str  # as pytest says: FAILED, ERROR, RERUN
    test: str
    reason: list[str]


class End(NamedTuple):
    """How a group ended."""

    group: str
    status: int
    line: str  # the last that it printed
    failures: list[Failure]


class Reader:
    """Finds in what a pytest prints which tests failed, and why."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []
        self._last: list[str] = []
        self._imports: dict[str, list[str]] = {}  # of modules that can't be read the summary has but the name
        self._reason: list[str] | None = None  # where the lines of a message go
        self._is_summary = False

    def read(self, line: str) -> None:
        self._last = [*self._last[-DEEP:], line]
        if SUMMARY.fullmatch(line):
            self._is_summary, self._reason = True, None
        elif self._is_summary:
            self._read_summary(line)
        elif found := re.fullmatch("_+ (ERROR collecting )?([^_].*) _+", line):
            self._reason = self._imports.setdefault(found[2], []) if found[1] else None
        elif self._reason is not None and line.startswith("E  "):
            self._reason.append(line[1:].strip())

    def _read_summary(self, line: str) -> None:
        if found := ENTRY.fullmatch(line):
            how, test, words = found.groups()
            self._reason = [words] if words else self._imports.get(test, [])[-DEEP:]
            self._failures.append(Failure(how, test, self._reason))
        elif line.startswith(("=", "!", "SKIPPED ", "XFAIL ", "XPASS ")):
            self._reason = None
        elif self._reason is not None and line.strip():
            self._reason.append(line.strip())

    def failures(self, status: int) -> list[Failure]:
        """Return what failed; where a pytest failed and says of no test, its last lines."""
        if status and not any(each.how != "RERUN" for each in self._failures):
            return [*self._failures, Failure("ERROR", "pytest itself", self._last)]
        return self._failures


def told(ends: list[End]) -> list[str]:
    """Return the last lines of a run: how each group went, and below that each test that failed, with its reason."""
    head = [f"{e.group}: {'passed' if e.status == 0 else f'FAILED with status {e.status}'}: {e.line}" for e in ends]
    every = [(end.group, failure) for end in ends for failure in end.failures]
    every.sort(key=lambda each: each[1].how != "RERUN")  # what failed for good is last
    room = TOLD - len(head)
    if len(every) > room:
        every = _together(every)
    deep = max(1, min(DEEP, room // max(1, len(every))))
    lines = [line[:WIDE] for group, failure in every for line in _said(group, failure, deep)]
    return [*head, *lines]


def _together(every: list[tuple[str, Failure]]) -> list[tuple[str, Failure]]:
    """Return what failed with the tests of a file in one line that failed for one reason, as where a cluster is gone."""
    alike: dict[tuple[str, ...], list[tuple[str, Failure]]] = {}
    for group, failure in every:
        key = (group, failure.how, failure.test.partition("::")[0], *failure.reason[:1])
        alike.setdefault(key, []).append((group, failure))
    found = []
    for (group, failure), *more in alike.values():
        others = ", ".join(other.test.partition("::")[2] for _, other in more)
        reason = [*failure.reason[:1], f"and {len(more)} more: {others}"] if more else failure.reason
        found.append((group, failure._replace(reason=reason)))
    return found


def _said(group: str, failure: Failure, deep: int) -> list[str]:
    reason = failure.reason
    end = next((n for n, line in enumerate(reason) if line.startswith(CALLS)), len(reason))
    first, *more = reason[:end] or [""]
    return [f"{group}: {failure.how} {failure.test} - {first}", *(f"{group}:     {line}" for line in more[: deep - 1])]


class Groups:
    """The processes that run now."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._running: dict[str, subprocess.Popen[str]] = {}

    def run(self, group: str) -> End:
        """Run one group, and pass on what it prints, each line with the group before it."""
        began, line, reader = time.monotonic(), "", Reader()
        command = [sys.executable, "-m", "pytest", "--group", group, *self._arguments]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            self._running[group] = process
            assert process.stdout is not None
            for line in process.stdout:
                print(f"{group:>10} | {line}", end="", flush=True)
                reader.read(line.rstrip())
        status = 0 if process.returncode == NOTHING_THERE else process.returncode
        return End(
            group,
            status,
            f"{line.strip().strip('= ')}, {time.monotonic() - began:.0f} s in all",
            reader.failures(status),
        )

    def stop(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


def main() -> int:
    """Run all groups."""
    groups, ends = Groups(sys.argv[1:]), []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for future in as_completed([pool.submit(groups.run, group) for group in GROUPS]):
                ends.append(future.result())
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # else those that wait would begin now
            groups.stop()
            raise
    print("\n".join(told(ends)))
    return max(end.status for end in ends)


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    sys.exit(main())
