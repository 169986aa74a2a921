"""Terminal text on a page: folded, coloured, and inert."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.rundir.reader import Output
from jupyter_hpc.views.ansi import fold, strip, to_html
from jupyter_hpc.views.log import MAX_BYTES, MAX_LINES, LogTail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        (" 10%\r 50%\r100%\ndone", "100%\ndone"),
        ("long line\rab", "abng line"),
        ("a\r\nb", "a\nb"),
        ("ab\bc", "ac"),
        ("\b\bx", "x"),
        ("\x1b[31m10%\x1b[0m\r\x1b[32m9%\x1b[0m", "\x1b[32m9%\x1b[0m"),
        ("\x1b[31mred\x1b[0m\r", "\x1b[31mred\x1b[0m"),
        ("\x1b[31mred\r\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b[31mred\x1b[0m\r\x1b[2K", "\x1b[2K"),
    ],
)
def test_carriage_returns_leave_the_last_state(text: str, expected: str) -> None:
    assert fold(text) == expected


def test_colours_become_spans_and_end() -> None:
    found = to_html("\x1b[1;31mred\x1b[0m plain")

    assert found.startswith('<span style="font-weight:bold;color:')
    assert found.endswith(">red</span> plain")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "</pre><img src=x>", "\x1b[31m<b>\x1b[0m", "&\"'"])
def test_markup_is_escaped(text: str) -> None:
    found = to_html(text)
    for tag in ("<script", "<img", "</pre", "<b>"):
        assert tag not in found


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_anything_is_inert(text: str) -> None:
    found = to_html(fold(text))
    rest = found.replace("</span>", "")
    assert "\x1b" not in found
    assert rest.count("<") == rest.count('<span style="')
    assert "\x1b" not in strip(text)


@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text(max_size=300)), max_size=30))
def test_a_tail_never_loses_the_end(pieces: list[tuple[str, str]]) -> None:
    tail = LogTail()
    for kind, text in pieces:
        tail.add([Output(kind, text=text)])
    whole = strip(fold("".join(t for _, t in pieces)))
    if "\r" not in whole and "\b" not in "".join(t for _, t in pieces) and "\r" not in "".join(t for _, t in pieces):
        assert tail.plain().split("\n")[-1] == whole.split("\n")[-1]


def test_a_tail_is_bounded_and_says_so() -> None:
    tail = LogTail()
    for _ in range(50):
        tail.add([Output("stdout", text="x" * 79 + "\n")] * 100)

    assert tail.dropped
    assert tail.lines == 5000
    assert len(tail.plain()) <= MAX_BYTES + MAX_LINES * 80


def test_a_line_of_a_megabyte_is_cut_and_says_how_long_it_was() -> None:
    tail = LogTail()
    tail.add([Output("stdout", text="y" * 200_000)])

    assert "… (a longer line)" in tail.plain()
    assert len(tail.html()) < 10_000
