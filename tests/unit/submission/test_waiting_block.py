"""Why a job waits and how it is submitted again, as widgets: for front ends without our extension."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.display.resubmit_form import ResubmitForm
from jupyter_hpc.display.waiting_block import WaitingBlock
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.resubmission import Resubmission
from jupyter_hpc.rundir.store import store
from jupyter_hpc.testing.fake import new_run
from jupyter_hpc.views.waiting import ordinal, waiting_html
from tests.faults.road import until
from tests.unit.submission import queued
from tests.unit.submission.queued import WAITING, Queue, submit


def below(widget: Any) -> list[Any]:
    return [widget, *(inner for child in getattr(widget, "children", ()) for inner in below(child))]


def words(widget: Any) -> str:
    return " ".join(str(getattr(each, "description", "") or getattr(each, "value", "")) for each in below(widget))


def named(widget: Any, text: str) -> Any:
    return next(each for each in below(widget) if text in str(getattr(each, "description", "")))


@pytest.fixture
def waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    queued.configure(tmp_path, monkeypatch)
    return submit(gpus=2)


def test_place_and_start_in_words() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]
    )
    assert WAITING.expected_start is not None
    said = waiting_html(replace(WAITING, hint="<b>Ask</b> `for less`"), WAITING.expected_start - 1200)
    assert "<b>3rd of 12</b> in the queue" in said and "starts in about 20 min (" in said
    assert "&lt;b&gt;Ask&lt;/b&gt; <code>for less</code>" in said


def test_a_chip_submits_in_its_place(waits: Job) -> None:
    box = WaitingBlock(waits)
    box.show(WAITING)
    assert "Would start now" in words(box.widget) and "May help" in words(box.widget)
    named(box.widget, "--gpus 1 · one is free").click()
    until(lambda: waits.record.get("replaced_by"), "it was replaced")
    new = Job(store().find(waits.record["replaced_by"]))
    assert new.record["spec"]["resources"] == {"gpus": 1}
    assert "submitting it with --gpus 1 …" in words(box.widget)
    box.show(None)
    assert not box.widget.children


def test_a_chip_that_is_refused_says_why_and_can_be_clicked_again(waits: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queue, "refuses", True)
    box = WaitingBlock(waits)
    box.show(WAITING)
    chip = named(box.widget, "--gpus 1")
    chip.click()
    until(lambda: "No such partition." in words(box.widget), "it says so")
    until(lambda: not chip.disabled, "it can be clicked")
    assert len(store().runs()) == 1


def test_the_form_is_filled_and_asks_for_what_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    spec = {"resources": {"memory": 300 << 20, "gpus": 2}, "partition": "gpu"}
    verdict = {"state": "OUT_OF_MEMORY", "again": "--mem 1G"}
    run = new_run(tmp_path / "run", spec=spec, verdict=verdict, target={"name": "slurm", "backend": "slurm"})
    got: list[Resubmission] = []
    form = ResubmitForm(Job(run), got.append)
    assert named(form.widget, "Memory").value == "1G" and "suggested; it was 300M" in words(form.widget)
    named(form.widget, "GPUs").value = "1"
    named(form.widget, "Other options").value = "--memory 3"
    named(form.widget, "Submit").click()
    assert not got and "is no option" in words(form.widget)
    named(form.widget, "Target").value = "local"
    assert named(form.widget, "GPUs").value == "1" and "Partition" not in words(form.widget)
    named(form.widget, "Target").value = "slurm"
    named(form.widget, "Other options").value = "--qos high"
    named(form.widget, "Submit").click()
    assert got[0].changes == {
        "target": "slurm",
        "resources": {"gpus": "1", "memory": "1G"},
        "options": {"qos": "high"},
    }
