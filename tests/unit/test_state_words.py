"""A state is said to people in their words, everywhere the same; records and JSON keep the machine's."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_hpc.commands import catalogue, cli
from jupyter_hpc.follow.glance import look
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.lineage.ask.compare import difference
from jupyter_hpc.lineage.show.view import lineage
from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.model.states import JobState, Status, state_words
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.rundir.store import Store
from jupyter_hpc.server.handlers import _cancel
from jupyter_hpc.views.card import card_html, card_text
from jupyter_hpc.views.head import headline
from jupyter_hpc.views.job_list_html import jobs_html
from tests.lineage import records

ENDS = [state for state in JobState if state.is_final]
MACHINE = re.compile(rf"\b({'|'.join(JobState.__members__)})\b")


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[JobState], Job]:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))

    def made(state: JobState, number: int = 1, **fields: object) -> Job:
        fields = {"state": state.value, "verdict": {"state": state.value}, **fields}
        return Job(Run(records.write(Store(tmp_path), records.record(number, **fields))))

    return made


def answer(*words: str) -> str:
    name, arguments = catalogue.parse(list(words), "hpc")
    return str(catalogue.COMMANDS[name].answer(arguments))


@pytest.mark.parametrize("state", ENDS, ids=str)
def test_an_end_is_said_in_the_same_words_everywhere(ended: Callable[..., Job], state: JobState) -> None:
    job = ended(state)
    picture = look(job.run)
    with pytest.raises(HPCError) as refused:
        _cancel(job)
    from jupyter_hpc.commands.job_list import listed

    jobs = listed(catalogue.parse(["jobs"], "hpc")[1])
    texts = {
        "describe": job.describe(),
        "repr": repr(job),
        "bundle": job._repr_mimebundle_()["text/plain"],
        "card": card_text(picture),
        "card_html": card_html(picture),
        "head": headline(picture.record, picture.status),
        "show": answer("show", job.id),
        "why": answer("why", job.id),
        "attach": answer("attach", job.id),
        "cancel": answer("cancel", job.id),
        "jobs": jobs.text,
        "table": jobs_html(jobs.rows),
        "runs": answer("runs"),
        "lineage": lineage(job.id).text,
        "refused": str(refused.value),
    }
    for place, text in texts.items():
        assert state.words in text, (place, text)
        assert not MACHINE.search(text), (place, text)


def test_tasks_are_said_in_words(ended: Callable[..., Job]) -> None:
    job = ended(JobState.FAILED, array={"text": "0", "indices": [0]})
    task = {"state": "NODE_FAIL", "verdict": {"state": "NODE_FAIL"}}
    (job.run.path / "tasks/ID_0".replace("ID", job.id)).mkdir(parents=True)
    for part in job.tasks:
        (part.run.path / "record.json").write_text(json.dumps(task))
    shown = answer("show", job.id)
    assert "task 0: node failed" in shown and not MACHINE.search(shown)


def test_what_differs_of_an_end_is_said_in_words(ended: Callable[..., Job], tmp_path: Path) -> None:
    one, two = ended(JobState.TIMEOUT, 1), ended(JobState.COMPLETED, 2)
    assert "timed out → completed" in difference(Store(tmp_path), one.run, two.run).text


def test_a_state_is_asked_for_as_it_is_said(ended: Callable[..., Job]) -> None:
    job = ended(JobState.TIMEOUT)
    for asked in ("timed out", "state timed out", "state TIMEOUT", "timeout"):
        assert job.id in answer("runs", "--where", *asked.split()), asked
    assert job.id in answer("jobs", "timed", "out")


def test_json_has_the_words_of_machines(ended: Callable[..., Job], capsys: pytest.CaptureFixture[str]) -> None:
    job = ended(JobState.TIMEOUT)
    cli.main(["jobs", "--json"])
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["TIMEOUT"]
    assert str(job.state) == "TIMEOUT" and job.record["state"] == "TIMEOUT"


def test_what_has_no_state_has_no_word_for_it() -> None:
    assert state_words(None) == "" == state_words("")


@pytest.mark.parametrize("array", [None, {"text": "0-9", "indices": [*range(10)]}], ids=["job", "array"])
def test_a_limit_is_that_of_each_task(array: object) -> None:
    record = {"spec": {"resources": {"time": 20}}, "target": {"name": "slurm", "backend": "slurm"}, "array": array}
    line = headline(record, Status(JobState.RUNNING, started_at=time.time() - 65))
    assert ("of 20 s" in line) is (array is None) and "1 min 5 s" in line
