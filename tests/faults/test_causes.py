"""Each row of the table of causes, brought about for real on the practice Slurm; more on the full one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jupyter_hpc.explain import causes, causes_page
from jupyter_hpc.jobs import errors
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model import exceptions
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.run import write_json
from jupyter_hpc.rundir.store import store
from tests.faults.occurrences import (
    OCCURRENCES,
    SHOWN,
    SIT,
    STAND_INS,
    Occurrence,
    check,
    recorded,
    shows,
)
from tests.faults.road import says, slurm, submit, until, worker_pid

WAITS = "import time\nbefore = 41\nprint('ready', flush=True)\ntime.sleep(300)\nafter = 1"
STUBBORN = WAITS.replace("time.sleep(300)", "sum(iter(int, 1))")  # in C: no signal handler runs
MEMORY = Path("/sys/fs/cgroup/memory")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to mount and to make cgroups")
needs_cgroup = pytest.mark.skipif(
    not os.access(MEMORY / "cgroup.procs", os.W_OK), reason="needs root and cgroup v1, for a memory limit"
)


@pytest.fixture(scope="module", autouse=True)
def limited(cluster: Path) -> list[Job]:
    """Two jobs that reach their limit some 70 s after the first test has begun."""
    return [submit(cell, time="1m") for cell in (WAITS, STUBBORN)]


@pytest.mark.parametrize("it", OCCURRENCES, ids=lambda it: f"{it.cause} {it.id}".strip())
def test_cells(cluster: Path, it: Occurrence) -> None:
    job = it.submit()
    assert job.wait(120), job
    check(job, it.cause, it.error, it.hint, it.evidence)
    assert recorded(job) == it.record


# -- memory and gpus -----------------------------------------------------------------------------------


@shows("cuda-out-of-memory")
@pytest.mark.parametrize(
    ("module", "call", "line"),
    [
        ("torch", "empty(1 << 36, device='cuda')", "OutOfMemoryError: CUDA out of memory"),
        ("cupy", "empty(1 << 36)", "OutOfMemoryError: Out of memory allocating"),
        ("jaxlib", "zeros(1 << 36)", "XlaRuntimeError: RESOURCE_EXHAUSTED"),
    ],
)
@pytest.mark.parametrize("here", [True, False], ids=["library here", "library only there"])
def test_gpu_memory(
    cluster: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    call: str,
    line: str,
    here: bool,
) -> None:
    """With stand-ins that raise what the libraries raise."""
    (tmp_path / f"{module}.py").write_text(STAND_INS[module])
    job = submit(f"import {module}\n{module}.{call}", env={"PYTHONPATH": str(tmp_path)})
    assert job.wait(120), job
    if here:
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
    hint = r"Make the batch smaller.*`--gpus h100:1`"
    try:
        raised = job.outcome().error
        if here and module == "jaxlib":  # the only one with its real module's name
            check(job, "cuda-out-of-memory", type(raised), hint, line)
            assert type(raised).__name__ == "XlaRuntimeError"
        verdict = job.record["verdict"]
        assert verdict["cause"] == "cuda-out-of-memory"
        assert re.search(hint, verdict["hint"]) and line in verdict["evidence"][0]
        assert verdict["hint"] in getattr(raised, "hint", "\n".join(getattr(raised, "__notes__", ())))
    finally:
        sys.modules.pop(module, None)


@contextmanager
def small_cgroup(mib: int) -> Iterator[Path]:
    group = MEMORY / f"jupyter_hpc.test.{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(mib << 20))
        yield group
    finally:
        until(lambda: not (group / "cgroup.procs").read_text(), "the cgroup is empty")
        group.rmdir()


@needs_cgroup
@shows("killed-for-memory")
def test_kernel_kills_the_worker(cluster: Path, tmp_path: Path) -> None:
    """Slurm doesn't know why: no cgroup of its own was at its limit."""
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    with small_cgroup(100) as group:
        job = submit(
            f"import time\nprint('ready', flush=True)\nopen({str(fifo)!r}).close()\nx = bytearray(200 << 20)\n{SIT}"
        )
        (group / "cgroup.procs").write_text(str(worker_pid(job)))
        fifo.open("w").close()
        assert job.wait(120), job
    check(
        job,
        "killed-for-memory",
        exceptions.OutOfMemory,
        r"`--mem 2G`",
        r"killed \d+ process\(es\) for memory",
    )
    assert recorded(job) == "FAILED 137:0"


@needs_cgroup
@shows("child-out-of-memory")
def test_kernel_kills_a_child(cluster: Path) -> None:
    with small_cgroup(60) as group:
        code = (
            f"import os; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid())); x = bytearray(200 << 20)"
        )
        job = submit(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}], check=True)")
        assert job.wait(120), job
    check(job, "child-out-of-memory", subprocess.CalledProcessError, r"`--mem 2G`", r"for memory(.|\n)*SIGKILL")


# -- what the scheduler does ---------------------------------------------------------------------------


@shows("cancelled-by-you")
@pytest.mark.parametrize("cell", [WAITS, STUBBORN], ids=["sleeping", "in C code"])
def test_cancelled_by_you(cluster: Path, cell: str) -> None:
    job = submit(cell)
    says(job, "ready")
    job.cancel()
    assert job.wait(120), job
    seen = "CANCELLED|ended by signal"  # Slurm's line may come after the end that the worker's shell noted
    error = check(job, "cancelled-by-you", exceptions.JobCancelled, "Run the cell again", seen)
    assert "by you" in str(error)
    assert recorded(job).startswith("CANCELLED")


@shows("cancelled")
@pytest.mark.parametrize("cell", [WAITS, STUBBORN], ids=["sleeping", "in C code"])
def test_cancelled_by_somebody(cluster: Path, cell: str) -> None:
    """Without accounting Slurm forgets who it was."""
    job = submit(cell)
    says(job, "ready")
    slurm("scancel", job.native_id)
    assert job.wait(120), job
    check(job, "cancelled", exceptions.JobCancelled, "Run the cell again", "CANCELLED AT")


@shows("dependency-failed", "dependency-never")
def test_dependencies(cluster: Path) -> None:
    first = submit("1 / 0", passthrough=("--hold",))
    after = f"--dependency=afterok:{first.native_id}"
    killed = submit("x = 1", passthrough=(after, "--kill-on-invalid-dep=yes"))
    waits = submit("x = 1", passthrough=(after,))
    slurm("scontrol", "release", first.native_id)
    assert killed.wait(120), killed
    check(
        killed,
        "dependency-failed",
        exceptions.DependencyNeverSatisfied,
        "Run it again first",
        "DependencyNeverSatisfied",
    )
    assert recorded(killed) == "CANCELLED 0:0"
    until(lambda: "will never start" in waits.reason, "said why it waits")
    assert "--kill-on-invalid-dep=yes" in waits.reason
    assert waits.state is JobState.PENDING
    waits.cancel()


@contextmanager
def node_down(name: str) -> Iterator[None]:
    slurm("scontrol", "update", f"nodename={name}", "state=down", "reason=test")
    try:
        yield
    finally:
        with suppress(AssertionError):  # it may have come back by itself
            slurm("scontrol", "update", f"nodename={name}", "state=resume")
        until(lambda: "idle" in slurm("sinfo", "-h", "-n", name, "-o", "%t"), "the node is back")


@shows("node-failed", "node-failed-requeued")
@pytest.mark.parametrize("requeue", [False, True], ids=["no requeue", "requeue"])
def test_node_down(cluster: Path, requeue: bool) -> None:
    job = submit(WAITS, partition="gpu", passthrough=("--requeue" if requeue else "--no-requeue",))
    says(job, "ready")
    with node_down("g1"):
        if requeue:
            until(
                lambda: job.state is JobState.PENDING and "g1 failed; it will start again" in job.reason,
                job.reason,
            )
            job.cancel()
            assert job.wait(120), job
        else:
            assert job.wait(120), job
            hint = r"`-- --exclude=g1`.*`--requeue`"
            check(job, "node-failed", exceptions.NodeFailed, hint, "DUE TO NODE FAILURE")
            assert recorded(job).startswith("NODE_FAIL")


@shows("requeued")
def test_requeued(cluster: Path) -> None:
    job = submit(WAITS, requeue=True)
    says(job, "ready")
    slurm("scontrol", "requeue", job.native_id)
    until(lambda: job.state is JobState.PENDING and "it was requeued" in job.reason, "said that it was requeued")
    job.cancel()
    assert job.wait(120), job


@shows("lost")
def test_lost(cluster: Path) -> None:
    """A job that the controller never had: as after a restart without its state."""
    job = submit("x = 1", passthrough=("--hold",))
    slurm("scancel", job.native_id)
    run = store().create()
    write_json(run.path / "record.json", {**job.record, "id": run.id, "native_id": "99999999", "state": "SUBMITTING"})
    again = Job(run)
    assert again.wait(120), again
    check(again, "lost", exceptions.JobLost, str(run.path), "it wrote nothing")


@shows("never-submitted")
def test_never_submitted(cluster: Path) -> None:
    """Whoever submitted it was killed before Slurm had it."""
    job = submit("x = 1", passthrough=("--hold",))
    slurm("scancel", job.native_id)
    run = store().create()
    record = {name: value for name, value in job.record.items() if name not in ("native_id", "verdict")}
    write_json(run.path / "record.json", {**record, "id": run.id, "state": "SUBMITTING"})
    os.utime(run.path, (time.time() - 3600,) * 2)
    again = Job(run)
    assert again.wait(120), again
    check(again, "never-submitted", exceptions.JobLost, "submit it anew", "unknown to it")


@shows("time-limit")
def test_time_limit(limited: list[Job]) -> None:
    """Near the end of this file, so that the minute passes beside the others."""
    for job in limited:
        assert job.wait(200), job
        check(job, "time-limit", exceptions.TimeLimitExceeded, "`--time 2m`", "DUE TO TIME LIMIT")
        assert recorded(job).startswith("TIMEOUT")
    assert limited[0].outcome().names["before"] == 41


# -- the table itself ------------------------------------------------------------------------------------


RECORDED = "takes a node in need, or a minute of waiting: tests/unit/test_kubernetes_reasons.py has what was said"
CAN_NOT_BE_HAD = {
    "boot-failed": "nodes of a test boot no machine",
    **dict.fromkeys(
        (
            *("evicted-for-memory", "evicted", "node-shutdown", "node-tainted", "not-admitted"),
            *("image-not-pulled", "container-not-set-up", "container-not-started"),
            *("suspended", "taken-back"),
        ),
        RECORDED,
    ),
}


def test_every_row_is_shown() -> None:
    import tests.faults.test_causes_of_files
    import tests.faults.test_second_start
    import tests.kubernetes.test_failures
    import tests.kubernetes.test_preemption
    import tests.kubernetes.test_troubles
    import tests.slurm.test_causes_on_a_site
    import tests.slurm.test_replaced  # noqa: F401  they note what they show

    assert {cause.name for cause in causes.CAUSES} == SHOWN | set(CAN_NOT_BE_HAD)


@pytest.mark.parametrize("prints_notes", [True, False], ids=["notes", "Python 3.10"])
def test_a_suggestion_is_printed_also_where_python_prints_no_notes(
    monkeypatch: pytest.MonkeyPatch, prints_notes: bool
) -> None:
    monkeypatch.setattr(errors, "PRINTS_NOTES", prints_notes)
    error, plain = ValueError("x"), ValueError("x")
    errors._add_note(error, {"traceback": "Traceback …"}, "do this")
    errors._add_note(plain, {"traceback": "Traceback …"}, "")
    assert "".join(traceback.format_exception(error)).count("do this") == 1
    assert ("do this" in str(error.__cause__)) is not prints_notes
    assert not hasattr(plain, "__notes__")


def test_rows_have_names_of_their_own_and_errors_that_exist() -> None:
    names = [cause.name for cause in causes.CAUSES]
    assert len(set(names)) == len(names)
    for cause in causes.CAUSES:
        if cause.error:
            assert issubclass(getattr(exceptions, cause.error), exceptions.JobError)


def test_the_table_of_causes_is_the_declaration() -> None:
    """Write it anew with ``causes_page.markdown_table()`` when a row changes."""
    text = Path(__file__).parents[2].joinpath("docs", "causes.md").read_text(encoding="utf-8")
    assert causes_page.markdown_table().strip() in text
