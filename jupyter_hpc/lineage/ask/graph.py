"""Which activities led to one: walked in the index, folded for people.

Arrows are as PROV has them: a link goes from who used something to who made it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..index.activity import LOCAL_CELL, RUN_COLUMNS
from ..index.index import Index

MOST = 200  # activities of one answer: a view shows sixty
_WALK = """
WITH RECURSIVE reached(id) AS (
    SELECT value FROM json_each(?)
    UNION SELECT parent FROM link JOIN reached ON child = id)
SELECT id FROM reached LIMIT ?
"""
_AMONG = "IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class Link:
    """``child`` used ``names`` that came from ``parent``; ``via`` says how that is known."""

    child: str
    parent: str
    names: tuple[str, ...]
    via: str


@dataclass
class Node:
    """One activity: a run, a local cell, or several cells folded into one."""

    id: str
    kind: str  # run, cell, or gone: removed from the store
    row: dict[str, Any] = field(default_factory=dict)
    used: list[dict[str, Any]] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)  # cells that this one stands for too


@dataclass
class Graph:
    """Activities and the links between them; ``is_cut`` when there are more than were walked."""

    nodes: dict[str, Node]
    links: list[Link]
    is_cut: bool = False

    def parents(self, node: str) -> list[Link]:
        return [link for link in self.links if link.child == node]


def ancestors(index: Index, starts: Iterable[str], most: int | None = MOST) -> Graph:
    """Return what led to some activities, these included, the nearest first."""
    return _load(index, *_walk(index, starts, most))


def _walk(index: Index, starts: Iterable[str], most: int | None) -> tuple[list[str], bool]:
    """Only ids travel through the recursion: with a depth beside them each would be walked once for every path."""
    limit = -1 if most is None else most + 1
    rows = index.query(_WALK, (json.dumps(list(starts)), limit))
    ids = [str(row[0]) for row in rows]
    return (ids, False) if most is None else (ids[:most], len(ids) > most)


def _load(index: Index, ids: list[str], is_cut: bool) -> Graph:
    among = json.dumps(ids)
    nodes = {ident: Node(ident, "gone") for ident in ids}
    sql = f"SELECT {', '.join(RUN_COLUMNS)} FROM run WHERE run_id {_AMONG}"  # noqa: S608 names of ours
    for row in index.query(sql, (among,), fresh=False):
        found = dict(zip(RUN_COLUMNS, row))
        nodes[found["run_id"]].row = found
        nodes[found["run_id"]].kind = "cell" if found["kind"] == LOCAL_CELL else "run"
    columns = ("run_id", "role", "kind", "name", "digest", "nbytes", "type")
    sql = f"SELECT {', '.join(columns)} FROM edge WHERE run_id {_AMONG}"  # noqa: S608 names of ours
    for row in index.query(sql, (among,), fresh=False):
        edge = dict(zip(columns, row))
        node = nodes[edge.pop("run_id")]
        (node.used if edge.pop("role") == "used" else node.made).append(edge)
    grouped: dict[tuple[str, str, str], list[str]] = {}
    sql = f"SELECT child, name, parent, via FROM link WHERE child {_AMONG}"  # noqa: S608
    for child, name, parent, via in index.query(sql, (among,), fresh=False):
        if parent in nodes:
            grouped.setdefault((child, parent, via), []).append(name)
    links = [Link(c, p, tuple(sorted(names)), via) for (c, p, via), names in grouped.items()]
    return Graph(nodes, links, is_cut)


# -- for people --------------------------------------------------------------------------------------


def folded(graph: Graph) -> Graph:
    """Return the graph without what nobody named: an array stands for its tasks, one cell for all that nothing led to.

    A local cell stays by itself where it lies between runs; those that only set things up become one.
    """
    stands_for = _tasks(graph) | _setup_cells(graph)
    nodes: dict[str, Node] = {}
    for ident, node in graph.nodes.items():
        target = stands_for.get(ident, ident)
        if target == ident:
            nodes[ident] = node
    for ident, target in stands_for.items():
        if target in nodes and graph.nodes[ident].kind == "cell":
            nodes[target].folded.append(ident)
    merged: dict[tuple[str, str], tuple[set[str], str]] = {}
    for link in graph.links:
        child, parent = (stands_for.get(x, x) for x in (link.child, link.parent))
        if child != parent and child in nodes and parent in nodes:
            names, _ = merged.setdefault((child, parent), (set(), link.via))
            names.update(n for n in link.names if not n.startswith("<"))
    links = [Link(c, p, tuple(sorted(names)), via) for (c, p), (names, via) in merged.items()]
    return Graph(nodes, _direct(nodes, links), graph.is_cut)


def _direct(nodes: dict[str, Node], links: list[Link]) -> list[Link]:
    """Leave out links to a cell through another cell: a run's record names all cells that may have led to an input."""
    parents: dict[str, set[str]] = {}
    for link in links:
        parents.setdefault(link.child, set()).add(link.parent)

    def behind(cell: str, seen: set[str]) -> set[str]:
        for parent in parents.get(cell, ()):
            if parent not in seen and nodes[parent].kind == "cell":
                seen.add(parent)
                behind(parent, seen)
        return seen

    cells = {i for i, node in nodes.items() if node.kind == "cell"}
    hidden = {c: set().union(*(behind(p, set()) for p in ps & cells)) for c, ps in parents.items()}
    return [link for link in links if link.via != "cells" or link.parent not in hidden[link.child]]


def _tasks(graph: Graph) -> dict[str, str]:
    """A task's array is where code and inputs are."""
    rows = ((ident, node.row.get("parent_run_id")) for ident, node in graph.nodes.items())
    return {ident: array for ident, array in rows if array in graph.nodes}


def _setup_cells(graph: Graph) -> dict[str, str]:
    """Cells that no run and no file led to, each with the newest of them, which stands for all."""
    children: dict[str, list[str]] = {}
    for link in graph.links:
        children.setdefault(link.parent, []).append(link.child)
    reached = {i for i, n in graph.nodes.items() if n.kind != "cell" or any(e["kind"] == "file" for e in n.used)}
    frontier = list(reached)
    while frontier:
        for child in children.get(frontier.pop(), ()):
            if child not in reached:
                reached.add(child)
                frontier.append(child)
    setup = sorted(graph.nodes.keys() - reached, key=lambda i: graph.nodes[i].row.get("created") or 0)
    return dict.fromkeys(setup[:-1], setup[-1]) if setup else {}
