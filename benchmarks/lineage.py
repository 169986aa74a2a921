"""What recording costs: a no-op job with it and without, the hash of a large array, a local cell.

A job: ``%%local`` / ``x = 1`` in this process, in a git repository, interleaved with the same where nothing is
recorded (no origins, no repositories, no description of the node; the worker's code, too, is without). From the start
of the cell until ``x`` is here, and the processor time of kernel and worker (git's left out). An array: the bytes that
blake3 reads, and the seconds, at a first submission, a second one, one after a change, and after the array came back
from a job. A cell: what the hook in IPython's ``post_run_cell`` takes, for cells of 1, 10 and 75 lines.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from roundtrip import ipython

NOOP = "%%local --quiet\nx = 1"
LINE = "total = sum(value * {n} for value in values if value > limit)  # {n}\n"


async def _nothing(*_: object) -> None:
    return None


@contextmanager
def unrecorded() -> Iterator[None]:
    """Run cells without a record of where things come from."""
    from jupyter_hpc.jobs import results
    from jupyter_hpc.lineage.record import end, inputs
    from jupyter_hpc.rundir.store import Store
    from jupyter_hpc.submission import handover, record, send

    bare = _bare_worker(Store.worker_directory)
    with ExitStack() as stack:
        for place, name, instead in (
            (send, "complete_record", _nothing),
            (record, "reuse_key", lambda *_: ""),
            (record, "all_redacted", lambda record: record),
            (handover, "all_redacted", lambda record: record),
            (inputs, "origins", lambda items, _: {item.name: {} for item in items}),
            (inputs, "sent", lambda *_: None),
            (end, "ended", lambda *_: {}),
            (results, "_remember", lambda *_: None),
            (Store, "worker_directory", bare),
        ):
            stack.enter_context(patch.object(place, name, instead))
        yield


def _bare_worker(original: Callable[[Any], Path]) -> Callable[[Any], Path]:
    def worker_directory(store: Any) -> Path:
        from jupyter_hpc.rundir.shipped import compile_for_this_python

        source = original(store)
        bare = source.with_name(f"{source.name}-bare")
        if not bare.exists():
            shutil.copytree(source, bare, ignore=shutil.ignore_patterns("__pycache__"))
            for name, line in (("hardware", "describe = dict"), ("result_writer", "loaded_packages = dict")):
                with open(bare / "jupyter_hpc_worker" / f"{name}.py", "a") as file:
                    file.write(f"\n{line}\n")
            compile_for_this_python(bare, [str(path.relative_to(bare)) for path in bare.rglob("*.py")])
        return bare

    return worker_directory


def timed(do: Callable[[], object]) -> float:
    begin = time.perf_counter()
    do()
    return (time.perf_counter() - begin) * 1000


def fastest(took: list[float]) -> float:
    """Other load on the machine only ever adds."""
    return statistics.fmean(sorted(took)[: max(1, len(took) // 4)])


def settle(shell: Any) -> None:
    """Wait for what is recorded beside the job, so that the next cell doesn't pay for it."""
    deadline = time.monotonic() + 20
    while "sources" not in shell.user_ns["_hpc"].record["code"] and time.monotonic() < deadline:
        time.sleep(0.01)


def used(shell: Any) -> float:
    """Return the processor time, in ms, of the last job's worker."""
    job, deadline = shell.user_ns["_hpc"], time.monotonic() + 20
    while time.monotonic() < deadline:
        for line in (job.run.path / "events.jsonl").read_text().splitlines():
            if '"e": "done"' in line:
                return float(json.loads(line)["use"]["cpu_s"]) * 1000
        time.sleep(0.01)
    raise TimeoutError(job.id)


def jobs(shell: Any, pairs: int) -> None:
    sides = ("recorded", "not recorded")
    waited: dict[str, list[float]] = {side: [] for side in sides}
    worked: dict[str, list[float]] = {side: [] for side in sides}
    for i in range(-3, pairs):
        for side in sides[:: 1 if i % 2 else -1]:
            with unrecorded() if side == "not recorded" else nullcontext():
                began = time.process_time()
                took = timed(lambda: shell.run_cell(NOOP))
                kernel = (time.process_time() - began) * 1000
            if side == "recorded":
                settle(shell)
            time.sleep(0.1)
            if i >= 0:
                waited[side].append(took)
                worked[side].append(kernel + used(shell))
    print(f"%%local, x = 1, {pairs} pairs")
    for words, of, rows in (
        ("median", statistics.median, waited),
        ("mean of the fastest quarter", fastest, waited),
        ("processor time, fastest quarter", fastest, worked),
    ):
        a, b = (of(rows[side]) for side in sides)
        print(f"  {words:<32} recorded {a:7.1f} ms, not recorded {b:7.1f} ms, ratio {a / b:.3f}")


def array(shell: Any, mib: int) -> None:
    """Digest an array as submissions do, without writing it."""
    from jupyter_hpc.capture import memo

    hashed = 0
    original = memo.digest_bytes

    def counting(raw: Any) -> str:
        nonlocal hashed
        hashed += raw.nbytes
        return original(raw)

    def submission(words: str, name: str = "a") -> None:
        nonlocal hashed
        hashed = 0
        raw = memoryview(shell.user_ns[name]).cast("B")
        took = timed(lambda: memo.digest(raw)) / 1000
        print(f"  {words:<34}{took:7.2f} s, {hashed >> 20:5d} MiB hashed by blake3")

    print(f"an array of {mib} MiB")
    shell.user_ns["a"] = np.random.default_rng(0).random(mib << 17)
    with patch.object(memo, "digest_bytes", counting):
        for words in ("first submission", "again", "again"):
            submission(words)
        shell.user_ns["a"][5] += 1
        submission("after a change")
        shell.run_cell(f"%%local --quiet\nimport numpy\nb = numpy.ones({mib << 17})")
        submission("one that came back from a job", "b")


def cells(shell: Any) -> None:
    from jupyter_hpc.magics import local_cells

    print("a local cell, processor time, median of 50")
    shell.user_ns.update(values=[1, 2, 3], limit=0)
    original, took = local_cells._note, []

    def note(*arguments: Any) -> None:
        began = time.process_time()
        original(*arguments)
        took.append((time.process_time() - began) * 1000)

    for lines in (1, 10, 75):
        took.clear()
        text = "".join(LINE.format(n=n) for n in range(lines))
        with patch.object(local_cells, "_note", note):
            for i in range(50):
                shell.run_cell(f"{text}# {i}", store_history=True)
        print(f"  {lines:3d} lines  {statistics.median(took):6.2f} ms, {statistics.median(took) / lines:.3f} ms a line")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--mib", type=int, default=1024)
    arguments = parser.parse_args()
    with ipython() as (shell, _):
        jobs(shell, arguments.pairs)
        array(shell, arguments.mib)
        cells(shell)


if __name__ == "__main__":
    main()
