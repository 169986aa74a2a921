"""``jupyter_hpc.lineage(…)``: how something came to be, as text, picture and JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...model.exceptions import HPCError
from ...model.printable import printable
from ...rundir.store import Store
from ..ask import find, graph, stale
from ..ask.details import Details, details
from ..index.index import Index, index_of
from ..record import session

FULL = 200  # activities that are shown with all that is recorded of them


@dataclass
class Lineage:
    """How a value, a file or a run came to be.

    Attributes
    ----------
    start : Start
        What was asked for, and who made it.
    graph : Graph
        The activities that led to it, folded for people.
    details : dict
        All that is recorded of each run, by its id.
    cells : dict
        The code of each local cell, by its id; also of those that were folded.
    stale : list of str
        Why it is no longer what its code would make now, a line each.
    tags : list of str
        What people called it.
    """

    start: find.Start
    graph: graph.Graph
    details: Mapping[str, Details]
    cells: Mapping[str, str]
    stale: list[str]
    tags: list[str]

    @property
    def text(self) -> str:
        from .text import text

        return printable(text(self))

    def __repr__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        from .svg import svg

        return svg(self)

    def _repr_html_(self) -> str:
        from .svg import html

        return html(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.text, "text/html": self._repr_html_()}

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON-able data: nodes with what is recorded of them, and links."""
        return {
            "start": vars(self.start),
            "tags": self.tags,
            "stale": self.stale,
            "is_cut": self.graph.is_cut,
            "nodes": [_node(node, self.details.get(ident)) for ident, node in self.graph.nodes.items()],
            "cells": dict(self.cells),
            "links": [{**vars(link), "names": list(link.names)} for link in self.graph.links],
        }


def _node(node: graph.Node, known: Details | None) -> dict[str, Any]:
    return {
        "id": node.id,
        "kind": node.kind,
        "label": node.row.get("label") or "",
        "name": node.row.get("name") or "",
        "state": node.row.get("state"),
        "created": node.row.get("created"),
        "notebook": node.row.get("notebook"),
        "cell_id": node.row.get("cell_id"),
        "execution_count": node.row.get("exec_count"),
        "folded": node.folded,
        "used": node.used,
        "made": node.made,
        "details": known,
    }


def lineage(what: Any) -> Lineage:
    """Return how a value, a name, a run or a file came to be.

    Parameters
    ----------
    what : object, str or os.PathLike
        A value of this kernel; else a name, a run's id, a tag ``model:v3``, a digest, or the path of a file.

    Raises
    ------
    JobNotFound
        If no recorded run or cell made it.

    Examples
    --------
    >>> jupyter_hpc.lineage("model.pt")         # doctest: +SKIP
    >>> print(jupyter_hpc.lineage(model))       # doctest: +SKIP
    """
    from ..ask.values import kernel_names

    index, names = index_of(), kernel_names()
    if isinstance(what, os.PathLike):
        return of_start(index, find.of_file(index, what), names)
    if isinstance(what, str):
        return of_start(index, find.find(index, what, namespace=names), names)
    from ..ask.values import start_of

    return of_start(index, start_of(index, what), names)


def of_run(store: Store, run_id: str) -> dict[str, Any]:
    """Return a run's lineage for a front end: JSON, with the picture and the text in it.

    Raises
    ------
    JobNotFound
        If the index has no such run.
    """
    index = Index(store)
    found = of_start(index, find.find(index, run_id))
    from .svg import picture

    return {**found.to_json(), "picture": picture(found).to_json(), "svg": found._repr_svg_(), "text": found.text}


def of_start(index: Index, start: find.Start, namespace: Mapping[str, Any] | None = None) -> Lineage:
    """Return the lineage of what was found."""
    whole = graph.ancestors(index, [start.run_id])
    shown = graph.folded(whole)
    runs = [i for i, node in shown.nodes.items() if node.kind == "run"][:FULL]
    found = {i: known for i in runs if (known := details(index.store, index.store.run(i)))}
    local = [n for n in shown.nodes.values() if n.kind == "cell"][:FULL]
    code = session.code_of(index.store.root, (i for node in local for i in (node.id, *node.folded)))
    try:
        marks = stale.marks(index, start.run_id, whole, namespace)
    except (OSError, HPCError):  # a notebook that can't be read says nothing
        marks = []
    subjects = [s for s in (start.digest, start.run_id) if s]
    sql = f"SELECT key || ':' || value FROM tag WHERE subject IN ({', '.join('?' * len(subjects))}) ORDER BY t"  # noqa: S608
    tags = [row[0] for row in index.query(sql, subjects, fresh=False)]
    return Lineage(start, shown, found, code, marks, tags)
