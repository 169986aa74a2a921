"""Bars in the log: one line for those that live, a line of its own for each that is over, and other text above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.views.screen import Screen
from jupyter_hpc.worker.bars import Bars
from jupyter_hpc.worker.events import LogFile, _Appender, _Stream


class Events:
    """Stands for the event file."""

    def __init__(self) -> None:
        self.streams: list[str] = []

    def write(self, event: str, **fields: object) -> None:
        self.streams.append(str(fields["name"]))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    """A log that takes no file descriptor of this process."""
    found = LogFile.__new__(LogFile)
    with (tmp_path / "log").open("ab", buffering=0) as file:
        import threading

        found.path = str(tmp_path / "log")
        found.appender = _Appender(file.fileno())
        found.lock = threading.RLock()
        found._events = Events()  # type: ignore[assignment]
        found._current = bytearray(b"1")
        found._drawn, found._is_at_start = None, True
        found.size = lambda: 0  # type: ignore[method-assign]
        found.streams = {name: _Stream(found, name) for name in ("stdout", "stderr")}
        yield found


def shown(log: LogFile) -> list[str]:
    screen = Screen()
    rows = [*screen.add(Path(log.path).read_bytes().decode()), *screen.rows()]
    lines = [row.plain().rstrip() for row in rows]
    return lines[:-1] if lines[-1] == "" else lines


def test_live_bars_share_a_line_and_one_that_is_over_keeps_it(log: LogFile) -> None:
    bars = Bars(log)
    bars.show("outer", "outer 0/2")
    for i in range(1, 3):
        bars.show("inner", f"inner {i}/2")
        bars.show("outer", f"outer {i}/2")
        assert shown(log) == [f"outer {i}/2  ·  inner {i}/2"]
    bars.finish("inner", "inner done")
    assert shown(log) == ["inner done", "outer 2/2"]
    bars.end()
    assert shown(log) == ["inner done", "outer 2/2"]
    assert Path(log.path).read_bytes().endswith(b"\n")


def test_one_that_was_closed_leaves_nothing(log: LogFile) -> None:
    bars = Bars(log)
    bars.show("long", "a long line of progress 1/2")
    bars.finish("long", "")
    bars.finish("long", "again")
    bars.end()
    log.streams["stdout"].write("text\n")
    assert shown(log) == ["text"]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_other_text_comes_above_and_the_bar_below_again(log: LogFile, stream: str) -> None:
    bars = Bars(log)
    for i in range(3):
        bars.show("fit", f"fit {i}/3 and much more")
        log.streams[stream].write(f"line {i}\n")
    bars.show("fit", "fit 3/3")
    bars.end()
    assert shown(log) == ["line 0", "line 1", "line 2", "fit 3/3"]


def test_a_line_that_has_no_end_yet_is_not_drawn_over(log: LogFile) -> None:
    bars = Bars(log)
    log.streams["stdout"].write("working … ")
    bars.show("fit", "fit 1/3")
    bars.end()
    assert shown(log) == ["working …", "fit 1/3"]


def test_a_bar_that_shows_nothing_yet_erases_no_text(log: LogFile) -> None:
    bars = Bars(log)
    log.streams["stdout"].write("working … ")
    bars.show("empty", "")
    log.streams["stdout"].write("done\n")
    assert shown(log) == ["working … done"]


def test_a_bar_without_news_writes_nothing(log: LogFile) -> None:
    bars = Bars(log)
    for _ in range(100):
        bars.show("fit", "fit 1/3")
    assert len(Path(log.path).read_bytes()) == len("\rfit 1/3")
