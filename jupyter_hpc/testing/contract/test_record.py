"""What is recorded of a run: where inputs come from, what came out, files, code, environment; on every backend."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jupyter_hpc.testing.notebook import Notebook


def inputs(notebook: Notebook) -> dict[str, dict[str, Any]]:
    return {i["name"]: i for i in notebook.value("_hpc.record['inputs']")}


def outputs(notebook: Notebook) -> dict[str, dict[str, Any]]:
    return {o["name"]: o for o in notebook.value("_hpc.record['outputs']")}


def run_id(notebook: Notebook) -> str:
    return str(notebook.value("_hpc.id"))


def how(item: dict[str, Any]) -> set[str]:
    return {d["how"] for d in item.get("derived", ())}


MADE = """
import numpy as np
array = np.arange(20.0)
large = np.ones(3_000_000)
words = {"key": ["one", "two"], "n": [1, 2, 3]}
number = 41
"""


@pytest.fixture
def made(notebook: Notebook) -> str:
    """The run that has made ``array``, ``large``, ``words`` and ``number``."""
    notebook.run("import numpy as np")
    notebook.remote(MADE)
    return run_id(notebook)


def test_outputs_have_digest_type_and_size_and_no_value(notebook: Notebook, made: str) -> None:
    found = outputs(notebook)
    assert set(found) == {"array", "large", "words", "number"}
    assert found["array"]["shape"] == [20] and found["array"]["dtype"] == "float64"
    assert found["large"]["nbytes"] > 24_000_000
    assert len({o["digest"] for o in found.values()}) == 4
    assert all(set(o) <= {"name", "type", "nbytes", "digest", "shape", "dtype", "length"} for o in found.values())


def test_a_value_that_came_back_names_its_run(notebook: Notebook, made: str) -> None:
    before = {name: o["digest"] for name, o in outputs(notebook).items()}
    notebook.remote("total = array.sum() + large.sum() + len(words) + number")
    for name, item in inputs(notebook).items():
        assert item["origin"] == {"run": made, "name": name, "via": "hash"}
        assert item["digest"] == before[name]


def test_a_copy_and_a_reload_name_the_run_under_any_name(notebook: Notebook, made: str) -> None:
    notebook.run("copied = array.copy()\nnp.save('a.npy', large)\nreloaded = np.load('a.npy')")
    notebook.remote("total = copied.sum() + reloaded.sum()")
    found = inputs(notebook)
    assert found["copied"]["origin"] == {"run": made, "name": "array", "via": "hash"}
    assert found["reloaded"]["origin"] == {"run": made, "name": "large", "via": "hash"}


@pytest.mark.parametrize("name", ["array", "large"])
def test_what_was_changed_in_place_is_derived_from_what_it_was(notebook: Notebook, made: str, name: str) -> None:
    before = outputs(notebook)[name]["digest"]
    notebook.run(f"{name}[3] = 7")
    notebook.remote(f"total = {name}.sum()")
    item = inputs(notebook)[name]
    assert (item["origin"]["run"], item["origin"]["via"]) == (made, "identity")
    assert item["derived"] == [{"digest": before, "how": "mutated"}]
    assert item["digest"] != before


def test_a_slice_is_a_view_of_the_whole(notebook: Notebook, made: str) -> None:
    before = outputs(notebook)
    notebook.run("part = array[2:5]\nrest = large[5:][::2]")
    notebook.remote("total = part.sum() + rest.sum()")
    for name, whole in (("part", "array"), ("rest", "large")):
        item = inputs(notebook)[name]
        assert (item["origin"]["run"], item["origin"]["name"]) == (made, whole)
        assert {"digest": before[whole]["digest"], "how": "view"} in item["derived"]


def test_local_cells_between_two_runs_are_named(notebook: Notebook, made: str) -> None:
    before = outputs(notebook)
    notebook.run("def scaled(x):\n    return x * 2")
    notebook.run("other = 5\ncleaned = scaled(array) + 1")
    notebook.remote("total = cleaned.sum()")
    item = inputs(notebook)["cleaned"]
    cells = notebook.value(
        "[(c['id'], c['text'], c['reads']) for _, c in __import__('jupyter_hpc.lineage.record.session').lineage.record.session.read("
        "__import__('jupyter_hpc.rundir.store').rundir.store.store().root)]"
    )
    told = {cell: (text, reads) for cell, text, reads in cells}
    assert [told[cell][0] for cell in item["origin"]["cells"]] == [
        "def scaled(x):\n    return x * 2",
        "other = 5\ncleaned = scaled(array) + 1",
    ]
    assert item["derived"] == [{"digest": before["array"]["digest"], "how": "cells"}]
    assert told[item["origin"]["cells"][1]][1]["array"] == before["array"]["digest"]


def test_what_no_run_made_has_no_run(notebook: Notebook, made: str) -> None:
    notebook.run("fresh = np.zeros(9)\nanother = 41")
    notebook.remote("total = fresh.sum() + another")
    found = inputs(notebook)
    assert "run" not in found["fresh"]["origin"] and "derived" not in found["fresh"]
    assert "run" not in found["another"]["origin"]  # 41 is 41, whoever writes it


def test_the_argument_of_a_call_is_known(notebook: Notebook, made: str) -> None:
    before = outputs(notebook)["array"]["digest"]
    notebook.run(f"import jupyter_hpc\n_hpc = jupyter_hpc.submit(max, array, on={notebook.target!r})")
    notebook.run("best = _hpc.result(120)")
    assert inputs(notebook)["__hpc_args__"]["derived"] == [{"digest": before, "how": "part"}]
    assert list(outputs(notebook)) == ["return value"]


def test_failed_and_cancelled_runs_are_recorded_too(notebook: Notebook) -> None:
    notebook.remote("kept = [1, 2, 3]\n1 / 0", fails=True)
    failed = notebook.value("_hpc.record")
    assert [o["name"] for o in failed["outputs"]] == ["kept"]
    assert failed["state"] == "FAILED" and failed["execution"]["nodes"]
    notebook.remote("import time\nprint('begun', flush=True)\ntime.sleep(300)", "--detach")
    notebook.run("import time\nwhile 'begun' not in _hpc.logs(): time.sleep(0.05)")
    notebook.run("_hpc.cancel(); _hpc.wait(120)")
    cancelled = notebook.value("_hpc.record")
    assert cancelled["state"] == "CANCELLED"
    assert cancelled["execution"]["nodes"] and cancelled["environment"]["worker"]


def test_declared_files_have_digests(notebook: Notebook) -> None:
    notebook.write("in.csv", "1,2\n")
    notebook.remote(
        """
        import jupyter_hpc, os
        rows = open("in.csv").read()
        with open("model.pt", "w") as file: file.write("weights")
        with open("extra.txt", "w") as file: file.write("more")
        jupyter_hpc.artifact("extra.txt", "notes")
        """,
        f"--workdir {notebook.folder} --reads in.csv --writes model.pt --writes never.txt",
    )
    found = {f["path"].rpartition("/")[2]: f for f in notebook.value("_hpc.record['files']")}
    roles = {name: f["role"] for name, f in found.items()}
    assert roles == {
        "in.csv": "used",
        "model.pt": "generated",
        "extra.txt": "generated",
        "never.txt": "generated",
    }
    assert found["extra.txt"]["name"] == "notes" and found["in.csv"]["nbytes"] == 4
    assert found["never.txt"]["digest"] is None and found["never.txt"]["why"] == "it is not there"
    digest = "__import__('jupyter_hpc.worker.digest').worker.digest.digest_bytes"
    for name, text in (("in.csv", "1,2\n"), ("model.pt", "weights"), ("extra.txt", "more")):
        algorithm, _, value = found[name]["digest"].partition(":")
        if algorithm == "b3":
            assert notebook.value(f"{digest}({text.encode()!r})") == f"b3:{value}"


def test_the_environment_is_a_blob_on_either_side(notebook: Notebook) -> None:
    notebook.remote("import json\nx = 1")
    environment = notebook.value("_hpc.record['environment']")
    read = "__import__('jupyter_hpc.rundir.blobs').rundir.blobs.read(_hpc.run.path.parent.parent, {!r})"
    for side in ("digest", "worker"):
        text = f"__import__('json').loads({read.format(environment[side])})"
        assert notebook.value(f"'cloudpickle' in {text}['packages'] or {side!r} == 'worker'") is True
        assert notebook.value(f"{text}['python'].count('.')") == 2
    record = notebook.value("_hpc.record")
    assert record["execution"]["libc"].startswith("glibc") and record["execution"]["imported"]["json"]
    assert record["determinism"]["PYTHONHASHSEED"] == "not recorded"
    notebook.remote("x = 1", "--env PYTHONHASHSEED=7")
    assert notebook.value("_hpc.record['determinism']") == {"PYTHONHASHSEED": "7"}


def test_reuse_takes_the_result_of_the_same_code_and_inputs(notebook: Notebook) -> None:
    notebook.run("base = [1, 2, 3]\ndef double(x): return [2 * y for y in x]")
    cell = notebook.cell("doubled = double(base)\nstamp = __import__('time').time_ns()", "--reuse --time 5m")
    notebook.run(cell)
    first, stamp, runs = run_id(notebook), notebook.value("stamp"), notebook.jobs()
    notebook.run("del doubled, stamp")
    told = notebook.run(cell.replace("--time 5m", "--time 7m"))  # resources are no part of it
    assert notebook.value("(doubled, stamp)") == ([2, 4, 6], stamp)
    assert notebook.jobs() == runs and first in told.text and "Nothing was submitted" in told.text
    notebook.run("base.append(4)")
    notebook.run(cell)
    assert notebook.value("doubled") == [2, 4, 6, 8]
    notebook.run("def double(x): return [3 * y for y in x]")
    notebook.run(cell)
    assert notebook.value("doubled") == [3, 6, 9, 12] and notebook.jobs() == runs + 2
    notebook.run(cell.replace("--reuse", ""))
    assert notebook.jobs() == runs + 3


def sources(notebook: Notebook) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 30
    while (found := notebook.value("_hpc.record['code'].get('sources')")) is None:
        assert time.monotonic() < deadline, "where the code comes from was not recorded"
        time.sleep(0.05)
    return list(found)


def test_uncommitted_code_is_in_the_record(notebook: Notebook) -> None:
    notebook.write("helper.py", "def f(): return 1\n")
    notebook.write("loose.py", "def g(): return 2\n")
    git = "git -c user.name=x -c user.email=x@example.org"
    notebook.run(
        f"import subprocess\nsubprocess.run('git init -q -b work && git add helper.py && {git} commit -qm one && "
        "git remote add origin https://me:ghp_abcdefghijklmnopqrstuvwxyz0123@example.org/x.git', shell=True, check=True)"
    )
    notebook.write("helper.py", "def f(): return 10\n")
    notebook.remote("import helper, loose\nx = helper.f() + loose.g()")
    assert notebook.value("x") == 12
    folder = str(notebook.folder)
    found = next(s for s in sources(notebook) if s["path"] == folder)
    assert (found["branch"], found["dirty"], found["remote"]) == ("work", True, "https://example.org/x.git")
    assert (
        len(found["commit"]) == 40 and found["untracked"] == ["loose.py"] and list(found["travelled"]) == ["loose.py"]
    )
    assert set(found["of"]) == {"notebook", "helper", "loose"}
    blob = notebook.value(
        f"__import__('jupyter_hpc.rundir.blobs').rundir.blobs.read(_hpc.run.path.parent.parent, {found['diff']!r})"
    )
    assert b"-def f(): return 1\n+def f(): return 10\n" in blob


def test_files_that_nobody_declares(notebook: Notebook) -> None:
    notebook.remote("open('in.csv', 'w').write('a,b')")  # a pod sees no other
    notebook.remote(
        "import os, subprocess\n"
        "rows = open('in.csv').read() if os.path.exists('in.csv') else None\n"
        "open('model.pt', 'wb').write(b'weights')\n"
        "open('part', 'w').close(); os.replace('part', 'moved.txt')\n"
        "subprocess.run(['sh', '-c', 'echo child > child.txt'])\n"
        "open('gone', 'w').close(); os.remove('gone')"
    )
    files = notebook.value("[(f['role'], __import__('os').path.basename(f['path'])) for f in _hpc.record['files']]")
    assert {name for role, name in files if role == "generated"} == {"model.pt", "moved.txt", "child.txt"}
    if notebook.value("rows") is not None:
        assert ("used", "in.csv") in files
    if notebook.target == "local":  # where the file is seen
        executed = notebook.run("%hpc lineage model.pt")
        assert notebook.value("_hpc.id") in executed.text
    notebook.remote("x = 1")
    assert notebook.value("_hpc.record['files']") == []


LOGS = """
import threading
import jupyter_hpc
def fit(step):
    jupyter_hpc.log(loss=1 / (1 + step), step=step)
threads = [threading.Thread(target=fit, args=(step,)) for step in (1, 2)]
for thread in threads:
    thread.start()
    thread.join()
jupyter_hpc.log({"val/acc": 0.5}, broken="text")
fit(3)
"""


def test_numbers_that_a_cell_logs_are_in_its_record(notebook: Notebook) -> None:
    ran = notebook.remote(LOGS)
    assert "jupyter_hpc.log: broken is a str, not a number" in ran.text
    assert notebook.value("_hpc.record['metrics']") == {
        "loss": {"last": 0.25, "min": 0.25, "max": 0.5, "count": 3, "trend": [0.5, 0.3333, 0.25]},
        "val/acc": {"last": 0.5, "min": 0.5, "max": 0.5, "count": 1},
    }


PRINTS = """
import subprocess, sys
for epoch in (1, 2, 3):
    print(f"epoch {epoch}/3 - loss: {1 / epoch:.2f}")
_ = subprocess.run([sys.executable, "-c", "print('val_acc=0.25'); print('val_acc=0.75')"], check=True)
raise ValueError("loss: 7")
"""


def test_numbers_that_a_cell_and_its_children_print_are_in_its_record(notebook: Notebook) -> None:
    notebook.remote(PRINTS, fails=True)
    assert notebook.value("_hpc.record['metrics']") == {
        "loss": {"last": 0.33, "min": 0.33, "max": 1.0, "count": 3, "trend": [1.0, 0.5, 0.33]},
        "val_acc": {"last": 0.75, "min": 0.25, "max": 0.75, "count": 2, "trend": [0.25, 0.75]},
    }
    notebook.run("import os; os.environ['JUPYTER_HPC_METRICS'] = 'off'")
    try:
        notebook.remote("import jupyter_hpc\njupyter_hpc.log(loss=1)\nprint('loss=1')")
        assert notebook.value("_hpc.record['metrics']") == {}
    finally:
        notebook.run("del os.environ['JUPYTER_HPC_METRICS']")
