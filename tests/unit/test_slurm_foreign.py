"""What squeue's answer says of jobs that somebody submitted by hand, whatever they named them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_hpc.backends.slurm.command import SlurmCommand
from jupyter_hpc.backends.slurm.foreign import act, parse_foreign
from jupyter_hpc.backends.slurm.job_states import parse_queue
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.model.states import JobState
from jupyter_hpc.runtime.process import Completed

HEAD = "{id}|{array}|{task}|RUNNING|0|2026-11-24T06:26:41|2026-11-25T06:26:41|c1|None|"
TAIL = "{comment}|{limit}|2026-11-24T06:26:40|{nodes}|{alloc}|{job}|{node}|{log}|/home/ann|{name}|"
PLAIN = {
    "id": "7",
    "array": "7",
    "task": "N/A",
    "comment": "(null)",
    "limit": "1-00:00:00",
    "nodes": "1",
    "alloc": "cpu=1,mem=512M,node=1,billing=1",
    "job": "N/A",
    "node": "N/A",
    "log": "/home/ann/slurm-7.out",
    "name": "wrap",
}


def line(**changes: str) -> str:
    return (HEAD + TAIL).format(**{**PLAIN, **changes})


def test_the_fields_of_a_job() -> None:
    (job,) = parse_foreign(line())
    assert (job.native_id, job.name, job.run_id, job.time_limit_s) == ("7", "wrap", "", 86_400)
    assert (job.seen.state, job.seen.node, job.gpus) == (JobState.RUNNING, "c1", 0)
    assert (job.log, job.ends_with) == (Path("/home/ann/slurm-7.out"), "scancel 7")


def test_ours_carry_their_run() -> None:
    row = line(comment="jupyter_hpc:20261124-061122-a20a37")
    assert parse_foreign(row)[0].run_id == "20261124-061122-a20a37"
    assert parse_queue(row)["7"][1] == "jupyter_hpc:20261124-061122-a20a37"


def test_gpus_however_they_were_asked_for() -> None:
    asked = [
        {"alloc": "cpu=1,node=2,gres/gpu=4,gres/gpu:a100=4"},
        {"job": "gres:gpu:a100:4"},
        {"node": "gres:gpu:a100:2", "nodes": "2"},
        {"node": "gpu:a100:2", "nodes": "2"},
    ]
    found = [parse_foreign(line(**each))[0] for each in asked]
    assert [(job.gpus, job.gpu_type) for job in found] == [(4, "a100")] * 4


def test_patterns_of_log_names() -> None:
    array = {"id": "9", "array": "8", "task": "3"}
    cases = [
        (line(log="/x/%x-%4j.%%"), "/x/wrap-0007.%"),
        (line(log="%j.out"), "/home/ann/7.out"),
        (line(log="/x/%A_%a.out", **array), "/x/8_3.out"),
        (line(log="/x/slurm-9.out", **array), "/x/slurm-8_3.out"),  # what squeue takes for the default
    ]
    assert [str(parse_foreign(row)[0].log) for row, _ in cases] == [path for _, path in cases]
    assert parse_foreign(line(log="/x/%N.out"))[0].log is None  # not known here
    assert parse_foreign(line(log="(null)"))[0].log is None


def test_delimiters_and_line_breaks_in_free_text() -> None:
    (job,) = parse_foreign(line(name="by | hand", comment="a|b|c"))
    assert (job.name, job.log) == ("by | hand", Path("/home/ann/slurm-7.out"))
    mark = "jupyter_hpc:20261124-061122-a20a37"
    assert parse_queue(line(name="one\ntwo|three", comment=mark))["7"][1] == mark
    (job,) = parse_foreign(line(log="/home/a|b/out"))  # can't be told apart: no log rather than a wrong one
    assert (job.native_id, job.log) == ("7", None)


def test_tasks_of_an_array_know_it() -> None:
    (task,) = parse_foreign(line(id="9", array="8", task="3"))
    assert (task.native_id, task.array) == ("8_3", "8")
    assert parse_foreign(line())[0].array == ""


@pytest.mark.parametrize(
    ("state", "reason", "acts"),
    [
        ("RUNNING", "None", ("cancel", "requeue")),
        ("PENDING", "Priority", ("cancel", "hold")),
        ("PENDING", "JobHeldUser", ("cancel", "release")),
        ("PENDING", "JobHeldAdmin", ("cancel",)),
        ("REQUEUE_HOLD", "job requeued in held state", ("cancel", "release")),
        ("COMPLETED", "None", ()),
        ("CANCELLED by 1000", "None", ()),
    ],
)
def test_what_may_be_done_follows_the_state(state: str, reason: str, acts: tuple[str, ...]) -> None:
    row = line().replace("|RUNNING|", f"|{state}|", 1).replace("|None|", f"|{reason}|", 1)
    assert parse_foreign(row)[0].acts == acts


class Shell(SlurmCommand):
    """Writes down what is run; answers what it was told to."""

    def __init__(self, **answers: tuple[int, str, str]) -> None:
        super().__init__(None)
        self.answers = answers
        self.ran: list[list[str]] = []

    async def run(self, argv: Sequence[str], **_: Any) -> Completed:
        self.ran.append([*argv])
        return Completed(tuple(argv), *self.answers.get(argv[0], (0, "", "")))


@pytest.mark.parametrize(
    ("what", "ran"),
    [
        ("cancel", ["scancel", "8_3"]),
        ("hold", ["scontrol", "uhold", "8_3"]),
        ("release", ["scontrol", "release", "8_3"]),
        ("requeue", ["scontrol", "requeue", "8_3"]),
    ],
)
def test_one_s_own_job_is_acted_on(what: str, ran: list[str]) -> None:
    shell = Shell(squeue=(0, "9\n", ""))
    asyncio.run(act(shell, "8_3", what))
    assert shell.ran[1:] == [ran]
    assert "--me" in shell.ran[0] and "8_3" in shell.ran[0]


@pytest.mark.parametrize("answer", [(0, "", ""), (1, "", "slurm_load_jobs error: Invalid job id specified")])
def test_another_s_job_is_never_touched(answer: tuple[int, str, str]) -> None:
    shell = Shell(squeue=answer)
    with pytest.raises(HPCError, match="no job 7 of yours"):
        asyncio.run(act(shell, "7", "cancel"))
    assert [argv[0] for argv in shell.ran] == ["squeue"]


@pytest.mark.parametrize("native", ["7;id", "-u", "--all", "7 8", "7,8", "", "all", "٧", "7_*", "1" * 13])
def test_what_is_no_id_reaches_no_command(native: str) -> None:
    shell = Shell(squeue=(0, "7\n", ""))
    with pytest.raises(HPCError, match="is no job"):
        asyncio.run(act(shell, native, "cancel"))
    assert shell.ran == []


def test_what_slurm_refuses_is_a_sentence() -> None:
    words = "scontrol: error: Job is not a batch job, or cannot be requeued\n"
    shell = Shell(squeue=(0, "7\n", ""), scontrol=(1, "", words))
    with pytest.raises(HPCError) as caught:
        asyncio.run(act(shell, "7", "requeue"))
    assert caught.value.message == "Slurm did not requeue 7: Job is not a batch job, or cannot be requeued."


TEXT = st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=("Cs", "Zl", "Zp", "Cc")), max_size=30)


@settings(max_examples=300, deadline=None)
@given(name=TEXT, comment=TEXT, log=TEXT)
def test_no_text_breaks_a_row(name: str, comment: str, log: str) -> None:
    assert [job.native_id for job in parse_foreign(line(name=name, comment=comment, log=log))] == ["7"]
    assert list(parse_queue(line(name=name, comment=comment, log=log))) == ["7"]
