"""A notebook that was saved while its jobs ran shows how they ended: with `jupyter hpc notebook FILE`."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from nbformat import from_dict, read
from nbformat.sign import NotebookNotary

from jupyter_hpc.commands import cli
from jupyter_hpc.commands import notebook as command
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.store import store
from jupyter_hpc.server.page_handlers import _outputs
from jupyter_hpc.testing.notebook import Notebook
from jupyter_hpc.views.mime import MIME
from tests.front_ends.page import Page, outputs_of
from tests.server.described import check

CELL = """
import time
from pathlib import Path
from IPython.display import HTML, clear_output, display
print('first line')
curve = display(HTML('<b>curve of epoch 1</b>'), display_id=True)
display(HTML('<b>a table</b>'))
while not Path({gate!r}).exists():
    time.sleep(0.05)
print('last line')
curve.update(HTML('<b>curve of epoch 2</b>'))
display(HTML('<b>another table</b>'))
answer = 42
answer
"""


def shell(*words: object) -> subprocess.CompletedProcess[str]:
    """Say what `jupyter hpc …` says; in this process, which starts no Python for it."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = cli.main([*map(str, words)])
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def ended(run_id: str) -> Job:
    job = Job(store().find(run_id))
    assert job.wait(120), job
    return job


def closed_meanwhile(notebook: Notebook, here: Path, options: str = "") -> tuple[Path, str]:
    """Save a notebook while its cell's job runs; then it ends, and no page was there to see that."""
    gate = here / "gate"
    page = Page(notebook, notebook.cell(CELL.format(gate=str(gate)), options))
    if "--detach" in options:
        page.to_end()
    else:
        page.until("a table")
    path = page.save(here / "analysis.ipynb")
    run_id = next(output.data[MIME]["id"] for output in page.outputs if MIME in output.get("data", {}))
    gate.touch()
    if "--detach" not in options:
        notebook.finish(page.request)
    ended(run_id)
    return path, run_id


def html_of(path: Path) -> list[str]:
    return [output.data.get("text/html", output.data.get("text/plain")) for output in outputs_of(path)]


@pytest.mark.parametrize("options", ["", "--detach"])
def test_the_saved_notebook_shows_how_its_job_ended(notebook: Notebook, here: Path, options: str) -> None:
    path, run_id = closed_meanwhile(notebook, here, options)
    before = outputs_of(path)[0]
    assert before.data[MIME]["state"] in ("PENDING", "RUNNING") and "last line" not in str(before)

    said = shell("notebook", path)

    card, *shown = outputs_of(path)
    assert card.data[MIME] == {"id": run_id, "state": "COMPLETED"} and card.output_type == before.output_type
    assert "last line" in card.data["text/html"] and "last line" in card.data["text/plain"]
    expected = ["<b>curve of epoch 2</b>", "<b>a table</b>", "<b>another table</b>"]
    assert [output.data["text/html"] for output in shown[:-1]] == expected
    assert shown[-1].data["text/plain"] == "42"
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith(f"{path} In [7]: {run_id} ✓ completed")


def test_a_cell_that_submits_several_has_the_end_of_each_below_its_card(notebook: Notebook, here: Path) -> None:
    job = f"import os, time\nwhile not os.path.exists({str(here / 'gate')!r}): time.sleep(0.05)\n"
    body = f"{job!r} + f'print(\"line {{n}}\")\\n{{n}}'"
    loop = "for n in (10, 11):\n    print('submits', n)\n    display(get_ipython().run_cell_magic('local', '--detach', "
    page = Page(notebook, f"{loop}{body}))")
    page.to_end()
    path = page.save(here / "analysis.ipynb")
    (here / "gate").touch()
    for output in page.outputs:
        if "data" in output:
            ended(output.data[MIME]["id"])
    shell("notebook", path)
    shown = outputs_of(path)
    assert [o.get("text") for o in shown if o.output_type == "stream"] == ["submits 10\n", "submits 11\n"]
    texts = [o.data["text/plain"] for o in shown if "data" in o]
    assert ["line 10" in texts[0], texts[1], "line 11" in texts[2], texts[3]] == [True, "10", True, "11"]
    assert [o.output_type for o in shown].count("execute_result") == 1  # a cell has one such


def test_done_again_it_changes_nothing(notebook: Notebook, here: Path) -> None:
    path, _ = closed_meanwhile(notebook, here)
    shell("notebook", path)
    before, inode = path.read_bytes(), path.stat().st_ino
    assert shell("notebook", path).stdout == f"{path}: no job of it has ended since it was saved\n"
    assert (path.read_bytes(), path.stat().st_ino) == (before, inode)


def test_all_else_in_the_file_stays_as_it_was_written(notebook: Notebook, here: Path) -> None:
    """Key order, indentation, the way in which texts are divided, unknown fields, other outputs of the same cell."""
    path, _ = closed_meanwhile(notebook, here)
    content = json.loads(path.read_text())
    own: list[dict[str, Any]] = [
        {"output_type": "stream", "name": "stderr", "text": ["! a\n", "warning"]},
        {"output_type": "display_data", "data": {"text/html": "<b>of another</b>"}, "metadata": {"x": [1]}},
    ]
    content["cells"][0]["outputs"][1:1] = own
    content["cells"].append({"cell_type": "markdown", "id": "é", "metadata": {}, "source": "ends"})
    content["zoo"] = {"b": 1, "a": "ü"}
    path.write_text(json.dumps(content, indent=3, ensure_ascii=False))
    os.chmod(path, 0o640)

    shell("notebook", path)

    text = path.read_text()
    found = json.loads(text)
    assert found["cells"][0]["outputs"][-2:] == own
    assert (found["cells"][1:], found["zoo"], list(found)) == (content["cells"][1:], content["zoo"], list(content))
    assert text == json.dumps(found, indent=3, ensure_ascii=False)
    assert path.stat().st_mode & 0o777 == 0o640
    assert set(os.listdir(here)) == {"gate", path.name}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{\n ", "{\n\t"),  # by tabs
        ("\n", "\r\n"),  # of Windows
        ("\n}", "\n}\n\n"),
        ('"zoo": ""', '"zoo": "\\ud83d"'),  # half of an emoji, as an output that is cut has it
    ],
)
def test_its_form_stays(notebook: Notebook, here: Path, before: str, after: str) -> None:
    path, _ = closed_meanwhile(notebook, here)
    content = json.loads(path.read_text())
    text = json.dumps({**content, "zoo": ""}, ensure_ascii=False, indent=1)
    if after == "{\n\t":
        text = json.dumps({**content, "zoo": ""}, ensure_ascii=False, indent="\t")
    else:
        text = text.replace(before, after)
    path.write_bytes(text.encode())
    shell("notebook", path)
    new = path.read_bytes().decode()
    assert "COMPLETED" in new and (new[:4], new[-4:]) == (text[:4], text[-4:])
    assert json.loads(new)["zoo"] == json.loads(text)["zoo"]
    assert ("\r\n" in new, "\n\t" in new) == ("\r\n" in text, "\n\t" in text)


ODD: list[Any] = [
    "x",
    [3],
    [{"data": 5}],
    [{"data": [MIME]}],
    [{"data": {MIME: 5}}],
    [{"data": {MIME: {"id": 5}}}],
    [{"data": {MIME: {"id": "20200101-000000-abcdef", "state": []}}}],
    [{"data": {MIME: {"id": "", "state": "RUNNING"}}}],
    [{"data": {MIME: None, "text/html": {"a": 1}}}],
]


def test_outputs_that_are_none_stay_and_the_others_are_finished(notebook: Notebook, here: Path) -> None:
    path, _ = closed_meanwhile(notebook, here)
    content = json.loads(path.read_text())
    odd = [{"cell_type": "code", "outputs": each} for each in ODD]
    content["cells"] += [4, None, *odd]
    path.write_text(json.dumps(content))
    assert shell("notebook", path).returncode == 0
    found = json.loads(path.read_text())["cells"]
    assert found[1:] == [4, None, *odd] and "COMPLETED" in str(found[0])


def test_one_that_is_read_only_is_not_written(notebook: Notebook, here: Path) -> None:
    path, _ = closed_meanwhile(notebook, here)
    path.chmod(0o444)
    before = path.read_bytes()
    said = shell("notebook", path)
    assert said.returncode == 1 and "can't be written: it is read-only." in said.stderr
    assert path.read_bytes() == before and set(os.listdir(here)) == {"gate", path.name}


@pytest.mark.timeout(60)
def test_a_pipe_keeps_nobody_waiting(here: Path) -> None:
    os.mkfifo(here / "x.ipynb")
    assert "x.ipynb can't be read: it is no regular file." in shell("notebook", "x.ipynb").stderr


def test_a_link_stays_one(notebook: Notebook, here: Path) -> None:
    path, _ = closed_meanwhile(notebook, here)
    link = here / "link.ipynb"
    link.symlink_to(path.name)
    shell("notebook", link)
    assert link.is_symlink() and "COMPLETED" in str(outputs_of(path)[0].data[MIME])


@pytest.mark.parametrize("was_trusted", [True, False])
def test_it_is_trusted_as_it_was(notebook: Notebook, here: Path, was_trusted: bool) -> None:
    path, _ = closed_meanwhile(notebook, here)
    if was_trusted:
        NotebookNotary().sign(read(path, as_version=4))
    shell("notebook", path)
    assert NotebookNotary().check_signature(read(path, as_version=4)) is was_trusted


def test_a_job_that_runs_and_one_of_somebody_else_stay(notebook: Notebook, here: Path) -> None:
    gate = here / "gate"
    page = Page(notebook, notebook.cell(CELL.format(gate=str(gate)), "--detach"))
    page.to_end()
    lives = page.outputs[0].data[MIME]["id"]
    foreign = dict(
        page.outputs[0], data={"text/plain": "x", MIME: {"id": "20200101-000000-abcdef", "state": "RUNNING"}}
    )
    hostile = dict(page.outputs[0], data={"text/plain": "x", MIME: {"id": "../../etc", "state": "RUNNING"}})
    page.outputs += [from_dict(foreign), from_dict(hostile)]
    path = page.save(here / "analysis.ipynb")
    before = path.read_bytes()
    said = shell("notebook", path).stdout
    gate.touch()
    ended(lives)
    assert path.read_bytes() == before
    assert f"{lives} has not ended" in said
    assert "20200101-000000-abcdef is not among your jobs" in said and "../../etc is not among your jobs" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read: No such file or directory."),
        (b"\x89PNG", "is no notebook."),
        (b"{}", "is no notebook."),
        (b'{"cells": [], "nbformat": 4', "is no notebook."),
        (b"[" * 100_000, "is no notebook."),
        (b'{"worksheets": [], "nbformat": 3}', "is a notebook of an old format."),
    ],
)
def test_what_is_no_notebook_gets_one_sentence(here: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (here / "x.ipynb").write_bytes(content)
    said = shell("notebook", "x.ipynb")
    assert said.returncode == 1
    assert said.stderr.splitlines()[0] == f"jupyter hpc: x.ipynb {words}"
    assert "Traceback" not in said.stderr
    assert content is None or (here / "x.ipynb").read_bytes() == content


def test_one_that_is_changed_meanwhile_is_not_written(
    notebook: Notebook, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = closed_meanwhile(notebook, here)
    real = command._Saved._write_draft

    def meanwhile(saved: Any, *where: Any) -> None:
        real(saved, *where)
        path.write_text(path.read_text() + "\n")

    monkeypatch.setattr(command._Saved, "_write_draft", meanwhile)
    content = path.read_text()
    said = shell("notebook", path)
    assert said.returncode == 1 and "was changed meanwhile" in said.stderr
    assert path.read_text() == content + "\n"
    assert set(os.listdir(here)) == {"gate", path.name}


def test_of_several_each_has_its_turn(notebook: Notebook, here: Path) -> None:
    path, _ = closed_meanwhile(notebook, here)
    said = shell("notebook", "nowhere.ipynb", path)
    assert said.returncode == 1 and "nowhere.ipynb can't be read" in said.stderr
    assert outputs_of(path)[0].data[MIME]["state"] == "COMPLETED"


# -- without the command ---------------------------------------------------------------------------


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_a_kernel_that_lives_changes_the_card_at_the_end(notebook: Notebook, here: Path, is_interrupted: bool) -> None:
    """Displays it can't put there: the card says that they are lacking, and whoever can, adds them."""
    gate = here / "gate"
    page = Page(notebook, notebook.cell(CELL.format(gate=str(gate)), "" if is_interrupted else "--detach"))
    if is_interrupted:
        page.until("a table")
        notebook.interrupt()
    page.to_end()
    assert page.outputs[0].data[MIME]["state"] in ("PENDING", "RUNNING")
    gate.touch()
    page.until("COMPLETED", "update_display_data")
    path = page.save(here / "analysis.ipynb")
    assert outputs_of(path)[0].data[MIME]["lacks_displays"] is True
    shell("notebook", path)
    card, *shown = outputs_of(path)
    assert card.data[MIME]["state"] == "COMPLETED" and "lacks_displays" not in card.data[MIME]
    expected = ["<b>curve of epoch 2</b>", "<b>a table</b>", "<b>another table</b>"]
    assert [output.data["text/html"] for output in shown if "text/html" in output.get("data", {})] == expected


def test_the_server_tells_the_extension_the_same(notebook: Notebook, here: Path) -> None:
    path, run_id = closed_meanwhile(notebook, here)
    told = _outputs(ended(run_id))
    check("GET", f"/jupyter-hpc/jobs/{run_id}/outputs", 200, told)
    shell("notebook", path)
    card, *shown = outputs_of(path)
    assert told["card"] == card.data
    assert [each["data"] for each in told["shown"]] == [output.data for output in shown]
    assert [each["is_value"] for each in told["shown"]] == [o.output_type == "execute_result" for o in shown]
    assert {"text/html": "<b>curve of epoch 1</b>"}.items() <= told["earlier"][0].items()
