"""Which lines tell numbers, and which only look so; that no line and no log takes long."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.worker import printed
from jupyter_hpc.worker.printed import Printed
from jupyter_hpc.worker.printed_lines import Lines

LOSS = {"loss": 0.31}
BOTH = {"loss": 0.31, "acc": 0.9}
TELLS: list[tuple[str, dict[str, float], float | None, str]] = [
    ("loss=0.31", LOSS, None, ""),
    ("loss: 0.31 acc: 0.9", BOTH, None, ""),
    ("loss = 3.1e-1, acc = .9", BOTH, None, ""),
    ("loss: 0.31.", LOSS, None, ""),
    ("loss=tensor(0.3100, device='cuda:0')", LOSS, None, ""),
    ("loss: -inf", {"loss": -math.inf}, None, ""),
    ('{"loss": -Infinity, "acc": Infinity}', {"loss": -math.inf, "acc": math.inf}, None, ""),  # as json writes it
    ("损失_loss=0.31 Überschuss=2.5", {"损失_loss": 0.31, "Überschuss": 2.5}, None, ""),
    ("loss=1e400", {"loss": math.inf}, None, ""),
    ("[1] loss=0.31 ± 0.02 of <b>", LOSS, None, ""),
    ("Test accuracy: 93.1%", {"Test accuracy": 93.1}, None, ""),
    ("epoch 3/40 - loss: 0.31 - val_loss: 0.4", {"loss": 0.31, "val_loss": 0.4}, 3, "epoch"),
    ("Epoch 3: train loss: 0.31, val loss: 0.4", {"train loss": 0.31, "val loss": 0.4}, 3, "epoch"),
    ("Epoch 3: train loss 0.31", {"train loss": 0.31}, 3, "epoch"),
    ("Epoch [3/40], Step [10/100], Loss: 0.3100", {"Loss": 0.31}, 2.1, "epoch"),
    ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.3", {"Loss": 2.3}, 1, "epoch"),
    ("2026-11-29 12:30:05,123 INFO train: step=300 loss=0.31 lr: 1e-3", {**LOSS, "lr": 0.001}, 300, "step"),
    ("[12:30:05,123 INFO] loss=0.31", LOSS, None, ""),
    ("t=0.01 energy: -3.5", {"energy": -3.5}, 0.01, "t"),
    ("{'loss': 0.31, 'learning_rate': 5e-05, 'epoch': 1.0}", {**LOSS, "learning_rate": 5e-05}, 1, "epoch"),
    ("{'loss': '0.31', 'epoch': '1.5'}", LOSS, 1.5, "epoch"),
    (
        "{'eval_loss': 0.31, 'eval_runtime': 3.2, 'eval_steps_per_second': 9.1, 'epoch': 2.0}",
        {"eval_loss": 0.31},
        2,
        "epoch",
    ),
    ("{'loss': np.float64(0.31)}", LOSS, None, ""),
    ('{"step": 3, "loss":0.31}', LOSS, 3, "step"),
    (" 45%|████▌     | 18/40 [00:05<00:06,  3.49it/s, loss=0.31, acc=0.9]", BOTH, None, ""),
    ("Epoch 3:  45%|██| 18/40 [00:05<00:06,  3.49it/s, v_num=1, loss=0.31]", LOSS, 3.45, "epoch"),
    ("18it [00:05,  3.49it/s, loss=0.31]", LOSS, None, ""),
    ("all: 1/3 [00:01<00:02, 1it/s]  ·  fit: 18/40 [00:05<00:06, 3it/s, loss=0.31]", LOSS, None, ""),
    ("18/36 [=========>......] - ETA: 5s - loss: 0.31 - acc: 0.9", BOTH, None, ""),
    ("\x1b[1m9/9\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m5s\x1b[0m 2ms/step - loss: 0.31", LOSS, None, ""),
]
TELLS_NOTHING = [
    *("12:30:05", "at 12:30:05 nothing", "time: 12:30:05", "date: 2026-11-29", "version: 1.2.3", "ratio: 3/4"),
    *("DataFrame(shape=3)", "Point(x=1, y=2)", "<Foo at=3 loss=4>", "Model(loss=3, acc=4)", "model[loss=3]"),
    *("/data/run=3/x: 4", "http://localhost:8080", "localhost:8080", "GET /?loss=3&acc=4", r"C:\loss=3\x"),
    *("Found 3 files: 7", "Total params: 1234", "loss: 1,234,567", "size: 3x4", "took: 3.2s", "ETA: 12", "loss: none"),
    *("ValueError: 3", "UserWarning: 3", "--lr=0.1 --epochs=3", "Epoch 3/40", "loss: [3, 4]", "loss:", "= 3", ": 3"),
    *("step=3", "global_step: 3", "loss=0.3s", "memory: 3.5 GB", "loss=12:30", "ip=10.0.0.1", "loss=$3", "loss=0x10"),
    *("loss=1,234", "loss=1_000", "loss=Information", "loss=nanometers", "loss=1.2.3", "损失: 0.3"),
    "100%|██████████| 40/40 [00:12<00:00,  3.2it/s]",
    "Downloading numpy-1.26.4-cp311.whl (18.2 MB)",
    "----> 3 loss=0.3",
    "(Pdb) loss=0.3",
]


def told(text: str) -> list[Any]:
    return list(Lines().points(text, 1000))


@pytest.mark.parametrize(("line", "values", "at", "by"), TELLS)
def test_lines_that_tell_numbers(line: str, values: dict[str, float], at: float | None, by: str) -> None:
    assert told(line) == [(values, at, by)]


@pytest.mark.parametrize("line", TELLS_NOTHING)
def test_lines_that_only_look_so(line: str) -> None:
    assert told(line) == []


def test_a_bar_of_keras_stands_between_its_epochs() -> None:
    text = "Epoch 3/40\n 18/36 ━━━━ 5s 2ms/step - loss: 0.5\r 36/36 ━━━━ 9s 2ms/step - loss: 0.31\nEpoch 4/40\n"
    assert told(text) == [({"loss": 0.5}, 2.5, "epoch"), (LOSS, 3, "epoch")]
    lines = Lines()
    halves = [list(lines.points(half, 9)) for half in ("Epoch 3/40\n 18/36 ━━━━ 5s 2ms/step - loss: 0.31\r", "")]
    assert halves == [[(LOSS, 2.5, "epoch")], []]


def test_a_bar_that_is_drawn_again_without_news_is_one_point() -> None:
    bar = "  45%|██| 18/40 [00:05<00:06,  3.49it/s, loss=0.31]"
    lines = Lines()
    assert [len(list(lines.points(f"\r{bar}", 9))) for _ in range(3)] == [1, 0, 0]


def test_a_name_that_nobody_knows_is_one_when_it_comes_again() -> None:
    assert told("x=1\n") == [] and told("found: 1\nfound: 2\nfound: 3") == []
    assert [values for values, _, _ in told("损失=1\n损失=2")] == [{"损失": 1}, {"损失": 2}]
    assert [values for values, _, _ in told("x=1\nx=2\nloss=0.31\nx=3")] == [{"x": 1}, {"x": 2}, LOSS, {"x": 3}]


TRACEBACK = """loss=0.4
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    fit(loss=0.3, acc=0.9)
    loss=0.3
ValueError: loss=7
loss=0.31
"""


def test_a_traceback_tells_nothing() -> None:
    assert [values for values, _, _ in told(TRACEBACK)] == [{"loss": 0.4}, LOSS]
    lines = Lines()
    pieces = [list(lines.points(line, 9)) for line in TRACEBACK.splitlines(keepends=True)]
    assert [bool(piece) for piece in pieces] == [True, False, False, False, False, False, True]


class Heard:
    """Stands for the cell's points."""

    def __init__(self) -> None:
        self.points: list[dict[str, float]] = []

    def printed(self, values: dict[str, float], at: float | None, by: str) -> None:
        self.points.append(values)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_the_log_is_read_as_it_grows_by_whole_lines(tmp_path: Path, heard: Heard) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"loss=9 of an attempt before\n")
    follows = Printed(str(log), heard)  # type: ignore[arg-type]
    with log.open("ab", buffering=0) as file:
        for piece in (b"loss=0.", b"31\nloss", b"=0.4\nlo\xc3", b"\xa9ss=3\nloss=0.5"):
            file.write(piece)
            follows.read()
    assert heard.points == [{"loss": 0.31}, {"loss": 0.4}]
    follows.read(to_the_end=True)
    assert heard.points[-1] == {"loss": 0.5}


def test_a_log_without_numbers_costs_no_patterns(tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").touch()
    follows = Printed(str(tmp_path / "log"), heard)  # type: ignore[arg-type]
    (tmp_path / "log").write_bytes(b"hello\n" * 9)
    monkeypatch.setitem(sys.modules, "jupyter_hpc.worker.printed_lines", None)
    follows.read(to_the_end=True)
    assert heard.points == []


def test_of_a_log_that_grows_fast_only_the_end_is_read(
    tmp_path: Path, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, most = tmp_path / "log", 40 * printed.MOST_BYTES
    log.touch()
    follows = Printed(str(log), heard)  # type: ignore[arg-type]
    line = b"step=%07d loss=0.5\n"
    log.write_bytes(b"".join(line % step for step in range(most // len(line % 0))))
    looked: list[str] = []
    point = Lines._point
    monkeypatch.setattr(Lines, "_point", lambda self, text: (looked.append(text), point(self, text))[1])
    follows.read()
    assert follows._offset == log.stat().st_size
    assert printed.A_BEAT // 2 < len(looked) <= printed.A_BEAT and len(heard.points) == len(looked)
    follows.read(to_the_end=True)
    assert len(looked) <= printed.A_BEAT


def test_a_line_without_an_end_is_passed_over(tmp_path: Path, heard: Heard) -> None:
    log = tmp_path / "log"
    log.touch()
    follows = Printed(str(log), heard)  # type: ignore[arg-type]
    log.write_bytes(b"loss=3 " * printed.MOST_BYTES)
    for _ in range(3):
        follows.read()
    assert follows._offset == log.stat().st_size and heard.points == []


HARD = [
    *("a " * 300, "a=1 " * 150, "A" * 600, "loss: " * 100, "[" * 600, "1/1 " * 150, "{'a': " * 99 + "}", "<a" * 300),
    *("x((" * 200, "epoch " * 100, "\x1b[" * 300, "[00:00,/" * 75, "a.a-a/" * 100, "loss=tensor(" * 50),
    *("loss=" + "1" * 590, "9" * 600, "1/1 [" + "=" * 590, "[0:00,/" + "," * 590, "((((" * 150, "{'" + "a" * 590 + "}"),
    *("a a a=" * 100, "epoch 1/" * 75, "loss 0." * 80, "<" + "a " * 299, ": " * 300, "x=" * 300),
]


def steps_of(action: Callable[[], Any]) -> float:
    import time

    best = math.inf
    for _ in range(3):
        began = time.process_time()
        action()
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("hard", HARD, ids=range(len(HARD)))
def test_no_line_takes_long(hard: str) -> None:
    """A pattern that goes wrong takes thousands of times as long as the longest of these (0.7 ms)."""
    line = (hard + ":=")[:600]
    assert steps_of(lambda: told(line)) < 0.05


def test_ten_times_the_line_is_no_more_work() -> None:
    assert told("loss=0.31 " * 300) == [] and told("x" * 10_000 + "\rloss=0.31") == [(LOSS, None, "")]


def test_what_is_read_is_json_all_the_same(tmp_path: Path) -> None:
    from jupyter_hpc.worker.events import EventWriter
    from jupyter_hpc.worker.points import Points

    class Log:
        path = str(tmp_path / "log")
        flush = staticmethod(lambda: None)

    (tmp_path / "log").touch()
    points = Points(EventWriter(str(tmp_path)), "on", Log())  # type: ignore[arg-type]
    (tmp_path / "log").write_text("epoch 1 loss=nan acc=0.5\nepoch 2 loss=0.5 acc=0.9")
    points.beat()
    points.end()
    (tmp_path / "log").write_text("epoch 1 loss=nan acc=0.5\nepoch 2 loss=0.5 acc=0.9\nloss=7 in the traceback\n")
    points.beat()
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [(e["x"], e["v"], e["by"]) for e in events if e["e"] == "point"] == [
        (1.0, {"loss": "nan", "acc": 0.5}, "epoch"),
        (2.0, {"loss": 0.5, "acc": 0.9}, "epoch"),
    ]
    assert events[-1]["of"]["acc"] == {"last": 0.9, "min": 0.5, "max": 0.9, "count": 2}
    assert os.path.getsize(tmp_path / "log") > 50
