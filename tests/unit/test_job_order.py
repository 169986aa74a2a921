"""The order of jobs, their groups, and which of them words mean."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.model.states import JobState
from jupyter_hpc.views.job_order import SORTED_BY, finder, grouped, ordered, rank_of, searched


def row(name: str, state: str = "COMPLETED", **fields: Any) -> dict[str, Any]:
    given = {"created": 100.0, "started_at": None, "ended_at": None, **fields}
    empty = dict.fromkeys(("native_id", "node", "partition", "reason", "error", "notebook"), "")
    return {
        **empty,
        "id": "20260102-030405-abc061",
        "name": name,
        "target": "slurm",
        "tags": [],
        "state": state,
        **given,
    }


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in rows]


def found(text: str, *rows: dict[str, Any]) -> list[str]:
    finds = finder(text)
    return [each["name"] for each in rows if finds(each, searched(each))]


def test_what_goes_on_is_above_whatever_was_submitted_later() -> None:
    rows = [
        row("just ended", created=900, ended_at=1000),
        row("long ago, just ended", created=1, ended_at=1001),
        row("waits", "PENDING", created=5),
        row("waits, newer", "SUBMITTING", created=6),
        row("runs", "RUNNING", created=2, started_at=3),
        row("runs, newer", "RUNNING", created=3, started_at=4),
    ]
    expected = ["runs, newer", "runs", "waits, newer", "waits", "long ago, just ended", "just ended"]
    assert names(ordered(rows)) == names(ordered(rows, "time")) == expected


def test_names_are_in_the_order_of_their_numbers() -> None:
    rows = [row("step 10"), row("Step 9"), row("step 1"), row("2 first"), row("")]
    assert names(ordered(rows, "name")) == ["", "2 first", "step 1", "Step 9", "step 10"]


def test_the_longest_is_first_and_what_never_ran_is_last() -> None:
    rows = [
        row("short", started_at=10, ended_at=11),
        row("never", "CANCELLED", ended_at=50),
        row("long", started_at=10, ended_at=90),
    ]
    assert names(ordered(rows, "duration")) == ["long", "short", "never"]


def test_states_are_in_the_order_of_what_they_mean() -> None:
    states = ["CANCELLED", "COMPLETED", "FAILED", "OUT_OF_MEMORY", "PENDING", "RUNNING", "TIMEOUT"]
    expected = ["RUNNING", "PENDING", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "COMPLETED", "CANCELLED"]
    rows = [row(state, state) for state in states]
    assert names(ordered(rows, "state")) == expected
    assert [each["heading"] for each in grouped(rows, "state") if "heading" in each] == expected
    assert len({rank_of(state.value) for state in JobState}) == len(JobState)


def test_a_group_keeps_the_order_and_has_its_count() -> None:
    rows = [row("b", target="slurm"), row("a", target="local"), row("c", target="slurm"), row("d", target="")]
    listed = grouped(rows, "target")
    headings = [(each["heading"], each["count"]) for each in listed if "heading" in each]
    assert headings == [("local", 1), ("slurm", 2), ("", 1)]
    assert names([each for each in listed if "name" in each]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("sort", SORTED_BY)
def test_no_field_that_a_record_may_lack_breaks_an_order(sort: str) -> None:
    rows = [row("a", "LOST", created=None), row("b", "RUNNING"), row("", "FAILED", ended_at=3)]
    assert len(ordered(rows, sort)) == 3


def test_words_for_states_are_found() -> None:
    rows = [row(state.value, state.value) for state in JobState]
    assert found("running", *rows) == ["RUNNING"]
    assert found("waiting", *rows) == ["SUBMITTING", "PENDING"]
    assert found("failed", *rows) == ["FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED", "LOST"]
    assert found("Out of Memory", *rows) == ["OUT_OF_MEMORY"]
    assert found("canceled", *rows) == found("cancelled", *rows) == ["CANCELLED"]


def test_every_word_must_be_there_wherever() -> None:
    jobs = (row("train", native_id="61"), row("train", native_id="161"), row("other", native_id="61", target="local"))
    assert found("slurm 61", *jobs) == ["train"]
    assert found("61 TRAIN completed", *jobs) == ["train"]
    assert found("slurm 61 failed", *jobs) == []
    assert found("", *jobs) == ["train", "train", "other"]


def test_a_number_is_no_part_of_an_id_that_every_run_of_a_day_has() -> None:
    job = row("a", native_id="7_12")
    assert found("06", job) == found("12", job) == []
    assert found("7_12", job) == found("abc061", job) == found("20260102-0304", job) == found("7", job) == ["a"]


def test_node_partition_and_tags_are_searched() -> None:
    job = row("a", node="gpu-node3", partition="debug", tags=["model:v3"], reason="waits for Priority")
    for text in ("node3", "debug", "model:v3", "priority", "gpu v3"):
        assert found(text, job) == ["a"], text
    assert found("model:v2", job) == []


def test_letters_are_found_however_they_are_written() -> None:
    """As macOS composes them, in capitals, in the width of another script."""
    jobs = row("Größe läuft", notebook="/home/me/U\u0308bung.ipynb"), row("ＧＰＵ test")
    for text in ("größe", "GRÖSSE", "La\u0308uft", "übung", "ÜBUNG"):
        assert found(text, *jobs) == ["Größe läuft"], text
    assert found("gpu", *jobs) == ["ＧＰＵ test"]


def test_what_a_pattern_would_mean_is_a_letter_as_any_other() -> None:
    jobs = row("fit(a|b)[0] *.csv \\d"), row("fit")
    for text in ("(a|b)", "[0]", "*.csv", "\\d", "fit(", "*"):
        assert found(text, *jobs) == ["fit(a|b)[0] *.csv \\d"], text
    assert found(".*", *jobs) == found("fi.", *jobs) == found("%", *jobs) == []


def test_a_word_may_say_where_to_look() -> None:
    jobs = (
        row("failed", "COMPLETED"),
        row("a", "TIMEOUT", target="k8s", node="g1", tags=["model:v3"], gpu_type="a100", native_id="jh-a-7x"),
    )
    for text in ("state:failed", "STATE:Timeout", "node:g1", "tag:v3", "gpu:a1", "target:k8s job:7x", "model:v3"):
        assert found(text, *jobs) == ["a"], text
    assert found("name:failed", *jobs) == ["failed"]
    assert found("state:", *jobs) == found("node:failed", *jobs) == found("acts:x", *jobs) == []


def test_a_job_is_found_by_how_its_head_calls_it() -> None:
    assert found("slurm job 61", row("a", native_id="61"), row("b", native_id="7")) == ["a"]
    assert found("slurm job 61 · node3", row("a", native_id="61", node="node3")) == ["a"]
    assert found("job", row("a job"), row("b")) == ["a job"]


def test_a_number_of_any_length_has_its_place() -> None:
    rows = [row("run " + "9" * 5000), row("run 007"), row("run 10"), row("run 6")]
    assert [name[:8] for name in names(ordered(rows, "name"))] == ["run 6", "run 007", "run 10", "run 9999"]
