"""The log's tail that panel and card show."""

from __future__ import annotations

from jupyter_hpc.rundir.reader import Output
from jupyter_hpc.views.log import BLOCK_LINES, MAX_BYTES, MAX_LINES, LogTail


def text(words: str, kind: str = "stdout") -> list[Output]:
    return [Output(kind, text=words)]


def test_the_last_lines_stay_whole_and_in_order() -> None:
    tail = LogTail()
    for i in range(1000):
        tail.add(text(f"line {i}\n"))
    lines = tail.plain().splitlines()
    assert MAX_LINES <= len(lines) <= MAX_LINES + BLOCK_LINES
    assert lines == [f"line {i}" for i in range(1000 - len(lines), 1000)]
    assert tail.lines == 1000 and tail.dropped


def test_a_full_block_never_changes() -> None:
    """What a page has of it needs no sending again."""
    tail, seen = LogTail(), dict[int, str]()
    for i in range(500):
        tail.add(text(f"\x1b[3{i % 8}mline {i}\n"))
        for block in tail.blocks[:-1]:
            assert seen.setdefault(block.number, block.html()) == block.html()
    assert len(seen) > 5


def test_colours_go_on_from_block_to_block() -> None:
    tail = LogTail()
    tail.add(text("\x1b[31m" + "red\n" * 100))
    assert len(tail.blocks) > 1
    assert all("color:var(--jp-ansi-red" in block.html() for block in tail.blocks)


def test_bounded_whatever_comes() -> None:
    bombs = {
        "fragments": [*text("x"), *text("y", "stderr")] * 2_000,
        "one line": text("z" * 5_000_000),
        "long lines": text(("w" * 1900 + "\n") * 2000),
        "colours": text("".join(f"\x1b[{i % 50}ma" for i in range(100_000))),
        "colours in lines": text("".join(f"\x1b[{i % 50}ma\n" for i in range(100_000))),
        "escapes": text("<&" * 1_000_000),
        "line feeds": text("\n" * 1_000_000),
        "returns": text("a\r" * 300_000),
    }
    for name, outputs in bombs.items():
        tail = LogTail()
        tail.add(outputs)
        assert len(tail.html()) < 8 * MAX_BYTES, name


def test_clear_output_empties_it_at_once_or_with_the_next_text() -> None:
    tail = LogTail()
    tail.add([*text("gone"), Output("clear_output")])
    tail.add(text("there"))
    assert tail.plain() == "there"
    tail.add([Output("clear_output", wait=True)])
    assert tail.plain() == "there"
    tail.add(text("new"))
    assert tail.plain() == "new"
