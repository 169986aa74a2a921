"""Numbers that the tasks of an array tell: a line each in one chart, and in a row what they came to together."""

from __future__ import annotations

import json
import math
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_hpc.commands.plot import plot
from jupyter_hpc.follow.glance import look
from jupyter_hpc.follow.parts_follower import PartsFollower, write_end
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.index.activity import of_run
from jupyter_hpc.model.states import JobState, Status
from jupyter_hpc.rundir.parts import make_parts
from jupyter_hpc.rundir.reader import RunReader, reader_of
from jupyter_hpc.rundir.run import Run, write_json
from jupyter_hpc.rundir.series import SeriesOfRun, of_tasks
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.detail import detail
from jupyter_hpc.views import charts
from jupyter_hpc.views.card import card_html, card_text
from jupyter_hpc.views.job_list_html import jobs_html
from jupyter_hpc.views.job_row import job_row
from jupyter_hpc.views.job_table import more
from tests.lineage import records
from tests.server.described import _validate, check

LOSSES = {1: [4.0, 2.0, 0.5], 2: [4.0, 1.0, 0.25], 3: [4.0, 3.0, 1.0]}


def array_of(root: Path, told: dict[int, list[float]], *, is_final: bool = True) -> Run:
    """An array of which each task has told its loss, and whose end is written as it is by who sees it."""
    indices = {"array": {"text": f"1-{len(told)}", "indices": list(told)}}
    run = Run(records.write(Store(root), records.record(1, name="sweep", state="RUNNING", **indices)))
    make_parts(run, list(told))
    for index, values in told.items():
        part = run.part(index)
        points = [{"e": "point", "t": 10.0 + i, "v": {"loss": v}, "x": i, "by": "epoch"} for i, v in enumerate(values)]
        (part.path / "events.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
        reader = RunReader(part, outputs=False)
        reader.poll()
        own = {"state": "COMPLETED", "verdict": {"state": "COMPLETED"}, "metrics": reader.series.summary()}
        write_json(part.path / "record.json", own if is_final else {"state": "RUNNING"})
    if is_final:
        write_end(run, Status(JobState.COMPLETED, ended_at=99.0))
    return run


@pytest.fixture
def array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    return array_of(tmp_path, LOSSES)


MEDIAN = {"name": "loss", "last": 0.5, "trend": [4.0, 2.0, 0.5], "tasks": 3, "min": 0.25, "max": 4.0}


def test_its_row_has_the_median_of_its_tasks_and_their_range(array: Run) -> None:
    record = array.record()
    row = job_row(array, record)
    assert row["metrics"] == [MEDIAN]
    _validate("a row", {"$ref": "schemas.yaml#/Metric"}, row["metrics"][0])
    assert more(array, record)["numbers"] == {"loss": 0.5}
    assert ">median loss 0.5<" in jobs_html([{**row, **more(array, record)}])
    assert job_row(array.part(2), array.part(2).record())["metrics"] == [
        {"name": "loss", "last": 0.25, "trend": [4.0, 1.0, 0.25]}
    ]


def test_it_is_no_number_of_the_arrays_own(array: Run) -> None:
    """A search for a loss below some number finds the tasks, not their array."""
    assert not of_run(array, array.record()).metrics and of_run(array.part(1), array.part(1).record()).metrics
    assert "task_metrics" not in array.part(1).record()


def test_its_row_has_them_while_it_runs(tmp_path: Path) -> None:
    run = array_of(tmp_path, LOSSES, is_final=False)
    reader = reader_of(run, outputs=False)
    reader.poll()
    assert more(run, run.record(), reader)["numbers"] == {"loss": 0.5}
    ended: Future[Status] = Future()
    ended.set_result(Status(JobState.COMPLETED))
    tasks: list[Any] = []
    for index in LOSSES:
        told = RunReader(run.part(index), outputs=False)
        told.poll()
        task = SimpleNamespace(run=run.part(index), ended=Future(), listeners=[], status=Status(JobState.RUNNING))
        task.told = told.series.summary()
        tasks.append(task)
    run.part(3).update(metrics=tasks[2].told)
    tasks[2].ended, tasks[2].told = ended, {}  # it had ended before this process followed it
    assert PartsFollower(run, tasks, "7").told["loss"]["last"] == 0.5


def test_tasks_that_tell_no_number_or_none_at_all() -> None:
    def total(last: Any, *trend: float) -> dict[str, Any]:
        finite = isinstance(last, float)
        return {
            "last": last,
            "min": last if finite else None,
            "max": last if finite else None,
            "count": 2,
            "trend": trend,
        }

    found = of_tasks([{"loss": total("nan")}, {}, {"loss": total(2.0, 1.0, 2.0)}, {"loss": total(4.0, 3.0)}])
    assert found == {"loss": {"last": 3.0, "min": 2.0, "max": 4.0, "count": 6, "tasks": 3, "trend": [2.0, 2.5]}}
    assert of_tasks([{"loss": total("nan")}])["loss"]["last"] == "nan"
    assert of_tasks([]) == {} and len(of_tasks([{f"n{i}": total(1.0)} for i in range(1000)])) == 64


def test_a_summary_is_made_once_until_there_is_news() -> None:
    series = SeriesOfRun()
    series.take({"e": "point", "t": 1.0, "v": {"loss": 1.0}, "x": 1})
    first = series.summary()
    assert series.summary() is first
    series.take({"e": "point", "t": 2.0, "v": {"loss": 2.0}, "x": 2})
    assert series.summary()["loss"]["count"] == 2


def test_its_chart_has_a_line_for_each_task(array: Run) -> None:
    found = plot([array.id], [])
    (chart,) = found.charts
    assert [line.label for line in chart.lines] == ["task 1", "task 2", "task 3"]
    assert chart.words == "loss 3 tasks, from 0.25 to 4"
    assert repr(found).splitlines()[1:] == [
        "loss    task 1  0.5   0.5   4    3",
        "loss    task 2  0.25  0.25  4    3",
        "loss    task 3  1     1     4    3",
    ]
    assert "loss 3 tasks, from 0.25 to 4" in card_text(look(array))
    assert card_html(look(array)).count("<figure") == 1
    shown = detail(Job(array))
    check("GET", f"/jupyter-hpc/jobs/{array.id}", 200, shown)
    assert (shown["charts"][0]["tasks"], len(shown["charts"][0]["lines"])) == (3, 3)


def test_arrays_and_runs_over_each_other_are_named(array: Run) -> None:
    labels = [line.label for line in plot([array.id, array.part(1).id], []).charts[0].lines]
    assert labels[0] == "sweep task 1" and len(set(labels)) == len(labels) == 4


def test_many_tasks_are_quiet_lines_of_which_some_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    run = array_of(tmp_path, {i: [float(i + x % 7) for x in range(500)] for i in range(1, 201)})
    found = plot([run.id], [])
    (chart,) = found.charts
    assert chart.words == "loss 200 tasks (29 drawn), from 1 to 206"
    assert len(found._repr_html_()) < 40_000
    assert repr(found).count("\n") == 200  # a shell's table has all
    assert len(json.dumps(detail(Job(run))["charts"])) < 40_000


def test_what_each_task_told_once_goes_from_task_to_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    run = array_of(tmp_path, {i: [1.0 / i] for i in (1, 2, 4, 8)})
    (chart,) = plot([run.id], []).charts
    assert (chart.by, [x for x, _ in chart.lines[0].points]) == ("task", [1, 2, 4, 8])
    assert chart.words == "loss 4 tasks, from 0.125 to 1" and "8 task" in charts.svg(chart)
    assert job_row(run, run.record())["metrics"][0]["last"] == 0.375
    check("GET", f"/jupyter-hpc/jobs/{run.id}", 200, detail(Job(run)))


def test_a_task_whose_record_is_gone_costs_only_its_own(tmp_path: Path) -> None:
    run = array_of(tmp_path, LOSSES, is_final=False)
    run.part(1).update(metrics={"loss": {"last": math.pi, "min": 3, "max": 4, "count": 2}})
    (run.part(2).path / "record.json").write_text("{")
    write_end(run, Status(JobState.FAILED))
    assert run.record()["task_metrics"]["loss"]["tasks"] == 1
