"""A view of a run reads each of its files once: on a network file system every open is a question to a server."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc import practice
from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.follow import glance
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.parts import make_parts
from jupyter_hpc.rundir.run import Run, write_json
from jupyter_hpc.rundir.store import store
from jupyter_hpc.views.card import card_html, card_text
from tests.faults.road import is_done, submit, until

_opened: list[str] | None = None


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened is not None and isinstance(arguments[0], (str, Path)):
        _opened.append(str(arguments[0]))


sys.addaudithook(_note)


def opens(view: Callable[[], object], folder: Path) -> Counter[str]:
    """Return how often a view opens each file of a run directory."""
    global _opened
    _opened = []
    try:
        view()
        found = [path.removeprefix(f"{folder}/") for path in _opened if path.startswith(f"{folder}/")]
    finally:
        _opened = None
    return Counter(found)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """A job that another process submitted, which has ended."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(tmp_path_factory.mktemp("root")))
        job = submit("print('a line')\ny = 1", "local")
        assert job.wait(60), job
        until(lambda: is_done(job.run), "what is recorded after the end, in this process too")
        yield Job(Run(job.run.path))


def run_line(line: str) -> str:
    name, arguments = commands.parse(line.split(), "%hpc")
    return commands.COMMANDS[name].run(arguments)


@pytest.mark.parametrize(
    "view",
    [
        lambda job: card_html(glance.look(job.run)),
        lambda job: card_text(glance.look(job.run)),
        lambda job: job._repr_mimebundle_(),
        repr,
        lambda job: run_line(f"show {job.id}"),
        lambda job: run_line("jobs"),
        lambda job: run_line("clean"),
    ],
    ids=["card", "card as text", "a Job as last line", "its repr", "show", "jobs", "clean"],
)
def test_a_view_of_an_ended_job_reads_its_record_once(ended: Job, view: Callable[[Job], object]) -> None:
    found = opens(lambda: view(ended), ended.run.path)
    assert found["record.json"] == 1, found
    assert max(found.values()) == 1, found


@pytest.fixture
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run of a target whose scheduler is not asked, which runs and beats."""
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    store().prepare()
    run = store().create()
    record = {"id": run.id, "target": {"name": "nowhere", "backend": "slurm"}, "spec": {}, "native_id": "7"}
    write_json(run.path / "record.json", {**record, "code": {"text": "x"}, "state": "RUNNING", "created": 1.0})
    started = '{"e": "started", "t": 2.0, "node": "n1", "pid": 1, "python": [3, 11, 7], "executable": "/p"}\n'
    (run.path / "events.jsonl").write_text(started)
    run.log.write_text("a line\n")
    run.scheduler_log.write_text("slurm says something\n")
    return run


def test_a_look_at_a_quiet_live_job_opens_no_file_twice(quiet: Run) -> None:
    for _ in range(2):  # the second look reads what it must again
        found = opens(lambda: glance.refresh([quiet]), quiet.path)
        assert {"record.json", "events.jsonl", "end.json"} <= found.keys()
        assert max(found.values()) == 1, found


def test_a_card_of_a_live_job_reads_its_record_once(quiet: Run) -> None:
    found = opens(lambda: Job(quiet)._repr_mimebundle_(), quiet.path)
    assert found["record.json"] == 1, found


def test_a_card_of_an_array_reads_the_arrays_record_once(quiet: Run) -> None:
    make_parts(quiet, [1, 2, 3])
    quiet.update(array={"text": "1-3", "indices": [1, 2, 3]}, state="COMPLETED", verdict={"state": "COMPLETED"})
    for index in (1, 2, 3):
        write_json(quiet.part(index).path / "record.json", {"state": "COMPLETED", "verdict": {"state": "COMPLETED"}})
    found = opens(lambda: card_html(glance.look(quiet)), quiet.path)
    assert {n for name, n in found.items() if name.endswith("record.json")} == {1}, found


def test_the_list_reads_each_record_once(ended: Job, quiet: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice, "find_running_conf", lambda: None)
    found = opens(lambda: run_line("jobs"), quiet.path.parent)
    assert {name: n for name, n in found.items() if name.endswith("/record.json")} == {f"{quiet.id}/record.json": 1}
