"""Many jobs at once: kernels that wait for 2,000 queued jobs, a server that 20 sidebars poll, and a log of a long hour.

First what a cell that prints numbers as fast as it can pays for its metrics: the same cell with and without, in turns.
A job that prints 1,000 lines a second for an hour prints 3.6 million; here it prints them as fast as it can, and the
kernel shows them, once to nobody and once to JupyterLab in Chromium. What must stay bounded is printed for both
halves of the time: memory and processor time of each process and of a page with the sidebar (what its scripts hold,
and the time of its main thread), and the scheduler's commands a minute.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from noop import Kernel, cluster
from playwright.sync_api import CDPSession, Page, sync_playwright
from sidebar import client, memory_mib

from jupyter_hpc.explain.use import measured
from jupyter_hpc.rundir.reader import RunReader
from tests.browser.lab import FLAGS, SLOW_MS, Lab, command, open_sidebar
from tests.faults.road import Counter, submit

COMMANDS = ("squeue", "sacct", "scontrol", "sinfo", "sbatch")
SUBMIT = """
%load_ext jupyter_hpc
import jupyter_hpc
def nothing(): return 1
_jobs = [jupyter_hpc.submit(nothing, on="slurm", time="10m", passthrough=["--hold"]) for _ in range({count})]
"""
LOG = """%%slurm
for i in range({lines}): print('epoch', i, 'loss', 1 / (i + 1))
"""
CHATTY = """
for i in range({lines}): print('epoch', i, 'loss', 1 / (i + 1))
"""
TICKS = os.sysconf("SC_CLK_TCK")
HOUR_S = 1800


@dataclass
class Use:
    """What a process has used at one moment."""

    mib: float
    cpu_s: float

    @classmethod
    def of(cls, pid: int) -> Use:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return cls(memory_mib(pid), (int(fields[11]) + int(fields[12])) / TICKS)

    @classmethod
    def of_page(cls, devtools: CDPSession) -> Use:
        devtools.send("HeapProfiler.collectGarbage")
        found = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
        return cls(found["JSHeapUsedSize"] / 2**20, found["TaskDuration"])


@contextmanager
def chromium() -> Iterator[tuple[Page, CDPSession]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        yield page, devtools
        browser.close()


def metrics_of_a_log(lines: int, rounds: int) -> None:
    """Let cells print so many lines with numbers, whose metrics are kept or not."""
    used: dict[str, list[tuple[float, float]]] = {"on": [], "off": []}
    for wanted in ["off", *(["on", "off"] * rounds)]:
        os.environ["JUPYTER_HPC_METRICS"] = wanted
        job = submit(CHATTY.format(lines=lines), on="local")
        job.wait(HOUR_S)
        reader = RunReader(job.run, outputs=False)
        reader.poll()
        use = measured(reader)
        if use is None or bool(reader.series) != (wanted == "on"):
            raise SystemExit(f"{job} told {list(reader.series)}, with metrics {wanted}")
        used[wanted].append((use.cpu_s, use.seconds))
    del os.environ["JUPYTER_HPC_METRICS"]
    del used["off"][0]  # what is read from the disk for the first time
    (cpu, took), (bare_cpu, bare_took) = (map(statistics.median, zip(*used[each])) for each in ("on", "off"))
    print(
        f"a cell that prints {lines:,} lines with numbers, {rounds} rounds: {cpu:.2f} s of processor time with its "
        f"metrics, {bare_cpu:.2f} s without, ratio {cpu / bare_cpu:.2f}; {took:.1f} s and {bare_took:.1f} s, ratio "
        f"{took / bare_took:.2f}"
    )


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
            LOG.format(lines=lines), timeout=HOUR_S, allow_stdin=False, output_hook=lambda _: None
        )
        took, after = time.monotonic() - began, Use.of(pid_of(kernel))
    finally:
        kernel.close()
    print(
        f"a log of {lines:,} lines: {took:.0f} s, {lines / took:,.0f} lines a second; its kernel: "
        f"{after.cpu_s - before.cpu_s:.1f} s of processor time, {before.mib:.0f} MiB before, {after.mib:.0f} MiB after"
    )


def shown_log_of_an_hour(lab: Lab, page: Page, devtools: CDPSession, lines: int) -> None:
    """Let JupyterLab show such a log."""
    lab.open(page, "log.ipynb", LOG.format(lines=10), LOG.format(lines=lines), "print('all' + ' shown')")
    runs = "notebook:run-cell-and-select-next"
    command(page, runs)
    command(page, runs)
    page.get_by_text("epoch 9 ").first.wait_for(timeout=SLOW_MS)
    before, began = Use.of_page(devtools), time.monotonic()
    command(page, runs)
    command(page, runs)
    page.get_by_text("all shown", exact=True).wait_for(timeout=HOUR_S * 1000)
    took, after = time.monotonic() - began, Use.of_page(devtools)
    print(
        f"the same in JupyterLab: {took:.0f} s; its page: {after.cpu_s - before.cpu_s:.1f} s of "
        f"its main thread, {before.mib:.0f} MiB before, {after.mib:.0f} MiB after"
    )


def report(name: str, uses: list[Use], seconds: float) -> None:
    first, middle, last = uses
    busy = [200 * (b.cpu_s - a.cpu_s) / seconds for a, b in ((first, middle), (middle, last))]
    print(
        f"{name}: {first.mib:.0f} MiB, after half the time {middle.mib:.0f}, at the end {last.mib:.0f}; "
        f"processor {busy[0]:.1f} % and {busy[1]:.1f} %"
    )


def measure(folder: Path, options: argparse.Namespace) -> None:
    counter = Counter(folder / "bin")
    counter.install(*COMMANDS)
    os.environ["PATH"] = f"{counter.folder}:{os.environ['PATH']}"
    metrics_of_a_log(options.lines, options.rounds)
    log_of_an_hour(options.lines)
    (folder / "lab").mkdir()
    lab = Lab.start(folder / "lab")
    kernels = [Kernel() for _ in range(options.kernels)]
    try:
        with chromium() as (page, devtools):
            shown_log_of_an_hour(lab, page, devtools, options.lines)
            lab.show_empty(page)
            open_sidebar(page)
            poll(counter, lab, kernels, devtools, options)
    finally:
        for kernel in kernels:
            kernel.close()
        lab.stop()


def poll(counter: Counter, lab: Lab, kernels: list[Kernel], devtools: CDPSession, options: argparse.Namespace) -> None:
    """Let kernels wait for queued jobs while sidebars poll."""
    began = time.monotonic()
    for kernel in kernels:
        kernel.run(SUBMIT.format(count=options.jobs // options.kernels))
    print(f"{options.jobs} jobs submitted in {time.monotonic() - began:.0f} s")
    pids = {f"kernel {n}": pid_of(kernel) for n, kernel in enumerate(kernels, 1)}
    pids["server"] = lab.process.pid
    counter.log.write_text("", encoding="ascii")
    end = time.monotonic() + options.seconds
    uses: dict[str, list[Use]] = {name: [] for name in (*pids, "page with the sidebar")}
    with ThreadPoolExecutor(options.clients) as pool:
        polling = [pool.submit(client, lab, end) for _ in range(options.clients)]
        for moment in (end - options.seconds, end - options.seconds / 2, end):
            time.sleep(max(0.0, moment - time.monotonic()))
            for name, pid in pids.items():
                uses[name].append(Use.of(pid))
            uses["page with the sidebar"].append(Use.of_page(devtools))
        polled = list(chain.from_iterable(each.result() for each in polling))
    calls = {name: counter.count(name) for name in COMMANDS}
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=300.0)
    options = parser.parse_args()
    with cluster() as folder:
        measure(folder, options)


if __name__ == "__main__":
    main()
