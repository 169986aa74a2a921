"""What a run displayed, as its page shows it: the last state, bounded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.rundir import displays as module
from jupyter_hpc.rundir.displays import displays
from jupyter_hpc.rundir.run import Run


def run_of(folder: Path, *events: dict[str, Any]) -> Run:
    path = folder / "20260101-000000-abcdef"
    path.mkdir()
    lines = [{"e": "started", "t": 1.0}, *({"at": 0, **event} for event in events)]
    (path / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Run(path)


def display(text: str, kind: str = "display", ident: str = "") -> dict[str, Any]:
    transient = {"display_id": ident} if ident else {}
    return {"e": kind, "data": {"text/plain": text}, "metadata": {}, "transient": transient}


def texts(run: Run) -> list[str]:
    return [each.data["text/plain"] for each in displays(run, {})[0]]


def test_each_at_its_place_as_it_was_updated_last(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        display("1", ident="a"),
        display("2"),
        display("3", "update_display", "a"),
        display("4", "update_display", "unknown"),
        display("5", "value"),
    )
    assert texts(run) == ["3", "2", "5"]


@pytest.mark.parametrize(
    ("wait", "after", "left"),
    [(False, [], []), (True, [], ["1"]), (True, [display("2")], ["2"]), (False, [display("2")], ["2"])],
)
def test_what_was_cleared_is_gone(tmp_path: Path, wait: bool, after: list[dict[str, Any]], left: list[str]) -> None:
    assert texts(run_of(tmp_path, display("1"), {"e": "clear_output", "wait": wait}, *after)) == left


def test_what_an_attempt_displayed_that_was_taken_back_is_no_result(tmp_path: Path) -> None:
    again = {"e": "attempt", "number": 2}
    assert texts(run_of(tmp_path, display("1"), again, display("2"))) == ["2"]


def test_the_last_ones_are_kept_and_the_others_counted(tmp_path: Path) -> None:
    found, more = displays(run_of(tmp_path, *(display(str(i)) for i in range(module.MOST + 5))), {})
    assert (len(found), more) == (module.MOST, 5)
    assert found[-1].data == {"text/plain": str(module.MOST + 4)}


def test_what_is_too_large_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    monkeypatch.setattr(module, "MOST_BYTES_IN_ALL", 1500)
    large = {"e": "display", "data": {"image/png": "A" * 2000}, "metadata": {}}
    both = {"e": "display", "data": {"text/html": "A" * 2000, "text/plain": "a table"}, "metadata": {}}
    found, more = displays(run_of(tmp_path, display("x" * 900), display("y" * 900), large, both), {})
    assert "image/png: too large" in found[-2].data["text/plain"]
    assert found[-1].data == {"text/plain": "a table"}
    assert (len(found), more) == (3, 1)


def test_of_an_array_each_says_its_task(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    for index in (1, 3):
        part = run.part(index).path
        part.mkdir(parents=True)
        (part / "events.jsonl").write_text(json.dumps({"at": 0, **display(f"of {index}")}) + "\n")
    found, _ = displays(run, {"array": {"text": "1,3", "indices": [1, 3]}})
    assert [(each.task, each.data["text/plain"]) for each in found] == [(1, "of 1"), (3, "of 3")]
