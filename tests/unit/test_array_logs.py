"""The log of an array is that of its tasks, wherever it is shown; so is what made one of them fail."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.commands import cli
from jupyter_hpc.follow.glance import look
from jupyter_hpc.rundir.parts import make_parts
from jupyter_hpc.rundir.run import Run, write_json
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.detail import detail
from jupyter_hpc.server.logs import log_of, search, whole, window
from jupyter_hpc.views.card import card_html, card_text
from tests.lineage import records

TRACEBACK = "Traceback (most recent call last):\n  File \"Cell In[1]\", line 1, in <module>\nKeyError: 'k'\n"
LOGS = {1: "one\n", 2: "", 3: f"three\n{TRACEBACK}"}
WHOLE = f"── task 1 ──\none\n\n── task 3 ──\n{LOGS[3]}\n"


@pytest.fixture
def array(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    indices = {"array": {"text": "1-3", "indices": [1, 2, 3]}}
    run = Run(records.write(Store(tmp_path), records.record(1, state="FAILED", verdict={"state": "FAILED"}, **indices)))
    make_parts(run, [1, 2, 3])
    for index, log in LOGS.items():
        state = "FAILED" if index == 3 else "COMPLETED"
        own: dict[str, Any] = {"state": state, "verdict": {"state": state}}
        if index == 3:
            own["exception"] = {"type": "KeyError", "message": "'k'", "traceback": TRACEBACK}
        write_json(run.part(index).path / "record.json", own)
        (run.part(index).path / "log").write_text(log)
    return run


def test_the_server_shows_what_each_task_printed(array: Run) -> None:
    source = log_of(array)
    found = window(source, 0, 1 << 16)
    assert found["text"] == WHOLE and found["size"] == found["next"] == len(WHOLE.encode())
    assert [task["task"] for task in found["tasks"]] == [1, 2, 3]
    assert window(log_of(array.part(1)), 0, 100)["text"] == "one\n"
    assert b"".join(whole(source)).decode() == WHOLE
    match = search(source, "three", 0)["matches"][0]
    assert match["line"] == "three" and window(source, match["line_offset"], 5)["text"] == "three"


@pytest.mark.parametrize("step", [1, 7, 64])
def test_windows_of_it_are_one_text(array: Run, step: int) -> None:
    at, found = 0, ""
    while (piece := window(log_of(array), at, max(step, 4)))["text"]:
        found, at = found + piece["text"], piece["next"]
    assert found == WHOLE


def test_the_end_of_a_log_begins_with_a_line(tmp_path: Any) -> None:
    (tmp_path / "log").write_text("first line\nsecond\nthird\n")
    found = window(tmp_path / "log", -16, 100)
    assert found["text"] == "second\nthird\n" and found["offset"] == 11


@pytest.mark.parametrize("words", [("logs",), ("logs", "-f"), ("show",)])
def test_commands_show_them(array: Run, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    cli.main([*words, array.id])
    shown = "".join(capsys.readouterr())
    assert shown.count("KeyError: 'k'") == 1 and shown.count("Traceback") == 1
    if words[0] == "logs":
        assert "one" in shown and "three" in shown


def test_cards_and_details_show_them(array: Run) -> None:
    from jupyter_hpc.jobs.job import Job

    picture = look(array)
    for card in (card_html(picture), card_text(picture)):
        assert "[1] one" in card and "[3] three" in card and card.count("KeyError: 'k'") == 1
    assert detail(Job(array))["traceback"] == f"task 3:\n{TRACEBACK}"


BARS = {
    1: "\r  0%|  |\r 50%|# |\r100%|##|\n",  # tqdm
    2: "\x1b[32mgreen\x1b[0m\rover\n",
    3: "outer\ninner\x1b[A\r\x1b[2Kouter 2\n\x1b[2Jend\r\nlast\x1b[Glost",
}


def test_a_bar_of_a_task_is_drawn_within_its_own_lines(array: Run, capsys: pytest.CaptureFixture[str]) -> None:
    from jupyter_hpc.rundir.reader import reader_of
    from jupyter_hpc.views.log import LogTail

    for index, log in BARS.items():
        (array.part(index).path / "log").write_text(log)
    tail = LogTail()
    tail.add(reader_of(array).poll(everything=True))
    text = tail.plain().strip("\n")
    assert text.splitlines() == [
        "[1] 100%|##|",
        "[2] overn",
        "[3] outer",
        "[3] outer 2",
        "[3] end",
        "[3] lost",
    ]


def test_a_task_that_prints_nothing_has_no_place_in_the_log(array: Run) -> None:
    from jupyter_hpc.jobs.job import Job

    assert Job(array).logs() == WHOLE.replace("one\n\n", "one\n").removesuffix("\n")
    for index in LOGS:
        (array.part(index).path / "log").write_text("")
    assert Job(array).logs() == ""
