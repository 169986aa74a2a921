"""An array of 256 MiB to a local worker and back, as a ratio to the floor in the same run.

The floor is what the bytes themselves cost: each way they are hashed twice (by who writes and by who reads) and
written once, with ``os.write``. The time of a cell with one number, which imports numpy too,
is taken off and shown by itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

CELL = "%%local --quiet -o a\na[0] = 1.0"
EMPTY = "%%local --quiet\nimport numpy\nx = numpy.zeros(1)"


def floor(array: np.ndarray, folder: Path) -> None:
    """Hash and write the bytes, there and back."""
    from jupyter_hpc.worker.digest import digest_bytes, digest_file

    raw = memoryview(array).cast("B")
    for way in ("there", "back"):
        path = folder / way
        digest_bytes(raw)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        view = raw
        while view.nbytes:
            view = view[os.write(descriptor, view[: 64 << 20]) :]
        os.close(descriptor)
        digest_file(str(path))
        path.unlink()


def timed(do: Callable[[], object]) -> float:
    begin = time.perf_counter()
    do()
    return time.perf_counter() - begin


@contextmanager
def ipython() -> Iterator[tuple[Any, Path]]:
    """An IPython with the magics, and a folder that goes away, in which ``r`` has its runs."""
    from IPython.core.interactiveshell import InteractiveShell

    folder = Path(tempfile.mkdtemp(prefix="hpcb"))
    os.environ["JUPYTER_HPC_ROOT"] = str(folder / "r")
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "jupyter_hpc")
    try:
        yield shell, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    n = arguments.mib * (1 << 20) // 8
    sides: dict[str, list[float]] = {"floor": [], "empty": [], "cell": []}
    with ipython() as (shell, folder):
        for i in range(-1, arguments.rounds):  # the first round warms up
            array = np.random.default_rng(i + 1).random(n)  # new bytes, so that nothing is shared with the last run
            shell.user_ns["a"] = array
            took = {
                "floor": timed(lambda array=array: floor(array, folder)),
                "empty": timed(lambda: run(shell, EMPTY)),
                "cell": timed(lambda: run(shell, CELL)),
            }
            came = shell.user_ns.pop("a")
            if came is array or came[0] != 1.0 or not np.array_equal(came[1:], array[1:]):
                raise RuntimeError("the array did not come back")
            shutil.rmtree(folder / "r" / "runs", ignore_errors=True)
            shutil.rmtree(folder / "r" / "blobs", ignore_errors=True)
            if i >= 0:
                for side, seconds in took.items():
                    sides[side].append(seconds * 1000)
    median = {side: statistics.median(found) for side, found in sides.items()}
    own = median["cell"] - median["empty"]
    print(f"{arguments.mib} MiB there and back, {arguments.rounds} rounds, interleaved; medians")
    print(f"  floor: write and hash the bytes, both ways     {median['floor']:8.1f} ms")
    print(f"  a cell with one number and numpy               {median['empty']:8.1f} ms")
    print(f"  a[0] = 1.0, and all of a comes back            {median['cell']:8.1f} ms")
    print(f"  (cell − small cell) / floor                    {own / median['floor']:8.3f}")


def run(shell: object, text: str) -> None:
    result = shell.run_cell(text)  # type: ignore[attr-defined]
    result.raise_error()


if __name__ == "__main__":
    main()
