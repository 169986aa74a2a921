"""What stands on a terminal in the end, of real programs too; `labextension/tests/screen.test.ts` reads the same cases."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.views import screen
from jupyter_hpc.views.ansi import Colours
from jupyter_hpc.views.failures import Failures
from jupyter_hpc.views.screen import HEIGHT, LONGEST, LONGEST_OF_ALL, Screen, coloured, plain, rows_of

RECORDED = Path(__file__).parent / "recorded"
CASES = json.loads((RECORDED / "screen.json").read_text())
PROGRAMS = {case["name"]: case for case in CASES if "file" in case}


def text_of(case: dict[str, Any]) -> str:
    if "input" in case:
        return str(case["input"])
    return (RECORDED / "terminal" / case["file"]).read_bytes().decode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_case(case: dict[str, Any]) -> None:
    text = text_of(case)
    assert coloured(text) == case["shown"]
    failures = Failures()
    marks = [failures.take(row.text) for row in rows_of(text)]
    assert (marks if any(marks) else None) == case.get("marks")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_each_case_in_pieces(case: dict[str, Any]) -> None:
    text, found, made = text_of(case), [], Screen(LONGEST_OF_ALL)
    for at in range(0, len(text), 7):
        found += made.add(text[at : at + 7])
    assert "\n".join(row.plain() for row in [*found, *made.rows()]) == plain(text)


def test_programs_leave_what_they_leave_on_a_terminal() -> None:
    """As pyte, another terminal, has them; here the words, in `screen.json` all of it."""
    shown = {name: plain(text_of(case)) for name, case in PROGRAMS.items()}
    assert not any("\x1b" in text or "[?" in text for text in shown.values())
    assert shown["rich-progress"].count("load ") == 1 and shown["rich-progress"].count("100%") == 1
    for name in ("tqdm-nested", "tqdm-pipe"):
        assert [line[:14].rstrip() for line in shown[name].splitlines()[:4]] == [
            "epoch 0 loss=1",
            "epoch 1 loss=0",
            "epoch 2 loss=0",
            "outer: 100%|██",
        ]
        assert shown[name].count("bar 2: 100%") == 1
    assert shown["npm"].split() == ["added", "2", "packages", "in", *shown["npm"].split()[4:]]
    assert "Successfully installed" in shown["pip"] and shown["pip"].count("MB/s") == 1
    assert "test_sample.py ............F" in shown["pytest"]
    assert shown["ipdb"].count("ipdb> ") == 3
    assert shown["rich-screen"].splitlines() == [*(f"before {i}" for i in range(5)), "after"]
    assert shown["docker"].splitlines()[:4] == [f"{name}: Pull complete" for name in ("aaa", "bbb", "ccc", "ddd")]
    assert "inner" not in shown["tqdm-leave"] and shown["rich-live"].count("epoch") == 1


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_a_terminal_that_follows_shows_the_same(name: str) -> None:
    text = text_of(PROGRAMS[name])
    stream = Colours()
    shown = "".join(stream.add(text[at : at + 11]) for at in range(0, len(text), 11)) + stream.end()
    assert plain(shown) == plain(text)


def test_what_follows_goes_up_in_its_own_lines_only() -> None:
    stream = Colours()
    assert stream.add("a\nb\x1b[9Ac\x1b[Ad") == "a\nb\x1b[1Acd"
    assert stream.add("\x1b[9Be\x1b[Bf\x1b[F") == "\x1b[1Bef\r\x1b[1A"
    assert stream.add("\x1b[2J\x1b[H\x1b[9;9H\x1b[?25l\x1b[1J") == ""


def test_what_follows_shows_a_screen_of_its_own_only_where_nobody_left_it() -> None:
    stream = Colours()
    assert stream.add("a\x1b[?1049hframe\x1b[?1049lb") == "ab"
    assert stream.add("\x1b[?1049h\x1b[Hwhy it failed") == "" and stream.end() == "why it failed"


@given(st.text(alphabet=st.sampled_from("ab\n\r\b\t\x1b[]0123456789;?ABCDGHJKPXmsu@hé"), max_size=400))
def test_pieces_make_no_difference(text: str) -> None:
    made = Screen()
    found = made.add(text[: len(text) // 2]) + made.add(text[len(text) // 2 :]) + made.rows()
    assert "\n".join(row.plain() for row in found) == plain(text)


BOMBS = {
    "bars": "\r" + "x" * 60,
    "returns": "a\r",
    "backspaces": "a\b",
    "columns": "\x1b[9999Gx\n",
    "inserts": "x\r\x1b[9999@",
    "clears": "x\x1b[2J",
    "ups": "\x1b[50A\x1b[50B",
    "colours": "\x1b[31ma\x1b[0m",
    "begun": "\x1b]",
    "screens": "\x1b[?1049hx\x1b[?1049l",
    "rows put in": "\x1b[50Lx\n",
    "rows taken out": "x\n\x1b[A\x1b[9M",
    "resets": "x\x1bc",
    "lines": "\n",
    "one line": "z",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=list(BOMBS))
def test_work_grows_with_the_text_and_no_faster(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in what the screen does: calls, and characters written into rows."""

    def steps(count: int) -> int:
        done = 0

        def count_calls(frame: Any, event: str, argument: Any) -> None:
            nonlocal done
            done += event == "call" and frame.f_code.co_filename == screen.__file__

        made = Screen()
        sys.setprofile(count_calls)
        try:
            for _ in range(4):
                made.add(bomb * count)
        finally:
            sys.setprofile(None)
        assert len(made.rows()) <= HEIGHT
        assert all(len(row) <= LONGEST for row in made.rows())
        return done

    few, many = steps(200), steps(2000)
    assert many <= 12 * few + 100


def test_a_page_shows_the_begin_of_a_line_and_a_command_all_of_it() -> None:
    text = "x" * 5000
    assert plain(text) == text and plain(f"\r{text}") == text
    made = Screen()
    made.add(text)
    assert [row.plain() for row in made.rows()] == [f"{'x' * LONGEST}… (a longer line)"]
