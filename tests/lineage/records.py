"""Run directories as runs leave them, made by hand: for scale, and for what no run does on purpose."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jupyter_hpc.rundir import blobs
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.rundir.store import Store

START = 1_790_000_000.0


def run_id(i: int, start: float = START) -> str:
    """The id of the i-th run, a second after the one before it."""
    moment = datetime.fromtimestamp(start + i, timezone.utc)
    return f"{moment:%Y%m%d-%H%M%S}-{i % 0xFFFFFF:06x}"


def digest(text: str) -> str:
    from jupyter_hpc.worker.digest import digest_bytes

    return digest_bytes(text.encode())


def value(name: str, content: str, **more: Any) -> dict[str, Any]:
    """An input or output item."""
    return {
        "name": name,
        "type": "numpy.ndarray",
        "nbytes": 4096,
        "digest": digest(content),
        "shape": [512],
        **more,
    }


def record(i: int, **fields: Any) -> dict[str, Any]:
    """The record of a run that ended well."""
    created = START + i
    found: dict[str, Any] = {
        "format": 1,
        "id": run_id(i),
        "kind": "cell",
        "created": created,
        "name": None,
        "target": {"name": "slurm", "backend": "slurm"},
        "spec": {"resources": {"cpus": 2, "memory": 1 << 30}, "workdir": "/home/ann"},
        "code": {
            "text": f"y = f(x)  # {i}\n",
            "digest": digest(f"code {i}"),
            "label": "Cell In[1]",
            "functions": {},
            "modules": {"digest": "sha256:0", "files": {}},
        },
        "inputs": [],
        "outputs": [],
        "environment": {"digest": digest("environment")},
        "notebook": {"path": "work.ipynb", "cell_id": f"c{i % 50}", "execution_count": i % 100, "session": "s1"},
        "user": "ann",
        "host": "login1",
        "state": "COMPLETED",
        "native_id": str(1000 + i),
        "submitted_at": created,
        "node": "n1",
        "started_at": created + 0.2,
        "ended_at": created + 0.7,
        "verdict": {"state": "COMPLETED", "error": "", "cause": "", "message": ""},
    }
    found.update(fields)
    return found


def environment(store: Store, packages: dict[str, str], i: int) -> str:
    """Keep an environment for the i-th run, and return its digest."""
    run = Run(store.runs_directory / run_id(i))
    run.path.mkdir(parents=True, exist_ok=True)
    return blobs.keep(run, json.dumps({"python": "3.11.7", "packages": packages}).encode())


def write(store: Store, found: dict[str, Any]) -> Path:
    """Write a record as a run directory."""
    path = store.runs_directory / found["id"]
    path.mkdir(parents=True, exist_ok=True)
    (path / "record.json").write_text(json.dumps(found))
    return path


def write_cells(store: Store, session: str, cells: list[dict[str, Any]]) -> Path:
    """Add lines to a kernel's local cells."""
    path = store.root / "cells" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for n, cell in enumerate(cells):
            whole = {
                "id": f"{session}:{n}",
                "t": START,
                "execution_count": n,
                "notebook": "work.ipynb",
                "cell_id": None,
                "text": "",
                "digest": None,
                "reads": {},
                "writes": [],
                **cell,
            }
            file.write(json.dumps(whole) + "\n")
    return path


def random_history(count: int, *, inputs: int = 2, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Records of runs that each use what some earlier ones made, mostly recent ones: three edges a run."""
    chance = random.Random(seed)
    for i in range(count):
        back = [max(0, i - 1 - int(chance.expovariate(1 / 200))) for _ in range(inputs)]
        used = [value(f"x{n}", f"value {b}") for n, b in enumerate(back) if b < i]
        yield record(i, inputs=used, outputs=[value("y", f"value {i}")])
