"""One record, several writers: kernel, command line and server may write at the same moment."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_hpc.rundir import run as rundir
from jupyter_hpc.rundir.run import Run, write_json

WRITER = """
import sys
from pathlib import Path
from jupyter_hpc.rundir.run import Run
run, who = Run(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    run.update(**{f"{who}{number}": number})
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    record = {"id": tmp_path.name, "target": {"name": "local"}, "code": {}, "spec": {}}
    write_json(tmp_path / "record.json", record)
    return Run(tmp_path)


def test_no_field_of_another_process_is_lost(run: Run) -> None:
    argv = [sys.executable, "-c", WRITER, str(run.path)]
    pipe = subprocess.PIPE
    writers = [subprocess.Popen([*argv, who], stdin=pipe, stdout=pipe, text=True) for who in "abcd"]
    for each in writers:
        assert each.stdout is not None and each.stdout.readline() == "ready\n"
    for each in writers:
        each.communicate("go\n", timeout=60)
        assert each.returncode == 0
    record = run.record()
    assert [name for who in "abcd" for n in range(60) if (name := f"{who}{n}") not in record] == []
    assert run.path.joinpath("record.lock").stat().st_mode & 0o777 == 0o600


def test_a_lock_that_somebody_holds_does_not_hang(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rundir, "LOCK_S", 0.2)
    run.update(before=1)
    with open(run.path / "record.lock") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        run.update(after=2)  # while it is held
    assert run.record()["before"] == 1 and run.record()["after"] == 2


def test_a_file_system_without_locks(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(descriptor: int, operation: int) -> None:
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr(fcntl, "flock", none)
    assert run.update(y=1)["y"] == 1
