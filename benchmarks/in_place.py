"""What the comparison before and after a cell costs, with 1 GiB of inputs that the cell leaves as they are.

A: a ``%%local`` cell that reads the inputs, from its start until its names are in the kernel. B: the comparison alone,
as the worker of such a cell does it (take everything, look again), on the same payload. Printed: B as a part of A - B.
Then the same cell where one element of the array changes, beside one where all do.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from jupyter_hpc.worker import container
from jupyter_hpc.worker.changes import Watch
from jupyter_hpc.worker.continuation import numbered_there
from jupyter_hpc.worker.pickling import ValuePickler, ValueUnpickler

PAIRS = 15
SETUP = "import numpy as np; X = np.ones(1 << 27); rows = [[i, str(i)] for i in range(1000)]"


def timed(function: Any, *arguments: Any) -> float:
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory(prefix="jupyter_hpc-in-place-") as root:  # 12 GiB while it runs
        os.environ["JUPYTER_HPC_ROOT"] = root
        measure()


def measure() -> None:
    shell = InteractiveShell.instance()
    shell.run_cell("%load_ext jupyter_hpc\n" + SETUP).raise_error()

    def cell(body: str) -> None:
        shell.run_cell(f"%%local --quiet\n{body}").raise_error()

    cell("total = float(X.sum()) + len(rows)")  # hashes the array, once
    payload = Path(shell.user_ns["_hpc"].run.payload)
    manifest = container.read_manifest(str(payload))

    def compared() -> float:
        buffers = container.load_buffers(str(payload), manifest)
        with open(payload / container.PICKLE, "rb") as file:
            unpickler = ValueUnpickler(file, buffers=iter(buffers))
            for _ in manifest["names"]:
                unpickler.load()
        objects = numbered_there(unpickler.memo.copy())
        watch = Watch(objects, buffers, lambda f, **o: ValuePickler(f, namespace=shell.user_ns, **o))
        began = time.perf_counter()
        watch.take()
        assert watch.changed() == []
        return time.perf_counter() - began

    cells, comparisons = [], []
    for _ in range(PAIRS):
        cells.append(timed(cell, "total = float(X.sum()) + len(rows)"))
        comparisons.append(compared())
    whole, alone = statistics.median(cells), statistics.median(comparisons)
    print(f"cell {whole * 1e3:.0f} ms, of which the comparison {alone * 1e3:.1f} ms: {alone / (whole - alone):.1%}")
    one = [timed(cell, f"X[{i}] = 2") for i in range(5)]
    every = [timed(cell, "X += 1") for _ in range(3)]
    print(
        f"one element of 1 GiB changed: {statistics.median(one):.2f} s; all of it: {statistics.median(every):.2f} s; "
        f"ratio {statistics.median(one) / statistics.median(every):.2f}"
    )


if __name__ == "__main__":
    main()
