"""The lineage index at 100,000 runs and 300,000 edges: ancestors of a value, a page of the list, the rebuild."""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_hpc.lineage.ask import graph
from jupyter_hpc.lineage.ask import runs as ask
from jupyter_hpc.lineage.ask.find import find
from jupyter_hpc.lineage.index.index import Index
from jupyter_hpc.rundir.store import Store
from tests.lineage.records import random_history, record, run_id, write

LIMIT_MS = 50.0


def timed(what: str, ask_one: Callable[[], Any], count: int = 20) -> float:
    """Print the median of some repetitions, and return it in milliseconds."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        ask_one()
        times.append((time.perf_counter() - started) * 1000)
    median = statistics.median(times)
    print(f"{what:<64}{median:9.1f} ms   (worst {max(times):.1f})")
    return median


def settle(store: Store) -> None:
    """Make all records an hour old, as if the runs had ended long ago."""
    import os

    old = time.time() - 3600
    for path in store.runs_directory.iterdir():
        os.utime(path / "record.json", (old, old))
    os.utime(store.runs_directory, (old, old))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000)
    count = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="jupyter_hpc-") as folder:
        store = Store(Path(folder))
        store.prepare()
        for found in random_history(count):
            write(store, found)
        settle(store)
        measure(store, count)


def measure(store: Store, count: int) -> None:
    index = Index(store)
    report = index.rebuild()
    edges, links = (index.query(f"SELECT count(*) FROM {t}")[0][0] for t in ("edge", "link"))
    size = index.path.stat().st_size / 1e6
    print(
        f"{report.read} runs, {edges} edges, {links} links; rebuilt in {report.seconds:.1f} s, "
        f"{report.read / report.seconds:.0f} runs a second; {size:.0f} MB"
    )
    chance = random.Random(1)

    def some_run() -> str:
        return run_id(chance.randrange(count // 2, count))

    def value() -> None:
        start = find(index, some_run())
        graph.folded(graph.ancestors(index, [start.run_id]))

    page = timed("a page of 50, the newest", lambda: ask.rows(index, limit=50))
    timed("a page of 50, in the middle", lambda: ask.rows(index, limit=50, offset=count // 2))
    timed("a page of 50 of those that failed", lambda: ask.rows(index, "failed", limit=50))
    near = timed(f"ancestors of a value, the nearest {graph.MOST}, folded", value)
    walk = timed("  of these the walk alone", lambda: graph._walk(index, [some_run()], graph.MOST))
    deep = len(graph._walk(index, [run_id(count - 1)], None)[0])
    timed(f"  all {deep} ancestors of the newest, ids only", lambda: graph._walk(index, [run_id(count - 1)], None), 3)
    timed("brought up to date when nothing changed", index.refresh)
    write(store, record(count))
    started = time.perf_counter()
    index.refresh()
    print(f"{'brought up to date after one new run':<64}{(time.perf_counter() - started) * 1000:9.1f} ms")
    for what, ms in (("page", page), ("ancestors", near)):
        print(f"{what}: {ms:.1f} ms, {'within' if ms <= LIMIT_MS else 'ABOVE'} {LIMIT_MS:.0f} ms")
    assert walk <= near


if __name__ == "__main__":
    main()
