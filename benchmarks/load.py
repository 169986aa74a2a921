"""Many jobs at once: kernels that wait for 2,000 queued jobs, a server that 20 sidebars poll, and a log of a long hour.

A job that prints 1,000 lines a second for an hour prints 3.6 million; here it prints them as fast as it can, and the
kernel shows them. What must stay bounded is printed for the first and the second half of the time: memory and processor
time of each process, and the scheduler's commands a minute.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from noop import Kernel, cluster
from sidebar import client, memory_mib

from tests.browser.lab import Lab
from tests.faults.road import Counter

COMMANDS = ("squeue", "sacct", "scontrol", "sinfo", "sbatch")
SUBMIT = """
%load_ext jupyter_hpc
import jupyter_hpc
def nothing(): return 1
_jobs = [jupyter_hpc.submit(nothing, on="slurm", time="10m", passthrough=["--hold"]) for _ in range({count})]
"""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Use:
    """What a process has used at one moment."""

    mib: float
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> Use:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return cls(memory_mib(pid), (int(fields[11]) + int(fields[12])) / TICKS)


def pid_of(kernel: Kernel) -> int:
    return int(kernel.value("__import__('os').getpid()"))


def log_of_an_hour(lines: int) -> None:
    """Let a kernel show the log of a job that prints so many lines."""
    kernel = Kernel()
    try:
        kernel.run("%load_ext jupyter_hpc")
        kernel.run("%%slurm\nx = 1")
        before, began = Use.of(pid_of(kernel)), time.monotonic()
        kernel._client.execute_interactive(
            f"%%slurm\nfor i in range({lines}): print('epoch', i, 'loss', 1 / (i + 1))",
            timeout=1800,
            allow_stdin=False,
            output_hook=lambda _: None,
        )
        took, after = time.monotonic() - began, Use.of(pid_of(kernel))
    finally:
        kernel.close()
    print(
        f"a log of {lines:,} lines: {took:.0f} s, {lines / took:,.0f} lines a second; its kernel: "
        f"{after.cpu_s - before.cpu_s:.1f} s of processor time, {before.mib:.0f} MiB before, {after.mib:.0f} MiB after"
    )


def report(name: str, uses: list[Use], seconds: float) -> None:
    first, middle, last = uses[0], uses[len(uses) // 2], uses[-1]
    busy = [200 * (b.cpu_s - a.cpu_s) / seconds for a, b in ((first, middle), (middle, last))]
    print(
        f"{name}: {first.mib:.0f} MiB, after half the time {middle.mib:.0f}, at the end {last.mib:.0f}; "
        f"processor {busy[0]:.1f} % and {busy[1]:.1f} %"
    )


def measure(folder: Path, options: argparse.Namespace) -> None:
    counter = Counter(folder / "bin")
    counter.install(*COMMANDS)
    os.environ["PATH"] = f"{counter.folder}:{os.environ['PATH']}"
    log_of_an_hour(options.lines)
    (folder / "lab").mkdir()
    lab = Lab.start(folder / "lab")
    kernels = [Kernel() for _ in range(options.kernels)]
    try:
        began = time.monotonic()
        for kernel in kernels:
            kernel.run(SUBMIT.format(count=options.jobs // options.kernels))
        print(f"{options.jobs} jobs submitted in {time.monotonic() - began:.0f} s")
        pids = {f"kernel {n}": pid_of(kernel) for n, kernel in enumerate(kernels, 1)}
        pids["server"] = lab.process.pid
        counter.log.write_text("", encoding="ascii")
        end = time.monotonic() + options.seconds
        uses: dict[str, list[Use]] = {name: [] for name in pids}
        with ThreadPoolExecutor(options.clients) as pool:
            polling = [pool.submit(client, lab, end) for _ in range(options.clients)]
            while time.monotonic() < end:
                for name, pid in pids.items():
                    uses[name].append(Use.of(pid))
                time.sleep(options.seconds / 20)
            polled = list(chain.from_iterable(each.result() for each in polling))
        calls = {name: counter.count(name) for name in COMMANDS}
    finally:
        for kernel in kernels:
            kernel.close()
        lab.stop()
    for name, taken in uses.items():
        report(name, taken, options.seconds)
    polled.sort()
    print(
        f"{options.clients} clients: {len(polled)} requests, median {statistics.median(polled):.0f} ms, "
        f"95 % {polled[int(len(polled) * 0.95)]:.0f} ms"
    )
    minutes = options.seconds / 60
    print("calls to the scheduler a minute: " + ", ".join(f"{n} {c / minutes:.1f}" for n, c in calls.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--kernels", type=int, default=5)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--lines", type=int, default=3_600_000)
    parser.add_argument("--seconds", type=float, default=300.0)
    options = parser.parse_args()
    with cluster() as folder:
        measure(folder, options)


if __name__ == "__main__":
    main()
