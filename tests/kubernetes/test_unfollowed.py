"""How a job ends that no process follows: each question to it comes from a process of its own, as from a shell."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from jupyter_hpc.follow.absence import MARK
from jupyter_hpc.follow.doubt import LINGER_S
from jupyter_hpc.jobs.job import Job
from tests.faults.road import until
from tests.kubernetes.access import NAMESPACE, Admin
from tests.kubernetes.conftest import Targets
from tests.kubernetes.test_failures import SLOW_S, WAITS, job_exists


def in_a_process(*argv: str) -> str:
    """Run a Python of its own to its end; return what it said."""
    done = subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=SLOW_S)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def hpc(*words: str) -> str:
    return in_a_process("-m", "jupyter_hpc.commands.cli", *words)


def shown(job: Job) -> str:
    """What `show` says, once the API server has answered: a busy machine may keep it from that for seconds."""
    return until(lambda: (said := hpc("show", job.id)) and "doesn't answer" not in said and said, "an answer", SLOW_S)


def begun(admin: Admin) -> Job:
    """A job whose cell runs, and whose submitter is gone."""
    submitted = f"from tests.faults.road import submit\nprint(submit({WAITS!r}, 'k8s').id)"
    run_id = in_a_process("-c", submitted).splitlines()[-1]
    until(lambda: phases(admin, run_id) == ["Running"], "its pod runs", SLOW_S)
    from jupyter_hpc.rundir.store import store

    return Job(store().find(run_id))


def phases(admin: Admin, run_id: str) -> list[str]:
    query = {"labelSelector": f"jupyter-hpc/run={run_id}"}
    pods = admin("GET", f"/api/v1/namespaces/{NAMESPACE}/pods", query=query)["items"]
    return [pod["status"]["phase"] for pod in pods]


def age(job: Job, seconds: float) -> None:
    """As if nothing had changed in the run directory for so long."""
    then = time.time() - seconds
    for path in (job.run.path, *job.run.path.iterdir()):
        os.utime(path, (then, then))


def answered_first(job: Job, at: float) -> None:
    """As if the first answer without the job had come then."""
    os.utime(job.run.path / MARK, (at, at))


def test_cancelled_in_a_shell(targets: Targets, admin: Admin) -> None:
    job = begun(admin)
    assert hpc("cancel", job.id).startswith("Asked k8s to cancel")
    until(lambda: not job_exists(admin, job) and not phases(admin, job.id), "Job and pod are gone", SLOW_S)
    age(job, LINGER_S + 1)
    said = shown(job)
    assert said.startswith("cancelled"), said
    verdict = job.verdict
    assert verdict["cause"] == "cancelled-by-you", verdict
    assert "by you" in verdict["message"]
    assert hpc("cancel", job.id) == f"{job.id} has ended already (cancelled)."


def test_one_that_vanished_is_lost_at_the_second_answer(targets: Targets, admin: Admin) -> None:
    """An API server may answer once without it; eight seconds later it is gone for good."""
    job = begun(admin)
    query = {"propagationPolicy": "Background"}
    admin("DELETE", f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs/{job.native_id.partition('/')[2]}", query=query)
    until(lambda: not job_exists(admin, job) and not phases(admin, job.id), "Job and pod are gone", SLOW_S)
    age(job, 100)
    assert not shown(job).startswith("lost")
    answered_first(job, time.time() + SLOW_S)  # at once, however long this machine takes for it
    assert not shown(job).startswith("lost")  # it is not enough to ask twice at once
    age(job, LINGER_S + 1)
    assert shown(job).startswith("lost")
    assert any("unknown to it from" in line for line in job.verdict["evidence"]), job.verdict
