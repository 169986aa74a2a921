from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.model.resources import (
    Resources,
    did_you_mean,
    format_size,
    format_time,
    parse_gpus,
    parse_size,
    parse_time,
    slurm_time,
)

GIB, MIB = 2**30, 2**20
HOUR, DAY = 3600, 86_400

counts = st.none() | st.integers(1, 1000)
resources = st.builds(
    Resources,
    nodes=counts,
    tasks=counts,
    tasks_per_node=counts,
    cpus=counts,
    memory=st.none() | st.integers(1, 2**60),
    gpus=st.none() | st.integers(0, 100),
    gpu_type=st.none() | st.sampled_from(["a100", "h100", "1g.5gb"]),
    time=st.none() | st.integers(1, 3650 * DAY),
    exclusive=st.booleans(),
)


BAD_SIZES = ["0G", "-4G", "G", "4X", "4iB", "1..5G", "2E", "1.1E", "4G4G", "٤G", "4K"]
BAD_TIMES = [
    "0m",
    "0:00",
    "-30m",
    "UNLIMITED",
    "h",
    "1x",
    "1h1h",
    "30m1h",
    "1h30",
    "1:99",
    "1:60:00",
    "2-24",
    "1:2:3:4",
    "99999d",
    "1-",
    "1h-",
    "٣m",
]
NEVER_GOOD = ["", "0", "-1", "nan", "inf", "9" * 10_000, 0, -3, 10**5000, math.nan, math.inf]
NEVER_GOOD += [True, None, []]


def shown(value: object) -> str:
    return "huge" if isinstance(value, int) and value > 10**9 else ascii(value)[:20]


def refusal(read, *args, **kwargs) -> OptionError:
    with pytest.raises(OptionError) as caught:
        read(*args, **kwargs)
    message = caught.value.message
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 250
    return caught.value


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4G", 4 * GIB),
        ("4g", 4 * GIB),
        ("4 GB", 4 * GIB),
        ("4Gi", 4 * GIB),
        (" 1.5GiB ", 3 * GIB // 2),
        (".5G", GIB // 2),
        ("512M", 512 * MIB),
        ("100K", 102_400),
        ("2T", 2**41),
        ("1E", 2**60),
        ("12 B", 12),
        ("7", 7 * MIB),
        (7, 7 * MIB),
        ("0.0001K", 1),
    ],
)
def test_sizes_are_read_as_slurm_reads_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", [*BAD_SIZES, *NEVER_GOOD], ids=shown)
def test_other_sizes_are_refused_in_one_sentence(text):
    assert refusal(parse_size, text).hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 30 * 60),
        ("90s", 90),
        ("2h", 2 * HOUR),
        ("1h30m", 90 * 60),
        ("1 h 30 min", 90 * 60),
        ("1.5h", 90 * 60),
        ("1d", DAY),
        ("2 Days", 2 * DAY),
        ("1w", 7 * DAY),
        ("1:30:00", 90 * 60),
        ("30:00", 30 * 60),
        ("90:30", 90 * 60 + 30),
        ("2-00:00:00", 2 * DAY),
        ("2-12", 2 * DAY + 12 * HOUR),
        ("0-12", 12 * HOUR),
        ("2-12:30", 2 * DAY + 12 * HOUR + 1800),
        ("45", 45 * 60),
        (45, 45 * 60),
        ("0.5s", 1),
    ],
)
def test_times_are_read_as_people_and_slurm_write_them(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", [*BAD_TIMES, *NEVER_GOOD], ids=shown)
def test_other_times_are_refused_in_one_sentence(text):
    assert refusal(parse_time, text).hint


def test_a_refused_time_is_quoted_as_it_was_written():
    assert "'0'" in refusal(parse_time, "0").message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2", (2, None)),
        (2, (2, None)),
        ("a100:2", (2, "a100")),
        ("a100", (1, "a100")),
        ("1g.5gb:3", (3, "1g.5gb")),
        ("3090:2", (2, "3090")),
        ("0", (0, None)),
        ("a100:0", (0, None)),
    ],
)
def test_gpus_are_a_count_a_type_or_both(text, expected):
    assert parse_gpus(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2:a100", "a100:2"),
        ("2xa100", "a100:2"),
        ("2 a100", "a100:2"),
        ("gpu:a100:2", "Did you mean a100:2?"),
        ("gpu:2", "Did you mean 2?"),
        ("gpu", "a100:2"),
        ("-1", "a100:2"),
        ("1.5", "a100:2"),
        ("", "a100:2"),
        (":2", "a100:2"),
        ("a100:", "a100:2"),
        ("a100:-1", "a100:2"),
        ("a b:1", "a100:2"),
        ("9" * 5000, "a100:2"),
        (True, "a100:2"),
        (None, "a100:2"),
    ],
    ids=shown,
)
def test_other_gpu_requests_are_refused_with_the_likely_meaning(text, hint):
    assert hint in refusal(parse_gpus, text).hint


@pytest.mark.parametrize("read", [parse_size, parse_time, parse_gpus])
@given(text=st.text() | st.from_regex(r"[0-9.:\-]{0,9}[a-zA-Z ]{0,3}[0-9:]{0,3}[a-z]{0,2}"))
@example(text="1.")
@example(text=".")
@example(text="\ud800")
def test_parsers_return_a_value_or_one_sentence(read, text):
    try:
        read(text)
    except OptionError as error:
        assert error.message.count("\n") == 0


@pytest.mark.parametrize("read", [parse_size, parse_time])
@given(value=st.integers() | st.floats() | st.booleans())
def test_numbers_are_read_or_refused(read, value):
    try:
        assert read(value) > 0
    except OptionError:
        assert not (type(value) is int and 0 < value < 5_000_000)


@given(n=st.integers(1, 2**60))
def test_a_formatted_size_reads_back_within_its_decimal(n):
    assert abs(parse_size(format_size(n)) - n) <= n * 0.05


@given(n=st.integers(1, 1023), unit=st.sampled_from(["KiB", "MiB", "GiB", "TiB"]))
def test_a_whole_size_survives_the_round_trip(n, unit):
    assert format_size(parse_size(f"{n}{unit}")) == f"{n} {unit}"


@pytest.mark.parametrize(
    ("n", "text"),
    [
        *[(0, "0 B"), (12, "12 B"), (1023, "1023 B"), (1024, "1 KiB"), (512 * MIB, "512 MiB")],
        *[(3 * GIB // 2, "1.5 GiB"), (GIB - 1, "1 GiB"), (2**60, "1 EiB"), (2**70, "1024 EiB")],
    ],
)
def test_sizes_are_written_with_one_decimal_at_most(n, text):
    assert format_size(n) == text


@pytest.mark.parametrize(
    ("s", "text"),
    [
        *[(0, "0 s"), (0.8, "0.8 s"), (9.4, "9.4 s"), (9.96, "10 s"), (45, "45 s"), (59.6, "1 min")],
        *[(90, "1 min 30 s"), (1800, "30 min"), (5400, "1 h 30 min"), (3599.7, "1 h")],
        *[(86_399, "1 d"), (2 * DAY, "2 d"), (DAY + HOUR + 61, "1 d 1 h"), (-1, "0 s")],
        *[(math.nan, "unknown"), (math.inf, "unknown")],
    ],
)
def test_times_are_written_with_two_units_at_most(s, text):
    assert format_time(s) == text


@given(s=st.integers(1, 3599) | st.integers(60, 1439).map(lambda n: n * 60))
def test_a_formatted_time_reads_back(s):
    assert parse_time(format_time(s)) == s


@given(s=st.integers(1, 3650 * DAY))
def test_slurm_time_reads_back_exactly(s):
    assert parse_time(slurm_time(s)) == s


def test_slurm_time_always_has_days():
    assert slurm_time(59) == "0-00:00:59"
    assert slurm_time(2 * DAY + 12 * HOUR + 61) == "2-12:01:01"


def test_resources_are_parsed_by_name():
    assert Resources.parse(
        *(), nodes="2", cpus=4, memory="4G", gpus="a100:2", time="30m", exclusive=True, tasks=None
    ) == Resources(nodes=2, cpus=4, memory=4 * GIB, gpus=2, gpu_type="a100", time=1800, exclusive=True)
    assert Resources.parse(gpus_per_task="h100") == Resources(gpus_per_task=1, gpu_type="h100")
    assert Resources.parse(gpus=2, gpu_type="a100") == Resources(gpus=2, gpu_type="a100")
    assert Resources.parse() == Resources()


@pytest.mark.parametrize(
    ("values", "message", "hint"),
    [
        ({"memroy": "4G"}, "'memroy' is not a resource", "Did you mean memory?"),
        ({"memory": "lots"}, "'lots'", "4G"),
        ({"cpus": "many"}, "Cpus must be a whole number from 1 to 1000000, not 'many'.", ""),
        ({"cpus": 0}, "not '0'", ""),
        ({"cpus": 2.5}, "not '2.5'", ""),
        ({"cpus": True}, "not bool", ""),
        ({"tasks_per_node": "-1"}, "Tasks per node must be", ""),
        ({"nodes": "2-4"}, "not '2-4'", ""),
        ({"nodes": "9" * 10_000}, "not '999", ""),
        ({"exclusive": "maybe"}, "Exclusive must be True or False, not 'maybe'.", ""),
        ({"gpu_type": "a b"}, "'a b' is not a name", "a100"),
        ({"gpu_type": 3}, "Gpu type", "a100"),
        ({"gpus": 1, "gpus_per_task": 1}, "can't both", "Keep one"),
        ({"gpus": "a100", "gpu_type": "h100"}, "'h100' and 'a100'", "Keep one"),
        ({"memory": []}, "must be a string or a number, not list", "4G"),
    ],
)
def test_wrong_resources_are_refused_with_the_value_and_what_is_allowed(values, message, hint):
    error = refusal(Resources.parse, **values)
    assert message in error.message
    assert hint in error.hint


def test_merging_prefers_what_is_set():
    defaults = Resources(cpus=4, memory=GIB, time=60, exclusive=True)
    assert Resources(cpus=1).merged(defaults) == Resources(cpus=1, memory=GIB, time=60, exclusive=True)


@pytest.mark.parametrize(
    ("own", "defaults", "merged"),
    [
        ({"gpus": 2}, {"gpus": 1, "gpu_type": "a100"}, {"gpus": 2, "gpu_type": "a100"}),
        ({"gpus_per_task": 1}, {"gpus": 4}, {"gpus_per_task": 1}),
        ({"gpus": 4}, {"gpus_per_task": 1}, {"gpus": 4}),
        ({"gpus": 0}, {"gpus": 1, "gpu_type": "a100"}, {"gpus": 0}),
        ({"gpu_type": "h100"}, {"gpus": 1, "gpu_type": "a100"}, {"gpus": 1, "gpu_type": "h100"}),
    ],
)
def test_merging_treats_gpus_as_one_choice(own, defaults, merged):
    assert Resources(**own).merged(Resources(**defaults)) == Resources(**merged)


@given(one=resources)
def test_merging_with_nothing_changes_nothing(one):
    assert Resources().merged(one) == one
    if one.gpus != 0:
        assert one.merged(Resources()) == one


@given(one=resources)
def test_json_round_trip(one):
    assert Resources.from_json(one.to_json()) == one


def test_json_has_only_what_is_set_and_ignores_later_keys():
    assert Resources(gpus=0, time=60).to_json() == {"gpus": 0, "time": 60}
    assert Resources.from_json({"time": 60, "tpus": 3, "cpus": None}) == Resources(time=60)


@pytest.mark.parametrize("data", [{"time": "60"}, {"cpus": True}, {"cpus": -1}, {"gpu_type": 3}, {"exclusive": 1}])
def test_json_of_a_wrong_type_is_refused(data):
    assert "recorded" in refusal(Resources.from_json, data).message


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "default resources"),
        (
            {"cpus": 2, "memory": 4 * GIB, "gpus": 1, "gpu_type": "a100", "time": 1800},
            "2 cpus, 4 GiB, 1 a100 gpu, 30 min",
        ),
        (
            {"nodes": 2, "tasks": 8, "cpus": 1, "memory": GIB, "gpus_per_task": 2},
            "2 nodes, 8 tasks, 1 cpu per task, 1 GiB per node, 2 gpus per task",
        ),
        ({"tasks_per_node": 4}, "4 tasks per node"),
        ({"gpus": 0, "exclusive": True}, "0 gpus, exclusive"),
        ({"gpu_type": "a100"}, "gpu type a100"),
    ],
)
def test_describe_says_it_in_one_line(values, text):
    assert Resources(**values).describe() == text


@given(one=resources)
def test_describe_is_never_empty(one):
    assert one.describe()
    assert (one.describe() == "default resources") == (one == Resources())


def test_suggestions_only_when_something_is_close():
    assert did_you_mean("memroy", ["memory", "time"]) == "Did you mean memory?"
    assert did_you_mean("zzz", ["memory", "time"]) == ""
