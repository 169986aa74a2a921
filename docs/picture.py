"""Make the pictures: real cells on a real Slurm, photographed in JupyterLab, light and dark.

usage: python docs/picture.py [--only WORD …] [--into build/pictures]

The README's (docs/cell.png, docs/live.webp, docs/sidebar.png) are made in place, by the scenes cell, animation and
sidebar. Needs `pip install --group pictures`, Chromium, Slurm's packages (`make slurm`) and the sidebar's bundle
(`make labextension`).
"""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

from scenes import SCENES
from stage import HERE, stages

from jupyter_hpc.jobs.job import Job
from jupyter_hpc.rundir.store import store


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="scenes whose name holds one of these")
    parser.add_argument("--into", type=Path, default=HERE.parent / "build" / "pictures")
    arguments = parser.parse_args()
    chosen = [name for name in SCENES if any(word in name for word in arguments.only)]
    if not chosen:
        parser.error(f"no scene has any of {arguments.only} in its name: {', '.join(SCENES)}")
    failed = []
    with stages(arguments.into.absolute()) as new_stage:
        for name in chosen:
            print(f"-- {name}", flush=True)
            stage = new_stage()
            try:
                SCENES[name](stage)
            except Exception:  # the others are photographed all the same
                traceback.print_exc()
                failed.append(name)
                for i, page in enumerate(stage.pages):
                    page.screenshot(path=str(stage.into / f"failed-{name}-{i}.png"))
            for page in stage.pages:
                page.close()
            clear()
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


def clear() -> None:
    """End and forget all jobs, so that each scene begins with none."""
    jobs = [Job(run) for run in store().runs()]
    for job in jobs:
        if not job.status.state.is_final:
            job.cancel()
    for job in jobs:
        job.wait(60)
        store().forget(job.run)


if __name__ == "__main__":
    sys.exit(main())
