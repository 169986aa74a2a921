"""``%hpc`` commands about this machine: targets, config, doctor, clean."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ..follow.glance import refresh, sweep
from ..model.exceptions import HPCError, help_command
from ..model.resources import format_size
from ..model.spec import first_line
from ..rundir.cleaning import drop_unused, leftovers
from ..rundir.leftovers import HOUR_S, removed
from ..rundir.run import Run
from ..rundir.store import Store, disk_use, store
from ..runtime.settings import settings
from ..targets.targets import targets
from .definition import table


def _targets(arguments: argparse.Namespace) -> str:
    from ..runtime import portal

    rows = [("target", "backend", "state", "from")]
    for name, found in targets().items():
        try:
            words = portal.call(found.make_backend().check(), 15)
        except (HPCError, TimeoutError) as error:
            words = f"not there: {str(error).splitlines()[0]}"
        rows.append((name, found.backend, words, found.source))
    return table(rows)


def _config(arguments: argparse.Namespace) -> str:
    rows = [("setting", "value", "from")]
    rows += [(each.name, str(each.value), each.source) for each in settings()]
    for found in targets().values():
        value = {"backend": found.backend, **found.settings}
        if found.defaults:
            value["defaults"] = found.defaults
        rows.append((f"targets.{found.name}", str(value), found.source))
    return table(rows)


def _sign(row: str) -> str:
    """A target that nobody configured may be missing; one that somebody did is at fault."""
    if "not there" not in row:
        return "✓ "
    return "– " if row.endswith("built in") else "✗ "


def _doctor(arguments: argparse.Namespace) -> str:
    from ..practice import missing_packages

    lines = [f"✓ Python {sys.version.split()[0]} at {sys.executable}"]
    runs = store()
    where_runs_are = f"  → {help_command('run-directories')}"
    try:
        runs.prepare()
        runs.try_to_write()
        free = shutil.disk_usage(runs.root).free
        lines.append(f"✓ run directories in {runs.root} ({format_size(free)} free)")
    except HPCError as error:
        lines += [f"✗ {error.message} {error.hint}", where_runs_are]
    except OSError as error:
        lines += [f"✗ run directories in {runs.root} can't be written: {error.strerror}", where_runs_are]
    rows = [_sign(row) + row for row in _targets(arguments).splitlines()[1:]]
    lines += rows
    if any(row.startswith("✗") for row in rows):
        lines.append(f"  → {help_command('target')}")
    elif all(row.startswith("–") for row in rows if " local " not in row):
        lines.append(f"  → {help_command('no-cluster')}")
    missing = missing_packages()
    if missing:
        lines.append(f"– no practice Slurm: apt-get install -y --no-install-recommends {' '.join(missing)}")
        lines.append(f"  → {help_command('practice')}")
    else:
        lines.append("✓ a practice Slurm can be started here: jupyter hpc practice up")
    try:
        import ipywidgets

        lines.append(f"✓ ipywidgets {ipywidgets.__version__}: live panels")
    except ImportError:
        lines.append("– no ipywidgets: jobs are shown as text; pip install ipywidgets")
        lines.append(f"  → {help_command('ipywidgets')}")
    return "\n".join(lines)


def _clean(arguments: argparse.Namespace) -> str:
    runs = store()
    kept = time.time() - arguments.older_than * 86400
    readable, unreadable = runs.records()
    found = [run for run, _ in (*readable, *unreadable)]
    records = {**{run.id: {} for run, _ in unreadable}, **{run.id: record for run, record in readable}}
    gone: list[Run] = []
    for run, status in zip(found, refresh(found, records)):
        under_way = 0.0 if records[run.id] else HOUR_S  # a submission has no record yet
        if status.state.is_final and _created(run, records[run.id]) < min(kept, time.time() - under_way):
            gone.append(run)
    left = leftovers(runs)
    freed = sum(disk_use(run.path) for run in gone)
    total = disk_use(runs.root)
    lines = [f"{runs.root} uses {format_size(total)} in {len(found)} runs.", *_swept(records.values())]
    lines += [f"{run.id} can't be read: {why}." for run, why in unreadable if run not in gone]
    if not arguments.yes:
        lines += [
            f"would go: {run.id}  {first_line(records[run.id].get('code', {}).get('text', ''))[:60]}" for run in gone
        ]
        lines.append(
            f"{len(gone)} ended runs older than {arguments.older_than:g} days, {format_size(freed)}."
            " Add --yes to remove them."
        )
        lines += [f"{len(left)} things that killed processes left half made would go, too."] if left else []
        return "\n".join(lines)
    kept_back = [why for run in gone if (why := _removal_fails(runs, run))]
    removed(left)
    drop_unused(runs)
    return "\n".join([*lines, f"Removed {len(gone) - len(kept_back)} runs.", *kept_back])


def _created(run: Run, record: Mapping[str, Any]) -> float:
    """Return when a run was made; of one whose record can't be read, when its folder last changed."""
    try:
        return float(record.get("created") or run.path.stat().st_mtime)
    except OSError:  # removed meanwhile
        return time.time()


def _removal_fails(runs: Store, run: Run) -> str:
    """Remove a run; return why it can't be."""
    try:
        runs.remove(run)
    except HPCError as error:
        return error.message
    return ""


def _swept(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """End what schedulers still have of runs that have ended; one that can't be asked stops nothing else."""
    lines = []
    for name in sorted({str(record["target"]["name"]) for record in records if record.get("target")}):
        try:
            lines += [f"Ended the job that {name} still had of {run_id}, which had ended." for run_id in sweep(name)]
        except Exception as error:  # a target that is no more, a scheduler that hangs
            why = str(error).partition("\n")[0]
            lines.append(f"{name} could not be asked what it still has of ended runs: {why}")
    return lines


def _clean_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than", type=float, default=30.0, metavar="DAYS", help="only runs older than this (30)")
    parser.add_argument("--yes", action="store_true", help="remove; without it, only say what would go")
