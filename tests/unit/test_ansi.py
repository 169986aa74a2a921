"""Terminal text on a page: coloured, and inert; the end of a log keeps its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.rundir.reader import Output
from jupyter_hpc.views.ansi import css, strip, styled
from jupyter_hpc.views.log import MAX_BYTES, MAX_LINES, LogTail
from jupyter_hpc.views.screen import LONGEST, plain, rows_of, to_html


def html_of(text: str) -> str:
    return to_html(rows_of(text)).removesuffix("\n")


def test_colours_become_spans_and_end() -> None:
    found = html_of("\x1b[1;31mred\x1b[0m plain")

    assert found.startswith('<span style="font-weight:bold;color:')
    assert found.endswith(">red</span> plain")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["31", "1"], "1;31"),
        (["1;31", "22"], "31"),
        (["31", ""], ""),
        (["38;5;208"], "38;5;208"),
        (["38:2::1:2:3"], "38;2;1;2;3"),
        (["38;2;1;2;999;4"], "4;38;2;1;2;255"),
        (["41;97"], "97;41"),
        (["5;8;53"], ""),  # what blinks or hides
        (["38;5"], ""),
        (["7", "27"], ""),
    ],
)
def test_styles_hold_one_code_of_each_kind(codes: list[str], expected: str) -> None:
    style = ""
    for code in codes:
        style = styled(style, code)
    assert style == expected and styled(style, styled(style, "")) == ""


def test_a_style_is_the_same_through_a_page() -> None:
    assert css(styled("", "38;2;1;2;3")) == "color:rgb(1,2,3)"
    assert css(styled("", "48;5;196")) == "background-color:rgb(255,0,0)"
    assert "jp-layout-color0" in css(styled("", "7;31")) and "background-color:var(--jp-ansi-red" in css("7;31")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "</pre><img src=x>", "\x1b[31m<b>\x1b[0m", "&\"'"])
def test_markup_is_escaped(text: str) -> None:
    found = html_of(text)
    for tag in ("<script", "<img", "</pre", "<b>"):
        assert tag not in found


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_anything_is_inert(text: str) -> None:
    found = html_of(text)
    rest = found.replace("</span>", "")
    assert "\x1b" not in found
    assert rest.count("<") == rest.count('<span style="')
    assert "\x1b" not in strip(text)


@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text(max_size=300)), max_size=30))
def test_a_tail_never_loses_the_end(pieces: list[tuple[str, str]]) -> None:
    tail = LogTail()
    for kind, text in pieces:
        tail.add([Output(kind, text=text)])
    whole = plain("".join(text for _, text in pieces))
    assert tail.plain().split("\n")[-1] == whole.split("\n")[-1]


def test_a_tail_is_bounded_and_says_so() -> None:
    tail = LogTail()
    for _ in range(50):
        tail.add([Output("stdout", text="x" * 79 + "\n")] * 100)

    assert tail.dropped
    assert tail.lines == 5000
    assert len(tail.plain()) <= MAX_BYTES + MAX_LINES * 80


def test_a_line_of_a_megabyte_is_cut_and_says_that_it_was_longer() -> None:
    tail = LogTail()
    tail.add([Output("stdout", text="y" * 200_000)])

    assert "… (a longer line)" in tail.plain()
    assert len(tail.html()) < LONGEST + 100
