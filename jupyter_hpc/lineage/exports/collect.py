"""The runs that an export is about, with what is known of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...model.exceptions import HPCError, JobNotFound
from ...rundir.run import Run
from ..ask import find, graph
from ..ask.details import Details, details
from ..index.index import Index

MOST = 1000  # activities that one export walks


@dataclass(frozen=True)
class Exported:
    """One run that is exported: its directory, its record, all that is known of it, and the runs that it used."""

    run: Run
    record: dict[str, Any]
    details: Details
    upstream: tuple[str, ...]


def collect(index: Index, start: find.Start) -> list[Exported]:
    """Return the runs that led to something, the one that made it first.

    Raises
    ------
    JobNotFound
        If no run is among them.
    """
    whole = graph.folded(graph.ancestors(index, [start.run_id], MOST))
    found = []
    for ident in whole.nodes:
        run = index.store.run(ident) if whole.nodes[ident].kind == "run" else None
        known = details(index.store, run) if run else None
        if run is not None and known is not None:
            found.append(Exported(run, run.record(), known, tuple(_runs_above(whole, ident))))
    if not found:
        raise JobNotFound(f"No run led to {start.title}.", hint="`%hpc lineage` shows what did.")
    return found


def _runs_above(whole: graph.Graph, ident: str) -> list[str]:
    """Return the runs whose values a run used, also through local cells."""
    found: dict[str, None] = {}
    seen, frontier = {ident}, [ident]
    while frontier:
        for link in whole.parents(frontier.pop()):
            if link.parent in seen:
                continue
            seen.add(link.parent)
            if whole.nodes[link.parent].kind == "cell":
                frontier.append(link.parent)
            elif whole.nodes[link.parent].kind == "run":
                found[link.parent] = None
    return list(found)


def missing(library: str, extra: str) -> HPCError:
    """Return the error of a library that isn't installed."""
    return HPCError(f"{library} is not installed here.", hint=f"pip install 'jupyter-hpc[{extra}]'")


def requirements(found: Exported) -> str:
    """Return the run's packages as a requirements file."""
    return "".join(f"{name}=={version}\n" for name, version in found.details["environment"]["packages"].items())
