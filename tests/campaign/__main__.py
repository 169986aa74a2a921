"""usage: python -m tests.campaign [--trials N] [--first SEED] [--on WORLD ...]."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter

from .driver import trial
from .worlds import WORLDS, world


def main() -> int:
    """Run trials on each world in turn; print violations as they come, and counts of what was tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--trials", type=int, default=30, help="how many, over all clusters")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--on", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))  # the clusters and mounts go as at any end
    violated, happened, cells, began = 0, Counter[str](), Counter[str](), time.monotonic()
    for number, name in enumerate(asked.on):
        seeds = range(asked.first + number, asked.first + asked.trials, len(asked.on))
        with world(name) as it:
            for seed in seeds:
                one, found = trial(it, name, seed)
                happened.update(f"{name}: {accident}" for accident, _ in one.happened)
                cells.update(f"{name}: {cell.kind}" for cell in one.plan.cells)
                violated += bool(found)
                words = "; ".join(accident for accident, _ in one.happened) or "nothing happened"
                print(f"{name} {seed}: {'VIOLATED' if found else 'held'} ({words})", flush=True)
                for line in found:
                    print(f"    {line}", flush=True)
    print(f"{asked.trials} trials, {violated} violated, {time.monotonic() - began:.0f} s")
    for title, counted in (("accidents", happened), ("cells", cells)):
        print(f"{title}: {sum(counted.values())}")
        for what, count in sorted(counted.items()):
            print(f"    {count:5} {what}")
    return min(violated, 1)


if __name__ == "__main__":
    sys.exit(main())
