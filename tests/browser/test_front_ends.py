"""What a remote cell shows on each kind of page: while its job lives, at its end, and when it is opened later."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_hpc.commands import cli
from jupyter_hpc.views.mime import MIME
from tests.browser.lab import Lab, begin_all, command, serious_faults, set_theme
from tests.browser.test_panel import job_named

pytestmark = pytest.mark.timeout(900)
CELL = """%%local --name {name} {options}
import os, time
from IPython.display import HTML, display
print('a line', flush=True)
curve = display(HTML('<em>epoch 1</em>'), display_id=True)
while not os.path.exists({gate!r}): time.sleep(0.05)
print('the last line')
curve.update(HTML('<em>epoch 2</em>'))
40 + 2"""
ENDED = "completed"
# what only this front end has while a job lives
LIVE = {
    "lab": ".jp-HPCOutput-live",
    "notebook7": ".jp-HPCOutput-live",
    "bare": ".widget-button:visible",
    "plain": ".jp-HPCCard",
}


@pytest.fixture
def where(request: pytest.FixtureRequest) -> Lab:
    """The front end whose fixture a test names."""
    found: Lab = request.getfixturevalue(request.param)
    return found


def at(*names: Any) -> Callable[[Any], Any]:
    return pytest.mark.parametrize("where", names, indirect=True)


def output_of(page: Page, number: int = 1) -> Locator:
    """The output of a cell; the first one loads our extension."""
    return page.locator(".jp-CodeCell").nth(number).locator(".jp-Cell-outputArea")


def saved(lab: Lab, page: Page, name: str) -> Path:
    command(page, "docmanager:save")
    return lab.folder / name


def outputs_in(path: Path, number: int = 1) -> list[Any]:
    return list(nbformat.read(path, as_version=4).cells[number].outputs)


def state_in(path: Path, number: int = 1) -> str:
    """How the first card in a saved cell says that its job stands."""
    return str(next(each["data"][MIME]["state"] for each in outputs_in(path, number) if MIME in each.get("data", {})))


def is_the_end(output: Locator) -> None:
    card = output.locator(".jp-HPCCard")
    expect(card).to_contain_text(ENDED)
    expect(card).to_contain_text("the last line")
    expect(card).not_to_contain_text("running")
    expect(output.locator("em")).to_have_text(["epoch 2"])
    expect(output.get_by_text("42", exact=True)).to_be_visible()


@pytest.mark.campaign
@pytest.mark.parametrize("name", LIVE)
def test_while_the_job_lives_and_at_its_end(
    request: pytest.FixtureRequest, page: Page, gate: Path, shots: Path, name: str
) -> None:
    lab: Lab = request.getfixturevalue(name)
    lab.open(page, "lives.ipynb", CELL.format(name="lives", options="", gate=str(gate)))
    set_theme(page, dark=False)
    begin_all(page)
    output = output_of(page)
    expect(output.locator(LIVE[name]).first).to_be_visible()
    expect(output.locator("em")).to_have_text(["epoch 1"])
    if name == "plain":
        expect(output.get_by_role("button")).to_have_count(0)
    else:
        expect(output).to_contain_text("running")
        expect(output).to_contain_text("a line")
        for words in ("Open log", "Detach", "Cancel"):
            expect(output.get_by_role("button", name=words)).to_be_visible()
    for theme in ("dark", "light"):
        set_theme(page, dark=theme == "dark")
        page.screenshot(path=shots / f"front-end-{name}-live-{theme}.png")
        assert serious_faults(page, ".jp-OutputArea-output") == []
    gate.touch()
    is_the_end(output)
    for theme in ("dark", "light"):
        set_theme(page, dark=theme == "dark")
        page.screenshot(path=shots / f"front-end-{name}-ended-{theme}.png")
        assert serious_faults(page, ".jp-OutputArea-output") == []
    assert state_in(saved(lab, page, "lives.ipynb")) == "COMPLETED"
    lab.end_kernels()


def close_while_it_runs(lab: Lab, page: Page, gate: Path, name: str, options: str, *, ends_kernel: bool) -> Path:
    """Save a notebook whose job runs, close its page and perhaps shut its kernel down; then the job ends."""
    file = f"{name}.ipynb"
    lab.open(page, file, CELL.format(name=name, options=options, gate=str(gate)))
    begin_all(page)
    output = output_of(page)
    expect(output.locator(LIVE["lab"] if options else "em").first).to_be_visible()
    path = saved(lab, page, file)
    assert state_in(path) in ("PENDING", "RUNNING")
    page.goto("about:blank")
    if ends_kernel:
        lab.end_kernels()
    gate.touch()
    assert job_named(name).wait(60)
    return path


@pytest.mark.campaign
@pytest.mark.parametrize("ends_kernel", [False, True], ids=["", "kernel gone"])
@pytest.mark.parametrize("options", ["", "--detach"], ids=["waited for", "detached"])
@at("lab", "notebook7")
def test_opened_later_the_notebook_has_the_end(
    where: Lab, page: Page, gate: Path, shots: Path, tmp_path: Path, options: str, ends_kernel: bool
) -> None:
    name = "later" + options.replace("--", "-") + ("-gone" if ends_kernel else "")
    path = close_while_it_runs(where, page, gate, name, options, ends_kernel=ends_kernel)
    where.show(page, path.name)
    is_the_end(output_of(page))
    page.screenshot(path=shots / f"reopened-{where.pages.partition('/')[0]}-{name}.png")
    saved(where, page, path.name)
    assert state_in(path) == "COMPLETED"
    assert [each["data"].get("text/html") for each in outputs_in(path)[1:]] == ["<em>epoch 2</em>", None]
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", f"--output-dir={tmp_path}", str(path)]
    subprocess.run(convert, check=True, capture_output=True)
    html = (tmp_path / path.with_suffix(".html").name).read_text()
    body = html[html.index("<body") :]
    for words in (ENDED, "<em>epoch 2</em>"):
        assert words in body, words
    assert body.count("the last line") == 2  # in the cell's code, and printed
    assert "<em>epoch 1" not in body and "running" not in body
    where.end_kernels()


@at("bare", "plain")
def test_opened_later_without_our_extension_it_has_what_was_saved_until_the_command(
    where: Lab, page: Page, gate: Path
) -> None:
    path = close_while_it_runs(where, page, gate, f"kept-{where.folder.parent.name}", "", ends_kernel=True)
    before = path.read_bytes()
    where.show(page, path.name)
    output = output_of(page)
    words = (
        "model not found" if where.has_widgets else "as it stood"
    )  # ipywidgets' front end seeks what was in the kernel
    expect(output).to_contain_text(words)
    expect(output.locator("em")).to_have_text(["epoch 1"])
    assert path.read_bytes() == before
    page.goto("about:blank")
    with redirect_stdout(StringIO()):
        assert cli.main(["notebook", str(path)]) == 0
    where.show(page, path.name)
    is_the_end(output_of(page))
    where.end_kernels()


def test_whatever_became_of_a_closed_notebook_each_cell_has_its_end(lab: Lab, page: Page, gate: Path) -> None:
    """Several jobs, one that failed; a cell that was edited, one that was deleted; the file was renamed."""
    names = ("first", "second", "broken", "edited", "deleted")
    cells = [CELL.format(name=name, options="--detach", gate=str(gate)) for name in names]
    cells[2] = cells[2].replace("40 + 2", "1 / 0")
    lab.open(page, "before.ipynb", *cells)
    begin_all(page)
    for number in range(1, 6):
        expect(output_of(page, number).locator(LIVE["lab"])).to_be_visible()
    page.evaluate(
        """() => {
            const { sharedModel } = window.jupyterapp.shell.currentWidget.content.model;
            sharedModel.getCell(4).setSource('# it was edited');
            sharedModel.deleteCell(5);
        }"""
    )
    path = saved(lab, page, "before.ipynb")
    page.goto("about:blank")
    lab.end_kernels()
    path = path.rename(lab.folder / "after.ipynb")
    gate.touch()
    for name in names:
        assert job_named(name).wait(90)

    lab.show(page, path.name)
    for number in (1, 2, 4):
        is_the_end(output_of(page, number))
    broken = output_of(page, 3)
    expect(broken.locator(".jp-HPCCard")).to_contain_text("ZeroDivisionError")
    expect(broken.locator("em")).to_have_text(["epoch 2"])
    expect(page.locator(".jp-CodeCell")).to_have_count(5)
    saved(lab, page, path.name)
    assert [state_in(path, number) for number in (1, 2, 3, 4)] == ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED"]
    assert nbformat.read(path, as_version=4).cells[4].source == "# it was edited"
    lab.end_kernels()
