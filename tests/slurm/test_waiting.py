"""Why jobs wait, what is refused, and what could start now, on the full Slurm as alice."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_hpc.magics.parse import parse
from tests.clusters.slurm.cluster import FullSlurm
from tests.faults.looks import SOON
from tests.slurm.waiting import User


@pytest.fixture
def alice(empty_site: FullSlurm, full_slurm: FullSlurm) -> Iterator[User]:
    yield User(full_slurm, "alice")
    full_slurm.cleared()


FAR = ("-o", "/dev/null", "-D", "/tmp")  # for a node that sees no home


def occupied(alice: User, *options: str) -> str:
    """Something else runs there: return its id."""
    job = alice.cluster.submit("alice", "sleep 600", *options)
    alice.cluster.wait_state(job, "RUNNING")
    return job


# -- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"time": "2d"}, "--time 2 d is above the limit of the partition debug, 1 d", "--time 1-00:00:00"),
        ({"time": "1h", "partition": "short"}, "the partition short, 5 min", "--partition debug would take it"),
        ({"gpus": "a100:8"}, "8 a100 gpus are more than the partition debug has in all, 4", "--gpus a100:4"),
        ({"gpus": "v100:1"}, "no gpus of the type v100", "a100 (4 on a node), h100 (2 on a node)"),
        ({"gpus": 1, "partition": "remote"}, "1 gpus are more than the partition remote has", "--partition debug"),
        ({"memory": "900G"}, "more than any node of the partition debug has or allows, 62.5 GiB", "--mem 64000M"),
        ({"memory": "20G", "partition": "remote"}, "remote has or allows, 7.8 GiB", "--partition debug"),
        ({"cpus": 17}, "--cpus 17 is more than any node of the partition debug has or allows, 16", "--cpus 16"),
        ({"tasks": 50}, "50 cpus, and the partition debug has 48", "--tasks"),
        ({"nodes": 5}, "--nodes 5 is more than the nodes of the partition debug, 4", "--nodes 4"),
        ({"partition": "chemistry"}, "takes only the account chemistry, not your account physics", "--partition"),
        ({"partition": "nope"}, "invalid partition", "--partition debug, gpu, short, remote"),
        ({"partition": "debgu"}, "invalid partition", "Did you mean debug?"),
        ({"account": "nope"}, "Invalid account", "Your accounts: --account physics"),
        ({"account": "chemistry"}, "Invalid account", "--account physics"),
        ({"qos": "hihg"}, "Invalid qos", "Did you mean high?"),
        ({"constraint": "nope"}, "Invalid feature", "--constraint amd, cpu, gpu, intel, nvlink"),
        ({"partition": "gpu", "constraint": "intel"}, "node configuration is not available", "--gpus a100:4"),
        (
            {"qos": "limited", "time": "1h"},
            "--time 1 h is above the limit of the QOS limited for one job, 10 min",
            "--time",
        ),
        ({"passthrough": ["--qos=limited", "--time=60"]}, "it asks for more time than the QOS allows", "--qos"),
        ({"passthrough": ["--mem=900G"]}, "Memory specification", "--mem 64000M"),
        ({"passthrough": ["--reservation=x"]}, "reservation is invalid", "scontrol show reservation"),
        ({"passthrough": ["--licenses=foo:1"]}, "Invalid license", "scontrol show licenses"),
    ],
)
def test_refused_with_what_is_valid(alice: User, options: dict[str, Any], message: str, hint: str) -> None:
    found = alice.asks(**options)
    assert message in found.get("message", ""), found
    assert hint in found["hint"], found


def test_a_limit_that_was_raised_refuses_nobody(alice: User) -> None:
    assert "limit of the partition short" in alice.asks(partition="short", time="20m")["message"]
    alice.cluster.says("root", "scontrol", "update", "partitionname=short", "maxtime=30")
    try:
        assert alice.runs(partition="short", time="20m")["native_id"]
    finally:
        alice.cluster.says("root", "scontrol", "update", "partitionname=short", "maxtime=5")


def test_too_many_submitted_jobs(alice: User) -> None:
    for _ in range(2):
        alice.cluster.submit("alice", "sleep 600", "--qos=limited", "-t", "5")
    found = alice.asks(qos="limited", time="5m")
    assert "you have submitted as many jobs as the QOS allows" in found["message"], found


# -- why it waits ----------------------------------------------------------------------------------


def test_resources_and_priority_with_place_and_start(alice: User) -> None:
    occupied(alice, "-p", "gpu", "--gpus=a100:3", "-t", "30")
    first = alice.asks("Resources", partition="gpu", gpus="a100:4", time="10m")
    assert first["reason"].startswith("it is next"), first
    assert (first["place"], first["ahead"]) == (1, 0)
    assert first["expected_start"] is not None
    second = alice.asks("Priority", partition="gpu", gpus="a100:4", time="10m")
    assert second["reason"].startswith("jobs with a higher priority"), second
    assert (second["place"], second["ahead"]) == (2, 1)
    assert second["expected_start"] >= first["expected_start"]


@pytest.mark.parametrize(
    ("before", "options", "native", "words"),
    [
        (
            ("--qos=onejob", "-t", "5"),
            {"qos": "onejob"},
            "QOSMaxJobsPerUserLimit",
            "you run as many jobs as the QOS allows",
        ),
        (
            ("--qos=twogpus", "--gpus=2", "-t", "5"),
            {"qos": "twogpus", "gpus": 1},
            "QOSMaxGRESPerUser",
            "you use as many gpus",
        ),
        (
            ("--qos=groupgpus", "--gpus=2", "-t", "5"),
            {"qos": "groupgpus", "gpus": 1},
            "QOSGrpGRES",
            "the running jobs of the QOS use",
        ),
        (
            ("--license=matlab:1", "-t", "5"),
            {"passthrough": ["--licenses=matlab:1"]},
            "Licenses",
            "it waits for a licence",
        ),
        ((), {"passthrough": ["--hold"]}, "JobHeldUser", "it is held by its user"),
        ((), {"passthrough": ["--begin=now+1hour"]}, "BeginTime", "its begin time has not come"),
    ],
)
def test_other_reasons(alice: User, before: tuple[str, ...], options: dict[str, Any], native: str, words: str) -> None:
    if before:
        occupied(alice, *before)
    found = alice.asks(native, **options)
    assert found["native_reason"].startswith(native) and words in found["reason"], found
    if native == "JobHeldUser":
        assert f"scontrol release {found['native_id']}" in found["hint"] and found["place"] is None
    if native == "BeginTime":
        assert found["expected_start"] is not None and found["place"] is None


def test_a_dependency_that_waits_and_one_that_never_comes(alice: User) -> None:
    before = occupied(alice, "-t", "5")
    found = alice.asks("Dependency", passthrough=[f"--dependency=afterok:{before}"])
    assert "it waits for another job to end" in found["reason"] and not found["suggestions"]
    failed = alice.cluster.submit("alice", "exit 3")
    alice.cluster.wait_state(failed, "FAILED")
    found = alice.asks("DependencyNeverSatisfied", passthrough=[f"--dependency=afterok:{failed}"])
    assert "never start" in found["reason"] and "Cancel" in found["hint"], found


def test_a_drained_node(alice: User) -> None:
    alice.cluster.says("root", "scontrol", "update", "nodename=c2", "state=drain", "reason=test")
    found = alice.asks("ReqNodeNotAvail", constraint="amd")
    assert "down, drained or reserved" in found["reason"], found
    if "UnavailableNodes" in found["native_reason"]:  # 24.11 doesn't name them
        assert "c2" in found["reason"], found


def test_a_limit_that_only_options_of_sbatch_pass(alice: User) -> None:
    found = alice.asks("PartitionTimeLimit", passthrough=["--time=3-0"])
    assert "more time than the partition allows" in found["reason"], found


# -- what could start now --------------------------------------------------------------------------


def rerun(alice: User, found: dict[str, Any], asked: dict[str, Any], suggestion: dict[str, Any]) -> None:
    """Cancel the waiting job, and run the cell with a suggestion's options: it ends long before what occupies the rest."""
    alice.cancels(found["native_id"])
    line = parse(shlex.split(suggestion["options"]), prog="%%slurm").spec
    given = {k: v for k, v in line.resources.to_json().items() if v}
    changes: dict[str, Any] = {k: v for k, v in (("partition", line.partition), ("qos", line.qos)) if v}
    kind = given.pop("gpu_type", None)
    if "gpus" in given:
        changes["gpus"] = f"{kind}:{given.pop('gpus')}" if kind else given.pop("gpus")
    if "time" in given:
        changes["time"] = f"{given.pop('time')}s"
    if "memory" in given:
        changes["memory"] = given.pop("memory") >> 20
    alice.runs(**{**asked, **given, **changes})


def confirmed(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {s["options"]: s for s in found["suggestions"] if s["confirmed"]}


@pytest.mark.parametrize(
    ("before", "asked", "option"),
    [
        (
            ("-p", "gpu", "--gpus=a100:3", "-t", "30"),
            {"partition": "gpu", "gpus": "a100:2", "time": "10m"},
            "--gpus h100:2",
        ),
        (
            ("-p", "gpu", "--gpus=a100:3", "-t", "30"),
            {"partition": "gpu", "gpus": "a100:4", "time": "10m"},
            "--gpus a100:1",
        ),
        (
            ("-p", "remote", "-c", "3", "-t", "30", *FAR),
            {"partition": "remote", "cpus": 4, "time": "3m"},
            "--partition short",
        ),
        (
            ("-p", "remote", "-c", "3", "-t", "30", *FAR),
            {"partition": "remote", "memory": "7G", "time": "3m"},
            "--partition debug",
        ),
        (("--qos=onejob", "-t", "5"), {"qos": "onejob", "time": "5m"}, "--qos normal"),
    ],
)
def test_a_suggestion_that_would_start_now_does(
    alice: User, before: tuple[str, ...], asked: dict[str, Any], option: str
) -> None:
    occupied(alice, *before)
    found = alice.asks("QOS" if "qos" in asked else "Resources", **asked)
    assert option in confirmed(found), found
    rerun(alice, found, asked, confirmed(found)[option])


def test_a_shorter_time_fits_before_the_job_that_comes_first(alice: User) -> None:
    occupied(alice, "-p", "gpu", "--gpus=a100:3", "-t", "30")
    alice.cluster.submit("alice", "true", "-p", "gpu", "--gpus=a100:4", "-t", "60")
    asked = {"partition": "gpu", "gpus": "a100:1"}
    found = alice.asks("Priority", **asked)
    option = next(iter(confirmed(found)), "")
    assert option.startswith("--time 2") and option.endswith("m"), found
    rerun(alice, found, asked, confirmed(found)[option])


def test_a_full_site_has_no_suggestion_that_starts_now(alice: User) -> None:
    for node in ("c1", "c2", "g1", "g2"):
        occupied(alice, "-w", node, "--exclusive", "-t", "30")
    occupied(alice, "-p", "remote", "--exclusive", "-t", "30", *FAR)
    found = alice.asks("Resources", cpus=4, time="10m")
    assert not confirmed(found), found


def test_a_dry_run_says_when_it_would_start(alice: User) -> None:
    assert "it would start at once, on" in alice.previews(time="5m")
    assert "It would be refused: --time 2 d is above" in alice.previews(time="2d")
    assert "Slurm would refuse it: Invalid partition" in alice.previews(partition="nope")


# -- accounting that is away -----------------------------------------------------------------------


def test_a_database_that_is_down_delays_nothing(alice: User) -> None:
    alice.cluster.run("alice", "rm", "-rf", str(alice.cluster.home("alice") / "hpc" / "sites"))
    alice.cluster.stop("slurmdbd")
    try:
        assert alice.runs(time="5m", partition="debug")["vain"] <= SOON
    finally:
        alice.cluster.start("slurmdbd")
