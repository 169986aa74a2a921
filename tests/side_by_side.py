"""Run the groups of `tests/plan.py` side by side, each in a pytest of its own, which starts the clusters that it needs once.

usage: python -m tests.side_by_side [PYTEST ARGUMENTS]

Each line that a group prints has its name before it. What failed is said once more at the end, since the end of a log is
what people are shown first. The status is that of the worst.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from tests.plan import GROUPS

AT_ONCE = 3  # most of a run is waiting, but two cores are soon busy
NOTHING_THERE = 5  # pytest's status where no test was collected
TELLING = ("FAILED ", "ERROR ", "RERUN ", "E  ")  # of pytest's lines, those that say what failed and why
TOLD, WIDE = 25, 300  # lines of one group, and their characters, once more at the end


class End(NamedTuple):
    """How a group ended."""

    group: str
    status: int
    line: str  # the last that it printed
    telling: list[str]  # what says which tests failed, and why


class Groups:
    """The processes that run now."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._running: dict[str, subprocess.Popen[str]] = {}

    def run(self, group: str) -> End:
        """Run one group, and pass on what it prints, each line with the group before it."""
        began, line, telling = time.monotonic(), "", []
        command = [sys.executable, "-m", "pytest", "--group", group, *self._arguments]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            self._running[group] = process
            assert process.stdout is not None
            for line in process.stdout:
                print(f"{group:>10} | {line}", end="", flush=True)
                if line.startswith(TELLING):
                    telling.append(line.rstrip())
        status = 0 if process.returncode == NOTHING_THERE else process.returncode
        return End(group, status, f"{line.strip().strip('= ')}, {time.monotonic() - began:.0f} s in all", telling)

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
    for end in ends:
        print(f"{end.group}: {'passed' if end.status == 0 else f'FAILED with status {end.status}'}: {end.line}")
    for end in ends:
        for line in end.telling[-TOLD:]:
            print(f"{end.group}: {line[:WIDE]}")
    return max(end.status for end in ends)


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    sys.exit(main())
