"""A job that waits, and one that failed: what would help is a click or a form away, with our extension and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.states import JobState
from jupyter_hpc.practice.slurm_conf import GPUS
from tests.browser.lab import Lab
from tests.browser.test_panel import job_named, start
from tests.faults.road import submit, until

WAITS = "%%slurm --gpus {gpus} --time 10m --name {name}\nx = 41\nprint('it ran')"
OOM = "%%slurm --mem 300M --time 5m --name {name}\nimport time\nx = bytearray(700 << 20)\ntime.sleep(60)"


@pytest.fixture
def busy(cluster: Path) -> Iterator[Job]:
    """One of the gpus is taken."""
    job = submit("import time\ntime.sleep(600)", gpus=1)
    until(lambda: job.state is JobState.RUNNING, "it has its gpu")
    yield job
    job.cancel()
    assert job.wait(120)


def violations(page: Page, part: str) -> list[str]:
    found = Axe().run(page, context=part).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_chip_submits_in_place_of_a_job_that_waits(lab: Lab, page: Page, busy: Job, shots: Path, dark: bool) -> None:
    name = f"waits-{'dark' if dark else 'light'}"
    output = start(lab, page, name, WAITS.format(gpus=GPUS, name=name), "x + 1", dark=dark)
    block = page.locator(".jp-HPCWaiting").first
    chip = block.get_by_role("group", name="Would start now").get_by_role("button").first
    expect(chip).to_contain_text("--gpus")
    expect(block).to_contain_text("1st of 1 in the queue")
    page.screenshot(path=str(shots / f"waiting-{name}.png"))
    assert violations(page, ".jp-HPCWaiting") == []
    old = job_named(name)
    chip.click()
    shown = page.locator(".jp-CodeCell").nth(1).locator(".jp-Cell-outputArea")  # its code has these words, too
    expect(shown).to_contain_text("it ran")
    new = job_named(name)
    assert (new.record["replaces"], old.record["replaced_by"]) == (old.id, new.id)
    expect(shown).to_contain_text(f"submitted again as {new.id} with --gpus")
    expect(output).to_contain_text("42")  # the cells below go on with its names
    page.screenshot(path=str(shots / f"replaced-{name}.png"))


def test_without_our_extension_there_are_chips_too(bare: Lab, page: Page, busy: Job, shots: Path) -> None:
    output = start(bare, page, "chips", WAITS.format(gpus=GPUS, name="chips"))
    expect(output).to_contain_text("Would start now")
    page.screenshot(path=str(shots / "waiting-bare.png"))
    output.get_by_role("button", name="--gpus").first.click()
    expect(output).to_contain_text("it ran")
    new = job_named("chips")
    expect(output).to_contain_text(f"submitted again as {new.id} with --gpus")


def test_a_form_submits_what_failed_again(lab: Lab, page: Page, shots: Path) -> None:
    output = start(lab, page, "formed", OOM.format(name="formed"))
    expect(output.locator(".jp-HPCCard")).to_contain_text("out of memory")
    output.get_by_role("button", name="Other options").click()
    dialog = page.get_by_role("dialog")
    memory = dialog.get_by_label("Memory")
    suggested = job_named("formed").verdict["again"].removeprefix("--mem ")
    expect(memory).to_have_value(suggested)
    assert violations(page, ".jp-HPCForm") == []
    memory.fill("900T")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("900")
    expect(memory).to_have_value("900T")  # nothing is lost
    page.screenshot(path=str(shots / "form.png"))
    memory.fill(suggested)
    dialog.get_by_label("Time limit").fill("7m")
    page.keyboard.press("Enter")
    expect(output.locator(".jp-HPCOutput-live")).to_be_visible()
    new = job_named("formed")
    assert new.record["spec"]["resources"]["time"] == 420
    assert new.record["changed_options"].startswith(f"--mem {suggested}")
    new.cancel()


def test_the_form_without_our_extension(bare: Lab, page: Page, shots: Path) -> None:
    output = start(bare, page, "formed-bare", OOM.format(name="formed-bare"))
    expect(output.locator(".jp-HPCCard")).to_contain_text("out of memory")
    output.get_by_role("button", name="Other options").click()
    memory = output.get_by_label("Memory")
    suggested = job_named("formed-bare").verdict["again"].removeprefix("--mem ")
    expect(memory).to_have_value(suggested)
    page.screenshot(path=str(shots / "form-bare.png"))
    memory.fill("900T")
    output.locator("button[title='Submit the job again']").click()
    expect(output.get_by_role("alert")).to_contain_text("900")
    memory.fill(suggested)
    output.locator("button[title='Submit the job again']").click()
    new = until(lambda: next((j for j in [job_named("formed-bare")] if j.record.get("resubmits")), None), "again")
    assert new.record["changed_options"].startswith(f"--mem {suggested}")
    new.cancel()
