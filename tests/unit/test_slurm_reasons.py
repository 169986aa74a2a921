"""Slurm's reason codes, as 22.05 and 24.11 have them, and what users read of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_hpc.backends.slurm.reasons import code_of, group_of, reason_text, words_of
from jupyter_hpc.model.observation import start_words, waiting_words
from jupyter_hpc.model.states import JobState

CODES = (Path(__file__).parent / "recorded" / "reasons.txt").read_text().split()


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_words_and_a_group(code: str) -> None:
    words = words_of(code)
    assert words and words[0].islower() and not words.endswith(".")
    assert "None" not in words and "  " not in words
    assert group_of(code) != "unknown"
    assert reason_text(code, JobState.PENDING) == f"{words} ({code})"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("QOSMaxJobsPerUserLimit", "you run as many jobs as the QOS allows"),
        ("QOSMaxSubmitJobPerUserLimit", "you have submitted as many jobs as the QOS allows"),
        ("QOSMaxGRESPerUser", "you use as many gpus (or other generic resources) as the QOS allows one user"),
        (
            "QOSGrpGRES",
            "the running jobs of the QOS use as many gpus (or other generic resources) as they may together",
        ),
        (
            "AssocGrpCPUMinutesLimit",
            "the jobs of your account have used up the cpu minutes that they may use together",
        ),
        (
            "AssocGrpMemRunMinutes",
            "the running jobs of your account have as many memory minutes before them as they may together",
        ),
        ("AssocMaxWallDurationPerJobLimit", "it asks for more time than your account allows for one job"),
        ("QOSMaxMemoryPerNode", "it asks for more memory than the QOS allows on one node"),
        ("QOSMinGRES", "it asks for fewer gpus (or other generic resources) than the QOS demands"),
        ("QOSMinMemory", "it asks for less memory than the QOS demands"),
        ("MaxCpuPerAccount", "your account uses as many cpus as the QOS allows one account"),
        ("MaxJobsPerAccount", "your account runs as many jobs as the QOS allows one account"),
        (
            "MaxCpuRunMinsPerAccount",
            "your account's running jobs have as many cpu minutes before them as the QOS allows one account",
        ),
        ("AssocGrpJobsLimit", "your account has as many jobs as its members may run together"),
    ],
)
def test_limits_say_whose_and_of_what(code: str, words: str) -> None:
    assert words_of(code) == words
    assert group_of(code) == "limit"


def test_what_slurm_adds_to_a_code_is_not_in_the_way() -> None:
    assert code_of("(ReqNodeNotAvail, UnavailableNodes:c[1-2])") == "ReqNodeNotAvail"
    assert group_of("ReqNodeNotAvail, UnavailableNodes:c[1-2]") == "site"
    long = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
    assert reason_text(long, JobState.PENDING).startswith("the nodes that it needs are down, drained")
    said = reason_text("ReqNodeNotAvail, UnavailableNodes:c[1-2]", JobState.PENDING)
    assert said == "a node that it needs is down, drained or reserved: c[1-2] (ReqNodeNotAvail)"
    assert group_of("launch failed requeued held") == "held"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert reason_text("WaitingForGodot, twice", JobState.PENDING) == "WaitingForGodot, twice"
    assert group_of("WaitingForGodot") == "unknown"


@given(st.text(max_size=60) | st.sampled_from(CODES).flatmap(lambda c: st.text(max_size=9).map(lambda t: c + t)))
def test_noise_is_never_an_exception(text: str) -> None:
    code_of(text)
    words_of(text)
    group_of(text)
    for state in JobState:
        reason_text(text, state)


def test_the_line_of_a_panel() -> None:
    now = 1_790_000_000.0
    assert waiting_words("it is next (Resources)", None, now) == "it is next (Resources)"
    said = waiting_words("it is next (Resources)", now + 7800, now)
    assert said.startswith("it is next (Resources); expected start in 2 h 10 min (")
    assert waiting_words("", now + 10, now) == "expected start now"
    assert waiting_words("", None, now) == ""
    assert start_words(now - 3600, now) == "any moment"
    assert len(start_words(now + 3 * 86400, now).split()) > len(start_words(now + 3600, now).split())


@given(st.floats(allow_nan=False, min_value=1, max_value=1e18), st.floats(min_value=0, max_value=2e9))
def test_any_moment_has_words(start: float, now: float) -> None:
    assert start_words(start, now)
