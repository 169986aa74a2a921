"""What a live panel draws of the worker's samples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.explain.use import idle_words, measured
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.rundir.reader import MOST_SAMPLES, PartsReader, RunReader
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.views.meters import bar, meters_html, spark, use_meters


def reader_of(folder: Path, *events: dict[str, Any] | str) -> RunReader:
    started = {"e": "started", "t": 1000.0, "cpus": 4}
    lines = [x if isinstance(x, str) else json.dumps(x) for x in (started, *events)]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    reader = RunReader(Run(folder))
    reader.poll()
    return reader


def sample(t: int, **fields: Any) -> dict[str, Any]:
    return {"e": "sample", "t": 1000.0 + t, "rss": (100 + t) << 20, "cpu_s": 1.5 * t, **fields}


def test_samples_are_kept_in_bounds_first_and_last_included(tmp_path: Path) -> None:
    damaged = ('{"e": "sample", "t": 1, "rss"', '{"e": "sample", "t": null, "rss": "x", "cpu_s": []}')
    reader = reader_of(tmp_path, *damaged, *(sample(t) for t in range(1, 5001)))
    assert len(reader.samples) <= MOST_SAMPLES
    assert [reader.samples[i]["t"] for i in (0, -1)] == [1001.0, 6000.0]
    assert reader.peak_rss == 5100 << 20
    found = measured(reader)
    assert found is not None and abs(found.cpus_peak - 1.5) < 0.01 and abs(found.cpus - 1.5) < 0.01


def test_the_largest_task_is_known_by_its_peak_though_the_samples_missed_it(tmp_path: Path) -> None:
    """What an array's use is told of, and whose samples are drawn."""
    steady = [sample(1), sample(50), {"e": "done", "t": 1051.0, "use": {"peak_rss": 151 << 20}}]
    short = [sample(1), {"e": "done", "t": 1002.0, "use": {"peak_rss": 4 << 30}}]
    run = Run(tmp_path)
    for index, events in enumerate((steady, short)):
        part = run.part(index).path
        part.mkdir(parents=True)
        lines = (json.dumps(event) for event in ({"e": "started", "t": 1000.0}, *events))
        (part / "events.jsonl").write_text("\n".join(lines) + "\n")
    reader = PartsReader(run, (0, 1))
    reader.poll()
    assert reader.largest is reader.readers[1]
    found = measured(reader)
    assert found is not None and found.peak_rss == 4 << 30


def test_what_was_used_is_known_as_soon_as_there_is_a_result(tmp_path: Path) -> None:
    """The worker's last word comes after the result, and a card is made of what is there."""
    found = measured(reader_of(tmp_path, {"e": "saving", "t": 1003.0, "use": {"peak_rss": 7 << 20, "cpu_s": 1.5}}))
    assert found is not None and (found.seconds, found.peak_rss, found.cpu_s) == (3.0, 7 << 20, 1.5)


@pytest.mark.parametrize("use", [None, [], {"peak_rss": None}, {"peak_rss": "many"}])
def test_a_damaged_end_says_nothing_of_memory(tmp_path: Path, use: object) -> None:
    assert reader_of(tmp_path, sample(1), {"e": "done", "t": 1.0, "use": use}).peak_rss == 101 << 20


def test_a_new_attempt_begins_anew(tmp_path: Path) -> None:
    again = {"e": "started", "t": 2000.0}
    assert reader_of(tmp_path, sample(1), sample(2), again).samples == []


def test_cpu_memory_and_each_gpu_stand_in_words_and_lines(tmp_path: Path) -> None:
    gpu = {"percent": "43", "mib_used": "10240", "mib_total": "81920"}
    unknown = {"percent": "[N/A]", "mib_used": "[N/A]", "mib_total": "81920"}
    reader = reader_of(tmp_path, *(sample(t, gpus=[gpu, unknown]) for t in range(1, 9)))
    meters = use_meters(reader, Resources(memory=1 << 30))
    for words, meter in zip(
        (
            "cpu 1.5 of 4",
            "memory 108 MiB of 1 GiB",
            "gpu 0 43 %, 10 GiB of 80 GiB",
            "gpu 1 0 %, 0 B of 80 GiB",
        ),
        meters,
        strict=True,
    ):
        assert words in re.sub("<[^>]*>", "", meter)
        assert '<svg role="img" aria-label="' in meter


def test_a_gpu_that_has_been_idle_for_minutes_is_said_in_one_sentence(tmp_path: Path) -> None:
    """One that computed meanwhile is not, nor one that rests between two epochs."""

    def gpus(t: int) -> list[dict[str, str]]:
        used = {"mib_used": "70000", "mib_total": "81920"}
        return [{"percent": "0", **used}, {"percent": "90" if t == 300 else "0", **used}, {"percent": "7", **used}]

    samples = [sample(t, gpus=gpus(t)) for t in range(0, 421, 10)]
    page = meters_html(reader_of(tmp_path, *samples), Resources(gpus=3))
    assert "gpu 0 has done nothing for 7 min" in page
    assert page.count("done nothing") == 1
    later = [*samples, *(sample(t, gpus=gpus(t)) for t in range(430, 501, 10))]
    assert idle_words(later) == "gpus 0, 1 have done nothing for 3 min"
    assert idle_words(samples[:10]) == "" == idle_words([])


def test_no_samples_no_meters_and_few_bytes(tmp_path: Path) -> None:
    assert use_meters(reader_of(tmp_path), Resources()) == []
    assert spark([1.0], 1.0, "one point") == ""
    assert len(spark([float(i) for i in range(10_000)], 1.0, "many")) < 1500
    assert "<script" not in bar(5.0, '"><script>')
    assert 'width="72"' in bar(5.0, "more than its limit")
