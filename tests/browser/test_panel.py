"""What a cell shows in a front end that has no code of ours: the panel while its job lives, the card that stays."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.store import store
from tests.browser.lab import SLOW_MS, Lab, run_all
from tests.faults.road import until

LIVE = """%%slurm --cpus 2 --mem 1G --time 10m --name {name}
import time
weights, factor
for i in range(12_000):
    print(f'\\x1b[32mepoch\\x1b[0m {{i}}', flush=True)
    time.sleep(.05)"""
NAMES = "weights = b'x' * (3 << 20); factor = 3"
MOST_BYTES = 2_000_000  # of all that a front end gets for 10,000 lines; their text alone is 800,000
MOST_NODES = 3_000  # of the page, that the panel adds


def start(lab: Lab, page: Page, name: str, *cells: str, dark: bool = False) -> Locator:
    """Run cells and return the output of the last one."""
    lab.open(page, f"{name}.ipynb", *cells, dark=dark)
    run_all(page)
    return page.locator(".jp-CodeCell").nth(len(cells)).locator(".jp-Cell-outputArea")


def job_named(name: str) -> Job:
    """Return the newest job of this name."""
    return next(j for j in map(Job, store().runs()) if j.run.record_or_none() and j.record.get("name") == name)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_live_job_is_watched_and_cancelled_while_its_cell_blocks(
    bare: Lab, page: Page, shots: Path, dark: bool
) -> None:
    name = f"watched-{'dark' if dark else 'light'}"
    output = start(bare, page, name, NAMES, LIVE.format(name=name), dark=dark)
    expect(output).to_contain_text(re.compile(rf"running · {name} · slurm job \d+ · c1 · .* of 10 min"))
    expect(output.get_by_role("img", name="time used")).to_be_visible()
    expect(output).to_contain_text(re.compile(r"epoch ([6-9]\d|\d{3,})"))
    for words in ("cpu 0.", "memory ", "of 1 GiB"):
        expect(output).to_contain_text(words)
    for label in ("cpus in use over time", "memory in use over time"):
        expect(output.get_by_role("img", name=label)).to_be_visible()
    output.get_by_text("sent 2 names, 3 MiB").click()
    expect(output.get_by_text("weights bytes 3 MiB")).to_be_visible()
    page.wait_for_timeout(600)  # refreshed meanwhile, and still unfolded
    expect(output.get_by_text("weights bytes 3 MiB")).to_be_visible()
    page.screenshot(path=str(shots / f"panel-{name}.png"))

    output.get_by_role("button", name="Cancel").click()

    card = output.locator(".jp-HPCCard")
    expect(card).to_contain_text("cancelled")
    expect(card).to_contain_text("The job was cancelled by you")
    expect(card).to_contain_text("of 1 GiB")
    expect(output.get_by_role("button", name="Cancel")).to_have_count(0)
    page.screenshot(path=str(shots / f"card-{name}.png"))

    again = output.get_by_role("button", name="Resubmit")
    expect(again).to_be_visible()
    page.locator(".jp-CodeCell").first.click()
    page.keyboard.press("Shift+Enter")
    expect(again).not_to_be_visible()  # saved, it would be an error in another kernel


def test_a_detached_cell_ends_and_its_job_goes_on(bare: Lab, page: Page) -> None:
    output = start(bare, page, "detached", NAMES, LIVE.format(name="detached"))
    expect(output).to_contain_text("epoch 1")
    output.get_by_role("button", name="Detach").click()
    expect(output).to_contain_text("Detached: the job goes on")
    card, job = output.locator(".jp-HPCCard"), job_named("detached")
    expect(card).to_contain_text("running")
    expect(card).to_contain_text(f"%hpc attach {job.id}")
    assert str(job.state) == "RUNNING"
    job.cancel()


def test_a_failure_says_its_cause_and_its_button_submits_it_again(bare: Lab, page: Page, shots: Path) -> None:
    cell = "%%slurm --mem 300M --time 5m --name hungry\nimport time\nx = bytearray(700 << 20)\ntime.sleep(60)"
    output = start(bare, page, "hungry", cell, dark=True)
    card = output.locator(".jp-HPCCard")
    expect(card).to_contain_text("out of memory")
    expect(card).to_contain_text("exceeded its memory limit of 300 MiB")
    expect(card.locator("li").first).to_contain_text("exceeded memory limit")
    failed = job_named("hungry")
    more = failed.verdict["again"]
    expect(card).to_contain_text(f"%hpc resubmit {failed.id} {more}")
    page.screenshot(path=str(shots / "panel-failed-dark.png"))

    output.get_by_role("button", name=f"Resubmit with {more}").click()

    new = until(lambda: next((j for j in [job_named("hungry")] if j != failed), None), "submitted again")
    assert new.record["resubmits"] == failed.id
    assert new.record["spec"]["resources"]["memory"] > 700 << 20
    expect(output.locator(".jp-HPCCard", has_text=f"%hpc attach {new.id}")).to_be_visible()
    new.cancel()


def test_with_our_extension_the_button_needs_no_kernel_and_shows_the_new_job(lab: Lab, page: Page) -> None:
    cell = "%%slurm --mem 300M --time 5m --name starved\nimport time\nx = bytearray(700 << 20)\ntime.sleep(60)"
    output = start(lab, page, "starved", cell)
    expect(output.locator(".jp-HPCCard")).to_contain_text("out of memory")
    page.get_by_role("button", name="Resubmit with --mem").click()
    expect(output.locator(".jp-HPCOutput-live")).to_be_visible()
    new = job_named("starved")
    assert new.record["spec"]["resources"]["memory"] > 700 << 20
    new.cancel()


def test_displays_stay_in_order_under_the_panel_through_updates_and_clearing(bare: Lab, page: Page) -> None:
    cell = """%%slurm --name shows
import time
from IPython.display import HTML, clear_output, display
print('gone'); display(HTML('<em>gone too</em>'))
clear_output()
first = display(HTML('<em>first</em>'), display_id=True)
display(HTML('<em>second</em>'))
first.update(HTML('<em>first, later</em>'))
print('kept', flush=True)
while not __import__('os').path.exists(go): time.sleep(.05)"""
    flag = bare.folder / "go-on"
    output = start(bare, page, "shows", f"go = {str(flag)!r}", cell)
    expect(output).to_contain_text("kept")
    expect(output.locator("em")).to_have_text(["first, later", "second"])
    expect(output).not_to_contain_text("gone")
    texts = output.locator(".jp-OutputArea-output").all_inner_texts()
    assert "running" in texts[0]
    flag.touch()
    expect(output.locator(".jp-HPCCard")).to_contain_text("completed")
    expect(output.locator("em")).to_have_text(["first, later", "second"])


def test_the_log_follows_its_end_unless_somebody_scrolled_up(bare: Lab, page: Page) -> None:
    cell = """%%slurm --name scrolled
import time
for i in range(50_000):
    print('line', i, flush=True)
    time.sleep(.02)"""
    output = start(bare, page, "scrolled", cell)
    log = output.locator(".jp-HPCPanel-log")
    expect(log).to_contain_text(re.compile(r"line ([6-9]\d|\d{3,})"))
    until(lambda: page.wait_for_timeout(100) or _is_last_visible(log), "the end is in view")
    log.evaluate("log => log.scrollBy(0, -300)")
    before = _first_visible(log)
    page.wait_for_timeout(1500)
    after = _first_visible(log)
    assert abs(after - before) <= 2, (before, after)
    job_named("scrolled").cancel()


def _is_last_visible(log: Locator) -> bool:
    return bool(log.evaluate("log => Math.abs(log.scrollTop) < 2"))


def _first_visible(log: Locator) -> int:
    """Return the number of the line at the upper edge."""
    return int(
        log.evaluate(
            """log => {
                const box = log.getBoundingClientRect();
                const at = document.caretPositionFromPoint(box.left + 20, box.top + 12);
                const text = at.offsetNode.textContent;
                const from = text.lastIndexOf('line', at.offset + 3);
                return Number(text.slice(from + 5).match(/^[0-9]+/)[0]);
            }"""
        )
    )


@pytest.mark.campaign
@pytest.mark.parametrize("pause", ["", "; i % 10 or time.sleep(.01)"], ids=["at once", "1000 a second"])
def test_ten_thousand_lines_cost_bounded_bytes_and_nodes(
    bare: Lab, page: Page, pause: str, record_property: Any
) -> None:
    received = 0

    def count(frame: str | bytes) -> None:
        nonlocal received
        received += len(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    name = f"long{len(pause)}"
    cell = f"%%slurm --name {name}\nimport time\nfor i in range(10_000): print(i, 'x' * 74, flush=True){pause}"
    bare.open(page, f"{name}.ipynb", cell)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before, received = _metrics(session), 0
    run_all(page)
    card = page.locator(".jp-HPCCard")
    expect(card).to_contain_text("completed")
    expect(card).to_contain_text("… 9980 lines above")
    session.send("HeapProfiler.collectGarbage")
    after = _metrics(session)
    nodes, heap = (after[key] - before[key] for key in ("Nodes", "JSHeapUsedSize"))
    record_property("bytes", received)
    record_property("nodes", nodes)
    record_property("heap", heap)
    print(f"{name}: {received} bytes, {nodes} nodes, {heap / 2**20:.1f} MiB of heap")
    assert 20_000 < received < MOST_BYTES
    assert nodes < MOST_NODES


def _metrics(session: Any) -> dict[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def test_hostile_names_and_logs_are_text(bare: Lab, page: Page) -> None:
    evil = "<img src=x onerror=document.title='owned'>"
    cell = f"""%%slurm --name "{evil}"
import sys, time
print({evil!r}, '</pre><script>document.title="owned"</script>', '\\x1b[999999m\\x1b]0;t\\x07', flush=True)
sys.stdout.buffer.write(b'\\xff\\xfe caf\\xc3\\n')
for i in range(30_000): sys.stdout.write(f'\\x1b[{{i % 50}}ma')
print('\\x1b[0m', 'y' * 1_000_000, flush=True)
print('at the end', flush=True)
time.sleep(2)
raise ValueError({evil!r} + '</div></pre><script>document.title="owned"</script>' + 'z' * 100_000)"""
    output = start(bare, page, "evil", cell)
    expect(output).to_contain_text("at the end")
    assert output.locator("img, script").count() == 0
    card = output.locator(".jp-HPCCard")
    expect(card).to_contain_text("failed")
    expect(card).to_contain_text("at the end")
    assert card.locator("img, script").count() == 0
    assert len(card.inner_html()) < 400_000
    assert "owned" not in page.title()


def test_an_arrays_tasks_have_rows_and_logs_of_their_own(bare: Lab, page: Page, shots: Path) -> None:
    cell = """%%slurm --array 1-3 --name rows
import os, time
print('I am', os.environ['SLURM_ARRAY_TASK_ID'], flush=True)
time.sleep(300)"""
    output = start(bare, page, "rows", cell)
    expect(output.locator("tr")).to_have_count(3)
    expect(output).to_contain_text("[3] I am 3")
    output.get_by_label("Log of").select_option("task 2")
    expect(output).not_to_contain_text("[3] I am 3")
    expect(output).to_contain_text("I am 2")
    page.screenshot(path=str(shots / "panel-array.png"))
    output.get_by_role("button", name="Cancel").click()
    expect(output.locator(".jp-HPCCard")).to_contain_text("cancelled")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_fault_of_accessibility_and_buttons_by_keyboard(bare: Lab, page: Page, dark: bool) -> None:
    name = f"keys-{'dark' if dark else 'light'}"
    output = start(bare, page, name, NAMES, LIVE.format(name=name), dark=dark)
    expect(output).to_contain_text(re.compile(r"epoch ([4-9]\d|\d{3,})"))
    assert not _faults(page, ".jp-OutputArea-output")
    output.get_by_role("button", name="Open log").focus()
    page.keyboard.press("Tab")
    expect(output.get_by_role("button", name="Detach")).to_be_focused()
    page.keyboard.press("Tab")
    expect(output.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(output.locator(".jp-HPCCard")).to_contain_text("cancelled")
    assert not _faults(page, ".jp-HPCCard")


LEFT = """outputs => {
    const found = {};
    for (const output of outputs) {
        const words = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
        while (words.nextNode()) {
            const node = words.currentNode, range = document.createRange();
            range.selectNodeContents(node);
            const box = range.getClientRects()[0];
            if (box && box.width && !node.parentElement.closest('.jp-OutputPrompt, .jp-HPCChart, .jp-HPCLog-tools, button, summary')) {
                const top = Math.round(box.top / 4);
                found[top] = Math.min(found[top] ?? 9999, box.left);
            }
        }
    }
    return Object.values(found);
}"""


@pytest.mark.parametrize("which", ["bare", "lab"], ids=["without the extension", "with it"])
def test_all_lines_begin_where_a_notebooks_own_outputs_do(which: str, page: Page, request: Any) -> None:
    """Those of the panel, of its log and of the card; a mark stands before what unfolds."""
    shown: Lab = request.getfixturevalue(which)
    short = "%%slurm --name edge\nprint('its log')\nsquare = factor ** 2"
    live = LIVE.format(name="edges").replace("weights, factor", "")
    output = start(shown, page, f"edges-{which}", NAMES, "print('its own')", short, live)
    expect(output).to_contain_text(re.compile(r"epoch \d{2,}"))
    expect(output).to_contain_text("cpu")
    places = page.locator(".jp-OutputArea-output").evaluate_all(LEFT)
    assert len(places) > 8 and max(places) - min(places) < 6, places  # code has an edge of its own
    job_named("edges").cancel()


def _faults(page: Page, place: str) -> list[str]:
    found = Axe().run(page, context=place).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")
    ]


def test_the_card_needs_neither_kernel_nor_script_nor_style(
    bare: Lab, browser: Browser, page: Page, tmp_path: Path, shots: Path
) -> None:
    cell = "%%slurm --mem 1G --time 1h --name kept\nprint('a line of it')\nsquare = factor ** 2"
    output = start(bare, page, "kept", NAMES, cell)
    expect(output.locator(".jp-HPCCard")).to_contain_text("completed")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.lm-TabBar-tab.jp-mod-dirty')", timeout=SLOW_MS)
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", f"--output-dir={tmp_path}"]
    subprocess.run([*convert, str(bare.folder / "kept.ipynb")], check=True, capture_output=True)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 700})
    plain = context.new_page()
    plain.goto(f"file://{tmp_path / 'kept.html'}")
    card = plain.locator(".jp-HPCCard")
    for words in (
        "completed",
        "peak",
        "--mem 64M --time 5m",
        "received square",
        "sent 1 name",
        "%hpc attach",
    ):
        expect(card).to_contain_text(words)
    expect(card.get_by_text("a line of it")).to_be_visible()
    card.screenshot(path=str(shots / "card-nbconvert.png"))
    context.close()
