"""The list and the table with 10,000 jobs beside those with none, in Chromium; and a server that 20 clients poll.

Two JupyterLabs on one practice Slurm: A has ``--jobs`` runs in its store (and one that runs), B has none. Rounds are
interleaved. The floor of scrolling is the same loop of frames over B's page, where nothing moves.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from noop import cluster
from playwright.sync_api import Page, sync_playwright

from tests.browser.lab import FLAGS, TOKEN, Lab
from tests.faults.road import Counter, says, submit

SORTED = "/table?limit=100&sort=-parameters.rate"
LIST, TABLE = '.jp-HPCSidebar [role="tree"]', '.jp-HPCTable [role="grid"]'
ROW = {LIST: '[role="treeitem"][data-job]', TABLE: '[role="row"][data-job]'}
NONE = {LIST: ".jp-HPCSidebar .jp-HPC-empty code", TABLE: ".jp-HPCTable .jp-HPC-empty"}
OPENED = """([selector, isTable]) => new Promise((done, fail) => {
  const begun = performance.now(), { commands, shell } = window.jupyterapp;
  const look = () => {
    const now = performance.now() - begun;
    if (document.querySelector(selector)) requestAnimationFrame(() => done(performance.now() - begun));
    else now > 120000 ? fail(new Error(`no ${selector}`)) : requestAnimationFrame(look);
  };
  isTable ? commands.execute('jupyter-hpc:table') : shell.activateById('jupyter-hpc-sidebar');
  look();
})"""
FRAMES = """([place, step, frames]) => new Promise(done => {
  const box = document.querySelector(place), gaps = [];
  let last = 0;
  const frame = now => {
    if (last) gaps.push(now - last);
    last = now;
    box.scrollTop += step;
    gaps.length < frames ? requestAnimationFrame(frame) : done(gaps);
  };
  requestAnimationFrame(frame);
})"""
JUMP = """([place, row, part]) => new Promise(done => {
  const box = document.querySelector(place), begun = performance.now();
  box.scrollTop = box.scrollHeight * part;
  const look = () => {
    const middle = box.getBoundingClientRect();
    const seen = document.elementFromPoint(middle.x + 60, middle.y + middle.height / 2);
    seen?.closest(row) ? done(performance.now() - begun) : requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def fill(root: Path, count: int) -> None:
    """Make runs that have ended one after the other, by a real one's record; each with a parameter of its own."""
    job = submit("rate = 1\nprint('loss=0.5')", on="local", name="template")
    job.wait(120)
    record = job.record
    begin = datetime.now(timezone.utc) - timedelta(days=100)
    for i in range(count):
        moment = begin + timedelta(minutes=10 * i)
        run_id = f"{moment:%Y%m%d-%H%M%S}-{i % 4096:06x}"
        folder = root / "runs" / run_id
        folder.mkdir(mode=0o700)
        state = ("COMPLETED", "FAILED", "CANCELLED")[i % 3]
        created = moment.timestamp()
        own = {
            "id": run_id,
            "name": f"step {i}",
            "state": state,
            "created": created,
            "started_at": created + 60,
            "ended_at": created + 120 + i % 400,
            "code": {**record["code"], "text": f"rate = {i * 7919 % count}\nprint('loss=0.5')"},
            "metrics": {name: {**told, "last": i % 97 / 97} for name, told in record["metrics"].items()},
        }
        (folder / "record.json").write_text(json.dumps({**record, **own}), encoding="utf-8")


def memory_mib(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(found[1]) / 1024 if found else 0.0


def ask(lab: Lab, path: str) -> float:
    """Return how long one request takes, in ms."""
    begun = time.perf_counter()
    request = urllib.request.Request(f"{lab.url}/jupyter-hpc{path}", headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=120) as reply:
        reply.read()
    return (time.perf_counter() - begun) * 1000


def client(lab: Lab, until: float) -> list[float]:
    """Poll as one open sidebar does."""
    took = []
    while time.monotonic() < until:
        due = time.monotonic() + 5
        took += [ask(lab, path) for path in ("/jobs?limit=100", "/jobs?group=running", "/jobs?group=waiting")]
        time.sleep(max(0.0, min(due, until) - time.monotonic()))
    return took


def show(page: Page, lab: Lab, place: str, *, is_full: bool) -> float:
    """Open the list or the table in a page of its own, and return how long it takes until its rows are painted."""
    lab.show_empty(page)
    selector = f"{place} {ROW[place]}" if is_full else NONE[place]
    return float(page.evaluate(OPENED, [selector, place == TABLE]))


def browse(full: Lab, empty: Lab, rounds: int) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {LIST: {}, TABLE: {}}
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for place in (LIST, TABLE) * rounds:
            of = found[place]
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            of.setdefault("open, empty", []).append(show(page, empty, place, is_full=False))
            of.setdefault("frame, empty", []).extend(page.evaluate(FRAMES, ["body", 0, 120]))
            page.close()
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            of.setdefault("open, full", []).append(show(page, full, place, is_full=True))
            of.setdefault("frame, scrolling", []).extend(page.evaluate(FRAMES, [place, 400, 120]))
            jumps = [page.evaluate(JUMP, [place, ROW[place], part]) for part in (0.25, 0.75, 0.5)]
            of.setdefault("jump until rows", []).extend(jumps)
            of.setdefault("elements", []).append(float(page.locator(f"{place} {ROW[place]}").count()))
            page.close()
        browser.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the clients poll")
    parser.add_argument("--clients", type=int, default=20)
    options = parser.parse_args()
    with cluster() as folder:
        measure(folder, options)


@contextmanager
def changed(changes: dict[str, str], without: str) -> Iterator[None]:
    """Another environment for what is started meanwhile."""
    before = dict(os.environ)
    os.environ.update(changes)
    os.environ.pop(without, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def measure(folder: Path, options: argparse.Namespace) -> None:
    counter = Counter(folder / "bin")
    counter.install("squeue", "sacct", "scontrol", "sinfo")
    root = Path(os.environ["JUPYTER_HPC_ROOT"])
    labs = []
    own = {"JUPYTER_HPC_ROOT": str(folder / "none"), "JUPYTER_HPC_PRACTICE_DIR": str(folder / "none")}
    for name, changes in (("empty", own), ("full", {"PATH": f"{counter.folder}:{os.environ['PATH']}"})):
        (folder / name).mkdir()
        with changed(changes, without="SLURM_CONF" if name == "empty" else ""):  # else it lists the other's live job
            labs.append(Lab.start(folder / name))
    empty, full = labs
    try:
        fill(root, options.jobs)
        live = submit("import time\nprint('ready', flush=True)\ntime.sleep(3000)")
        says(live, "ready")
        before = memory_mib(full.process.pid)
        first = ask(full, "/jobs?limit=100")
        again = [ask(full, "/jobs?limit=100") for _ in range(20)]
        floor = [ask(empty, "/jobs?limit=100") for _ in range(20)]
        table = {path: [ask(full, path) for _ in range(20)] for path in ("/table?limit=100", SORTED)}
        shown = browse(full, empty, options.rounds)
        counter.log.write_text("", encoding="ascii")
        end = time.monotonic() + options.seconds
        with ThreadPoolExecutor(options.clients) as pool:
            polled = list(chain.from_iterable(pool.map(lambda _: client(full, end), range(options.clients))))
        after = memory_mib(full.process.pid)
        live.cancel()
    finally:
        for lab in labs:
            lab.stop()
    report(options, shown, {"first": [first], "again": again, "floor": floor, "polled": polled, **table})
    print(f"server: {before:.0f} MiB before the first request, {after:.0f} MiB after {options.clients} clients")
    calls = {name: counter.count(name) for name in ("squeue", "sacct", "scontrol", "sinfo")}
    print(f"scheduler calls in these {options.seconds:.0f} s, all clients together: {calls}")


def middle(values: list[float]) -> float:
    return statistics.median(values)


def late(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def report_place(name: str, shown: dict[str, list[float]]) -> None:
    opened, bare = middle(shown["open, full"]), middle(shown["open, empty"])
    print(f"{name} opened until rows are painted: {opened:.0f} ms; empty {bare:.0f} ms; ratio {opened / bare:.2f}")
    moving, still = shown["frame, scrolling"], shown["frame, empty"]
    print(
        f"  frames while scrolling: median {middle(moving):.1f}, 95 % {late(moving):.1f}, worst {max(moving):.0f} ms; "
        f"of the empty page {middle(still):.1f}, {late(still):.1f}, {max(still):.0f} ms; "
        f"ratio of medians {middle(moving) / middle(still):.2f}"
    )
    print(f"  jump to a far place until its rows are there: median {middle(shown['jump until rows']):.0f} ms")
    print(f"  row elements in the page: {max(shown['elements']):.0f}")


def report(
    options: argparse.Namespace, shown: dict[str, dict[str, list[float]]], asked: dict[str, list[float]]
) -> None:
    print(f"{options.jobs} jobs, {options.rounds} rounds in Chromium")
    report_place("list", shown[LIST])
    report_place("table", shown[TABLE])
    print(
        f"GET /jobs: first {asked['first'][0]:.0f} ms, then median {middle(asked['again']):.1f} ms; "
        f"empty store {middle(asked['floor']):.1f} ms; ratio {middle(asked['again']) / middle(asked['floor']):.2f}"
    )
    for path in ("/table?limit=100", SORTED):
        first, *again = asked[path]
        print(f"GET {path}: first {first:.0f} ms, then median {middle(again):.1f} ms")
    polled = asked["polled"]
    print(
        f"{options.clients} clients: {len(polled)} requests in {options.seconds:.0f} s, "
        f"median {middle(polled):.0f} ms, 95 % {late(polled):.0f} ms"
    )


if __name__ == "__main__":
    main()
