"""The tour, with one word changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.kubernetes.conftest import Targets

ROOT = Path(__file__).parents[2]


def test_the_tour_runs_on_kubernetes(targets: Targets, kubernetes: Kubernetes, tmp_path: Path) -> None:
    targets.add("k8s", image=kubernetes.image_with_packages)
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(ROOT / "notebooks" / "00-tour.ipynb")]
    done = subprocess.run(
        [*command, "--on", "k8s", "--into", str(tmp_path)],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=280,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "k8s job" in done.stdout
    assert "slurm job" not in done.stdout
    page = (tmp_path / "00-tour.html").read_text()
    assert 'class="jp-HPCCard"' in page
    assert "<img" in page
