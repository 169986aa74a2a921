"""Notebook 7: one document at a time, no JupyterLab shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import SLOW_MS, Lab, begin_all, command, set_theme

pytestmark = pytest.mark.timeout(900)
GATED = "import os, time\nprint('a line', flush=True)\nwhile not os.path.exists({gate!r}): time.sleep(0.05)\nprint('the last line')"


def test_open_log_shows_the_page_of_a_job_under_the_notebook(
    page: Page, notebook7: Lab, gate: Path, shots: Path
) -> None:
    notebook7.open(page, "opens.ipynb", f"%%local --name fits\n{GATED.format(gate=str(gate))}")
    begin_all(page)
    panel = page.locator(".jp-HPCOutput")
    panel.get_by_role("button", name="Open log").first.click(timeout=SLOW_MS)
    _is_under_the_notebook(page, "a line")
    page.screenshot(path=shots / "notebook7-job.png")
    gate.touch()
    expect(page.locator(".jp-HPCJob").get_by_text("the last line").first).to_be_visible(timeout=SLOW_MS)


def test_a_click_on_a_row_shows_the_page_of_its_job_under_the_notebook(
    page: Page, notebook7: Lab, gate: Path, shots: Path
) -> None:
    for number in (1, 2):
        cell = f"%%local --detach --name row-{number}\n{GATED.format(gate=str(gate))}\nprint('of {number}')"
        notebook7.open(page, f"row-{number}.ipynb", cell)
        begin_all(page)
        expect(page.locator(".jp-HPCOutput-live")).to_contain_text("running", timeout=SLOW_MS)
    gate.touch()
    command(page, "jupyter-hpc:show")
    for number in (1, 2):  # the list is in order only then
        row = page.locator(".jp-HPCQueue-row", has_text=f"row-{number}").first
        expect(row).to_contain_text("completed", timeout=SLOW_MS)
    for number in (1, 2, 1):
        page.locator(".jp-HPCQueue-row", has_text=f"row-{number}").first.click(timeout=SLOW_MS)
        _is_under_the_notebook(page, f"of {number}")
        expect(page.locator(".jp-HPCJob")).to_have_count(1)  # the next one takes the place of the one before
    for theme in ("dark", "light"):
        set_theme(page, dark=theme == "dark")
        page.screenshot(path=shots / f"notebook7-row-{theme}.png")
    set_theme(page, dark=False)


def _is_under_the_notebook(page: Page, words: str) -> None:
    job = page.locator(".jp-HPCJob:visible")
    expect(job.get_by_text(words).first).to_be_visible(timeout=SLOW_MS)
    notebook, below = page.locator(".jp-Notebook").bounding_box(), job.bounding_box()
    assert notebook is not None and below is not None
    assert below["y"] > notebook["y"] + 100 and below["height"] > 100, (notebook, below)
