"""``%hpc lineage`` and its neighbours, in a kernel and in a shell, over jobs that ran."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox

ENVIRONMENT: dict[str, str] = {}  # of the kernel, and of shells beside it


@pytest.fixture(scope="session")
def kernel(sandbox: Sandbox) -> Iterator[Notebook]:
    directory = sandbox.directory / "lineage"
    directory.mkdir()
    ENVIRONMENT.update(sandbox.environment, JUPYTER_HPC_ROOT=str(sandbox.directory / "lineage-hpc"))
    notebook = Notebook("local", dict(ENVIRONMENT), directory)
    yield notebook
    notebook.stop()


@pytest.fixture
def trained(notebook: Notebook) -> Notebook:
    """A run makes raw, a local cell cleans it, another run trains a model and writes a file."""
    notebook.run("import numpy as np\nlr = 0.5\ndef fit(a, k=2):\n    return a * k")
    notebook.remote("raw = np.arange(2000.)", "--name prepare")
    notebook.run("clean = raw[raw > 5]")
    notebook.remote(
        "model = fit(clean, k=3) * lr\nopen('model.pt', 'w').write(repr(model.sum()))",
        "--name train --writes model.pt",
    )
    return notebook


def shell(notebook: Notebook, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jupyter_hpc.commands.cli", *words],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=notebook.folder,
    )


def lineage(notebook: Notebook, what: str) -> str:
    result = notebook.run(f"%hpc lineage {what}").result
    assert result is not None
    return str(result["text/plain"])


def test_a_value_shows_the_whole_chain(trained: Notebook) -> None:
    text = lineage(trained, "model")
    order = [text.index(word) for word in ("“train”", "]: clean = raw[raw > 5]", "“prepare”")]
    assert order == sorted(order)
    assert "parameters: lr=0.5, k=3" in text
    assert "clean (may derive) from" in text
    assert "numpy " in text and "completed" in text and "stale" not in text
    result = trained.run("import jupyter_hpc\njupyter_hpc.lineage(model)").result
    assert result is not None
    svg = result["text/html"].partition("<svg")[2].partition("</svg>")[0]
    tree = ET.fromstring(f"<svg{svg}</svg>")
    space = "{http://www.w3.org/2000/svg}"
    heights = {g[0].text or "": int(g[1].get("y", 0)) for g in tree.iter(f"{space}g")}
    words = ("“prepare”", "clean = ", "“train”", "model")
    ys = [next(y for title, y in heights.items() if word in title) for word in words]
    assert ys == sorted(set(ys))  # downwards, to the result
    assert tree.get("fill") == "currentColor"  # its words have the theme's colour, and so has whatever is no grey
    colours = {each.get(name) for each in tree.iter() for name in ("fill", "stroke")} - {None, "none", "currentColor"}
    assert all(colour.startswith("var(--jp-") or colour in ("#7b8794", "#909090") for colour in colours), colours
    assert not any(each.get("fill") for each in tree.iter(f"{space}text"))


def test_a_run_a_file_and_a_tag_lead_to_the_same(trained: Notebook) -> None:
    run = trained.value("_hpc.id")
    trained.run("import shutil\nshutil.copy('model.pt', 'elsewhere.bin')")
    for what in (run, "elsewhere.bin", "./model.pt", "train"):
        assert f"run {run}" in lineage(trained, what).splitlines()[1]
    assert "model:v3 is model of" in trained.run("%hpc tag model v3").stdout
    assert run in lineage(trained, "model:v3") and "[model:v3]" in lineage(trained, "model")
    assert run in trained.run('%hpc runs --where "tag model:v3"').stdout
    trained.run("%hpc tag model v2")
    assert "model:v2 is nobody's now" in trained.run("%hpc tag model:v2 --remove").stdout
    assert run not in trained.run('%hpc runs --where "tag model:v2"').stdout
    trained.run("open('model.pt', 'w').write('other')")
    assert "found by its path; it was changed since" in lineage(trained, "./model.pt")
    done = shell(trained, "lineage", "elsewhere.bin", "--json")
    found = json.loads(done.stdout)
    assert found["start"]["run_id"] == run
    assert {n["kind"] for n in found["nodes"]} == {"run", "cell"}
    assert found["nodes"][0]["details"]["code"]["text"].startswith("model = fit(")


def test_a_local_cell_is_shown_with_its_code(trained: Notebook) -> None:
    trained.run("clean = raw[raw > 7]\nclean = clean - clean.mean()")
    trained.remote("model = clean * 2")
    text = lineage(trained, "model")
    assert "│   clean = clean - clean.mean()" in text
    run = trained.value("_hpc.id")
    found = json.loads(shell(trained, "lineage", run, "--json").stdout)
    [cell] = [n["id"] for n in found["nodes"] if n["label"] == "clean = raw[raw > 7]"]
    assert found["cells"][cell] == "clean = raw[raw > 7]\nclean = clean - clean.mean()"


def test_what_nobody_made_is_said_in_a_sentence(trained: Notebook) -> None:
    for what, words in (("nothing_of_this", "Nothing is known of"), ("./no/file.pt", "There is no file")):
        error = trained.run(f"%hpc lineage {what}", fails=True).error
        assert error is not None and words in error.traceback


def test_a_changed_cell_makes_what_came_of_it_stale(trained: Notebook) -> None:
    trained.run("clean = raw[raw > 7]")
    assert "! stale: clean was written again by In [" in lineage(trained, "model")
    trained.run("def fit(a, k=2):\n    return a * k + 1")
    assert "! stale: fit() was changed" in lineage(trained, "model")
    trained.run("raw = raw + 1")
    assert re.search(r"upstream, In \[\d+\]: raw was written again by In", lineage(trained, "model"))


def test_a_value_that_was_handed_to_a_call_is_not_stale(trained: Notebook) -> None:
    """It may have been changed in place, and mostly it was not: a mark that is mostly wrong is no mark."""
    trained.run("fit(clean); print(np.mean(clean))")
    assert "stale" not in lineage(trained, "model")


def test_a_cell_that_gets_a_stale_value_is_marked_and_says_so_if_asked_to(trained: Notebook) -> None:
    trained.run("raw = raw + 1")
    got = trained.remote("n = len(clean)")
    assert "stale" not in got.stderr
    assert "⚠ clean is stale: raw was written again by In [" in trained.run("%hpc show {_hpc.id}").stdout
    trained.run("from jupyter_hpc.follow.glance import look\nfrom jupyter_hpc.views.card import card_html")
    assert "⚠ clean is stale" in trained.value("card_html(look(_hpc.run))")
    config = Path(ENVIRONMENT["JUPYTER_CONFIG_DIR"], "jupyter_hpc_config.json")
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps({"JupyterHPC": {"warn_stale": True}}))
    try:
        assert "! clean is stale: raw was written again by In [" in trained.remote("n = len(clean)").stderr
    finally:
        config.unlink()


def test_a_value_that_was_changed_here_is_not_taken_for_what_the_run_made(trained: Notebook) -> None:
    trained.run("model = model + 1")
    assert lineage(trained, "model").splitlines()[1].startswith("└─ local cell In [")


def test_a_rerun_makes_the_same_or_says_what_differs(trained: Notebook) -> None:
    run = trained.value("_hpc.id")
    same = trained.run(f"%hpc rerun {run}")
    assert f"✓ the same as in {run}: model, model.pt" in same.stdout, same.text
    assert "it writes" in same.stderr
    assert "made model" in trained.run("%hpc show {_hpc.id}").stdout
    other = trained.run(f"%hpc rerun {run} --set lr=0.25 --set k=4").stdout
    assert "✗ model differs" in other and "✗ model.pt differs" in other
    new = trained.value("_hpc.id")
    assert trained.value("float(_hpc.result()['model'].sum())") == trained.value("float((clean * 4 * .25).sum())")
    text = trained.run(f"%hpc diff {run} {new}").stdout
    assert "-model = fit(clean, k=3) * lr" in text and "k   3 → 4" in text
    assert trained.value("float(model.sum())") == trained.value(
        "float((clean * 3 * .5).sum())"
    )  # the kernel's own stays
    error = trained.run(f"%hpc rerun {run} --set nothing=1", fails=True).error
    assert error is not None and "It has clean, fit, k, lr" in error.traceback
    assert shell(trained, "rerun", run).stdout.splitlines()[-1] == f"✓ the same as in {run}: model, model.pt"


def test_a_rerun_in_a_folder_of_its_own_overwrites_nothing(trained: Notebook) -> None:
    run = trained.value("_hpc.id")
    elsewhere = trained.folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    file = trained.folder / "model.pt"
    before = file.stat().st_mtime_ns
    same = trained.run(f"%hpc rerun {run} --workdir elsewhere")
    assert f"✓ the same as in {run}: model, model.pt" in same.stdout, same.text
    assert "it writes" not in same.stderr
    assert file.stat().st_mtime_ns == before
    assert (elsewhere / "model.pt").read_text() == file.read_text()


def test_a_rerun_that_fails_says_what_was_not_made(notebook: Notebook) -> None:
    notebook.remote("import os\nx = 1\nassert not os.path.exists('here')", "--name once")
    run = notebook.value("_hpc.id")
    notebook.run("open('here', 'w').close()")
    text = notebook.run(f"%hpc rerun {run}").stdout
    assert "✓ the same" in text or "✗ x was not made this time" in text


def test_runs_and_reindex(trained: Notebook) -> None:
    assert "No runs." in trained.run('%hpc runs --where "package numpy<1"').stdout
    text = trained.run('%hpc runs --where "package numpy and completed" -n 1').stdout
    assert "train" in text and "prepare" not in text
    assert "runs and cells in" in shell(trained, "reindex").stdout
    error = trained.run('%hpc runs --where "packge numpy"', fails=True).error
    assert error is not None and "Did you mean package?" in error.traceback


def test_completion_offers_options_words_and_names(trained: Notebook) -> None:
    trained.run("%hpc tag model v9\nfrom jupyter_hpc.magics.completion import matches")
    for line, expected in [
        ("%hpc lin", "lineage"),
        ("%hpc rerun --o", "--on"),
        ("%hpc rerun x --on l", "local"),
        ('%hpc runs --where "pack', "package"),
        ("%hpc lineage model:", "model:v9"),
        ("%hpc lineage cle", "clean"),
    ]:
        assert expected in trained.value(f"matches({line!r})")[1], line


# -- what makes nothing stale ----------------------------------------------------------------------


def ran(notebook: Notebook, cell: str, code: str) -> None:
    """Run a cell of the notebook, which keeps its id."""
    notebook.finish(notebook.begin(code, cell))


def trains(notebook: Notebook, magic: str = "%%local --name train", rate: str = "0.5") -> None:
    """Run the one cell that makes the model."""
    ran(notebook, "trains", f"{magic}\nrate = {rate}\nmodel = [rate] * 3")


@pytest.mark.parametrize(
    "line",
    ["%hpc rerun {id} --set rate=0.01", "%hpc rerun {id}", "%hpc resubmit {id}", "%hpc attach {id}", "%rerun -l 1"],
)
def test_an_earlier_job_once_more_changes_no_cell(notebook: Notebook, line: str) -> None:
    trains(notebook)
    run_id = str(notebook.value("_hpc.id"))
    ran(notebook, "uses", "total = sum(model)")
    notebook.run(line.format(id=run_id))
    for name in ("total",) if "resubmit" in line or line.startswith("%rerun") else ("model", "total"):
        assert "its cell was changed" not in lineage(notebook, name)
    if "%hpc rerun" in line or "attach" in line:  # these leave the notebook's names as they are
        assert "stale" not in lineage(notebook, "total")
        again = str(notebook.value("_hpc.id"))
        assert "stale" not in lineage(notebook, again)


@pytest.mark.parametrize(
    "magics",
    [("%%local", "%%local"), ("%%local --cpus 1", "%%local --name other"), ("%%time\n%%local", "%%time\n%%local")],
)
def test_a_cell_that_ran_twice_as_it_is_was_not_changed(notebook: Notebook, magics: tuple[str, str]) -> None:
    trains(notebook, magics[0])
    first = str(notebook.value("_hpc.id"))
    trains(notebook, magics[1])
    assert "stale" not in lineage(notebook, first)
    assert "stale" not in lineage(notebook, "model")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rate = 0.5\nmodel = [rate] * 3", "rate = 0.5  # the usual\n\n\nmodel = [ rate ]*3  \n"),
        ("def f(n):\n    return n\nmodel = f(1)", "def f(n):\n    # as it is\n    return n\n\nmodel = f(1)"),
        ("!true\nmodel = 1", "# first\n!true\n\nmodel = 1  "),
    ],
)
def test_comments_and_spaces_change_no_code(notebook: Notebook, before: str, after: str) -> None:
    for magic in ("%%local\n", ""):
        ran(notebook, "trains", magic + before)
        notebook.remote("score = model")
        ran(notebook, "trains", magic + after)
        for what in (notebook.value("_hpc.id"), "model", "score"):
            assert "stale" not in lineage(notebook, what)


def test_comments_change_no_function_and_no_module(notebook: Notebook) -> None:
    module = notebook.write("scaling.py", "def scale(x):\n    return x * 2\n")
    notebook.run("from scaling import scale\ndef shift(x):\n    return x + 1")
    notebook.remote("total = scale(shift(1))")
    module.write_text("# by two\ndef scale(x):\n\n    return x * 2\n")
    notebook.run("def shift(x):\n    # by one\n    return x + 1")
    assert "stale" not in lineage(notebook, "total")
    module.write_text("def scale(x):\n    return x * 3\n")
    notebook.run("def shift(x):\n    return x + 2")
    assert "scaling.py was changed" in lineage(notebook, "total")
    assert "shift() was changed" in lineage(notebook, "total")


def test_an_input_that_is_made_again_as_it_was_is_the_same(notebook: Notebook) -> None:
    ran(notebook, "makes", "base = [1, 2]")
    notebook.remote("total = sum(base)")
    ran(notebook, "makes", "base = [1, 2]")
    ran(notebook, "other", "base = list((1, 2))")
    assert "stale" not in lineage(notebook, "total")
    ran(notebook, "makes", "base = [1, 3]")
    assert "base was written again by In [" in lineage(notebook, "total")


def test_a_local_cell_that_ran_twice_as_it_is_was_not_changed(notebook: Notebook) -> None:
    notebook.write("steps.py", "def step(x):\n    return x + 1\nstart = 1\n")
    for _ in range(2):
        ran(notebook, "script", "%run steps.py")
        ran(notebook, "local", "%%time\nbase = start + 1")
    notebook.remote("model = step(base)")
    assert "stale" not in lineage(notebook, "model")


def test_a_changed_cell_is_still_said(notebook: Notebook) -> None:
    """Also after a restart, where it has the number that it had; and also where the first text was submitted again."""
    trains(notebook)
    first = str(notebook.value("_hpc.id"))
    trains(notebook, rate="0.25")
    second = str(notebook.value("_hpc.id"))
    notebook.run(f"%hpc resubmit {first}")
    assert "its cell was changed and ran again as In [" in lineage(notebook, first)
    assert "its cell was changed" not in lineage(notebook, second)


def test_a_result_that_is_taken_from_before_the_change_is_stale(notebook: Notebook) -> None:
    trains(notebook)
    first = str(notebook.value("_hpc.id"))
    trains(notebook, rate="0.25")
    notebook.run(f"%hpc result {first}")
    assert notebook.value("model") == [0.5] * 3
    assert "its cell was changed and ran again as In [" in lineage(notebook, "model")


@pytest.mark.parametrize("after", ["model = [0.5] * 4", "model = '0.5  # '", "if 1:\n  model = [0.5] * 3"])
def test_a_change_of_what_python_reads_is_one(notebook: Notebook, after: str) -> None:
    ran(notebook, "trains", "%%local\nmodel = [0.5] * 3")
    first = str(notebook.value("_hpc.id"))
    ran(notebook, "trains", f"%%local\n{after}")
    assert "its cell was changed and ran again as In [" in lineage(notebook, first)


def test_a_cell_that_submits_several_is_the_same_when_it_runs_again(notebook: Notebook) -> None:
    loop = "for n in range(2):\n    get_ipython().run_cell_magic('local', '--name n{n}', f'y{n} = {n}')"
    ran(notebook, "loop", loop)
    first = str(notebook.value("_hpc.id"))
    ran(notebook, "loop", loop)
    assert "stale" not in lineage(notebook, first)


def test_the_saved_text_of_a_timed_cell_is_its_own(notebook: Notebook) -> None:
    """The notebook on the disk has `%%time` and our magic above what the run's record has."""
    from jupyter_hpc.lineage.ask.stale import _is_edited

    path = notebook.folder / "timed.ipynb"
    source = "%%time\n%%local --cpus 1\nrate = 0.5\n"
    path.write_text(json.dumps({"cells": [{"id": "trains", "source": source}]}))
    told = {"path": str(path), "cell_id": "trains"}
    assert not _is_edited({"kind": "cell", "notebook": told, "code": {"text": "rate = 0.5\n"}})
    assert not _is_edited({"kind": "cell", "notebook": told, "code": {"text": "# slow\nrate=0.5\n"}})
    assert _is_edited({"kind": "cell", "notebook": told, "code": {"text": "rate = 0.25\n"}})
