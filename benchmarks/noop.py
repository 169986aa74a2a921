"""A no-op ``%%slurm`` cell against a bare ``sbatch``, interleaved, on a practice Slurm of its own.

A: an IPython kernel runs ``%%slurm`` / ``x = 1``; from the start of the cell until ``x`` is in the kernel and the
cell is over (panel and card included). B: ``sbatch`` of ``python -c``, the same interpreter, which writes and
renames a marker file; until the marker is there (inotify).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inotify_simple import INotify, flags

from jupyter_hpc import practice

HOOK = """
%load_ext jupyter_hpc
import time as _time
_stamps = {}
get_ipython().events.register("pre_run_cell", lambda info: _stamps.update(begin=_time.time()))
get_ipython().events.register("post_run_cell", lambda result: _stamps.update(end=_time.time()))
"""
SCRIPT = """#!/bin/bash
exec {python} -c "import os; open('{marker}.tmp', 'w').write('1'); os.rename('{marker}.tmp', '{marker}')"
"""
STAGES = (
    ("capture, payload, record", "begin", "created"),
    ("sbatch", "created", "submitted"),
    ("queue: until the batch script runs", "submitted", "script"),
    ("shell and interpreter start", "script", "started"),
    ("worker: set up, load", "started", "loaded"),
    ("worker: run the cell", "loaded", "saving"),
    ("worker: save", "saving", "done"),
    ("notice, load the result, card", "done", "end"),
)


class Kernel:
    """A real IPython kernel, as a notebook has it."""

    def __init__(self) -> None:
        from jupyter_client.manager import start_new_kernel

        self._manager, self._client = start_new_kernel(startup_timeout=60, kernel_name="python3")
        self.run(HOOK)

    def run(self, code: str) -> None:
        reply = self._client.execute_interactive(code, timeout=120, allow_stdin=False, output_hook=lambda _: None)
        if reply["content"]["status"] != "ok":
            raise RuntimeError("\n".join(reply["content"].get("traceback", [str(reply["content"])])))

    def value(self, expression: str) -> str:
        message = self._client.execute("", silent=True, user_expressions={"it": expression}, reply=True, timeout=60)
        return str(message["content"]["user_expressions"]["it"]["data"]["text/plain"])

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@contextmanager
def cluster() -> Iterator[Path]:
    """Run in a folder of its own with a practice Slurm, which is always stopped."""
    folder = Path(tempfile.mkdtemp(prefix="hpcb", dir="/tmp"))
    os.environ["JUPYTER_HPC_PRACTICE_DIR"] = str(folder / "p")
    os.environ["JUPYTER_HPC_ROOT"] = str(folder / "r")
    os.environ.pop("JUPYTER_HPC_TARGET", None)
    try:
        conf = practice.up(folder / "p").conf
        os.environ["SLURM_CONF"] = str(conf)
        yield folder
    finally:
        practice.down(folder / "p")
        shutil.rmtree(folder, ignore_errors=True)


def cell(kernel: Kernel, root: Path, i: int) -> dict[str, float]:
    """Run the no-op cell and return the moments of its way."""
    asked = time.time()
    kernel.run(f"%%slurm\nx = {i}")
    replied = time.time()
    if kernel.value("x") != str(i):
        raise RuntimeError("the value did not come back")
    stamps = json.loads(kernel.value("__import__('json').dumps(_stamps)").strip("'"))
    run = max((root / "runs").iterdir())
    record = json.loads((run / "record.json").read_text())
    lines = (run / "events.jsonl").read_text().splitlines()
    events = {e["e"]: float(e["t"]) for e in map(json.loads, lines)}
    return {
        **stamps,
        "asked": asked,
        "replied": replied,
        "created": record["created"],
        "submitted": record["submitted_at"],
        "script": (run / "scheduler.log").stat().st_mtime,  # Slurm makes it just before the script starts
        **{k: events[k] for k in ("started", "loaded", "saving", "done")},
    }


def bare(folder: Path, i: int) -> dict[str, float]:
    """Submit the same by hand and return the moments of its way."""
    place = folder / f"b{i}"
    place.mkdir()
    script, marker, log = place / "job.sh", place / "marker", place / "log"
    script.write_text(SCRIPT.format(python=sys.executable, marker=marker))
    notifier = INotify()
    notifier.add_watch(str(place), flags.MOVED_TO)
    begin = time.time()
    subprocess.run(["sbatch", "--parsable", "-o", log, script], check=True, stdout=subprocess.DEVNULL)
    submitted = time.time()
    while not marker.exists():
        notifier.read(timeout=1000)
    end = time.time()
    notifier.close()
    return {"begin": begin, "submitted": submitted, "script": log.stat().st_mtime, "end": end}


def await_phase(phase: float) -> None:
    """The scheduler ticks once a second: start both sides of a pair at the same part of a second.

    Over all pairs the parts are spread evenly, in random order.
    """
    time.sleep(0.3)  # what the last job leaves behind
    time.sleep((phase - time.time()) % 1.0)


def ms(rows: list[dict[str, float]], first: str, last: str) -> float:
    return statistics.median(r[last] - r[first] for r in rows) * 1000


def report(cells: list[dict[str, float]], bares: list[dict[str, float]]) -> dict[str, Any]:
    """Print medians, the ratio and the stages."""
    a, b = ms(cells, "begin", "end"), ms(bares, "begin", "end")
    work_a = statistics.median(r["end"] - r["begin"] - (r["script"] - r["submitted"]) for r in cells) * 1000
    work_b = statistics.median(r["end"] - r["begin"] - (r["script"] - r["submitted"]) for r in bares) * 1000
    print(f"{len(cells)} pairs, interleaved; medians")
    print(f"  %%slurm, x = 1: start of the cell → value in the kernel   {a:8.1f} ms")
    print(f"  bare sbatch of python -c → marker file                    {b:8.1f} ms")
    print(f"  ratio                                                     {a / b:8.3f}")
    mean_a = statistics.fmean(r["end"] - r["begin"] for r in cells)
    mean_b = statistics.fmean(r["end"] - r["begin"] for r in bares)
    print(f"  ratio of the means                                        {mean_a / mean_b:8.3f}")
    print(f"  request → reply at the front end                          {ms(cells, 'asked', 'replied'):8.1f} ms")
    print("where a cell's time goes (medians of each stage)")
    for words, first, last in STAGES:
        print(f"  {words:<40}{ms(cells, first, last):8.1f} ms")
    print("where the bare job's time goes")
    print(f"  {'sbatch':<40}{ms(bares, 'begin', 'submitted'):8.1f} ms")
    print(f"  {'queue: until the batch script runs':<40}{ms(bares, 'submitted', 'script'):8.1f} ms")
    print(f"  {'shell, interpreter, marker, notice':<40}{ms(bares, 'script', 'end'):8.1f} ms")
    queue = statistics.fmean(r["script"] - r["submitted"] for r in (*cells, *bares)) * 1000
    same = (queue + work_a) / (queue + work_b)
    print(f"with the same queue on both sides (mean of all, {queue:.0f} ms): ratio {same:.3f}")
    print(f"without the queue: {work_a:.1f} ms and {work_b:.1f} ms; {work_a - work_b:.1f} ms are ours")
    return {"cell_ms": a, "bare_ms": b, "ratio": a / b, "ratio_same_queue": same, "ours_ms": work_a - work_b}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=25)
    pairs = parser.parse_args().pairs
    cells: list[dict[str, float]] = []
    bares: list[dict[str, float]] = []
    with cluster() as folder:
        kernel = Kernel()
        phases = [(k + random.random()) / pairs for k in range(pairs)]
        random.shuffle(phases)
        try:
            for i in range(-2, pairs):  # two to warm up
                for side in ("cell", "bare"):
                    await_phase(phases[i % pairs])
                    one = cell(kernel, folder / "r", i) if side == "cell" else bare(folder, i)
                    if i >= 0:
                        (cells if side == "cell" else bares).append(one)
        finally:
            kernel.close()
    report(cells, bares)


if __name__ == "__main__":
    main()
