"""Records survive: a kernel or worker that is killed at any step, and files that are cut off anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.record import session as cells
from jupyter_hpc.rundir import blobs
from jupyter_hpc.rundir.cleaning import drop_unused
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.rundir.store import Store
from tests.conftest import Sandbox

KILLER = '''
import os, sys
def kill_at(step, root):
    """Kill this process as it begins its step-th change of a file below the root."""
    seen, pid = [0], os.getpid()
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    def hook(event, args):
        if event not in ("open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir"):
            return
        if event == "open" and not (isinstance(args[2], int) and args[2] & writing):
            return
        if os.getpid() == pid and any(isinstance(a, str) and a.startswith(root) for a in args):
            seen[0] += 1
            if seen[0] == step:
                os.kill(pid, 9)
    sys.addaudithook(hook)
'''
KERNEL = (
    KILLER
    + """
import numpy
from jupyter_hpc.capture import payload
from jupyter_hpc.capture.cell.analysis import analyze, steps
from jupyter_hpc.capture.request import Request
from jupyter_hpc.follow import glance, watcher
from jupyter_hpc.jobs import results
from jupyter_hpc.jobs.submit import submit_request
from jupyter_hpc.lineage.record.session import LocalCell, session
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.runtime import portal

def submit(text, names):
    request = Request(text=text, code=text, names=analyze(text), namespace=names, hints=frozenset())
    return submit_request(request, "local", JobSpec())

def work():
    names = {"x": numpy.ones(200_000)}
    text = "z = x + 1"
    names["z"] = names["x"] + 1
    session.ran(LocalCell(text, steps(text)), names)
    outcome = submit("w = z.sum()", names).outcome(60)
    session.bound(outcome.known)
    names["last"] = 1
    session.ran(LocalCell("last = 1", steps("last = 1")), names)

from jupyter_hpc.rundir.store import store
store().prepare()
store().worker_directory()
for line in sys.stdin:  # a step; the answer is how the process for it ended
    child = os.fork()
    if child == 0:
        kill_at(int(line), os.environ["JUPYTER_HPC_ROOT"])
        work()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
)
WORKER = KILLER + "kill_at(int(os.environ['STEP']), os.environ['BELOW'])\n"


@pytest.fixture
def root(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store of this test's own, for this process and its children."""
    for name in [n for n in os.environ if n.startswith(("SLURM", "JUPYTER"))]:
        monkeypatch.delenv(name)
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path / "hpc"))
    yield tmp_path / "hpc"


def check(root: Path) -> int:
    """Every record can be read, or is said to be damaged; return how many can."""
    store, readable = Store(root), 0
    for run in store.runs():
        record = run.record_or_none()
        assert record is not None or not (run.path / "record.json").exists()
        if record is None:
            continue
        readable += 1
        for path in run.path.glob("blobs/*"):
            assert blobs.read(root, f"b3:{path.name}") == path.read_bytes()
    assert {why for _, why in store.records()[1]} <= {"it has no record.json: its submission was cut off"}
    assert all(cell is not None for _, cell in cells.read(root))
    return readable


@pytest.mark.timeout(280)
def test_a_kernel_that_is_killed_at_any_step(root: Path) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", KERNEL], stdin=pipe, stdout=pipe, text=True) as kernel:
        assert kernel.stdin is not None and kernel.stdout is not None
        ends, step = [], 0
        while not ends or ends[-1] != 0:
            step += 1
            kernel.stdin.write(f"{step}\n")
            kernel.stdin.flush()
            ends.append(int(kernel.stdout.readline()))
            assert ends[-1] in (0, -9), f"step {step}"
            check(root)
        kernel.stdin.close()
    print(f"MEASURED {step - 1} steps, {check(root)} runs whose records can be read")
    assert step > 15 and check(root) > step / 2  # the first steps leave no record
    last = Store(root).runs()[0].record()
    assert last["inputs"][0]["origin"]["cells"] and last["outputs"]
    for run in Store(root).runs():  # what the killed ones submitted is concluded by whoever looks
        record = run.record_or_none()
        if record and record.get("native_id"):
            job = Job(run)
            assert job.wait(120)
            assert [o["name"] for o in run.record()["outputs"]] == ["w"]


@pytest.mark.timeout(200)
def test_a_worker_that_is_killed_at_any_step(root: Path, tmp_path: Path) -> None:
    from tests.faults.road import submit

    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WORKER)
    (tmp_path / "read.csv").write_text("1,2")
    text = f"""import sys
y = [1, 2, 3]
sys.modules["jupyter_hpc_worker.current"].current_files().declare({str(tmp_path / "read.csv")!r})
"""
    states = []
    for step in range(1, 60):
        env = {"PYTHONPATH": str(tmp_path / "site"), "STEP": str(step), "BELOW": str(root)}
        job = submit(text, "local", env=env)
        assert job.wait(120)
        check(root)
        record = job.record
        states.append(record["state"])
        assert record["environment"]["worker"] if record["started_at"] else True
        assert [o["name"] for o in record["outputs"]] == (["y"] if states[-1] == "COMPLETED" else [])
        if states[-1] == "COMPLETED" and step > 1 and states[-2] == "COMPLETED":
            break
    print(f"MEASURED {states}")
    assert states[0] == "FAILED" and states[-1] == "COMPLETED" and len(states) > 5
    assert [f["digest"] is not None for f in record["files"]] == [True]


def test_a_record_that_is_cut_off_is_reported_and_skipped(tmp_path: Path) -> None:
    store = Store(tmp_path)
    whole, cut = store.create(), store.create()
    for run in (whole, cut):
        record = {"id": run.id, "target": {"name": "local"}, "code": {}, "spec": {}}
        (run.path / "record.json").write_text(json.dumps(record))
    text = (cut.path / "record.json").read_bytes()
    for length in range(len(text)):
        (cut.path / "record.json").write_bytes(text[:length])
        assert cut.record_or_none() is None
        assert store.records()[1] == [(cut, "its record.json is damaged")]
        assert whole.record_or_none() is not None


def test_local_cells_that_are_cut_off_cost_the_last_line_only(tmp_path: Path) -> None:
    folder = tmp_path / cells.FOLDER
    folder.mkdir()
    lines = [json.dumps({"id": f"s:{n}", "t": 1.5, "text": "ä" * n}) + "\n" for n in range(3)]
    data = "".join(lines).encode()
    for length in range(len(data) + 1):
        (folder / "s.jsonl").write_bytes(data[:length])
        found = [cell for _, cell in cells.read(tmp_path)]
        whole = data[:length].count(b"\n")
        assert [c["id"] for c in found if c is not None] in ([f"s:{n}" for n in range(k)] for k in (whole, whole + 1))
        assert found.count(None) <= 1 and None not in found[:whole]


def test_a_blob_that_was_cut_off_or_changed_is_no_blob(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.create()
    digest = blobs.keep(run, b"diff --git a b")
    assert blobs.read(tmp_path, digest) == b"diff --git a b"
    drop_unused(store)
    assert blobs.read(tmp_path, digest) == b"diff --git a b"
    path = next((run.path / "blobs").iterdir())
    path.write_bytes(b"diff --git")
    assert blobs.read(tmp_path, digest) is None
    assert blobs.read(tmp_path, "b3:" + "0" * 64) is None and blobs.read(tmp_path, None) is None


def test_blobs_go_with_the_last_run_that_needs_them(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = store.create(), store.create()
    digest = blobs.keep(first, b"text")
    assert blobs.keep(second, b"text") == digest
    blob = next((tmp_path / "blobs").rglob(digest.partition(":")[2]))
    os.utime(blob, (0, 0))
    store.remove(first)
    drop_unused(store)
    assert blobs.read(tmp_path, digest) == b"text"
    store.remove(Run(second.path))
    drop_unused(store)
    assert blobs.read(tmp_path, digest) is None
