"""Notebook 7: one document at a time, no JupyterLab shell."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import SLOW_MS, TOKEN, Lab, command
from tests.conftest import Sandbox

SHELL = "window.jupyterapp?.shell"
pytestmark = pytest.mark.timeout(900)
GATED = "import os, time\nprint('a line', flush=True)\nwhile not os.path.exists({gate!r}): time.sleep(0.05)\nprint('the last line')"


@pytest.fixture(scope="module")
def notebook7(chromium: str, sandbox: Sandbox) -> Iterator[Lab]:
    base = sandbox.directory / "notebook7"
    base.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(("SLURM", "SBATCH", "JUPYTER"))]:
            patch.delenv(name)
        for name, value in sandbox.environment.items():
            patch.setenv(name, value)
        patch.setenv("JUPYTER_HPC_ROOT", str(base / "hpc"))
        found = Lab.start(base, module="notebook")
    yield found
    found.stop()


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """What a job waits for; a test that failed leaves none that does."""
    yield tmp_path / "gate"
    (tmp_path / "gate").touch()


def open_notebook(page: Page, lab: Lab, name: str, *cells: str) -> None:
    sources = ["%load_ext jupyter_hpc", *cells]
    kept = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    record = {
        "cells": [{**kept, "id": f"c{i}", "source": source} for i, source in enumerate(sources)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (lab.folder / name).write_text(json.dumps(record))
    show(page, lab, name)
    page.wait_for_function(
        f"{SHELL}?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=SLOW_MS
    )


def run_all(page: Page) -> None:
    """Begin; the command's own promise ends with the last cell."""
    page.evaluate("() => { void window.jupyterapp.commands.execute('notebook:run-all-cells'); }")


def show(page: Page, lab: Lab, name: str) -> None:
    page.goto(f"{lab.url}/notebooks/{name}?token={TOKEN}", timeout=SLOW_MS)
    page.locator(".jp-Notebook").wait_for(timeout=SLOW_MS)


def test_the_page_of_a_job_opens(page: Page, notebook7: Lab, gate: Path, shots: Path) -> None:
    open_notebook(page, notebook7, "opens.ipynb", f"%%local --name fits\n{GATED.format(gate=str(gate))}")
    run_all(page)
    panel = page.locator(".jp-HPCOutput")
    panel.get_by_role("button", name="Open log").first.click(timeout=SLOW_MS)
    job = page.locator(".jp-HPCJob").first
    expect(job).to_be_visible(timeout=SLOW_MS)
    expect(job.get_by_text("a line").first).to_be_visible(timeout=SLOW_MS)
    page.screenshot(path=shots / "notebook7-job.png")
    gate.touch()
    expect(page.get_by_text("the last line").first).to_be_visible(timeout=SLOW_MS)


def test_a_notebook_that_was_closed_shows_the_end_when_it_is_opened(
    page: Page, notebook7: Lab, gate: Path, shots: Path
) -> None:
    body = GATED.format(gate=str(gate)) + "\nfrom IPython.display import HTML\nHTML('<b>a plot</b>')"
    open_notebook(page, notebook7, "closed.ipynb", f"%%local --name fits\n{body}")
    run_all(page)
    panel = page.locator(".jp-HPCOutput")
    expect(panel.get_by_text("a line").first).to_be_visible(timeout=SLOW_MS)
    command(page, "docmanager:save")
    path = notebook7.folder / "closed.ipynb"
    page.wait_for_function("!document.title.startsWith('*')")
    page.goto("about:blank")
    assert '"state": "RUNNING"' in path.read_text() or '"state": "PENDING"' in path.read_text()
    gate.touch()

    show(page, notebook7, "closed.ipynb")
    expect(page.locator(".jp-HPCCard").get_by_text("the last line").first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".jp-OutputArea").get_by_text("a plot")).to_have_count(1, timeout=SLOW_MS)
    command(page, "docmanager:save")
    page.screenshot(path=shots / "notebook7-closed.png")
