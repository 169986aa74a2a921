"""Which commands pyslurm stands in for, and what it is asked then."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_hpc.backends.slurm.job_states import (
    FIELDS,
    SACCT_FIELDS,
    parse_accounting,
    parse_queue,
    squeue_format,
)
from jupyter_hpc.backends.slurm.pyslurm import service as pyslurm_process
from jupyter_hpc.backends.slurm.pyslurm.requests import printed, request_for
from jupyter_hpc.backends.slurm.sbatch import sbatch_arguments
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.run import Run

QUEUE = ["squeue", "-h", "-r", "--me", "-t", "all", "-O", squeue_format()]
ARCHIVE = ["sacct", "-X", "-n", "-P", "-j", "7,8", "-o", ",".join(SACCT_FIELDS)]


def sbatch(*more: str, arguments: tuple[str, ...] = ("run", "", "x y"), **resources: object) -> list[str]:
    spec = JobSpec(name="a b", workdir="/somewhere", resources=Resources.parse(**resources), passthrough=more)
    return ["sbatch", "--parsable", *sbatch_arguments(Run(Path("/r/1")), spec), "/r/1/job.sh", *arguments]


def test_every_field_that_is_asked_for_has_its_word():
    """A field without one would quietly send every question to the command."""
    request = request_for(QUEUE, {}, "/")
    assert request == {"do": "queue", "fields": list(FIELDS)}
    assert {name.lower() for name in FIELDS} <= set(pyslurm_process.QUEUE)
    request = request_for(ARCHIVE, {}, "/")
    assert request == {"do": "accounting", "ids": [7, 8], "fields": list(SACCT_FIELDS)}
    assert {name.lower() for name in SACCT_FIELDS} <= set(pyslurm_process.ARCHIVE)


@pytest.mark.parametrize(
    "argv",
    [
        ["scancel", "7"],
        ["sinfo", "-h"],
        ["squeue", "--start", "-j", "7"],
        [*QUEUE[:-1], "JobID:|,Name:20"],
        ["sacct", "-X", "-n", "-P", "--array", "-j", "7_1", "-o", "State"],
        ["sacct", "-X", "-n", "-P", "-S", "2026-01-01", "-o", "State"],
        ["sbatch", "--version"],
        sbatch("--nice"),
        sbatch("-C", "cpu"),
        sbatch("--mem=1G"),
        sbatch("--mem=1T", memory="1G"),
        sbatch("--time=10"),
        sbatch("--nodes=2-4"),
        sbatch("--gpus=a100:1,h100:1"),
        sbatch("--qos="),
        sbatch(gpus_per_task=1),
        sbatch(arguments=("\udcff",)),
    ],
    ids=lambda argv: " ".join(argv[:1] + argv[-4:]),
)
def test_anything_else_is_the_command_s(argv: list[str]):
    assert request_for(argv, {}, "/") is None


def test_an_environment_that_is_no_text_is_the_command_s():
    assert request_for(sbatch(), {"A": "\\udcff"}, "/") is not None  # the six characters
    assert request_for(sbatch(), {"A": "\udcff"}, "/") is None


def test_a_submission():
    argv = sbatch(
        *("--qos=high", "--exclusive"),
        cpus=2,
        memory="1.5G",
        time="90m",
        gpus="gpux:2",
        nodes=2,
        tasks_per_node=3,
    )
    request = request_for(argv, {"A": "1"}, "/elsewhere")
    assert request is not None
    assert request["script"] == "/r/1/job.sh"
    assert request["arguments"] == ["run", "", "x y"]
    assert request["description"] == {
        "name": "a b",
        "comment": "jupyter_hpc:1",
        "standard_output": "/r/1/scheduler.log",
        "log_files_open_mode": "append",
        "working_directory": "/somewhere",
        "nodes": 2,
        "ntasks": 6,
        "ntasks_per_node": 3,
        "cpus_per_task": 2,
        "memory_per_node": 1536,
        "time_limit": "0-01:30:00",
        "gpus": "gpu:gpux:2",
        "qos": "high",
        "resource_sharing": "exclusive",
        "is_requeueable": False,
        "environment": {
            "A": "1",
            "SLURM_NTASKS_PER_NODE": "3",
            "SLURM_CPUS_PER_TASK": "2",
            "SLURM_GPUS": "gpux:2",
        },
    }


def test_tasks_without_nodes_may_lie_on_one():
    request = request_for(sbatch(tasks=4), {}, "/")
    assert request is not None
    assert request["description"]["nodes"] == "1-4294967294"
    request = request_for(sbatch(), {}, "/")
    assert request is not None
    assert "nodes" not in request["description"]


class Job:
    """One of pyslurm's, by its attributes."""

    def __init__(self, **attributes: object):
        self.__dict__.update(attributes)


LIVE = {
    **dict.fromkeys(
        ("array_id", "array_task_id", "start_time", "end_time", "allocated_nodes", "comment", "state_reason")
    ),
    "id": 7,
    "exit_code": 0,
    "exit_code_signal": 0,
    "state": "PENDING",
}


def seen(job: Job):
    rows = pyslurm_process.table([job], pyslurm_process.QUEUE, list(FIELDS))
    return parse_queue(printed(QUEUE, rows).out)["7"]


def test_rows_are_read_as_squeue_s():
    observation, comment = seen(Job(**{**LIVE, "state_reason": "Priority", "comment": "for physics|\ny"}))
    assert observation.state is JobState.PENDING
    assert "(Priority)" in observation.reason
    assert comment == "for physics| y"
    observation, _ = seen(Job(**{**LIVE, "state": "SOMETHING_NEW", "start_time": 1_000_000_000}))
    assert (observation.native_state, observation.started_at) == ("SOMETHING_NEW", 1_000_000_000)


def test_tasks_of_an_array_are_left_to_squeue():
    """Pyslurm has the same word for task 0 and for the rest that waits."""
    with pytest.raises(pyslurm_process.Unable):
        pyslurm_process.table([Job(**{**LIVE, "array_id": 7})], pyslurm_process.QUEUE, ["ArrayTaskID"])


def test_the_archive_s_rows_are_read_as_sacct_s():
    ended = {
        **LIVE,
        "state": "CANCELLED",
        "cancelled_by": "root",
        "start_time": 5,
        "end_time": 9,
        "nodelist": None,
    }
    rows = pyslurm_process.table([Job(**ended)], pyslurm_process.ARCHIVE, list(SACCT_FIELDS))
    observation = parse_accounting(printed(ARCHIVE, rows).out)["7"]
    assert observation.state is JobState.CANCELLED
    assert observation.reason == "CANCELLED by 0"
    assert (observation.started_at, observation.ended_at) == (5, 9)
    assert observation.node == ""
