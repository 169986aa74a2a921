"""What of a store nobody needs any more."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from .leftovers import HOUR_S, left_in
from .run import PARTS, Run
from .store import FRESH_S, PUBLISHED, Store

PUBLISHED_S = HOUR_S  # since a submission that goes on last took it


def leftovers(runs: Store) -> list[Path]:
    """Return what processes that were killed left half made: nobody has a use for it."""
    shared = (Path(folder) for folder, _, _ in os.walk(runs.root / "blobs"))
    folders = (*(runs.root / name for name in ("runs", *PUBLISHED)), *shared)
    found = [path for folder in folders for path in left_in(folder)]
    for run in runs.runs():
        parts = (run.path, *(run.path / PARTS).glob("*"))
        inside = (run.payload, *parts, *(part / "result" for part in parts))
        found += [run.path] if _is_cut_off(run) else [path for each in inside for path in left_in(each)]
    return found


def drop_unused(runs: Store) -> None:
    """Remove shared buffers that no run links any more, and frozen modules and environments that no run names.

    A submission that is under way names nothing yet. What it needs is new, or was touched by it (`publish`).
    """
    named = {path for run in runs.runs() for path in (run.sent().get("cell") or {}).get("module_paths") or ()}
    for frozen in (runs.root / "modules").glob("*"):
        if str(frozen) not in named and _is_old(frozen, PUBLISHED_S):
            shutil.rmtree(frozen, ignore_errors=True)
    _drop_environments(runs)
    for path in runs.blobs():
        with suppress(OSError):  # somebody else cleans, too
            if path.lstat().st_nlink == 1 and _is_old(path, FRESH_S):
                path.unlink()


def _drop_environments(runs: Store) -> None:
    """Remove built environments that no run links; with the last of them uv and its cache."""
    used = {os.path.realpath(link) for link in runs.runs_directory.glob("*/environment")}
    root = runs.root / "environments"
    built = [f for f in root.glob("*") if f.is_dir() and f.name not in ("uv", "cache")]
    for folder in built:
        if str(folder.resolve()) not in used and _is_old(folder, PUBLISHED_S):
            shutil.rmtree(folder, ignore_errors=True)
    if built and not used and not any(folder.exists() for folder in built):
        for name in ("uv", "cache"):
            shutil.rmtree(root / name, ignore_errors=True)


def _is_cut_off(run: Run) -> bool:
    """Whether a submission was killed before there was anything of it that could run."""
    left = ("record.json", "events.jsonl", "result", "end.json", "scheduler.log")
    return not any(os.path.lexists(run.path / name) for name in left) and _is_old(run.path, HOUR_S)


def _is_old(path: Path, seconds: float) -> bool:
    try:
        return time.time() - path.lstat().st_mtime > seconds
    except OSError:  # gone
        return False
