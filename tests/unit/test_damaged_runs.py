"""A run whose files are damaged, in any way, is one line of every listing: nothing else suffers, and nobody hangs.

`make test` tries a part of the ways, `make test-all` all of them.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc import practice
from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.explain.verdict import judge
from jupyter_hpc.follow import glance
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.show.view import of_run
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.rundir.checked import trust
from jupyter_hpc.rundir.parts import make_parts
from jupyter_hpc.rundir.reader import RunReader
from jupyter_hpc.rundir.run import Run, write_json
from jupyter_hpc.rundir.store import Store, new_id
from jupyter_hpc.server.detail import detail
from jupyter_hpc.server.listing import Listing, Query
from jupyter_hpc.server.logs import search, window
from jupyter_hpc.views.card import card_html, card_text
from tests.faults.road import is_done, submit, until
from tests.plan import seed
from tests.unit.damage import KINDS, copied, ways

COMPLETED = """

print('a line')
y = x + 1
large = bytes(2_000_000)
open('made.txt', 'w').write('made')
__import__('jupyter_hpc').artifact('made.txt')
"""
MADE = {"y": 42, "large": bytes(2_000_000)}
FILES = {  # the task's: its record is where the array's isn't
    **dict.fromkeys(
        ("completed", "failed"),
        (
            *("record.json", "events.jsonl", "log", "end.json", "scheduler.log", "job.sh", "payload/manifest.json"),
            *("payload/payload.pkl", "result/manifest.json", "result/payload.pkl"),
        ),
    ),
    "array": ("record.json", "tasks/ID_1/record.json", "tasks/ID_1/events.jsonl", "tasks/ID_1/result/manifest.json"),
    "live": ("record.json", "events.jsonl", "log", "scheduler.log", "payload/manifest.json"),
    "fresh": ("record.json", "events.jsonl", "end.json", "result/manifest.json"),  # ended, and nobody saw it yet
}
CASES = [(state, file, kind) for state, files in FILES.items() for file in files for kind in KINDS]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """One run of each state, as it was left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(tmp_path_factory.mktemp("root")))
        folder = str(tmp_path_factory.mktemp("work"))
        job = submit(COMPLETED, "local", {"x": 41}, workdir=folder)
        bad = submit("print('a line')\nraise ValueError('no')", "local", workdir=folder)
        for each in (job, bad):
            until(lambda: is_done(each.run), "nobody writes its record any more")  # noqa: B023
        found = {"completed": job.run.path, "failed": bad.run.path}
        for name, make in (("fresh", _fresh), ("live", _live), ("array", _array)):
            found[name] = Store(job.run.path.parents[1]).runs_directory / new_id()
            copied(job.run.path, found[name])
            make(Run(found[name]))
            trust(Run(found[name]))
        yield found


def _unended(run: Run, state: str) -> None:
    record = json.loads((run.path / "record.json").read_bytes())
    left = ("verdict", "outputs", "files", "execution", "ended_at", "exception", "determinism", "attempts")
    kept = {key: value for key, value in record.items() if key not in left}
    write_json(run.path / "record.json", {**kept, "state": state, "target": {"name": "nowhere", "backend": "slurm"}})


def _fresh(run: Run) -> None:
    _unended(run, "RUNNING")


def _live(run: Run) -> None:
    _unended(run, "RUNNING")
    shutil.rmtree(run.result)
    (run.path / "end.json").unlink()


def _array(run: Run) -> None:
    make_parts(run, [1, 2])
    record = json.loads((run.path / "record.json").read_bytes())
    own = ("state", "verdict", "outputs", "files", "execution", "started_at", "ended_at")
    for index in (1, 2):
        part = run.part(index).path
        for name in ("events.jsonl", "log", "end.json", "scheduler.log"):
            shutil.copy(run.path / name, part / name)
        shutil.copytree(run.result, part / "result")
        write_json(part / "record.json", {key: record[key] for key in own})
    shutil.rmtree(run.result)
    write_json(run.path / "record.json", {**record, "array": {"text": "1-2", "indices": [1, 2]}, "outputs": []})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path / "hpc"))
    monkeypatch.setattr(practice, "find_running_conf", lambda: None)
    found = Store(tmp_path / "hpc")
    found.prepare()
    return found


def run_line(line: str) -> str:
    name, arguments = commands.parse(line.split(), "%hpc")
    return commands.COMMANDS[name].run(arguments)


def readers(store: Store, run: Run, healthy: Run) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield everybody who reads a run."""
    job = Job(run)
    lines = (
        "show {0}",
        "logs {0}",
        "logs --scheduler {0}",
        "why {0}",
        "lineage {0}",
        "lineage --json {0}",
        "diff {0} {1}",
    )
    for line in lines:
        yield line, lambda line=line: run_line(line.format(run.id, healthy.id))  # type: ignore[misc]
    yield "state", lambda: job.state
    yield "use", lambda: job.use
    yield "repr", lambda: repr(job)
    yield "bundle", job._repr_mimebundle_
    yield "outputs", job.outputs
    yield "logs", job.logs
    yield "tasks", lambda: [task.status for task in job.tasks]
    yield "card", lambda: [card(glance.look(run)) for card in (card_html, card_text)]
    yield "verdict", lambda: [judge(_read(run), None, is_lost=lost) for lost in (False, True)]
    yield "detail", lambda: json.dumps(detail(job))
    yield "lineage of the view", lambda: json.dumps(of_run(store, run.id))
    yield "window", lambda: [window(path, -100, 100) for path in (run.log, run.scheduler_log)]
    yield "search", lambda: [search(path, "line", 0) for path in (run.log, run.scheduler_log)]


def _read(run: Run) -> RunReader:
    reader = RunReader(run)
    reader.poll(everything=True)
    return reader


def result_of(state: str, job: Job) -> Iterator[str]:
    """The right values, or an error; nothing else is an answer."""
    try:
        found = job.result(8 if state != "live" else 0.01)
    except (HPCError, TimeoutError):
        return
    except ValueError as error:
        if state != "failed" or str(error) != "no":
            yield f"result raises {error!r}"
        return
    made = {name: {1: value, 2: value} for name, value in MADE.items()} if state == "array" else MADE
    if _values(found) != _values(made):  # what a manifest calls them is for its signature to say
        yield f"an answer is made up: {found!r:.100}"


def _values(found: Any) -> list[str]:
    return (
        sorted(leaf for each in found.values() for leaf in _values(each)) if isinstance(found, dict) else [repr(found)]
    )


def complaints(store: Store, state: str, run: Run, healthy: Run) -> Iterator[str]:
    for name, read in readers(store, run, healthy):
        try:
            read()
        except HPCError:
            pass
        except Exception as error:
            yield f"{name} raises {error!r:.300} at {_place(error)}"
    try:
        yield from result_of(state, Job(run))
    except Exception as error:
        yield f"result raises {error!r:.300} at {_place(error)}"
    try:
        yield from listings(store, run, healthy)
    except Exception as error:
        yield f"a listing raises {error!r:.300} at {_place(error)}"


def listings(store: Store, run: Run, healthy: Run) -> Iterator[str]:
    for line in ("jobs -n 100", "runs -n 100"):
        rows = run_line(line).splitlines()
        own = [row for row in rows if healthy.id in row]
        if len(own) != 1 or "completed" not in own[0].lower():
            yield f"{line} has no row of the other run: {rows}"
        if not [row for row in rows if run.id in row]:
            yield f"{line} doesn't name it: {rows}"
    if healthy.id not in run_line("clean --older-than -1"):
        yield "clean doesn't name the other run"
    found = {row["id"]: row for row in Listing(store).page(Query())["jobs"]}
    if found.get(healthy.id, {}).get("state") != "COMPLETED":
        yield f"the sidebar has no row of the other run: {found}"
    if run.id not in found and os.path.lexists(run.path / "record.json"):
        yield f"the sidebar has no row of it: {found}"


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


@pytest.mark.campaign
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("state", "file", "kind"), CASES, ids=["-".join(case).replace("/", ".") for case in CASES])
def test_no_reader_minds(runs: dict[str, Path], root: Store, state: str, file: str, kind: str) -> None:
    source = runs[state]
    healthy = Run(root.runs_directory / new_id())
    copied(runs["completed"], healthy.path)
    place = file.replace("ID", source.name)
    found = []
    for damage in ways(source / place, kind, f"{seed()} {state}"):
        run = Run(root.runs_directory / new_id())
        copied(source, run.path)
        damage.do(run.path / file.replace("ID", run.id))
        os.utime(run.path, (time.time() - 3600,) * 2)  # nobody is at it any more
        (root.root / "lineage.sqlite").unlink(missing_ok=True)
        found += [f"{damage.name}: {words}" for words in complaints(root, state, run, healthy)]
        shutil.rmtree(run.path)
    assert found == []


def test_the_ways_are_many_and_the_same_each_time(runs: dict[str, Path]) -> None:
    cases = itertools.chain.from_iterable(
        ways(runs[state] / file.replace("ID", runs[state].name), kind, state) for state, file, kind in CASES
    )
    names = [damage.name for damage in cases]
    assert len(names) > 1500
    first = [d.name for d in ways(runs["completed"] / "record.json", "typed", "completed")]
    assert first == [d.name for d in ways(runs["completed"] / "record.json", "typed", "completed")]
