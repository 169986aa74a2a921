"""Run the groups of `tests/plan.py` side by side, each in a pytest of its own, which starts the clusters that it needs once.

usage: python -m tests.side_by_side [PYTEST ARGUMENTS]

What a group prints appears when it has ended, one group after another. The status is that of the worst.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.plan import GROUPS

AT_ONCE = 3  # most of a run is waiting, but two cores are soon busy
NOTHING_THERE = 5  # pytest's status where no test was collected


class Groups:
    """The processes that run now."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, group: str) -> tuple[str, int, float, str]:
        """Run one group; return its name, status, seconds and output."""
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "--group", group, *self._arguments]
        print(f"{group}: begins", flush=True)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            self._running[group] = process
            output, _ = process.communicate()
        return group, process.returncode, time.monotonic() - began, output.decode(errors="replace")

    def stop(self) -> None:
        for process in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


def main() -> int:
    """Run all groups."""
    groups, worst, lines = Groups(sys.argv[1:]), 0, []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for future in as_completed([pool.submit(groups.run, group) for group in GROUPS]):
                group, status, seconds, output = future.result()
                status = 0 if status == NOTHING_THERE else status
                worst = max(worst, status)
                lines.append(f"{group}: status {status} after {seconds:.0f} s: {output.strip().splitlines()[-1]}")
                print(f"\n{'=' * 30} {group} {'=' * 30}\n{output}", flush=True)
        except KeyboardInterrupt:
            groups.stop()
            raise
    print("\n".join(lines))
    return worst


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    sys.exit(main())
