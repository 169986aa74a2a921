"""Numbers that a cell tells of itself: what is kept of them, however many they are, and what is refused in words."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jupyter_hpc
from jupyter_hpc.rundir import series, shapes
from jupyter_hpc.rundir.reader import RunReader
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.worker import current, points
from jupyter_hpc.worker.events import EventWriter


@pytest.fixture
def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> points.Points:
    """The points of a cell that runs in this process."""
    monkeypatch.setattr(points, "_said", set())
    found = points.Points(EventWriter(str(tmp_path)))
    monkeypatch.setattr(current, "_points", found)
    return found


def read(folder: Path) -> series.SeriesOfRun:
    reader = RunReader(Run(folder), outputs=False)
    reader.poll()
    return reader.series


def values(found: series.Series) -> list[tuple[float, float]]:
    return [(x, value) for _, x, value in found.points]


def test_logged_numbers_are_points_by_step_or_one_after_the_other(taken: points.Points, tmp_path: Path) -> None:
    jupyter_hpc.log(loss=0.5, acc=1, step=10)
    jupyter_hpc.log({"val/loss": np.float32(0.25)}, loss=np.array(0.25), step=20)
    jupyter_hpc.log(plain=Decimal(3))
    found = read(tmp_path)
    assert values(found["loss"]) == [(10, 0.5), (20, 0.25)] and found["loss"].by == "step"
    assert values(found["val/loss"]) == [(20, 0.25)] and values(found["acc"]) == [(10, 1.0)]
    assert values(found["plain"]) == [(1, 3.0)] and found["plain"].by == ""


def test_what_is_not_finite_is_kept_and_is_json_of_any_reader(taken: points.Points, tmp_path: Path) -> None:
    for value in (0.5, math.nan, math.inf, -math.inf, 0.25, math.nan):
        jupyter_hpc.log(loss=value)
    taken.write_summary()

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    for line in (tmp_path / "events.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=refuse)
    found = read(tmp_path)["loss"]
    assert [str(value) for _, _, value in found.points] == ["0.5", "nan", "inf", "-inf", "0.25", "nan"]
    assert found.total == {"last": "nan", "min": 0.25, "max": 0.5, "count": 6}


class Refuses:
    def __float__(self) -> float:
        raise RuntimeError("not now")


@pytest.mark.parametrize("value", ["0.3", None, [1, 2], np.arange(3), 1j, 10**400, Refuses(), object])
def test_what_is_no_number_is_one_sentence_and_ends_nothing(
    taken: points.Points, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: Any
) -> None:
    for _ in range(3):
        jupyter_hpc.log(bad=value, good=1)
    said = capsys.readouterr().err
    assert said.startswith("jupyter_hpc.log: bad is a") and said.count("\n") == 1
    assert set(read(tmp_path)) == {"good"}


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31m", "a" * 65, "\udcff", 3])
def test_names_that_nobody_could_show_are_refused(
    taken: points.Points, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: Any
) -> None:
    jupyter_hpc.log({name: 1.0}, loss=2)
    assert "is no name" in capsys.readouterr().err
    assert set(read(tmp_path)) == {"loss"}


def test_a_step_that_is_no_number_costs_only_the_step(
    taken: points.Points, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jupyter_hpc.log(loss=1, step="three")
    jupyter_hpc.log(loss=2, step=math.nan)
    jupyter_hpc.log([1, 2], loss=3)  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert "step is a str, not a number" in said and "a list was given where names" in said
    assert values(read(tmp_path)["loss"]) == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_names_are_bounded_in_number_and_it_is_said(
    taken: points.Points, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(200):
        jupyter_hpc.log({f"n{number}": number})
    assert len(read(tmp_path)) == points.MOST_NAMES
    assert capsys.readouterr().err == "jupyter_hpc.log: more than 64 names are not kept.\n"


def test_a_long_loop_leaves_a_short_file_and_a_true_summary(taken: points.Points, tmp_path: Path) -> None:
    for step in range(200_000):
        taken.log({"loss": 1e6 - step}, step)
    taken.log({"loss": -5.0}, 200_000)
    taken.write_summary()
    lines = (tmp_path / "events.jsonl").read_text().count("\n")
    assert 2000 < lines < 3000
    found = read(tmp_path)["loss"]
    assert len(found.points) <= series.MOST_POINTS and found.points[0][1] == 0
    assert found.total == {"last": -5.0, "min": -5.0, "max": 1e6, "count": 200_001}
    assert found.points == sorted(found.points)


def test_the_summary_is_written_ever_less_often(taken: points.Points, monkeypatch: pytest.MonkeyPatch) -> None:
    now, written = [taken._began], []
    monkeypatch.setattr(points.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(taken, "write_summary", lambda: written.append(now[0]))
    taken.log({"loss": 1})
    for _ in range(2 * 86400):  # a day of heartbeats
        now[0] += 0.5
        taken.beat()
    assert len(written) < 3000
    assert written[1] - written[0] == 1 and written[-1] - written[-2] == points.LAST_SUMMARY_S


def test_what_is_logged_is_not_counted_again_where_it_is_printed_too(taken: points.Points, tmp_path: Path) -> None:
    for step in range(3):
        taken.log({"loss": step}, step)
        taken.printed({"loss": step, "acc": step / 2}, None, "")
    found = read(tmp_path)
    assert found["loss"].total["count"] == 3 and found["acc"].total["count"] == 3


def test_in_the_kernel_it_is_kept_nowhere_and_said_alike(capsys: pytest.CaptureFixture[str]) -> None:
    points._said.clear()
    jupyter_hpc.log(loss=0.3, step=1)
    jupyter_hpc.log(name="a text")
    assert capsys.readouterr().err == "jupyter_hpc.log: name is a str, not a number, and is not kept.\n"


def test_a_full_disk_does_not_end_the_cell(taken: points.Points, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(taken._events, "write", full)
    jupyter_hpc.log(loss=1)
    taken.write_summary()


@pytest.mark.parametrize(
    "line",
    [
        {"e": "point", "t": 1.0, "v": {"loss": 0.5}, "x": math.inf},
        {"e": "point", "t": 1.0, "v": 7, "x": 1},
        {"e": "point", "t": 1.0, "v": {"loss": "high", "ok": []}, "x": 1},
        {"e": "point", "t": 1.0, "v": {"loss": 10**400}, "x": 1},
        {"e": "series", "t": 1.0, "of": {"loss": {"last": 1}}},
        {"e": "series", "t": 1.0, "of": {"loss": {"last": 1, "count": -1}}},
    ],
)
def test_damaged_events_are_no_points(tmp_path: Path, line: dict[str, Any]) -> None:
    (tmp_path / "events.jsonl").write_text(json.dumps(line) + "\n")
    assert not any(found.points or found.summary for found in read(tmp_path).values())


def test_a_second_attempt_begins_anew(tmp_path: Path) -> None:
    lines = [
        {"e": "point", "t": 1.0, "v": {"loss": 9}, "x": 1},
        {"e": "started", "t": 2.0},
        {"e": "point", "t": 3.0, "v": {"loss": 1}, "x": 1},
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert values(read(tmp_path)["loss"]) == [(1, 1.0)]


def test_a_record_has_only_summaries_that_are_some() -> None:
    record = {"id": "a", "target": {"name": "local"}, "code": {}, "spec": {}}
    told = {"loss": {"last": "nan", "min": None, "max": None, "count": 3}, "bad": {"last": [], "count": 1}, "no": 3}
    found = shapes.fitted({**record, "metrics": told}, shapes.RECORD)
    assert found["metrics"] == {"loss": told["loss"]}
