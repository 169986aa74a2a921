"""Slurm through pyslurm: the same as by the commands, and every way that its process can fail.

Uses the pyslurm that is installed; else, and for what must go wrong, a stand-in that asks the real practice Slurm.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_hpc import practice
from jupyter_hpc.backends.slurm.command import SlurmCommand
from jupyter_hpc.backends.slurm.job_states import parse_queue, squeue_format
from jupyter_hpc.backends.slurm.pyslurm import client as pyslurm_client
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import SubmissionError, TargetError
from jupyter_hpc.model.states import JobState
from jupyter_hpc.runtime import portal
from jupyter_hpc.targets import connection
from jupyter_hpc.targets.targets import target
from tests.faults.road import Counter, says, slurm, submit, until

STANDIN = Path(__file__).parents[1] / "slurm" / "standin"
QUEUE = ["squeue", "-h", "-r", "--me", "-t", "all", "-O", squeue_format()]


@dataclass
class Standin:
    """What the stand-in was asked, and what it shall do wrong."""

    folder: Path

    def calls(self, name: str) -> list[int]:
        """Return the pids of the processes that made a call."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [int(line.split()[1]) for line in lines if line.split()[0] == name]

    def fault(self, words: str) -> None:
        (self.folder / "fault").write_text(words)

    def heal(self) -> None:
        (self.folder / "fault").unlink()


def _forget() -> None:
    """A new kernel, as it were; a watcher of before that still follows a job has only the commands left."""
    for each in pyslurm_client._known.values():
        each._is_off = True
        if each._child is not None:
            portal.call(each._child.stop(), 10)
    pyslurm_client._known.clear()
    connection._connections.clear()


@pytest.fixture
def pyslurm(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pyslurm, the installed or the stand-in; no child before and none after."""
    if importlib.util.find_spec("pyslurm") is None:
        monkeypatch.syspath_prepend(STANDIN)
        monkeypatch.setenv("PYTHONPATH", str(STANDIN))
    _forget()
    yield
    _forget()


@pytest.fixture
def standin(cluster: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Standin]:
    monkeypatch.syspath_prepend(STANDIN)
    monkeypatch.setenv("PYTHONPATH", str(STANDIN))
    monkeypatch.setenv("STANDIN_PYSLURM", str(tmp_path))
    _forget()
    yield Standin(tmp_path)
    _forget()


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, logger=pyslurm_client.__name__)
    return caplog


def client() -> pyslurm_client.Pyslurm:
    (only,) = pyslurm_client._known.values()
    return only


def went_through_pyslurm(job: Job) -> bool:
    return (job.run.path / "job.pyslurm.sh").exists()


def queue() -> dict[str, JobState]:
    """Ask as the watcher does."""
    where = target("slurm").make_backend()
    return {i: seen.state for i, (seen, _) in portal.call(where._queue(), 60).items()}


def test_a_job_without_any_command(counted: Counter, pyslurm: None) -> None:
    job = submit("import os\nprint('ready', flush=True)\ny = os.environ['SLURM_JOB_ID']", cpus=2)
    assert job.result(120)["y"] == job.native_id
    assert went_through_pyslurm(job)
    assert queue()[job.native_id] in (JobState.COMPLETED, JobState.RUNNING)
    assert not counted.log.exists()
    assert "pyslurm" not in sys.modules


def test_the_kernel_s_environment_of_now(pyslurm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child keeps the environment that it was started with; the job gets the one at submission."""
    submit("pass").result(20)
    monkeypatch.setenv("LATER", "é\n'x' ")
    job = submit("import os\ny = os.environ['LATER']")
    assert job.result(120)["y"] == "é\n'x' "
    assert went_through_pyslurm(job)


def test_bytes_that_are_no_text_go_by_sbatch(counted: Counter, pyslurm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYTES", os.fsdecode(b"\xff"))
    assert submit("import os\ny = os.environb[b'BYTES']").result(20)["y"] == b"\xff"
    assert counted.count("sbatch") == 1


def test_options_that_it_has_no_word_for(counted: Counter, pyslurm: None) -> None:
    job = submit("y = 1", passthrough=("--nice=5",))
    assert job.result(120) == {"y": 1}
    assert not went_through_pyslurm(job)
    assert counted.count("sbatch") == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tasks": 2},
        {"nodes": 2},
        {"nodes": 2, "tasks_per_node": 3},
        {"tasks_per_node": 2},
        {"cpus": 3, "memory": "700M", "time": "1h30m"},
        {"gpus": "a100:2"},
        {"gpus": 1, "partition": "gpu"},
        {"exclusive": True},
        {"constraint": "cpu", "name": "näme & ' co"},
    ],
    ids=str,
)
def test_asks_for_the_same_as_sbatch(
    pyslurm: None, monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    shown = []
    for setting in ("auto", "never"):
        with monkeypatch.context() as patch:
            if setting == "never":
                patch.setattr(pyslurm_client.Pyslurm, "run", _not_at_all)
            job = submit("pass", **options)
        job.result(120)
        assert went_through_pyslurm(job) is (setting == "auto")
        shown.append(_asked(job.native_id))
    assert shown[0] == shown[1]


# what was asked for, not what came of it: two jobs may get different nodes
_ASKED = (
    "NumTasks CPUs/Task ReqTRES MinCPUsNode MinMemoryCPU MinMemoryNode TimeLimit NtasksPerN:B:S:C ReqB:S:C:T "
    "TresPerJob TresPerNode OverSubscribe Features Partition NumNodes Requeue Restarts BatchFlag Nice QOS Account "
    "ReqNodeList Contiguous"
)


def _asked(native_id: str) -> dict[str, str]:
    def ended() -> str:
        text = slurm("scontrol", "show", "job", "-o", native_id)
        return text if "JobState=COMPLETED" in text else ""

    words = until(ended, "the end").split(" ")
    return {k: v for k, _, v in (w.partition("=") for w in words) if k in _ASKED.split()}


async def _not_at_all(*_: object, **__: object) -> None:
    return None


def test_sees_the_same_as_squeue(pyslurm: None) -> None:
    jobs = [
        submit("y = 1"),
        submit("import os\nos._exit(3)"),
        submit("import os\nos.kill(os.getppid(), 9)\nos.kill(os.getpid(), 9)"),
        submit("y = 1", passthrough=("--begin=now+1hour",)),
        submit("y = 1", passthrough=("--dependency=afterok:1",)),
        submit("y = 1", passthrough=("--hold",)),
        submit("import time\nprint('ready', flush=True)\ntime.sleep(300)"),
        submit("import time\nprint('ready', flush=True)\ntime.sleep(300)"),
    ]
    says(jobs[-1], "ready")
    says(jobs[-2], "ready")
    slurm("scancel", jobs[-2].native_id)
    ended = [jobs[i].native_id for i in (0, 1, 2, 6)]
    until(lambda: all(queue()[i].is_final for i in ended), "the ends")
    conf = str(practice.find_running_conf())
    try:
        by_pyslurm = portal.call(SlurmCommand(conf, pyslurm=client()).run(QUEUE), 30)
        by_squeue = portal.call(SlurmCommand(conf).run(QUEUE), 30)
    finally:
        for job in jobs[3:]:
            slurm("scancel", job.native_id)
    seen = parse_queue(by_pyslurm.out)
    assert seen == parse_queue(by_squeue.out)
    assert {seen[job.native_id][0].state for job in jobs} >= {
        *(JobState.COMPLETED, JobState.FAILED, JobState.PENDING, JobState.RUNNING, JobState.CANCELLED)
    }


def test_a_refusal_is_said_by_sbatch(counted: Counter, pyslurm: None) -> None:
    with pytest.raises(SubmissionError, match="invalid partition") as caught:
        submit("x = 1", partition="nonsense")
    assert "--partition debug, gpu" in caught.value.hint
    assert counted.count("sbatch") == 1


def test_never(counted: Counter, standin: Standin, cluster: Path) -> None:
    where = SlurmCommand(str(practice.find_running_conf()), pyslurm=pyslurm_client.pyslurm_of(None, "never"))
    assert portal.call(where.run(QUEUE), 30).status == 0
    assert counted.count("squeue") == 1
    assert not standin.calls("import")
    with pytest.raises(TargetError, match="'always' is not known") as caught:
        pyslurm_client.pyslurm_of(None, "always")
    assert "auto or never" in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("exit", "Could not establish a configuration source"),
        ("hang", "did not answer in 1 s"),
        ("raise", "cannot open shared object file"),
    ],
)
def test_an_import_that_fails(
    counted: Counter,
    standin: Standin,
    warnings: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    words: str,
) -> None:
    monkeypatch.setattr(pyslurm_client, "START_S", 1.0 if fault == "hang" else 20.0)
    standin.fault(f"import {fault}")
    assert [submit(f"y = {i}").result(20) for i in range(2)] == [{"y": 0}, {"y": 1}]
    assert counted.count("sbatch") == 2
    assert len(standin.calls("import")) == 1
    (line,) = warnings.messages
    assert words in line
    assert "pyslurm: never" in line


def test_killed_it_is_started_again_once(
    counted: Counter, standin: Standin, warnings: pytest.LogCaptureFixture
) -> None:
    pids = []
    for number in range(3):
        job = submit("y = 1")
        assert job.result(120) == {"y": 1}
        assert went_through_pyslurm(job) is (number < 2)
        if number < 2:
            assert not warnings.messages
            child = client()._child
            assert child is not None
            pids.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)
            until(lambda c=child: not c.is_alive, "the child's end")
    assert len(set(pids)) == 2
    (line,) = warnings.messages
    assert "status -9" in line


@pytest.mark.parametrize("fault", ["hang", "exit", "garbage", "stale"])
def test_a_question_that_it_does_not_answer(
    counted: Counter,
    standin: Standin,
    warnings: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    """The command answers at once; the next question goes to a new child."""
    job = submit("y = 1")
    job.result(120)
    standin.fault(f"load {fault}")
    with monkeypatch.context() as patch:
        if fault == "hang":
            ask = pyslurm_client.Pyslurm._answered
            patch.setattr(pyslurm_client.Pyslurm, "_answered", lambda *its: ask(*its[:-1], 2.0))  # its own patience
        assert job.native_id in queue()
    assert counted.count("squeue") == 1
    standin.heal()
    assert job.native_id in queue()
    assert counted.count("squeue") == 1
    assert len(set(standin.calls("load"))) == 2
    assert not warnings.messages


def test_errors_of_slurm_are_left_to_the_command(
    counted: Counter,
    standin: Standin,
    warnings: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with a libslurm of another version: the commands work, so they are used."""
    standin.fault("load error")
    for number in range(3):
        queue()
        assert counted.count("squeue") == number + 1
        queue()  # at rest: not asked again so soon
        assert len(standin.calls("load")) == number + 1
        monkeypatch.setattr(client(), "_rest_until", 0.0)
        counted.log.unlink()
        counted.log.write_text("squeue\n" * (number + 1))
    (line,) = warnings.messages
    assert "Unable to contact slurm controller" in line
    queue()
    assert len(standin.calls("load")) == 3


def test_a_site_without_accounting(counted: Counter, standin: Standin, warnings: pytest.LogCaptureFixture) -> None:
    """Its error is the archive's only: nothing rests, and sacct is asked from then on."""
    where = target("slurm").make_backend()
    queue()
    for number in range(1, 4):
        where.accounting._off_until = 0.0  # as ten minutes later
        run_id = f"20261124-000000-00000{number}"
        assert portal.call(where.accounting.look({run_id: "1"}), 30)[run_id].is_settled
        assert counted.count("sacct") == number
    queue()
    assert (len(standin.calls("archive")), len(standin.calls("load"))) == (1, 2)
    assert counted.count("squeue") == 0
    assert not warnings.messages


def test_a_submission_whose_answer_is_lost(
    counted: Counter, standin: Standin, warnings: pytest.LogCaptureFixture
) -> None:
    standin.fault("submit lose")
    job = submit("y = 1")
    assert job.result(120) == {"y": 1}
    comments = slurm("squeue", "-h", "-t", "all", "-O", "Comment:|").splitlines()
    assert sum(job.id in row for row in comments) == 1
    assert counted.count("sbatch") == 0
    assert not [r for r in warnings.records if r.name == pyslurm_client.__name__]  # it is used again


def test_a_controller_that_pyslurm_cannot_reach_gets_no_job_from_it(counted: Counter, standin: Standin) -> None:
    standin.fault("ping error")
    assert submit("y = 1").result(20) == {"y": 1}
    assert counted.count("sbatch") == 1
    assert not standin.calls("submit")


def test_it_ends_with_the_kernel(standin: Standin) -> None:
    code = f"""
        import asyncio, os
        from jupyter_hpc.backends.slurm import command
        from jupyter_hpc.backends.slurm.pyslurm import client
        from jupyter_hpc.runtime import portal
        where = client.pyslurm_of(None, "auto")
        argv = {QUEUE!r}
        done = portal.call(command.SlurmCommand({str(practice.find_running_conf())!r}, pyslurm=where).run(argv))
        print(done.status, where._child.pid, flush=True)
        os.kill(os.getpid(), 9)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    status, pid = done.stdout.split()
    assert status == "0"
    assert standin.calls("load") == [int(pid)]
    until(lambda: not Path("/proc", pid).exists(), "the child's end")
