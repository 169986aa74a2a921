"""Prometheus metrics of this user's jobs, beside the server's own under ``/metrics``.

They are counted when somebody scrapes, from what the listing and the watchers hold: a scrape asks no scheduler.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ..targets.connection import budgets
from ..views.job_order import in_group
from .listing import Listing


class JobMetrics(Collector):
    """Counts a listing's jobs.

    Parameters
    ----------
    listing : Listing
        The runs of this server's user.
    """

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    def collect(self) -> Iterator[Metric]:
        rows = self._listing.recorded()
        jobs = GaugeMetricFamily("jupyter_hpc_jobs", "Jobs whose record is kept.", labels=("target", "state"))
        for (target, state), count in Counter((row["target"], row["state"]) for row in rows).items():
            jobs.add_metric((target, state), count)
        yield jobs
        oldest: dict[str, float] = {}
        for row in rows:
            if in_group(row, "waiting") and row["created"]:
                oldest[row["target"]] = min(oldest.get(row["target"], row["created"]), row["created"])
        waits = GaugeMetricFamily(
            "jupyter_hpc_longest_wait_seconds", "Age of the job that waits longest.", labels=("target",)
        )
        for target, created in oldest.items():
            waits.add_metric((target,), max(0.0, time.time() - created))
        yield waits
        asked = CounterMetricFamily(
            "jupyter_hpc_scheduler_questions",
            "Questions that this server put to a scheduler.",
            labels=("target",),
        )
        for target, budget in budgets().items():
            asked.add_metric((target,), budget.total)
        yield asked


def register(listing: Listing) -> JobMetrics:
    """Let ``/metrics`` show a listing's jobs."""
    metrics = JobMetrics(listing)
    REGISTRY.register(metrics)
    return metrics


def unregister(metrics: JobMetrics) -> None:
    REGISTRY.unregister(metrics)
