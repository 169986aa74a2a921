"""Run a notebook top to bottom, say where each cell ran and how long it took, keep it and an HTML page.

usage: python notebooks/run.py NOTEBOOK [--on slurm|k8s|local] [--into FOLDER] [--keep-cluster]

``--on`` runs the ``%%slurm`` cells elsewhere, by changing that word. Starts the practice Slurm where it can and
none is there; where there is no Slurm at all, ``%%slurm`` cells run as ``%%local``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import nbclient
import nbconvert
import nbformat
from retarget import retarget

from jupyter_hpc import practice
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.rundir.store import store
from jupyter_hpc.runtime import portal
from jupyter_hpc.targets.targets import targets

TIMEOUT_S = 300


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--on", choices=("slurm", "k8s", "local"), default="slurm")
    parser.add_argument("--into", type=Path, default=Path("demo"))
    parser.add_argument("--no-page", dest="page", action="store_false", help="no HTML")
    parser.add_argument("--keep-cluster", action="store_true", help="leave the practice Slurm running")
    arguments = parser.parse_args()
    started = _start_cluster() if arguments.on == "slurm" else False
    try:
        return _run(arguments.notebook, arguments.into, "local" if started is None else arguments.on, arguments.page)
    finally:
        if started and not arguments.keep_cluster:
            practice.down()
            print("The practice Slurm is stopped.")


def _start_cluster() -> bool | None:
    """Return True if this started a cluster, False if one was there, None if there is none."""
    found = targets()["slurm"]
    if found.settings or os.environ.get("SLURM_CONF") or Path("/etc/slurm/slurm.conf").exists():
        print("Using the Slurm that is here.")
        return False
    try:
        print(practice.up().detail)
    except TargetError as error:
        print(f"{error}\nCells run with %%local.")
        return None
    return True


def _has_kubernetes(notebook: nbformat.NotebookNode) -> bool:
    """Tell whether cells for Kubernetes, if there are any, can run there; else say that they run here."""
    if not any(cell.source.startswith("%%k8s") for cell in notebook.cells):
        return True
    try:
        portal.call(targets()["k8s"].make_backend().check(), 30)
    except (TargetError, TimeoutError) as error:
        print(f"{error}\n%%k8s cells run with %%local.")
        return False
    return True


def _run(path: Path, into: Path, target: str, with_page: bool) -> int:
    notebook = nbformat.read(path, as_version=4)
    if target != "slurm":
        retarget(notebook, "slurm", target)
    if target != "k8s" and not _has_kubernetes(notebook):
        retarget(notebook, "k8s", "local")
    if into.resolve() == path.parent.resolve() and notebook != nbformat.read(path, as_version=4):
        print(f"{path} is left as it is: its targets aren't all here.", file=sys.stderr)
        return 0
    already = {run.id for run in store().runs()}
    seen: dict[int, str] = {}

    def report(cell: nbformat.NotebookNode, cell_index: int, **_: object) -> None:
        first = next((x for x in cell.source.splitlines() if x.strip()), "")[:60]
        new = [Job(run) for run in store().runs() if run.id not in already]
        already.update(job.id for job in new)
        where = ", ".join(job.describe() for job in reversed(new)) or "in the kernel"
        took = time.monotonic() - times[cell_index]
        seen[cell_index] = where
        print(f"  [{cell_index}] {took:6.2f} s  {first:<60}  {where}", flush=True)

    times: dict[int, float] = {}
    client = nbclient.NotebookClient(
        notebook,
        timeout=TIMEOUT_S,
        kernel_name="python3",
        store_widget_state=False,  # every panel has become a card
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell, cell_index: times.__setitem__(cell_index, time.monotonic()),
        on_cell_executed=lambda cell, cell_index, execute_reply: report(cell, cell_index),
    )
    into.mkdir(parents=True, exist_ok=True)
    status = 0
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        print(error, file=sys.stderr)
        status = 1
    target = into / path.name
    nbformat.write(notebook, target)
    if with_page:
        page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
        target.with_suffix(".html").write_text(page, encoding="utf-8")
    print(f"{len([w for w in seen.values() if w != 'in the kernel'])} cells ran as jobs.")
    print(f"{target} holds the executed notebook{', ' + target.stem + '.html too' if with_page else ''}.")
    return status


if __name__ == "__main__":
    sys.exit(main())
