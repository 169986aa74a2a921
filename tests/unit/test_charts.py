"""Charts of what runs told of themselves: what they show, what they say to who doesn't see them, how large they are."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jupyter_hpc.commands import catalogue
from jupyter_hpc.commands.plot import plot
from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.rundir.series import Series
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.views import charts
from jupyter_hpc.views.axes import scale, written
from tests.lineage.records import record, run_id, write


def series(values: list[float], by: str = "epoch", places: list[float] | None = None) -> Series:
    found = Series()
    for i, value in enumerate(values):
        found.add(1000.0 + 60 * i, places[i] if places else i + 1, value, by)
    return found


def one(**told: Series) -> list[charts.Chart]:
    return charts.charts_of({"": told})


def texts(picture: str) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(picture).iter("text")]


def test_a_chart_has_axes_with_units_and_two_or_three_ticks() -> None:
    (chart,) = one(acc=series([i / 40 for i in range(41)]))
    assert texts(charts.svg(chart)) == ["0", "0.5", "1", "20", "41 epoch"]
    (chart,) = one(acc=series([0.1, 0.2], by=""))
    assert texts(charts.svg(chart))[-1] == "2 values"


def test_a_chart_is_one_image_that_says_what_it_shows() -> None:
    (chart,) = one(loss=series([2.5, 1.0, 0.31]))
    found = ElementTree.fromstring(charts.svg(chart))
    assert found.attrib["role"] == "img"
    assert found.attrib["aria-label"] == "loss 0.31, from 0.31 to 2.5, by epoch"
    assert "<b>loss</b>" in charts.charts_html([chart])


def test_what_spans_decades_is_on_a_log_scale_which_says_so() -> None:
    (chart,) = one(loss=series([10.0**-i for i in range(7)]))
    assert "log scale" in texts(charts.svg(chart)) and "log scale" in charts.svg(chart).split(">")[0]
    for values in ([1.0, 50.0], [-1.0, 1000.0], [0.0, 1000.0]):
        (chart,) = one(loss=series(values))
        assert "log scale" not in charts.svg(chart)


def test_a_step_that_begins_anew_is_drawn_over_time() -> None:
    (chart,) = one(loss=series([3, 2, 1, 0], places=[1, 2, 1, 2], by="step"))
    assert chart.by == "time" and [x for x, _ in chart.lines[0].points] == [0, 60, 120, 180]
    assert texts(charts.svg(chart))[-1] == "3 min"


def test_runs_that_count_by_different_things_are_drawn_over_time() -> None:
    (chart,) = charts.charts_of({"a": {"loss": series([1, 2])}, "b": {"loss": series([1, 2], by="step")}})
    assert chart.by == "time" and charts.charts_html([chart]).count("<figure") == 1


def test_what_is_no_number_is_a_gap() -> None:
    (chart,) = one(loss=series([1.0, math.nan, 2.0, 3.0, math.inf, 1.0]))
    path = re.findall(r'<path d="([^"]*)" stroke-linejoin', charts.svg(chart))[0]
    assert path.count("M") == 3 and "nan" not in path and "inf" not in path
    (chart,) = one(loss=series([math.nan, math.nan]))
    assert ElementTree.fromstring(charts.svg(chart)) is not None and "loss nan" in chart.words


@pytest.mark.parametrize(
    "values",
    [[0.0, 0.0], [1e-300, 2e-300], [-1e308, 1e308], [5e-324, 1e308], [1e15, 1e15 + 1], [-3.0, -3.0], [7.0], []],
)
def test_any_range_has_a_picture(values: list[float]) -> None:
    (chart,) = one(x=series(values))
    for number in re.findall(r"[-\d.]+|nan|inf", " ".join(re.findall(r'd="([^"]*)"', charts.svg(chart)))):
        assert math.isfinite(float(number))
    ticks = scale(values).ticks
    assert len(ticks) <= 3 and ticks == sorted(ticks)


def test_a_long_series_is_a_short_path_with_its_peaks() -> None:
    points = [(float(i), 100.0 if i == 700 else float(i % 7)) for i in range(100_000)]
    shown = charts.thinned(points)
    assert len(shown) <= 2 * charts.MOST_BUCKETS + 4
    assert (700.0, 100.0) in shown and shown[0] == points[0] and shown[-1] == points[-1]
    assert shown == sorted(shown)


def test_names_and_labels_are_harmless_and_several_runs_have_a_legend() -> None:
    hostile = '<script>alert("x")</script>\x1b[31m'
    told = {hostile: {hostile: series([1, 2])}, "other": {hostile: series([2, 3])}}
    shown = charts.charts_html(charts.charts_of(told))
    assert "<script" not in shown and "\x1b" not in shown and "other 3" in re.sub("<[^>]*>", "", shown)
    ElementTree.fromstring(f"<div>{shown}</div>")


def test_lines_of_several_runs_differ_by_more_than_their_colour() -> None:
    assert len(set(charts.LOOKS)) == len(charts.LOOKS) == charts.MOST_LINES
    told = {str(i): {"loss": series([i, i + 1])} for i in range(20)}
    (chart,) = charts.charts_of(told)
    assert len(chart.lines) == 20 and chart.is_crowd  # they aren't told apart, but by whoever points at one
    assert "<title>19 20</title>" in charts.svg(chart) and "legend" not in charts.charts_html([chart])


def test_more_charts_than_a_panel_shows_are_counted() -> None:
    shown = charts.charts_html(one(**{f"n{i}": series([1, 2]) for i in range(9)}), "20260101-000000-abcdef")
    assert shown.count("<figure") == charts.MOST_CHARTS
    assert "and 5 more: <code>%hpc plot 20260101-000000-abcdef</code>" in shown


def test_a_single_value_is_said_and_not_drawn() -> None:
    found = one(acc=series([0.93]), loss=series([2, 1]))
    shown = charts.charts_html(found)
    assert shown.count("<figure") == 1 and "acc 0.93" in shown
    assert charts.charts_text(found) == ["acc 0.93", "loss 1, from 1 to 2 (2 values)"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.3100, "0.31"),
        (12345.0, "12345"),
        (2.5e6, "2.5e6"),
        (3e-5, "3e-5"),
        (-0.5, "-0.5"),
        ("nan", "nan"),
    ],
)
def test_numbers_are_short(value: float | str, text: str) -> None:
    assert written(value) == text


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two runs that have told their loss, one of them more, and one that has told nothing."""
    store = Store(tmp_path / "hpc")
    store.prepare()
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(store.root))
    for i, values in enumerate(([0.5, 0.25], [0.75, 0.125], [])):
        write(store, record(i, name=f"fit{i}"))
        events = [{"e": "point", "t": 10.0 + x, "v": {"loss": v}, "x": x, "by": "step"} for x, v in enumerate(values)]
        events += [{"e": "point", "t": 9.0, "v": {"acc": 0.9}, "x": 1}] if i else []
        lines = "".join(json.dumps(event) + "\n" for event in events if values)
        (store.run(run_id(i)).path / "events.jsonl").write_text(lines)
    return store


def test_plot_lays_runs_over_each_other_and_is_a_table_in_a_shell(told: Store) -> None:
    found = plot([run_id(0), run_id(1)], [])
    assert [(chart.name, [line.label for line in chart.lines]) for chart in found.charts] == [
        ("loss", ["fit0", "fit1"]),
        ("acc", ["fit1"]),
    ]
    assert repr(found).splitlines() == [
        "metric  run   last   min    max   values",
        "loss    fit0  0.25   0.25   0.5   2",
        "loss    fit1  0.125  0.125  0.75  2",
        "acc     fit1  0.9    0.9    0.9   1",
    ]
    assert found._repr_html_().count("<figure") == 1
    name, arguments = catalogue.parse(["plot", run_id(0), run_id(1), "--metric", "acc"], "jupyter hpc")
    assert catalogue.COMMANDS[name].answer(arguments).splitlines()[1].split() == [
        "acc",
        "fit1",
        "0.9",
        "0.9",
        "0.9",
        "1",
    ]


def test_plot_says_what_there_is(told: Store) -> None:
    with pytest.raises(OptionError, match="told no numbers"):
        plot([run_id(2)], [])
    with pytest.raises(OptionError, match="no metric 'los'") as caught:
        plot([run_id(0)], ["los"])
    assert "loss" in caught.value.hint


def test_a_row_has_the_last_of_each_and_how_the_first_went(told: Store) -> None:
    from jupyter_hpc.rundir.reader import RunReader
    from jupyter_hpc.views.job_row import job_row
    from tests.server.described import _validate

    run = told.run(run_id(1))
    reader = RunReader(run, outputs=False)
    reader.poll()
    run.write(metrics=reader.series.summary(), state="COMPLETED")
    row = job_row(run, run.record())
    assert row["metrics"] == [
        {"name": "loss", "last": 0.125, "trend": [0.75, 0.125]},
        {"name": "acc", "last": 0.9, "trend": []},
    ]
    _validate("a row", {"$ref": "schemas.yaml#/Metric"}, row["metrics"][0])


def test_the_view_of_a_job_has_its_charts(told: Store) -> None:
    from jupyter_hpc.jobs.job import Job
    from jupyter_hpc.server.detail import detail
    from tests.server.described import check

    run = told.run(run_id(1))
    events = [{"e": "point", "t": 20.0 + i, "v": {"loss": "nan" if i == 5 else i}, "x": i} for i in range(2, 5000)]
    with (run.path / "events.jsonl").open("a") as file:
        file.write("".join(json.dumps(event) + "\n" for event in events))
    found = detail(Job(run))
    check("GET", f"/jupyter-hpc/jobs/{run.id}", 200, found)
    loss = found["charts"][0]
    assert loss["name"] == "loss" and len(loss["lines"][0]["points"]) < 250
    assert loss["lines"][0]["last"] == 4999 and len(json.dumps(found["charts"])) < 10_000


def test_a_trend_is_a_few_of_the_values() -> None:
    found = series([float(i) for i in range(1000)] + [math.nan])
    assert len(found.trend) == 24 and (found.trend[0], found.trend[-1]) == (0, 999)
    assert found.trend == sorted(found.trend) and series([1.0, math.nan]).trend == []


def test_the_row_of_a_live_job_has_what_its_follower_has_read(told: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from jupyter_hpc.model.states import JobState, Status
    from jupyter_hpc.rundir.reader import RunReader
    from jupyter_hpc.server import listing

    run = told.run(run_id(0))
    run.write(state="RUNNING")
    reader = RunReader(run, outputs=False)
    reader.poll()
    monkeypatch.setattr(listing, "followed", lambda _: SimpleNamespace(told=reader.series.summary()))
    monkeypatch.setattr(listing, "refresh", lambda runs: [Status(JobState.RUNNING) for _ in runs])
    rows = {row["id"]: row for row in listing.Listing(told).summaries()}
    assert rows[run.id]["metrics"] == [{"name": "loss", "last": 0.25, "trend": [0.5, 0.25]}]
    monkeypatch.setattr(listing, "followed", lambda _: None)  # nobody has read it yet
    assert {row["id"]: row for row in listing.Listing(told).summaries()}[run.id]["metrics"] == []
