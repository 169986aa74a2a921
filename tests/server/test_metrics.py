"""The server's Prometheus metrics have the jobs in them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from jupyter_hpc.model.states import JobState
from tests.faults.road import submit, until
from tests.server.conftest import Server

WAITS = "import time\ntime.sleep(300)"


def scrape(server: Server) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = server.ask("/metrics")
    assert answer.status == 200
    families = text_string_to_metric_families(answer.body.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


def value(server: Server, name: str, **labels: str) -> float:
    return scrape(server).get((name, tuple(sorted(labels.items()))), 0.0)


def longest_wait(server: Server) -> float:
    return value(server, "jupyter_hpc_longest_wait_seconds", target="slurm")


def questions(server: Server) -> float:
    return value(server, "jupyter_hpc_scheduler_questions_total", target="slurm")


def test_jobs_are_counted_by_target_and_state(server: Server) -> None:
    before = value(server, "jupyter_hpc_jobs", target="slurm", state="COMPLETED")
    job = submit("x = 1")
    assert job.wait(120)
    counted = {"target": "slurm", "state": "COMPLETED"}
    until(lambda: value(server, "jupyter_hpc_jobs", **counted) == before + 1, "it is counted")


def test_the_longest_wait_is_that_of_a_job_that_waits(server: Server) -> None:
    first, second = (submit(WAITS, gpus=4) for _ in range(2))
    try:
        until(lambda: first.state is JobState.RUNNING, "the first runs")
        until(lambda: longest_wait(server) > 0.5, "the second waits")
    finally:
        first.cancel()
        second.cancel()
    assert first.wait(120)
    assert second.wait(120)
    until(lambda: longest_wait(server) == 0.0, "nothing waits")


def test_questions_to_the_scheduler_are_counted(server: Server) -> None:
    jobs = [submit(WAITS, gpus=4) for _ in range(2)]
    try:
        server.hpc("/jobs")  # this server follows them now, and one waits
        until(lambda: questions(server) > 0, "squeue was asked")
    finally:
        for job in jobs:
            job.cancel()
    assert all(job.wait(120) for job in jobs)


def test_strangers_see_no_metrics(server: Server) -> None:
    assert server.ask("/metrics", token=None).status in (302, 403)
