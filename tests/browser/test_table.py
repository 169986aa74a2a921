"""The table of jobs in the main area: what it shows, and that all of it can be done by keyboard, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from jupyter_hpc.jobs.job import Job
from tests.browser.lab import SLOW_MS, Lab, open_sidebar, serious_faults
from tests.faults.road import says, submit

LABEL = "(document.activeElement.ariaLabel || document.activeElement.textContent).trim()"


@pytest.fixture(scope="module")
def runs(lab: Lab) -> Iterator[dict[str, Job]]:
    """Two that differ in a parameter and a metric, and one that goes on."""
    told = {"sweep-a": (0.1, 0.25), "sweep-b": (0.2, 0.75)}
    found = {
        name: submit(f"rate = {rate}\nprint('loss={loss}')", "local", name=name) for name, (rate, loss) in told.items()
    }
    found["sweep-live"] = submit("import time\nprint('ready', flush=True)\ntime.sleep(600)", "local", name="sweep-live")
    assert all(found[name].wait(120) for name in told)
    says(found["sweep-live"], "ready")
    yield found
    found["sweep-live"].cancel()
    assert found["sweep-live"].wait(120)


def show_table(lab: Lab, page: Page, *, dark: bool = False) -> Locator:
    """Open it as a person does, with the jobs of these tests alone, by name."""
    lab.show_empty(page, dark=dark)
    open_sidebar(page)
    page.locator(".jp-HPCSidebar-head").get_by_role("button", name="Table").click()
    table = page.locator(".jp-HPCTable")
    table.get_by_label("Search jobs").fill("sweep")
    head(table, "Name").get_by_role("button").click()
    expect(names(table)).to_have_text(["sweep-a", "sweep-b", "sweep-live"], timeout=SLOW_MS)
    return table


def names(table: Locator) -> Locator:
    return table.locator(".jp-HPCTable-row > :nth-child(3)")


def row(table: Locator, name: str) -> Locator:
    return table.locator(".jp-HPCTable-row", has_text=name)


def head(table: Locator, name: str) -> Locator:
    return table.get_by_role("columnheader", name=name, exact=True)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_two_runs_are_seen_and_compared_and_nothing_has_a_serious_fault(
    lab: Lab, runs: dict[str, Job], page: Page, shots: Path, dark: bool
) -> None:
    table = show_table(lab, page, dark=dark)
    for text in ("completed", "local", "rate=0.1", "loss 0.25"):
        expect(row(table, "sweep-a")).to_contain_text(text)
    expect(row(table, "sweep-live")).to_contain_text("running")
    compare = table.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    row(table, "sweep-a").focus()
    for key in ("Space", "Shift+ArrowDown"):
        page.keyboard.press(key)
    chosen = table.locator('.jp-HPCTable-row[aria-selected="true"]')
    expect(chosen).to_have_count(2)
    compare.press("Enter")
    differs = table.get_by_role("region", name="What differs")
    expect(differs.get_by_role("row", name="rate 0.1 0.2")).to_be_visible(timeout=SLOW_MS)
    expect(differs.get_by_role("row", name=re.compile(r"loss .*0\.25.* .*0\.75"))).to_be_visible()
    expect(differs.locator("pre .jp-mod-removed", has_text="rate = 0.1")).to_be_visible()
    expect(differs.locator("pre .jp-mod-added", has_text="rate = 0.2")).to_be_visible()
    page.screenshot(path=str(shots / f"table-{'dark' if dark else 'light'}.png"))
    assert serious_faults(page, ".jp-HPCTable") == []
    differs.get_by_role("button", name="Close").press("Enter")
    expect(differs).to_have_count(0)


def test_sort_and_filters(lab: Lab, runs: dict[str, Job], page: Page) -> None:
    table = show_table(lab, page)
    expect(head(table, "Name")).to_have_attribute("aria-sort", "ascending")
    head(table, "Name").get_by_role("button").press("Enter")
    expect(names(table)).to_have_text(["sweep-live", "sweep-b", "sweep-a"], timeout=SLOW_MS)
    expect(head(table, "Name")).to_have_attribute("aria-sort", "descending")
    expect(head(table, "State")).to_have_attribute("aria-sort", "none")
    condition = table.get_by_label(re.compile("^Condition"))
    condition.fill("metric loss<0.5")
    condition.press("Enter")
    expect(names(table)).to_have_text(["sweep-a"], timeout=SLOW_MS)
    expect(table.get_by_role("status")).to_have_text("1 job")
    condition.fill("florid")
    condition.press("Enter")
    expect(table.get_by_role("alert")).to_contain_text("florid", timeout=SLOW_MS)
    condition.fill("")
    table.get_by_label("Search jobs").fill("sweep-b")
    expect(names(table)).to_have_text(["sweep-b"], timeout=SLOW_MS)
    expect(table.get_by_role("alert")).to_have_count(0)


def test_tab_and_arrows_reach_everything(lab: Lab, runs: dict[str, Job], page: Page) -> None:
    table = show_table(lab, page)
    row(table, "sweep-b").focus()
    for key in ("Space", "ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(row(table, "sweep-live")).to_be_focused()
    table.get_by_label("Search jobs").focus()
    reached = []
    for _ in range(13):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(LABEL))
    assert reached[1:6] == ["Columns", "Compare", "Tag", "Cancel", "2 chosen ×"]
    assert reached[6:12] == ["Choose all that are here", "State", "Name ▲", "Target", "Started", "Duration"]
    assert (reached[0][:9], reached[12]) == ("Condition", "Node")
    page.keyboard.press("Tab")
    expect(row(table, "sweep-live")).to_be_focused()  # where the person was
    for key, name in (("Home", "sweep-a"), ("ArrowDown", "sweep-b"), ("ArrowUp", "sweep-a"), ("End", "sweep-live")):
        page.keyboard.press(key)
        expect(row(table, name)).to_be_focused()
    columns = table.locator("summary")
    columns.press("Enter")
    page.keyboard.press("Tab")
    expect(table.get_by_label("State", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(columns).to_be_focused()
    expect(table.get_by_label("State", exact=True)).to_be_hidden()


def test_jobs_are_tagged_cancelled_and_opened(lab: Lab, runs: dict[str, Job], page: Page) -> None:
    table = show_table(lab, page)
    row(table, "sweep-a").focus()
    for key in ("Space", "Shift+ArrowDown"):
        page.keyboard.press(key)
    table.get_by_role("button", name="Tag", exact=True).press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Tag 2 jobs")
    page.keyboard.type("paper")
    page.keyboard.press("Enter")
    for name in ("sweep-a", "sweep-b"):
        expect(row(table, name)).to_contain_text(f"paper:{runs[name].id[-6:]}", timeout=SLOW_MS)
    table.get_by_role("button", name="2 chosen").press("Enter")
    row(table, "sweep-a").focus()
    page.keyboard.press("Space")
    table.get_by_role("button", name="Untag").press("Enter")
    expect(dialog).to_contain_text("Remove tags")
    dialog.get_by_role("button", name="Remove").press("Enter")
    expect(row(table, "sweep-a")).not_to_contain_text("paper", timeout=SLOW_MS)
    expect(row(table, "sweep-b")).to_contain_text("paper")
    table.get_by_role("button", name="1 chosen").press("Enter")

    live = row(table, "sweep-live")
    live.focus()
    page.keyboard.press("Delete")
    expect(dialog).to_contain_text("Cancel sweep-live?", timeout=SLOW_MS)
    dialog.get_by_role("button", name="Keep it").press("Enter")
    expect(live).to_be_focused()
    expect(live).to_contain_text("running")
    page.keyboard.press("Delete")
    dialog.get_by_role("button", name="Cancel the job").press("Enter")
    expect(live).to_contain_text("cancelled", timeout=SLOW_MS)

    row(table, "sweep-b").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-HPCJob h2")).to_contain_text("sweep-b", timeout=SLOW_MS)
