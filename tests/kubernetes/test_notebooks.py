"""The notebooks that need a Kubernetes: one for administrators, and one with a Slurm beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from jupyter_hpc import practice
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.kubernetes.conftest import Targets
from tests.notebooks.test_notebooks import ROOT, check_outputs


def run(name: str, into: Path, **variables: str) -> str:
    command = [sys.executable, str(ROOT / "notebooks" / "run.py"), str(ROOT / "notebooks" / name)]
    done = subprocess.run(
        [*command, "--into", str(into)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    check_outputs(nbformat.read(into / name, as_version=4))
    page = (into / name).with_suffix(".html").read_text()
    assert 'class="jp-HPCCard"' in page
    assert "<img" in page
    return done.stdout


def test_an_administrator_sets_up_a_namespace(targets: Targets, kubernetes: Kubernetes, tmp_path: Path) -> None:
    said = run(
        "04-kubernetes-admin.ipynb",
        tmp_path,
        KUBECONFIG=str(kubernetes.kubeconfig),
        LAB_IMAGE=kubernetes.image_with_packages,
    )
    assert said.count("completed · k8s job") == 2
    text = (tmp_path / "04-kubernetes-admin.ipynb").read_text()
    assert "missing: nothing" in text
    assert "may read secrets: False" in text
    assert "quota" in text.partition("%hpc why greedy")[2] or "quota" in text.rpartition("Waits")[2]


def test_two_clusters_share_a_notebook(
    targets: Targets, kubernetes: Kubernetes, practice_slurm: Path, tmp_path: Path
) -> None:
    targets.add("k8s", image=kubernetes.image_with_packages)
    assert practice.status(practice_slurm).running
    said = run("02-two-clusters.ipynb", tmp_path, JUPYTER_HPC_PRACTICE_DIR=str(practice_slurm))
    assert said.count("completed · k8s job") >= 3
    assert said.count("completed · slurm job") >= 3
    cells = {cell.source: text(cell) for cell in nbformat.read(tmp_path / "02-two-clusters.ipynb", 4).cells}
    assert_a_chain(cells["%hpc lineage net"], "“prepare” · k8s job", "clean = np.abs(X)")
    assert re.search(r"✓ the same as in [\w-]+: net, losses\n", cells["%hpc rerun train"])
    assert "✗" not in cells["%hpc rerun train"]


def test_a_model_is_traced_to_the_pod_that_drew_its_data(
    targets: Targets, kubernetes: Kubernetes, practice_slurm: Path, tmp_path: Path
) -> None:
    targets.add("k8s", image=kubernetes.image_with_packages)
    said = run("03-lineage.ipynb", tmp_path, JUPYTER_HPC_PRACTICE_DIR=str(practice_slurm))
    assert said.count("completed · k8s job") == 1
    cells = nbformat.read(tmp_path / "03-lineage.ipynb", 4).cells
    of_the_value, of_the_file, since = (text(c) for c in cells if "%hpc lineage" in c.source)
    for chain in (of_the_value, of_the_file, since):
        assert_a_chain(chain, "“recordings” · k8s job", "X = (raw - raw.mean")
    assert ["stale" in chain for chain in (of_the_value, of_the_file, since)] == [False, False, True]
    same, other = (text(c) for c in cells if "%hpc rerun" in c.source)
    assert re.search(r"✓ the same as in [\w-]+: net, losses, net.npz\n", same)
    assert re.search(r"rate +0\.003 → 0\.01", other)


def text(cell: nbformat.NotebookNode) -> str:
    """What a cell's outputs say to somebody without pictures."""
    outputs = cell.get("outputs", [])
    return "".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def assert_a_chain(lineage: str, prepared: str, between: str) -> None:
    """From the job on Slurm through a local cell to the job on Kubernetes, in this order."""
    steps = ["“train” · slurm job", f": {between}", prepared]
    assert all(step in lineage for step in steps), lineage
    assert sorted(steps, key=lineage.index) == steps, lineage
