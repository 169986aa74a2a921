"""What squeue and sacct print: lines recorded from Slurm 22.05, and noise."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_hpc.backends.slurm.job_states import (
    FIELDS,
    SACCT_FIELDS,
    exit_code,
    parse_accounting,
    parse_queue,
    reason_text,
    squeue_format,
    state_of,
    time_stamp,
)
from jupyter_hpc.model.states import JobState

QUEUE = """\
7|7|N/A|CANCELLED|0|2026-11-24T06:26:40|2026-11-24T06:26:40||BeginTime|(null)|
13|13|N/A|CANCELLED|15|2026-11-24T06:26:41|2026-11-24T06:26:42|c1|None|(null)|
1|1|N/A|COMPLETED|0|2026-11-24T06:26:41|2026-11-24T06:26:41|c1|None|jupyter_hpc:20261124-061122-a20a37|
12|12|N/A|COMPLETED|0|2026-11-24T06:26:41|2026-11-24T06:26:41|c1|None|we|ird "c;o
mment|
16|16|N/A|COMPLETING|0|2026-11-24T06:26:44|2026-11-24T06:26:45|c1|None|(null)|
2|2|N/A|FAILED|768|2026-11-24T06:26:41|2026-11-24T06:26:41|c1|NonZeroExitCode|(null)|
3|3|N/A|FAILED|9|2026-11-24T06:26:41|2026-11-24T06:26:41|c1|JobLaunchFailure|(null)|
4|4|N/A|FAILED|11|2026-11-24T06:26:41|2026-11-24T06:26:41|c1|JobLaunchFailure|(null)|
6|6|N/A|PENDING|0|2026-11-24T07:26:40|2026-11-25T07:26:40||BeginTime|(null)|
9|9|N/A|PENDING|0|N/A|N/A||DependencyNeverSatisfied|(null)|
10|10|N/A|PENDING|0|2026-11-25T06:26:44|2026-11-26T06:26:44||Resources|(null)|
11|11|4|PENDING|0|N/A|N/A||JobArrayTaskLimit|(null)|
14|14|N/A|PENDING|0|N/A|N/A||PartitionConfig|(null)|
8|8|N/A|PENDING|0|N/A|N/A||JobHeldUser|(null)|
5|5|N/A|RUNNING|0|2026-11-24T06:26:41|2026-11-25T06:26:41|c1|None|(null)|
"""
ACCOUNTING = """\
12|FAILED|0:9|2026-11-24T06:26:41|2026-11-24T06:26:41|c1
13|CANCELLED by 1000|0:0|2026-11-24T06:26:41|2026-11-24T06:26:42|c1
14|OUT_OF_MEMORY|0:125|2026-11-24T06:26:41|2026-11-24T06:26:42|c1
15|TIMEOUT|0:0|2026-11-24T06:26:41|2026-11-24T06:27:52|c1
16|PENDING|0:0|Unknown|Unknown|None assigned
"""


def test_the_recorded_queue() -> None:
    found = {key: row for key, (row, _) in parse_queue(QUEUE).items()}
    assert {key: row.state for key, row in found.items()} == {
        "7": JobState.CANCELLED,
        "13": JobState.CANCELLED,
        "1": JobState.COMPLETED,
        "12": JobState.COMPLETED,
        "16": JobState.RUNNING,
        "2": JobState.FAILED,
        "3": JobState.FAILED,
        "4": JobState.FAILED,
        "6": JobState.PENDING,
        "9": JobState.PENDING,
        "10": JobState.PENDING,
        "11_4": JobState.PENDING,
        "14": JobState.PENDING,
        "8": JobState.PENDING,
        "5": JobState.RUNNING,
    }
    assert (found["2"].exit_code, found["2"].signal) == (3, None)
    assert (found["3"].exit_code, found["3"].signal) == (0, 9)
    assert found["4"].signal == 11
    assert found["5"].node == "c1" and found["5"].ended_at is None
    assert found["5"].started_at == datetime(2026, 11, 24, 6, 26, 41).timestamp()
    assert found["6"].started_at is None and found["6"].node == ""
    assert "never start" in found["9"].reason and "DependencyNeverSatisfied" in found["9"].reason
    assert found["14"].reason.endswith("(PartitionConfig)")
    assert found["10"].expected_start == datetime(2026, 11, 25, 6, 26, 44).timestamp()
    assert found["9"].expected_start is None and found["5"].expected_start is None
    assert found["8"].reason.startswith("it is held by its user")


def test_comments_find_our_jobs_whatever_others_hold() -> None:
    comments = {key: comment for key, (_, comment) in parse_queue(QUEUE).items()}
    assert comments["1"] == "jupyter_hpc:20261124-061122-a20a37"
    assert comments["12"] == 'we|ird "c;o'


def test_the_recorded_accounting() -> None:
    found = parse_accounting(ACCOUNTING)
    assert [row.state for row in found.values()] == [
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.OUT_OF_MEMORY,
        JobState.TIMEOUT,
        JobState.PENDING,
    ]
    assert found["12"].signal == 9
    assert found["13"].reason == "CANCELLED by 1000"
    assert found["16"].started_at is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3:0", (3, None)),
        ("0:9", (0, 9)),
        ("768", (3, None)),
        ("9", (0, 9)),
        ("", (None, None)),
        ("x", (None, None)),
    ],
)
def test_exit_codes(text: str, expected: tuple[int | None, int | None]) -> None:
    assert exit_code(text) == expected


def test_an_unknown_state_goes_on() -> None:
    assert state_of("HIBERNATING") is JobState.RUNNING
    assert state_of("CANCELLED by 1000") is JobState.CANCELLED
    assert state_of("CANCELLED+") is JobState.CANCELLED


def test_every_field_is_asked_for_once() -> None:
    asked = squeue_format().split(",")
    assert len(asked) == len(FIELDS) and all(each.endswith(":|") for each in asked)


LINE = st.lists(st.text(max_size=12), max_size=12).map("|".join)
NUMBERS = st.text("0123456789:", max_size=30)
ODD_ROW = st.tuples(NUMBERS, NUMBERS, NUMBERS, st.text(max_size=9), NUMBERS, *(st.text(max_size=20),) * 5).map("|".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINE | ODD_ROW | st.sampled_from(QUEUE.splitlines()), max_size=6).map("\n".join))
def test_noise_is_never_an_exception(text: str) -> None:
    parse_queue(text)
    parse_accounting(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | NUMBERS | st.dates().map(str) | st.datetimes().map(lambda d: d.isoformat()))
def test_noise_in_a_field_is_never_an_exception(text: str) -> None:
    exit_code(text)
    time_stamp(text)
    state_of(text)
    for state in JobState:
        assert isinstance(reason_text(text, state), str)


@given(st.data())
def test_a_line_cut_off_anywhere_is_passed_over(data: st.DataObject) -> None:
    line = QUEUE.splitlines()[2]
    cut = line[: data.draw(st.integers(0, len(line)))]
    for row, _ in parse_queue(cut).values():
        assert row.state is JobState.COMPLETED


def test_sacct_rows_of_another_shape_are_passed_over() -> None:
    assert parse_accounting("1|COMPLETED\n|\n\n" + "|" * (len(SACCT_FIELDS) + 3)) == {}
