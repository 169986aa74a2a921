"""What a job is submitted again with: read from a line or a form, and never what it failed with."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc import OptionError, ResultError
from jupyter_hpc.commands.jobs import resubmitted
from jupyter_hpc.jobs import submit as submitting
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.resubmission import asked_again, read_line
from jupyter_hpc.testing.fake import new_run
from tests.faults.road import submit


def test_a_line_is_read_by_the_options_declarations() -> None:
    fields, target = read_line("--mem=6G -p 'big one' --retries 2 --requeue --on k8s")
    assert target == "k8s"
    asked = asked_again({**fields, "cpus": "", "exclusive": False, "gpus": 0}, target)
    assert asked.changes == {
        "target": "k8s",
        "resources": {"memory": "6G", "gpus": 0},
        "options": {"partition": "big one", "retries": 2, "requeue": True},
        "unset": ("cpus", "exclusive"),
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--mem", "--mem needs a value."),
        ("--requeue=yes", "--requeue takes no value."),
        ("--memory 6G", "'--memory' is no option"),
        ("words", "'words' is no option"),
        ("--env A=1", "'--env' is no option"),
        ("-p 'big", "is not closed"),
    ],
)
def test_a_line_that_is_none_is_said_in_a_sentence(line: str, words: str) -> None:
    with pytest.raises(OptionError, match=words) as raised:
        read_line(line)
    assert raised.value.message.endswith(".")


def test_sbatchs_own_words_get_a_hint() -> None:
    with pytest.raises(OptionError) as raised:
        read_line("--cpus-per-task 4")
    assert "--cpus" in raised.value.hint


@pytest.mark.parametrize(
    ("asked", "memory"), [({}, "1G"), ({"resources": {"memory": "2G"}}, "2G"), ({"resources": None}, "1G")]
)
def test_a_plain_resubmission_repeats_nothing_that_failed(
    asked: dict[str, Any], memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tmp_path / "r", verdict={"state": "OUT_OF_MEMORY", "again": "--mem 1G"})
    got: dict[str, Any] = {}
    monkeypatch.setattr(submitting.resubmits, "resubmit", lambda run, **changes: got.update(changes) or run)
    monkeypatch.setattr(submitting, "submitted", Job)
    submitting.resubmit(Job(run), **asked)
    assert got["resources"] == {"memory": memory}


@pytest.mark.parametrize("option", ["--mem ''", "--time=", "-p ''"])
def test_an_option_that_is_left_empty_is_not_passed_over(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_hpc.commands import catalogue

    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    _, arguments = catalogue.parse(["resubmit", "x", *shlex.split(option)], "%hpc")
    with pytest.raises(OptionError, match=r"^--\w+ needs a value\.$"):
        resubmitted(arguments)


def test_what_was_sent_and_is_gone_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    job = submit("x = 1", "local")
    assert job.wait(60), job
    shutil.rmtree(job.run.payload)
    with pytest.raises(ResultError) as raised:
        submitting.resubmit(job)
    assert raised.value.message == f"What {job.id} was sent is gone from its directory."
    assert "Run the cell again." in str(raised.value)
