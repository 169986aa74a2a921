"""Any text from outside can be stored, found again and shown: file names and messages that are no Unicode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.run import Run, read_json, write_json
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.detail import detail
from tests.faults.road import submit

NAME = os.fsdecode(b"data-\xff.csv")
SHOWN = r"data-\udcff.csv"
CELL = """
import os, jupyter_hpc
name = os.fsdecode(b"data-\\xff.csv")
open(name, "w").write("x")
jupyter_hpc.artifact(name)
print(name.encode("utf-8", "surrogateescape"))
display({"text/plain": name + "\\ud800"}, raw=True)
globals()[name] = 1
"""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job that wrote such a file, showed and assigned such names, and raised an exception with one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(tmp_path_factory.mktemp("root")))
        found = submit(f"{CELL}raise ValueError(name)", "local", workdir=str(tmp_path_factory.mktemp("work")))
        assert found.wait(60), "the job has no end"
        return found


@pytest.fixture(autouse=True)
def root(job: Job, monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store(job.run.path.parents[1])
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(store.root))
    return store


def test_it_is_stored_and_read_as_it_is(tmp_path: Path) -> None:
    found = {"path": NAME, "half": "\ud800", "words": ["ü", "🚀"]}
    write_json(tmp_path / "x.json", found)
    assert read_json(tmp_path / "x.json") == found
    assert (tmp_path / "x.json").read_bytes().isascii()


def test_what_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_the_job_ends_and_its_record_has_the_file(job: Job) -> None:
    record = Run(job.run.path).record()
    assert record["state"] == "FAILED"
    assert [Path(file["path"]).name for file in record["files"]] == [NAME]
    assert record["exception"]["message"] == NAME
    with pytest.raises(ValueError) as caught:
        job.result(10)
    assert caught.value.args == (NAME,)


@pytest.mark.parametrize("line", ["jobs", "show {0}", "logs {0}", "why {0}", "runs", "lineage {0}", "clean"])
def test_every_command_shows_it(job: Job, line: str) -> None:
    name, arguments = commands.parse(line.format(job.id).split(), "%hpc")
    commands.COMMANDS[name].answer(arguments).encode()


def test_a_strict_terminal_gets_it(job: Job, root: Store) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict", "JUPYTER_HPC_ROOT": str(root.root)}
    argv = [sys.executable, "-m", "jupyter_hpc.commands.cli", "jobs"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert SHOWN in done.stdout


def test_the_file_is_found_by_its_name(job: Job) -> None:
    path = job.record["files"][0]["path"]
    Path(path).unlink()  # by name, not by content
    name, arguments = commands.parse(["lineage", path], "%hpc")
    assert job.id in commands.COMMANDS[name].answer(arguments)


def test_displays_and_cards_can_be_sent_and_saved(job: Job) -> None:
    shown = [output.data for output in job.outputs() if output.kind == "display"]
    assert shown == [{"text/plain": SHOWN + r"\ud800"}]
    json.dumps(job._repr_mimebundle_(), ensure_ascii=False).encode()
    json.dumps(detail(job)).encode()


def test_an_exception_that_has_no_text_keeps_nobody_from_saying_why(root: Store) -> None:
    """A value that can't be loaded there, with an exception whose str() raises."""
    names: dict[str, object] = {"__name__": "__main__"}
    source = """
class Bad(Exception):
    def __str__(self):
        raise KeyError("no text")
class Evil:
    def __reduce__(self):
        return fail, ()
def fail():
    raise Bad
evil = Evil()
"""
    exec(source, names)
    found = submit("y = evil", "local", {"evil": names["evil"]})
    assert found.wait(60)
    verdict = found.verdict
    assert verdict["error"] == "EnvironmentMismatch" and "could not load evil: Bad" in verdict["message"], verdict
