"""What sinfo, scontrol, sacctmgr, squeue and sbatch print: recorded from a full Slurm of each version, and noise."""

from __future__ import annotations

import itertools
import json
import re
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_hpc.backends.slurm import inventory, queue
from jupyter_hpc.backends.slurm import job_states as states
from jupyter_hpc.backends.slurm.inventory import Inventory
from jupyter_hpc.backends.slurm.reasons import group_of
from jupyter_hpc.backends.slurm.refusals import refused
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.model.states import JobState

RECORDED = Path(__file__).parent / "recorded"
VERSIONS = ("22.05", "24.11")
PARSERS = {
    "nodes": inventory.parse_nodes,
    "partitions": inventory.parse_partitions,
    "config": inventory.parse_config,
    "associations": lambda text: inventory.parse_associations(text, "full"),
    "qos": inventory.parse_qos,
    "pending": queue.parse_pending,
    "queue": states.parse_queue,
    "accounting": states.parse_accounting,
    "estimates": queue.parse_estimate,
}


@lru_cache(maxsize=64)
def recorded(version: str, name: str) -> str:
    return (RECORDED / version / f"{name}.txt").read_text()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@lru_cache(maxsize=4)
def site(version: str) -> Inventory:
    found = inventory.take_inventory(
        1.0, *(PARSERS[name](recorded(version, name)) for name in ("nodes", "partitions", "config"))
    )
    associations = inventory.parse_associations(recorded(version, "associations"), found.config["ClusterName"])
    qos = inventory.parse_qos(recorded(version, "qos"))
    return Inventory(found.read_at, found.partitions, found.shapes, found.config, tuple(associations), qos)


def test_the_version_is_what_the_folder_says(version: str) -> None:
    assert version in recorded(version, "version")


def test_the_recorded_nodes(version: str) -> None:
    nodes = inventory.parse_nodes(recorded(version, "nodes"))
    assert set(nodes) == {"c1", "c2", "g1", "g2", "r1"}
    g1, c2 = nodes["g1"], nodes["c2"]
    assert (g1.cpus, g1.memory, g1.gpus, g1.features) == (16, 64000, {"a100": 4}, ("gpu", "nvlink"))
    assert (g1.free_gpus, g1.partitions, g1.is_usable) == ({"a100": 1}, ("debug", "gpu", "short"), True)
    assert 0 < g1.free_cpus < 16 and 0 < g1.free_memory < 64000
    assert nodes["g2"].free_gpus == {"h100": 0}
    assert nodes["c1"].free_cpus == 0 and nodes["c1"].free_memory < 16000
    assert (c2.state, c2.is_usable, c2.free_cpus) == ("drained", False, 0)
    assert nodes["r1"].is_empty


def test_the_recorded_partitions(version: str) -> None:
    found = inventory.parse_partitions(recorded(version, "partitions"))
    assert set(found) == {"debug", "gpu", "short", "chemistry", "remote"}
    assert [n for n, p in found.items() if p.is_default] == ["debug"]
    assert (found["debug"].max_time, found["debug"].default_time) == (86_400, None)
    assert (found["short"].max_time, found["short"].default_time) == (300, 60)
    assert found["chemistry"].accounts == ("chemistry",)
    assert found["chemistry"].takes("chemistry", None) and not found["chemistry"].takes("physics", None)
    assert found["debug"].takes("anyone", "any") and found["debug"].max_nodes is None
    assert (found["debug"].total_cpus, found["debug"].total_nodes) == (48, 4)


def test_the_recorded_accounts(version: str) -> None:
    found = site(version)
    assert found.accounts() == ["physics"]
    assert found.qos_names() == ["groupgpus", "high", "limited", "low", "normal", "onejob", "twogpus"]
    assert found.qos is not None
    assert found.qos["limited"].max_wall == 600 and "DenyOnLimit" in found.qos["limited"].flags
    assert found.qos["onejob"].limits == {"MaxJobsPU": "1"}
    assert found.qos["twogpus"].limits == {"MaxTRESPU": "gres/gpu=2"}
    assert found.qos["high"].limits == {}
    assert found.enforced == "associations,limits,qos"


def test_alike_nodes_are_one_shape_and_json_keeps_all(version: str) -> None:
    found = site(version)
    assert sum(shape.count for shape in found.shapes) == 5
    assert found.gpu_types() == ["a100", "h100"] and found.gpu_types("debug") == ["a100", "h100"]
    assert found.features("remote") == ["cpu", "far"]
    assert Inventory.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_recorded_queue_of_waiting_jobs(version: str) -> None:
    rows = queue.parse_pending(recorded(version, "pending"))
    groups = {group_of(row.reason) for row in rows}
    assert groups == {"queue", "site", "request", "limit", "held", "dependency", "begin"}
    first = next(row for row in rows if row.reason == "Resources")
    assert (first.partitions, first.limit, first.account, first.qos) == (("gpu",), 600, "physics", "normal")
    assert first.start is not None and first.priority > 0
    assert queue.place_of(first, rows) == (1, 3)
    second = next(row for row in rows if row.reason == "Priority")
    assert queue.place_of(second, rows) == (2, 3)
    assert queue.place_of(next(row for row in rows if row.reason == "JobHeldUser"), rows) is None
    assert any(row.partitions == ("debug", "gpu") for row in rows)
    assert any(row.reason.startswith("ReqNodeNotAvail, ") for row in rows)


def test_the_recorded_states(version: str) -> None:
    found = [row for row, _ in states.parse_queue(recorded(version, "queue")).values()]
    assert {row.state for row in found} >= {
        JobState.PENDING,
        JobState.RUNNING,
        JobState.COMPLETED,
        JobState.FAILED,
        JobState.TIMEOUT,
        JobState.CANCELLED,
    }
    waits = next(row for row in found if row.reason.endswith("(Resources)"))
    assert waits.expected_start is not None and waits.started_at is None
    assert all(row.expected_start is None for row in found if row.state is not JobState.PENDING)
    assert {(row.exit_code, row.signal) for row in found if row.state is JobState.FAILED} >= {
        (3, None),
        (0, 9),
        (0, 11),
    }
    comments = {comment for _, comment in states.parse_queue(recorded(version, "queue")).values()}
    assert 'we|ird, "c;o' in comments


def test_the_recorded_accounting(version: str) -> None:
    found = states.parse_accounting(recorded(version, "accounting")).values()
    assert {row.state for row in found} >= {JobState.FAILED, JobState.COMPLETED, JobState.TIMEOUT}
    assert {row.signal for row in found if row.state is JobState.FAILED} == {None, 9, 11}


def test_the_recorded_tasks_of_arrays(version: str) -> None:
    """Each task has its row and its own native id, waiting, running or ended; one that waits has none in sacct."""
    queued = {key: row for key, (row, _) in states.parse_queue(recorded(version, "queue")).items()}
    tasks: dict[str, dict[int, JobState]] = {}
    for key, row in queued.items():
        array, is_task, index = key.partition("_")
        if is_task and row.state is not None:
            tasks.setdefault(array, {})[int(index)] = row.state
    running, ended, held = (tasks[array] for array in sorted(tasks))
    waits, runs, failed = JobState.PENDING, JobState.RUNNING, JobState.FAILED
    assert running == {1: runs, 2: runs, 3: waits, 4: waits, 5: waits}
    assert ended == {0: JobState.COMPLETED, 1: failed, 2: failed}
    assert held == {1: waits, 3: waits}  # 2 was cancelled before it started: Slurm forgets it at once
    accounted = states.parse_accounting(recorded(version, "accounting"))
    for key, row in queued.items():
        if "_" in key and row.state is not waits:
            assert (accounted[key].state, accounted[key].exit_code) == (row.state, row.exit_code)
    assert not any(key.endswith("_3") for key in accounted)


def test_the_recorded_estimates(version: str) -> None:
    tried = recorded(version, "estimates").split("$ ")[1:]
    found = [queue.parse_estimate(text) for text in tried]
    assert [e is not None for e in found] == [True, True, True, False, False, False]
    assert found[2] is not None and (found[2].nodes, found[2].partition) == ("g2", "gpu")


SPECS = {"-p": "partition", "-A": "account", "-q": "qos", "-C": "constraint"}
HINTS = {
    "-p nope": "--partition debug, gpu, short, remote",
    "-A nope": "Your accounts: --account physics",
    "-A chemistry": "Your accounts: --account physics",
    "-q nope": "--qos groupgpus, high, limited, low, normal, onejob, twogpus",
    "-C nope": "--constraint amd, cpu, gpu, intel, nvlink",
    "--mem=900G": "--mem 64000M",
    "--gpus=h100:9": "--gpus h100:2",
    "--gpus=v100:1": "--gpus a100:4",
    "-p gpu -C intel": "gpu&nvlink",
    "--gres=foo:1": "--gpus a100:1",
    "-w zz9": "sinfo -N",
    "--reservation=x": "scontrol show reservation",
    "-L foo:1": "scontrol show licenses",
    "--no-such-option": "sbatch's own",
    "--qos=limited -t 3:00:00": "--qos",
    "--dependency=afterok:nonsense": "--dependency",
}


def test_recorded_refusals_name_what_is_valid(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_hpc.backends.slurm.limits.os.getuid", lambda: 1000)
    said = dict(re.findall(r"\$ (.*)\n((?:[^$].*\n)*)", recorded(version, "refusals")))
    known = site(version)
    for options, hint in HINTS.items():
        words = options.split()
        given = {SPECS[k]: v for k, v in itertools.pairwise(words) if k in SPECS}
        error = refused(said[options], JobSpec(**given), known)
        assert error.message.startswith("Slurm refused the job: "), options
        assert hint in error.hint, (options, error.hint)
        without = refused(said[options], JobSpec(**given), None)
        assert without.hint and "sbatch:" not in without.message
    assert (
        "it asks for more time than the QOS allows"
        in refused(said["--qos=limited -t 3:00:00"], JobSpec(), known).message
    )


LINES = [line for v in VERSIONS for name in PARSERS for line in recorded(v, name).splitlines()]
CUT = st.sampled_from(LINES).flatmap(lambda line: st.integers(0, len(line)).map(lambda n: line[:n]))
SPLICED = st.tuples(CUT, st.text(max_size=8), CUT).map("".join)
BARS = st.lists(st.text(max_size=12), max_size=14).map("|".join)
PAIRS = st.lists(
    st.tuples(st.sampled_from(["PartitionName", "MaxTime", "MaxNodes", "x"]), st.text(max_size=9)).map("=".join)
).map(" ".join)
NOISE = st.lists(CUT | SPLICED | BARS | PAIRS | st.text(max_size=40), max_size=6).map("\n".join)


@settings(max_examples=200, deadline=None)
@given(NOISE)
def test_noise_is_never_an_exception(text: str) -> None:
    for parse in PARSERS.values():
        parse(text)
    refused(text, JobSpec(partition=text[:9]), None)
    refused(text, JobSpec(partition="gpu", constraint=text[:9]), site("22.05"))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30) | st.text("0123456789-:.KMGT,()gpu", max_size=20))
def test_noise_in_a_value_is_never_an_exception(text: str) -> None:
    inventory.seconds(text)
    inventory.number(text)
    inventory.mebibytes(text)
    inventory.gpus_of(text)


@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=5),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["read_at", "partitions", "shapes", "config", "associations", "qos", "a"]), x
            )
        ),
    )
)
def test_a_damaged_cache_is_no_inventory(data: object) -> None:
    found = Inventory.from_json(data)
    assert found is None or isinstance(found, Inventory)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpu:a100:4", {"a100": 4}),
        ("gpu:4(S:0-1)", {"": 4}),
        ("gpu:a100:4(S:0),gpu:h100:2(S:1),shard:8", {"a100": 4, "h100": 2}),
        ("gpu:a100:3(IDX:0,2-3)", {"a100": 3}),
        ("gpu:a100:2,gpu:a100:2", {"a100": 4}),
        ("gpu:a100:no_consume:4", {"a100": 4}),
        ("no_consume", {}),
        ("gpu:0", {}),
        ("gpu:a100", {"a100": 1}),
        ("(null)", {}),
        ("craynetwork:4,gpufoo:1", {}),
    ],
)
def test_gpus(text: str, expected: dict[str, int]) -> None:
    assert inventory.gpus_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-00:00:00", 86_400),
        ("05:00", 300),
        ("00:10:00", 600),
        ("90", 5400),
        ("2-12", 216_000),
        ("UNLIMITED", None),
        ("N/A", None),
    ],
)
def test_times(text: str, expected: int | None) -> None:
    assert inventory.seconds(text) == expected


@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("idle", True),
        ("mixed-", True),
        ("idle~", False),
        ("mixed*", False),
        ("draining", False),
        ("planned", True),
        ("reserved", False),
        ("down", False),
        ("", False),
        ("something new", False),
    ],
)
def test_only_nodes_that_can_start_a_job_now_are_usable(state: str, usable: bool) -> None:
    line = f"c1|debug*|0/8/0/8|16000|0|(null)|gpu:0|cpu|{state}|"
    assert inventory.parse_nodes(line)["c1"].is_usable is usable
