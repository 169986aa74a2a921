"""Queue, cluster view and job view: what they show, by mouse and keyboard, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from jupyter_hpc.jobs.job import Job
from tests.browser.lab import SLOW_MS, TOKEN, Lab, command, open_sidebar, serious_faults
from tests.faults.road import says, slurm, submit, until

BUSY = """import time
print('\\x1b[32mstep\\x1b[0m 1', flush=True)
held = bytearray(60 << 20)
end = time.monotonic() + 6
while time.monotonic() < end: pass
print('ready', flush=True)
time.sleep(600)"""


@pytest.fixture(scope="module")
def jobs(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Job | str]]:
    """One job of each kind that a list has: running, waiting, completed, failed, and one of the user's own."""
    folder = tmp_path_factory.mktemp("own")
    running = submit(BUSY, name="train-resnet", gpus="a100:2", time="10m")
    says(running, "ready")
    own = slurm(
        *("sbatch", "--parsable", "--job-name=by-hand", f"--output={folder}/own.txt", "--time=30"),
        *("--gres=gpu:a100:1", "--wrap=printf 'from my own script\\n'; sleep 600"),
    )
    waiting = submit("x = 1", name="evaluate", gpus="a100:4", time="2m")
    done = submit("x = list(range(1000))\nprint('loaded')", name="load-data")
    failed = submit("print('epoch 3')\n1 / 0", name="fit")
    assert done.wait(120) and failed.wait(120)
    until(lambda: slurm("squeue", "-h", "-j", own, "-o", "%T") == "RUNNING", "the user's own job runs")
    yield {"running": running, "waiting": waiting, "done": done, "failed": failed, "own": own}
    slurm("scancel", own)
    for job in (running, waiting):
        job.cancel()
        assert job.wait(120)


def show_queue(lab: Lab, page: Page, *, dark: bool = False) -> None:
    lab.show_empty(page, dark=dark)
    open_sidebar(page)
    expect(row(page, "train-resnet")).to_be_visible(timeout=SLOW_MS)


def row(page: Page, name: str):
    return page.locator(".jp-HPCQueue-row", has_text=name).first


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_each_view_is_seen_and_has_no_serious_fault(
    lab: Lab, jobs: dict[str, Job], page: Page, shots: Path, dark: bool
) -> None:
    theme = "dark" if dark else "light"
    show_queue(lab, page, dark=dark)
    expect(row(page, "by-hand")).to_contain_text("elsewhere", timeout=SLOW_MS * 2)
    expect(row(page, "by-hand")).to_contain_text("1 a100 gpu")
    expect(row(page, "train-resnet").get_by_role("progressbar")).to_be_visible()
    expect(row(page, "evaluate")).to_contain_text("pending", timeout=SLOW_MS)
    page.screenshot(path=str(shots / f"queue-{theme}.png"))
    assert serious_faults(page, ".jp-HPCSidebar") == []

    page.get_by_role("tab", name="Clusters").click()
    cluster = page.locator(".jp-HPCCluster")
    expect(cluster.get_by_role("button", name=re.compile(r"1 of 4 gpus free, 3 yours"))).to_be_visible(timeout=SLOW_MS)
    expect(cluster).to_contain_text("waits")
    page.screenshot(path=str(shots / f"cluster-{theme}.png"))
    assert serious_faults(page, ".jp-HPCSidebar") == []

    page.get_by_role("tab", name="Queue").click()
    row(page, "train-resnet").click()
    job = page.locator(".jp-HPCJob")
    overview = job.locator(".jp-HPCJob-overview")
    for text in ("step 1", "CPUs in use", "2 a100 gpus", "held = bytearray", "record.json"):
        expect(overview).to_contain_text(text, timeout=SLOW_MS)
    page.screenshot(path=str(shots / f"job-overview-{theme}.png"))
    assert serious_faults(page, ".jp-HPCJob") == []
    for tab, text in (
        ("Log", "step 1"),
        ("Lineage", "train-resnet"),
        ("Script", "#!/bin/bash"),
        ("Record", "native_id"),
    ):
        job.get_by_role("tab", name=tab).click()
        expect(job.locator(".jp-HPCJob-tab:not([hidden])")).to_contain_text(text, timeout=SLOW_MS)
        page.screenshot(path=str(shots / f"job-{tab.lower()}-{theme}.png"))
        assert serious_faults(page, ".jp-HPCJob") == []


def test_a_node_offers_options_by_keyboard_alone_and_a_cell_takes_them(
    lab: Lab, jobs: dict[str, Job], page: Page
) -> None:
    lab.open(page, "options.ipynb")
    page.locator('.lm-TabBar-tab[data-id="jupyter-hpc-sidebar"]').click()
    page.get_by_role("tab", name="Clusters").click()
    tile = page.get_by_role("button", name=re.compile(r"^g1: .* of 4 gpus free"))
    expect(tile).to_be_visible(timeout=SLOW_MS)
    tile.focus()
    page.keyboard.press("Enter")
    offer = page.get_by_role("group", name="Options for g1")
    expect(offer).to_contain_text("%%slurm --partition debug --gpus a100:1")
    page.keyboard.press("Tab")
    expect(offer.get_by_role("button", name="Copy").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(offer).to_have_count(0)
    expect(tile).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    expect(cell).to_contain_text("%%slurm --partition debug --gpus a100:1", timeout=SLOW_MS)


def test_a_job_of_the_user_s_own_has_its_log_and_no_button_that_does_nothing(
    lab: Lab, jobs: dict[str, Job | str], page: Page, shots: Path
) -> None:
    show_queue(lab, page)
    expect(row(page, "by-hand")).to_be_visible(timeout=SLOW_MS * 2)
    row(page, "by-hand").click(button="right")
    menu = page.locator(".lm-Menu")
    expect(menu).to_contain_text("Copy Job Id")
    expect(menu).to_contain_text("Cancel Job")
    expect(menu).to_contain_text("Requeue Job")
    assert not re.search("Hold|Release|Resubmit|Forget|Attach", menu.inner_text())
    page.keyboard.press("Escape")
    row(page, "by-hand").click()
    view = page.locator(".jp-HPCJob")
    expect(view.locator(".jp-HPCJob-tail")).to_contain_text("from my own script", timeout=SLOW_MS)
    assert view.locator(".jp-HPCJob-buttons button").all_inner_texts() == ["Copy id"]
    expect(view).to_contain_text(f"scancel {jobs['own']}")
    view.get_by_role("tab", name="Log").click()
    expect(view.locator(".jp-HPCLog-text")).to_contain_text("from my own script", timeout=SLOW_MS)
    page.screenshot(path=str(shots / "job-other.png"))


FOCUSED = (
    "[document.activeElement.dataset.job, document.activeElement.ariaPosInSet, document.activeElement.ariaSetSize]"
)


def test_filters_groups_and_search(lab: Lab, jobs: dict[str, Job], page: Page, shots: Path) -> None:
    show_queue(lab, page)
    page.get_by_role("button", name=re.compile("^Waiting")).click()
    expect(row(page, "evaluate")).to_be_visible(timeout=SLOW_MS)
    expect(row(page, "train-resnet")).to_have_count(0)
    page.get_by_role("button", name="All").click()
    page.get_by_label("Search jobs").fill("load-da")
    expect(row(page, "load-data")).to_be_visible(timeout=SLOW_MS)
    expect(row(page, "train-resnet")).to_have_count(0, timeout=SLOW_MS)
    page.get_by_label("Search jobs").fill("nothing has this name")
    expect(page.get_by_text("No job matches these filters.")).to_be_visible(timeout=SLOW_MS)
    page.get_by_label("Search jobs").fill("")
    page.get_by_label("Group by").select_option("state")
    heading = page.locator(".jp-HPCQueue-heading").first
    expect(heading).to_contain_text("running", timeout=SLOW_MS)  # what lives is above what ended
    page.screenshot(path=str(shots / "queue-grouped.png"))
    tabbable = page.locator('.jp-HPCQueue-row[tabindex="0"]')
    expect(tabbable).to_have_count(1)
    tabbable.focus()
    rows = [page.evaluate(FOCUSED)]
    for _ in range(40):  # every row is reached, over the headings
        job, number, of = rows[-1]
        if number == of:
            break
        page.keyboard.press("ArrowDown")
        rows.append(
            page.wait_for_function(
                f"before => {{ const now = {FOCUSED}; return now[0] && now[0] !== before && now }}", arg=job
            ).json_value()
        )
    seen = {job for job, _, _ in rows}
    assert {jobs[kind].id for kind in ("running", "waiting", "done", "failed")} <= seen


def test_a_question_does_not_wait_for_the_one_before(lab: Lab, jobs: dict[str, Job], page: Page) -> None:
    show_queue(lab, page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if "by=state" not in route.request.url else route.continue_()

    page.route(re.compile(r"/jupyter-hpc/jobs\?.*text=a"), hold)
    with page.expect_request(re.compile("text=a")):
        page.get_by_label("Search jobs").fill("a")
    page.get_by_label("Group by").select_option("state")
    heading = page.locator(".jp-HPCQueue-heading")
    expect(heading.first).to_be_visible(timeout=SLOW_MS)
    for route in held:
        route.continue_()  # a late answer changes nothing
    page.wait_for_load_state("networkidle")
    expect(heading.first).to_be_visible()


def test_the_focus_stays_in_the_list_when_its_row_becomes_a_heading(lab: Lab, jobs: dict[str, Job], page: Page) -> None:
    """The answer in between is the test's: the list with a job more, so that a heading comes to the row's place."""
    show_queue(lab, page)
    page.get_by_label("Group by").select_option("state")
    headings = page.locator(".jp-HPCQueue-heading")
    expect(headings.nth(1)).to_be_visible(timeout=SLOW_MS)
    top = headings.nth(1).evaluate("e => parseInt(e.style.top)")
    below = page.locator(f'.jp-HPCQueue-row[data-index="{top // 60 + 1}"]')
    below.focus()

    def longer(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        found["jobs"].insert(0, found["jobs"][0])
        route.fulfill(response=answer, json={**found, "total": found["total"] + 1})

    page.route(re.compile(r"/jupyter-hpc/jobs\?.*by=state"), longer)
    command(page, "jupyter-hpc:refresh")
    expect(headings.nth(2)).to_have_attribute("style", re.compile(f"top: {top + 60}px"), timeout=SLOW_MS)
    page.wait_for_function("document.activeElement.dataset.job !== undefined")


def test_matching_options_are_copied_with_one_click(lab: Lab, page: Page) -> None:
    lab.show_empty(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_sidebar(page)
    page.get_by_role("tab", name="Clusters").click()
    page.get_by_role("button", name=re.compile("^gpu 1 node")).click(timeout=SLOW_MS)
    page.get_by_role("button", name="Copy %%slurm --partition gpu --gpus a100:1").click()
    assert page.evaluate("navigator.clipboard.readText()") == "%%slurm --partition gpu --gpus a100:1"


def test_the_palette_acts_on_the_view_that_is_current(lab: Lab, jobs: dict[str, Job], page: Page) -> None:
    show_queue(lab, page)
    state = "([name, args]) => window.jupyterapp.commands.isEnabled(name, args)"
    asked = ["jupyter-hpc:copy-id", {"ofView": True}]
    assert page.evaluate(state, asked) is False
    command(page, "jupyter-hpc:open-job", {"id": jobs["done"].id})
    expect(page.locator(".jp-HPCJob-tail")).to_contain_text("loaded", timeout=SLOW_MS)
    assert page.evaluate(state, asked) is True
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    command(page, *asked)
    assert page.evaluate("navigator.clipboard.readText()") == jobs["done"].id


def test_counts_stand_in_the_status_bar_and_jobs_among_what_runs(lab: Lab, jobs: dict[str, Job], page: Page) -> None:
    show_queue(lab, page)
    expect(page.locator(".jp-HPC-status")).to_contain_text(
        re.compile(r"^\d+ running( · \d+ waiting)?$"), timeout=SLOW_MS
    )
    command(page, "running:show-panel")
    section = page.locator("#jp-running-sessions")
    expect(section).to_contain_text("Cluster Jobs", timeout=SLOW_MS)
    expect(section).to_contain_text("train-resnet")


def test_lineage_is_a_tab_only_where_the_server_has_it(lab: Lab, jobs: dict[str, Job], page: Page) -> None:
    """One answer is the test's: of a server that has no such route."""
    page.route("**/lineage*", lambda route: route.fulfill(status=404, body="Not Found"))
    show_queue(lab, page)
    command(page, "jupyter-hpc:open-job", {"id": jobs["failed"].id})
    view = page.locator(".jp-HPCJob")
    expect(view.get_by_role("tab", name="Record")).to_be_visible(timeout=SLOW_MS)
    expect(view.get_by_role("tab", name="Lineage")).to_have_count(0)


def test_a_lineage_leads_to_the_runs_in_it_by_mouse_and_keyboard(lab: Lab, page: Page, shots: Path) -> None:
    """Their names are hostile: they are text."""
    hostile = "<img src=x onerror=\"document.title='owned'\">"
    one = submit("import array\nraw = array.array('d', range(100))", "local", name=hostile)
    two = submit("model = sum(raw)", "local", names=one.result(120), name="sums-up")
    assert two.wait(120)
    lab.show_empty(page, dark=True)
    command(page, "jupyter-hpc:open-job", {"id": two.id})
    tabs = page.locator('.lm-DockPanel-tabBar .lm-TabBar-tab[data-id^="jupyter-hpc-"]')
    view = page.locator(".jp-HPCJob:visible")
    view.get_by_role("tab", name="Lineage").click(timeout=SLOW_MS)
    expect(view.locator(".jp-HPCLineage-box")).to_have_count(2, timeout=SLOW_MS)
    page.screenshot(path=str(shots / "job-lineage-dark.png"))
    made = view.get_by_role("link").first
    expect(made).to_contain_text("<img src=x")
    made.focus()
    page.keyboard.press("Enter")
    expect(view.locator("h2")).to_contain_text("<img src=x", timeout=SLOW_MS)
    expect(tabs).to_have_count(2)
    assert "owned" not in page.title()


def test_a_row_opens_a_preview_that_the_next_one_replaces(lab: Lab, jobs: dict[str, Job], page: Page) -> None:
    show_queue(lab, page)
    tabs = page.locator('.lm-DockPanel-tabBar .lm-TabBar-tab[data-id^="jupyter-hpc-"]')
    labels = tabs.locator(".lm-TabBar-tabLabel")
    row(page, "load-data").click()
    expect(labels).to_have_text(["load-data"], timeout=SLOW_MS)
    expect(labels.first).to_have_css("font-style", "italic")
    row(page, "evaluate").click()
    expect(labels).to_have_text(["evaluate"], timeout=SLOW_MS)
    view = page.locator(".jp-HPCJob:visible")
    view.get_by_role("tab", name="Script").click()  # something is done in it: it stays
    expect(labels.first).to_have_css("font-style", "normal")
    row(page, "load-data").dblclick()  # and so does what is opened twice
    expect(labels).to_have_text(["evaluate", "load-data"], timeout=SLOW_MS)
    expect(labels.nth(1)).to_have_css("font-style", "normal")
    row(page, "fit").click()
    row(page, "evaluate").click()  # which is there already
    expect(labels).to_have_text(["evaluate", "load-data", "fit"], timeout=SLOW_MS)
    expect(view.locator(".jp-HPCJob-tab:not([hidden])")).to_contain_text("sbatch")  # its tab as it was left
    with page.expect_response(lambda r: "/api/workspaces" in r.url and r.request.method == "PUT"):
        tabs.nth(0).click()
    page.goto(f"{lab.url}/lab?token={TOKEN}")
    expect(labels).to_have_text(["evaluate", "load-data"], timeout=SLOW_MS)


def test_a_server_that_is_gone_is_said_and_asked_again(lab: Lab, jobs: dict[str, Job], page: Page) -> None:
    show_queue(lab, page)
    page.route(f"{lab.url}/jupyter-hpc/**", lambda route: route.abort())
    command(page, "jupyter-hpc:refresh")
    alert = page.get_by_role("alert").filter(has_text="No answer from the server")
    expect(alert).to_be_visible(timeout=SLOW_MS)
    expect(row(page, "train-resnet")).to_be_visible()  # what was known stays
    page.unroute(f"{lab.url}/jupyter-hpc/**")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0, timeout=SLOW_MS)


def test_no_server_extension_is_one_sentence(lab: Lab, page: Page, shots: Path) -> None:
    page.route(f"{lab.url}/jupyter-hpc/**", lambda route: route.fulfill(status=404, body="{}"))
    lab.show_empty(page)
    open_sidebar(page)
    expect(page.get_by_text("The server extension of jupyter_hpc is not running here.")).to_be_visible(timeout=SLOW_MS)
    page.screenshot(path=str(shots / "no-server.png"))


LINES = 2_500_000  # of 42 bytes


def test_a_log_of_100_mb_is_read_by_windows_and_its_view_comes_back(lab: Lab, page: Page, shots: Path) -> None:
    job = submit("print('short')", name="talks-much")
    assert job.wait(120)
    with job.run.log.open("w") as log:
        log.writelines(f"line {n:>8} of a run that says too much.\n" for n in range(LINES))
    assert job.run.log.stat().st_size > 100_000_000
    lab.show_empty(page)
    with page.expect_response(lambda r: "/api/workspaces" in r.url and r.request.method == "PUT"):
        command(page, "jupyter-hpc:open-job", {"id": job.id})
    page.locator(".jp-HPCJob").get_by_role("tab", name="Log").click(timeout=SLOW_MS)
    log = page.locator(".jp-HPCLog-text")
    expect(log).to_contain_text(f"line {LINES - 1:>8} of", timeout=SLOW_MS)
    assert len(log.inner_text()) < 1_000_000
    page.get_by_label("Search the log").fill("line     4321 ")
    page.get_by_label("Search the log").press("Enter")
    page.locator(".jp-HPCLog").get_by_role("button", name="line     4321 of").click(timeout=SLOW_MS)
    expect(log.locator(".jp-HPCLog-chunk").first).to_contain_text(re.compile(r"^\s*line\s+4321 of"), timeout=SLOW_MS)
    assert len(log.inner_text()) < 1_000_000
    page.screenshot(path=str(shots / "log-long.png"))
    page.goto(f"{lab.url}/lab?token={TOKEN}")
    expect(page.locator(".jp-HPCJob-tail")).to_contain_text(f"line {LINES - 1:>8} of", timeout=SLOW_MS)


def test_a_job_that_ends_says_so_and_opens_from_there(lab: Lab, page: Page, tmp_path: Path) -> None:
    flag = tmp_path / "end"
    settings = f"{lab.url}/lab/api/settings/jupyter-hpc:sidebar"
    page.request.put(settings, data={"raw": '{"notifyAfter": 0}'}, headers={"Authorization": f"token {TOKEN}"})
    try:
        submit(
            f"import pathlib, time\nwhile not pathlib.Path({str(flag)!r}).exists(): time.sleep(.1)",
            name="over",
        )
        lab.show_empty(page)
        open_sidebar(page)
        expect(row(page, "over")).to_contain_text("running", timeout=SLOW_MS)
        flag.touch()
        toast = page.locator(".jp-toastContainer, .Toastify").get_by_role("alert")
        expect(toast).to_contain_text("over: completed", timeout=SLOW_MS)
        toast.get_by_role("button", name="Open").click()
        heading = page.locator(".jp-HPCJob").get_by_role("heading", level=2)
        expect(heading).to_contain_text("over", timeout=SLOW_MS)
    finally:
        page.request.put(settings, data={"raw": "{}"}, headers={"Authorization": f"token {TOKEN}"})
