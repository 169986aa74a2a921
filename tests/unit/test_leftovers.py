"""`clean` does the rest beside a submission that is under way or a broken run; what killed processes left goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jupyter_hpc import practice
from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.store import Store, new_id
from tests.faults.road import over, submit
from tests.unit.damage import copied

KILLED = """
import os, sys
from pathlib import Path
from jupyter_hpc.rundir import run, store
os.replace = os.rename = lambda *_, **__: os.kill(os.getpid(), 9)
at = store.Store(Path(sys.argv[1]))
{act}
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Job:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(tmp_path_factory.mktemp("root")))
        return over(submit("y = 1", "local"))


@pytest.fixture
def root(tmp_path: Path, ended: Job, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store of two runs that have ended."""
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    monkeypatch.setattr(practice, "find_running_conf", lambda: None)
    store = Store(tmp_path)
    store.prepare()
    for _ in range(2):
        copied(ended.run.path, store.runs_directory / new_id())
    return store


def clean(*words: str) -> str:
    name, arguments = commands.parse(["clean", "--older-than", "-1", *words], "%hpc")
    return commands.COMMANDS[name].answer(arguments)


def killed(root: Store, act: str, *arguments: str) -> None:
    """Let a process be killed in the middle of an act."""
    code = KILLED.format(act=act)
    done = subprocess.run([sys.executable, "-c", code, str(root.root), *arguments], check=False)
    assert done.returncode == -9


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*"))


def age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


BROKEN = ["no record", "garbage", "a folder", "no payload", "no manifest", "a pipe", "a bad state"]


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_run_keeps_nothing_from_being_cleaned(root: Store, how: str) -> None:
    broken, whole = root.runs()
    record, manifest = broken.path / "record.json", broken.path / "payload" / "manifest.json"
    if how in ("no record", "a folder", "a pipe"):
        record.unlink()
    if how == "a folder":
        record.mkdir()
    elif how == "a pipe":
        os.mkfifo(record)
    elif how == "garbage":
        record.write_bytes(b"\xff{")
    elif how == "no payload":
        shutil.rmtree(broken.path / "payload")
    elif how == "no manifest":
        manifest.write_text('{"names": []}')
    elif how == "a bad state":
        record.write_text(json.dumps({**json.loads(record.read_text()), "state": ["COMPLETED"]}))
    unused = root.root / "modules" / "unused"
    unused.mkdir()
    age(unused, 7200)
    assert "Removed" in clean("--yes")
    assert not whole.path.exists() and not unused.exists()


def test_beside_a_submission_that_is_under_way(root: Store) -> None:
    """It has no record, and no manifest yet; what it took for its own stays, and all else goes."""
    under_way = root.create()
    taken, unused = root.root / "modules" / "taken", root.root / "modules" / "unused"
    for folder in (taken, unused):
        folder.mkdir()
        age(folder, 7200)
    root.publish(taken, lambda _: None)
    ended = [run for run in root.runs() if run != under_way]
    clean("--yes")
    assert under_way.path.exists() and taken.exists() and not unused.exists()
    assert not any(run.path.exists() for run in ended)


def test_a_run_that_can_not_be_removed_keeps_no_other(root: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = root.runs()
    real = os.rename

    def rename(source: Path, target: Path) -> None:
        if source == first.path:
            raise PermissionError(13, "Permission denied")
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    said = clean("--yes")
    assert f"{first.id} can't be removed: Permission denied" in said and "Removed 1 runs." in said
    assert not second.path.exists()


def test_a_submission_that_is_killed_as_it_ships_the_worker(root: Store) -> None:
    killed(root, "at.worker_directory()")
    assert hidden(root.root / "worker") != []
    root.create()
    assert hidden(root.root / "worker") == []


def test_a_process_that_is_killed_as_it_writes_a_record(root: Store) -> None:
    run = root.runs()[0]
    killed(root, "at.run(sys.argv[2]).update(x=1)", run.id)
    assert hidden(run.path) != []
    assert "killed processes" in clean()
    clean("--yes", "--older-than", "30")
    assert hidden(run.path) == [] and run.record()["state"] == "COMPLETED"


def test_a_removal_that_was_killed(root: Store) -> None:
    gone = root.runs()[0]
    os.rename(gone.path, gone.path.with_name(f".{gone.id}.gone"))
    clean("--yes", "--older-than", "30")
    assert hidden(root.runs_directory) == []


def test_a_submission_that_was_killed_before_it_had_a_record(root: Store) -> None:
    cut, young = root.create(), root.create()
    age(cut.path, 7200)
    clean("--yes", "--older-than", "30")
    assert not cut.path.exists() and young.path.exists()


def test_a_shared_text_that_a_killed_process_did_not_finish(root: Store) -> None:
    blob = root.root / "blobs" / "sha256" / "ab" / "abcd"
    blob.parent.mkdir(parents=True)
    code = "import sys, pathlib; from jupyter_hpc.rundir.leftovers import temporary; print(temporary(pathlib.Path(sys.argv[1])))"
    named = subprocess.run([sys.executable, "-c", code, str(blob)], capture_output=True, text=True, check=True)
    draft = Path(named.stdout.strip())
    draft.write_text("half")
    clean("--yes", "--older-than", "30")
    assert not draft.exists()


@pytest.mark.parametrize("folder", ["payload", "result"])
def test_a_signature_that_a_killed_process_did_not_finish(root: Store, folder: str) -> None:
    run = root.runs()[0]
    act = "import pathlib; from jupyter_hpc.rundir import secret; secret._write(pathlib.Path(sys.argv[2]), b'x')"
    killed(root, act, str(run.path / folder / "signature"))
    assert hidden(run.path / folder)
    clean("--yes", "--older-than", "30")
    assert not hidden(run.path / folder)


def test_what_is_being_made_stays(root: Store) -> None:
    """Of this process, of another host, and what is none of ours."""
    run = root.runs()[0]
    from jupyter_hpc.rundir.leftovers import temporary

    own = temporary(run.path / "record.json")
    others = own.with_name(own.name.replace(".by-", ".by-another-"))
    foreign = run.path / ".nfs000000012"
    for path in (own, others, foreign):
        path.write_text("{")
    clean("--yes", "--older-than", "30")
    assert own.exists() and others.exists() and foreign.exists()
    age(others, 2 * 86400)
    clean("--yes", "--older-than", "30")
    assert not others.exists() and own.exists()


def test_a_result_that_a_killed_worker_did_not_finish(root: Store) -> None:
    run = root.runs()[0]
    record = json.loads((run.path / "record.json").read_bytes())
    (run.path / "record.json").write_text(json.dumps({**record, "state": "RUNNING", "verdict": None}))
    (run.path / "result.tmp").mkdir()
    assert Job(run).state.is_final
    assert not (run.path / "result.tmp").exists()


def test_the_end_that_a_batch_script_is_writing_stays(root: Store) -> None:
    """It comes after the result, by which others may have judged the job already; a killed one's goes later."""
    run = root.runs()[0]
    record = json.loads((run.path / "record.json").read_bytes())
    (run.path / "record.json").write_text(json.dumps({**record, "state": "RUNNING", "verdict": None}))
    draft = run.path / ".end.json.draft"
    draft.write_text("{")
    assert Job(run).state.is_final
    clean("--yes", "--older-than", "30")
    assert draft.exists()
    age(draft, 7200)
    clean("--yes", "--older-than", "30")
    assert not draft.exists()


def test_a_worker_that_can_not_be_shipped_leaves_nothing(root: Store) -> None:
    def fill(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        root.publish(root.root / "worker" / "digest", fill)
    assert hidden(root.root / "worker") == []


def test_a_root_that_many_begin_to_use_at_once(tmp_path: Path) -> None:
    """Each may compile the worker, look through what the others compile, and sign it."""
    for attempt in range(2):
        with ThreadPoolExecutor(8) as pool:
            stores = [Store(tmp_path / f"root{attempt}") for _ in range(8)]
            found = list(pool.map(Store.worker_directory, stores))
        assert len(set(found)) == 1
