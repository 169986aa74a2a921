"""What the tests of a real Slurm share: a budget of their own each, and a whole site without jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clusters.slurm.cluster import FullSlurm
from tests.faults.conftest import few_questions  # noqa: F401 fixture


@pytest.fixture(scope="module")
def empty_site(whole_site: FullSlurm) -> Iterator[FullSlurm]:
    """The whole site without anybody's jobs, which other tests may have left."""
    whole_site.cleared()
    yield whole_site
    whole_site.cleared()
