"""What a person sees and clicks: a cell's live output, the queue, a job's log, Cancel, a failure and its remedy."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.lab import SLOW_MS, Lab, open_sidebar, run_all

LIVE = """%%slurm --gpus a100:1 --time 10m --name train
import time
print('\\x1b[32mepoch\\x1b[0m 1', flush=True)
time.sleep(300)"""


def test_a_cell_is_seen_opened_and_cancelled(lab: Lab, page: Page, shots: Path) -> None:
    lab.open(page, "live.ipynb", LIVE)
    run_all(page)
    output = page.locator(".jp-HPCOutput-live")
    expect(output).to_contain_text("running", timeout=SLOW_MS)
    expect(output).to_contain_text("epoch 1", timeout=SLOW_MS)
    open_sidebar(page)
    row = page.locator(".jp-HPCQueue-row", has_text="train").first
    expect(row).to_contain_text("1 a100 gpu", timeout=SLOW_MS)
    page.screenshot(path=str(shots / "queue.png"))
    row.click()
    job = page.locator(".jp-HPCJob")
    expect(job.locator(".jp-HPCJob-tail")).to_contain_text("epoch 1", timeout=SLOW_MS)
    expect(job).to_contain_text("1 a100 gpu")
    page.screenshot(path=str(shots / "job.png"))
    job.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(job.locator(".jp-HPCJob-head")).to_contain_text("cancelled", timeout=SLOW_MS)
    expect(job.get_by_role("button", name="Resubmit")).to_be_visible()


def test_a_page_that_is_loaded_again_shows_the_live_job(lab: Lab, page: Page) -> None:
    lab.open(page, "again.ipynb", LIVE.replace("train", "again"))
    run_all(page)
    expect(page.locator(".jp-HPCOutput-live")).to_contain_text("epoch 1", timeout=SLOW_MS)
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-HPCOutput-live")).to_be_visible()
    page.wait_for_function("() => !document.querySelector('.lm-TabBar-tab.jp-mod-dirty')", timeout=SLOW_MS)
    lab.show(page, "again.ipynb")
    expect(page.locator(".jp-HPC-status")).to_contain_text(re.compile(r"\d+ running"), timeout=SLOW_MS)
    output = page.locator(".jp-HPCOutput-live")
    expect(output).to_contain_text("running", timeout=SLOW_MS)
    expect(output).to_contain_text("epoch 1", timeout=SLOW_MS)
    output.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".jp-HPCCard")).to_contain_text("cancelled", timeout=SLOW_MS)


def test_a_cell_is_detached_from_its_job(lab: Lab, page: Page, shots: Path) -> None:
    """And until then it shows what was sent, how much of the time is over, and what the job uses."""
    cell = """%%slurm --name goes-on --time 5m
import time
print('begun', len(sent), flush=True)
time.sleep(300)"""
    lab.open(page, "detach.ipynb", "sent = list(range(1000))", cell, "'kernel is free'")
    run_all(page)
    output = page.locator(".jp-HPCOutput-live")
    expect(output).to_contain_text("begun 1000", timeout=SLOW_MS)
    expect(page.locator(".jp-HPC-status")).to_contain_text(re.compile(r"\d+ running"), timeout=SLOW_MS)
    expect(output.get_by_role("progressbar", name="Elapsed of the time limit")).to_be_visible()
    expect(output.locator(".jp-HPCOutput-use")).to_contain_text("memory", timeout=SLOW_MS)
    output.get_by_text("sent 1 name").click()
    expect(output.get_by_text("sent list")).to_be_visible()
    output.screenshot(path=shots / "live.png")
    output.get_by_role("button", name="Detach").click()
    expect(page.locator(".jp-Notebook")).to_contain_text("Detached: the job goes on as", timeout=SLOW_MS)
    expect(output).to_contain_text("running")
    expect(output.get_by_role("button", name="Detach")).to_have_count(0)
    output.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".jp-HPCCard")).to_contain_text("cancelled", timeout=SLOW_MS)


def test_a_restarted_kernel_attaches(lab: Lab, page: Page) -> None:
    """From the job's view, in a kernel that knows nothing of us; names come back when the job ends."""
    flag = lab.folder / "go-on"
    cell = f"""%%slurm --name attached
import pathlib, time
print('begun', flush=True)
while not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.1)
answer = 42"""
    lab.open(page, "restart.ipynb", cell)
    run_all(page)
    expect(page.locator(".jp-HPCOutput-live")).to_contain_text("begun", timeout=SLOW_MS)
    restart = "() => { void window.jupyterapp.commands.execute('kernelmenu:restart'); }"
    page.evaluate(restart)  # it ends once its dialog is answered
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.get_by_text("| Idle").wait_for(timeout=SLOW_MS)
    open_sidebar(page)
    page.locator(".jp-HPCQueue-row", has_text="attached").first.click()
    page.locator(".jp-HPCJob").get_by_role("button", name="Attach here").click(timeout=SLOW_MS)
    attached = page.locator(".jp-Cell", has_text="%hpc attach").last
    expect(attached.locator(".jp-OutputArea-output")).to_contain_text("begun", timeout=SLOW_MS)
    flag.touch()
    expect(attached.locator(".jp-HPCCard")).to_contain_text("completed", timeout=SLOW_MS)
    shown = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
    page.evaluate(
        f"() => {{ window.asked = {shown}.requestExecute({{code: '', user_expressions: {{it: 'answer'}}}}); }}"
    )
    reply = page.evaluate("async () => (await window.asked.done).content.user_expressions.it.data['text/plain']")
    assert reply == "42"


def test_a_job_that_waits_says_what_would_start_now(lab: Lab, page: Page, shots: Path) -> None:
    holds = "%%slurm --gpus a100:4 --time 10m --name holds --detach\nimport time; time.sleep(300)"
    waits = "%%slurm --gpus a100:1 --time 5m --name waits\nx = 1"
    lab.open(page, "waits.ipynb", holds, waits)
    run_all(page)
    output = page.locator(".jp-HPCOutput-live").last
    expect(output).to_contain_text("Resources", timeout=SLOW_MS)
    expect(output).to_contain_text("1st of", timeout=SLOW_MS)
    page.screenshot(path=str(shots / "waits.png"))
    open_sidebar(page)
    page.locator(".jp-HPCQueue-row", has_text="holds").first.click(button="right")
    page.get_by_role("menuitem", name="Cancel Job").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".jp-HPCCard", has_text="waits")).to_contain_text("completed", timeout=SLOW_MS)


def test_a_failure_says_its_cause_and_remedy(lab: Lab, page: Page, shots: Path) -> None:
    cell = "%%slurm --mem 300M --time 5m --name hungry\nimport time\nx = bytearray(700 << 20)\ntime.sleep(60)"
    lab.open(page, "fails.ipynb", cell, dark=True)
    run_all(page)
    card = page.locator(".jp-HPCCard")
    expect(card).to_contain_text("out of memory", timeout=SLOW_MS)
    expect(card).to_contain_text("--mem")
    page.screenshot(path=str(shots / "failure-dark.png"))
    open_sidebar(page)
    page.locator(".jp-HPCQueue-row", has_text="hungry").first.click()
    expect(page.locator(".jp-HPCJob-hint")).to_contain_text("--mem", timeout=SLOW_MS)
    page.screenshot(path=str(shots / "job-dark.png"))


def test_hostile_names_and_logs_are_text(lab: Lab, page: Page) -> None:
    evil = "<img src=x onerror=document.title='owned'>"
    cell = f"""%%slurm --name "{evil} in the list"
print('y' * 1_000_000)
print({evil!r}, '</pre><script>document.title="owned"</script>', '\\x1b[999999m', b'\\xff\\xfe')"""
    lab.open(page, "evil.ipynb", cell)
    run_all(page)
    expect(page.locator(".jp-HPCCard")).to_contain_text("completed", timeout=SLOW_MS)
    open_sidebar(page)
    row = page.locator(".jp-HPCQueue-row", has_text="> in the list").first  # not another test's
    expect(row).to_be_visible(timeout=SLOW_MS)
    row.click()
    view = page.locator(".jp-HPCJob")
    expect(view.locator(".jp-HPCJob-tail")).to_contain_text("</script>", timeout=SLOW_MS)
    view.get_by_role("tab", name="Log").click()
    log = view.locator(".jp-HPCLog-text")
    expect(log).to_contain_text("</script>", timeout=SLOW_MS)
    assert view.locator("img, script").count() == 0
    assert "owned" not in page.title()


def test_the_keyboard_reaches_every_row(lab: Lab, page: Page) -> None:
    lab.open(page, "keys.ipynb", "%%slurm --name keys\nx = 1")
    run_all(page)
    expect(page.locator(".jp-HPCCard")).to_contain_text("completed", timeout=SLOW_MS)
    open_sidebar(page)
    expect(page.locator(".jp-HPCQueue-row", has_text="keys").first).to_contain_text("completed")
    page.locator(".jp-HPCQueue-row").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".jp-HPCQueue-row").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-HPCJob")).to_be_visible()
