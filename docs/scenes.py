"""What is photographed: each scene is what a user would do in JupyterLab, with a practice Slurm behind it.

A scene is a function of this file that takes a `Stage`. Its first paragraph says what should be seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, expect
from stage import PATIENCE_MS, Stage

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.store import store

TOUR = Path(__file__).parent.parent / "notebooks" / "00-tour.ipynb"
TRAINING = """%%slurm --gpus 1 --cpus 2 --mem 2G --time 30m --name spirals
model.fit(X, y, epochs=100, lr=0.01)

plt.figure(figsize=(2.4, 2.4))
plt.scatter(*X_test.T, c=model.predict(X_test), s=3, cmap="coolwarm"); plt.axis("off")
f"test accuracy {model.score(X_test, y_test):.3f}\""""
EPOCHS = """%%slurm --gpus a100:1 --cpus 2 --mem 2G --time 30m --name spirals
for epoch in range(1, {epochs}):
    model.fit(X, y, epochs=5, lr=0.002)
    print(f"epoch {{epoch:3d}}  loss={{model.losses[-1]:.4f}}  accuracy={{model.score(X_test, y_test):.3f}}")"""
WAITING = """%%slurm --gpus a100:4 --time 2h --name evaluate
model.score(X_test, y_test)"""
FAILING = """%%slurm --cpus 1 --mem 2G --time 10m --name fine-tune
print("epoch 1  loss=0.8211", flush=True)
weights = {"encoder": 1}

def step(batch):
    return weights["decoder"] * len(batch)

step([1, 2, 3])"""
HELD = """%%slurm --gpus a100:3 --cpus 4 --mem 8G --time 8h --name resnet-152 --detach
import time
for epoch in range(1, 2000):
    print(f"epoch {epoch}  loss={3 / epoch:.4f}", flush=True)
    time.sleep(1)"""
NARROW = 240


def tour(*cells: str) -> list[str]:
    """Return cells after the tour's own definitions, which make the first."""
    code = [cell.source for cell in nbformat.read(TOUR, as_version=4).cells if cell.cell_type == "code"]
    setup = [source for source in code if source.startswith(("%load_ext", "import numpy", "HIDDEN"))]
    return ["\n".join([*setup, "model = Network()", "plt.close('all')"]), *cells]


def run_all(page: Page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def last_cell(page: Page) -> Locator:
    return page.locator(".jp-Notebook .jp-CodeCell").last


def output_of(cell: Locator) -> Locator:
    return cell.locator(".jp-Cell-outputArea")


def sidebar(page: Page, tab: str) -> Locator:
    """Show the sidebar's queue or clusters."""
    found = page.get_by_role("region", name="Cluster jobs")
    if not found.is_visible():
        page.get_by_role("tab", name="Cluster jobs").first.click()
    found.get_by_role("tab", name=tab).click()
    return found


def row(page: Page, name: str) -> Locator:
    return page.locator(".jp-HPCQueue-row", has_text=name).first


# -- the README's ----------------------------------------------------------------------------------


def cell(stage: Stage) -> None:
    """A cell that trained: code, how it went, the log's end, the plot and the value."""
    page = stage.notebook("cell", *tour(TRAINING), width=1100)
    run_all(page)
    page.locator(".jp-OutputArea-executeResult").wait_for(timeout=PATIENCE_MS)
    stage.still(last_cell(page), "cell.png")


def animation(stage: Stage) -> None:
    """A cell while it trains: meters, charts of what it prints, the log as it grows."""
    page = stage.notebook("live", *tour(EPOCHS.format(epochs=80)), width=1000)
    run_all(page)
    expect(output_of(last_cell(page))).to_contain_text("loss=", timeout=PATIENCE_MS)
    stage.animation(last_cell(page), "live.webp", seconds=7)


def readme_sidebar(stage: Stage) -> None:
    """The queue beside the clusters."""
    jobs_of_all_kinds(stage)
    page = stage.lab(height=620)
    stage.widen(page, 320)
    stage.beside("sidebar.png", [lambda: queue_shown(page), lambda: clusters_shown(page)])


# -- the panel -------------------------------------------------------------------------------------


def panel_pending(stage: Stage) -> None:
    """A cell that waits: why, its place, when it may start, and what would start now."""
    stage.runs(HELD)
    page = stage.notebook("pending", *tour(WAITING))
    run_all(page)
    expect(output_of(last_cell(page))).to_contain_text(re.compile("--gpus"), timeout=PATIENCE_MS)
    stage.shot("panel-pending", last_cell(page))
    stage.narrow("panel-pending", page, last_cell(page))


def panel_running(stage: Stage) -> None:
    """A cell that runs: meters, charts of what it prints, a progress bar, the log."""
    page = stage.notebook("running", *tour(EPOCHS.format(epochs=1000)))
    run_all(page)
    expect(output_of(last_cell(page))).to_contain_text("epoch  40", timeout=PATIENCE_MS)
    stage.shot("panel-running", last_cell(page))
    stage.narrow("panel-running", page, last_cell(page))


def panel_ended(stage: Stage) -> None:
    """A cell that ended: what it used, what came back, its plot and its value."""
    page = stage.notebook("ended", *tour(TRAINING))
    run_all(page)
    page.locator(".jp-OutputArea-executeResult").wait_for(timeout=PATIENCE_MS)
    stage.shot("panel-ended", last_cell(page))


def panel_failed(stage: Stage) -> None:
    """A cell that failed: the error, the line, what to do."""
    page = stage.notebook("failed", *tour(FAILING))
    run_all(page)
    expect(output_of(last_cell(page))).to_contain_text("KeyError", timeout=PATIENCE_MS)
    stage.shot("panel-failed", last_cell(page))


# -- the sidebar and what it opens -----------------------------------------------------------------


def jobs_of_all_kinds(stage: Stage) -> None:
    """Make jobs that run, wait, ended and failed."""
    ended = (TRAINING, FAILING.replace("fine-tune", "fine-tune-b"), "%%local --name load-data\nlen(X)")
    stage.runs(*tour(HELD, WAITING.replace("evaluate", "evaluate --detach"), *ended), may_fail=True)


def job_page(stage: Stage) -> None:
    """A job's page: overview, log, lineage, record; of one that ended and of one that failed."""
    jobs_of_all_kinds(stage)
    page = stage.lab()
    sidebar(page, "Queue")
    for name in ("spirals", "fine-tune-b", "resnet-152"):
        row(page, name).click(timeout=PATIENCE_MS)
        view = page.locator(".jp-HPCJob:visible")
        view.get_by_role("heading", name=name).wait_for(timeout=PATIENCE_MS)
        view.get_by_role("tab", name="Lineage").wait_for(timeout=PATIENCE_MS)  # which comes when it is known
        for tab in view.get_by_role("tab").all_inner_texts():
            view.get_by_role("tab", name=tab, exact=True).click()
            page.wait_for_load_state("networkidle")
            stage.shot(f"job-{name}-{tab.lower()}", None, page)


def job_list(stage: Stage) -> None:
    """A list of 200 jobs, at its usual width and at 240 px."""
    jobs_of_all_kinds(stage)
    fill(200)
    page = stage.lab()
    sidebar(page, "Queue")
    expect(row(page, "resnet-152")).to_be_visible(timeout=PATIENCE_MS)
    stage.shot("list", None, page)
    stage.widen(page, NARROW)
    stage.shot("list-240", page.get_by_role("region", name="Cluster jobs"))


def queue_shown(page: Page) -> Locator:
    found = sidebar(page, "Queue")
    expect(row(page, "resnet-152")).to_be_visible(timeout=PATIENCE_MS)
    return found


def clusters_shown(page: Page) -> Locator:
    found = sidebar(page, "Clusters")
    expect(found.get_by_role("button", name=re.compile(r"^g1: "))).to_be_visible(timeout=PATIENCE_MS)
    return found


def clusters(stage: Stage) -> None:
    """Nodes with who holds them, what waits, and what a click offers."""
    jobs_of_all_kinds(stage)
    page = stage.lab()
    found = clusters_shown(page)
    stage.shot("clusters", None, page)
    stage.widen(page, NARROW)
    stage.shot("clusters-240", found)
    found.get_by_role("button", name=re.compile(r"^g1: ")).click()
    stage.shot("clusters-240-offer", found)


def table(stage: Stage) -> None:
    """The table of runs in the main area."""
    jobs_of_all_kinds(stage)
    fill(200)
    page = stage.lab()
    sidebar(page, "Queue").get_by_role("button", name=re.compile("table", re.IGNORECASE)).first.click()
    page.locator("[class*=jp-HPCTable]").first.wait_for(timeout=PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    stage.shot("table", None, page)


def dialogs(stage: Stage) -> None:
    """The launcher with the table, and what asks back: to cancel, to submit again, to tag."""
    jobs_of_all_kinds(stage)
    page = stage.lab()
    stage.shot("launcher", None, page)
    sidebar(page, "Queue")
    dialog = page.locator(".jp-Dialog-content")
    for name, button in (("resnet-152", "Cancel"), ("spirals", "Resubmit")):
        row(page, name).click(timeout=PATIENCE_MS)
        page.locator(".jp-HPCJob:visible").get_by_role("button", name=button, exact=True).click(timeout=PATIENCE_MS)
        dialog.wait_for(timeout=PATIENCE_MS)
        stage.shot(f"dialog-{button.lower()}", dialog)
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
    page.get_by_role("button", name=re.compile("table", re.IGNORECASE)).first.click()
    page.locator(".jp-HPCTable-row .jp-HPCTable-check").nth(3).click(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Tag", exact=True).click()
    dialog.wait_for(timeout=PATIENCE_MS)
    stage.shot("dialog-tag", dialog)


def fill(count: int) -> None:
    """Make runs of the last weeks by the records of real ones, as they would be there after many days."""
    ended = [job for job in map(Job, store().runs()) if job.status.state.is_final and job.run.record_or_none()]
    begin = datetime.now(timezone.utc) - timedelta(days=20)
    for i in range(count - len(store().runs())):
        record = ended[i % len(ended)].record
        moment = begin + timedelta(hours=2 * i)
        run_id = f"{moment:%Y%m%d-%H%M%S}-{i:06x}"
        folder = store().root / "runs" / run_id
        folder.mkdir(mode=0o700, exist_ok=True)
        shift = moment.timestamp() - record["created"]
        times = {
            name: record[name] + shift
            for name in ("created", "started_at", "ended_at", "submitted_at")
            if record.get(name)
        }
        own = {"id": run_id, "name": f"{record.get('name') or 'cell'}-{i % 17}", **times}
        (folder / "record.json").write_text(json.dumps({**record, **own}), encoding="utf-8")


SCENES: dict[str, Callable[[Stage], None]] = {
    "cell": cell,
    "animation": animation,
    "sidebar": readme_sidebar,
    "panel-pending": panel_pending,
    "panel-running": panel_running,
    "panel-ended": panel_ended,
    "panel-failed": panel_failed,
    "job-page": job_page,
    "list": job_list,
    "clusters": clusters,
    "table": table,
    "dialogs": dialogs,
}
