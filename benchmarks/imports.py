"""What ``import jupyter_hpc`` and ``%load_ext jupyter_hpc`` cost beyond IPython's own, interleaved."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

TIMED = "import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
SHELL = (
    "from IPython.core.interactiveshell import InteractiveShell; s = InteractiveShell.instance(); "
    "import time; t = time.perf_counter(); s.run_line_magic('load_ext', {name!r}); print(time.perf_counter() - t)"
)
CASES = {
    "import IPython": TIMED.format(code="import IPython"),
    "import jupyter_hpc": TIMED.format(code="import jupyter_hpc"),
    "%load_ext autoreload (IPython's own)": SHELL.format(name="autoreload"),
    "%load_ext jupyter_hpc": SHELL.format(name="jupyter_hpc"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for i in range(-1, rounds):  # the first round warms up
        for name, code in CASES.items():
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            if i >= 0:
                times[name].append(float(done.stdout) * 1000)
    floor = statistics.median(times["import IPython"])
    print(f"{rounds} rounds, each in a fresh interpreter; medians, and the ratio to `import IPython`")
    for name, found in times.items():
        median = statistics.median(found)
        print(f"  {name:<40}{median:8.1f} ms {median / floor:8.3f}")


if __name__ == "__main__":
    main()
