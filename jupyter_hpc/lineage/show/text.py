"""A lineage as a tree of text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...model.resources import format_size
from ...model.states import state_words
from ..ask.details import Details, commit, where
from ..ask.graph import Graph, Link, Node

if TYPE_CHECKING:
    from .view import Lineage

CODE_LINES = 6
MOST_NODES = 60
_NOTABLE = ("numpy", "pandas", "torch", "scikit-learn", "jax", "tensorflow", "scipy", "xgboost", "polars")


def text(lineage: Lineage) -> str:
    """Return the tree, the result first, each with what it came from below it."""
    start = lineage.start
    tags = f"  [{', '.join(lineage.tags)}]" if lineage.tags else ""
    lines = [f"{start.title}{_digest(start.digest)}{tags}"]
    if start.note:
        lines.append(f"! {start.note}")
    lines += [f"! stale: {why}" for why in lineage.stale]
    shown: set[str] = set()
    lines += _node(lineage, start.run_id, "", shown)
    hidden = len(lineage.graph.nodes.keys() - shown)
    if hidden or lineage.graph.is_cut:
        lines.append(f"… and {hidden}{' or more' if lineage.graph.is_cut else ''} earlier ones")
    return "\n".join(lines)


def _digest(digest: str | None) -> str:
    return f"  {digest[:15]}…" if digest else ""


def _node(lineage: Lineage, ident: str, indent: str, shown: set[str]) -> Iterator[str]:
    node = lineage.graph.nodes[ident]
    title = title_of(node, lineage.details.get(ident))
    if ident in shown:
        yield f"{indent}└─ {title} (above)"
        return
    shown.add(ident)
    yield f"{indent}└─ {title}"
    inner = f"{indent}   "
    for line in _facts(node, lineage.details.get(ident), lineage.cells.get(ident, "")):
        yield f"{inner}│ {line}"
    for link in ordered(lineage.graph, ident):
        if link.parent not in shown and len(shown) >= MOST_NODES:
            continue
        yield f"{inner}{arrow(link)}"
        yield from _node(lineage, link.parent, inner, shown)


def ordered(graph: Graph, ident: str) -> list[Link]:
    """Return what an activity came from, the latest first."""
    links = graph.parents(ident)
    return sorted(links, key=lambda link: -(graph.nodes[link.parent].row.get("created") or 0))


def arrow(link: Link) -> str:
    """Return in words what came from there, and how sure that is."""
    how = {
        "cells": "may derive",
        "name": "by name",
        "mutated": "changed in place",
        "view": "a view",
        "path": "by path",
    }
    words = how.get(link.via, "")
    names = ", ".join(link.names) or "all"
    return f"{names}{f' ({words})' if words else ''} from"


def title_of(node: Node, known: Details | None) -> str:
    """Return one line: what it was, where, when, how it ended."""
    row = node.row
    if node.kind == "gone":
        return f"run {node.id} (its record is gone)"
    if node.kind == "cell":
        return _cells(node)
    name = f" “{row['name']}”" if row.get("name") else ""
    ran = where(known) if known else row.get("target") or ""
    day = time.strftime("%d %b %Y %H:%M", time.localtime(row["created"])) if row.get("created") else ""
    return f"run {node.id}{name} · {ran} · {state_words(row.get('state'))} · {day}"


def _cells(node: Node) -> str:
    count = 1 + len(node.folded)
    if count > 1:
        return f"{count} local cells up to In [{node.row.get('exec_count')}]: {node.row.get('label')}"
    return f"local cell In [{node.row.get('exec_count')}]: {node.row.get('label')}"


def _facts(node: Node, known: Details | None, cell: str) -> Iterator[str]:
    if node.kind != "run" or known is None:
        if len(cell.strip().splitlines()) > 1:  # else its title has it all
            yield "code:"
            yield from _some_lines(cell)
        files = [e["name"] for e in node.used if e["kind"] == "file"]
        if files:
            yield f"files read: {', '.join(files)}"
        return
    yield from _code(known)
    for repository in known["git"]:
        yield f"git: {commit(repository)}"
    if known["parameters"]:
        yield "parameters: " + ", ".join(f"{k}={v}" for k, v in list(known["parameters"].items())[:12])
    yield _environment(known)
    if known["execution"]["resources_text"]:
        yield f"resources: {known['execution']['resources_text']}"
    if known["outcome"]["error"]:
        yield f"ended: {known['outcome']['message'] or known['outcome']['error']}"
    yield from _data(node)


def _code(known: Details) -> Iterator[str]:
    notebook = known["notebook"]
    place = " of ".join(str(x) for x in (known["code"]["label"], notebook.get("path")) if x)
    yield f"code ({place}):" if place else "code:"
    yield from _some_lines(known["code"]["text"])
    others = [*known["code"]["functions"], *known["code"]["modules"]]
    if others:
        yield f"with: {', '.join(others[:12])}{' …' if len(others) > 12 else ''}"


def _some_lines(code: str) -> Iterator[str]:
    lines = [line for line in code.strip().splitlines() if line.strip()]
    yield from (f"  {line[:100]}" for line in lines[:CODE_LINES])
    if len(lines) > CODE_LINES:
        yield f"  … {len(lines) - CODE_LINES} more lines"


def _environment(known: Details) -> str:
    found = known["environment"]
    packages = found["packages"]
    notable = [f"{name} {packages[name]}" for name in _NOTABLE if name in packages]
    words = [f"Python {found['python']}" if found["python"] else "environment", f"{len(packages)} packages"]
    if image := known["execution"]["image"]:
        notable.append(f"image {image['name']}")
    return ", ".join([*words, *notable]) + _digest(found["digest"])


def _data(node: Node) -> Iterator[str]:
    """Values that people named; functions, modules and numbers are only counted."""
    for role, edges in (("used", node.used), ("made", node.made)):
        values = [e for e in edges if e["kind"] != "code"]
        if values:
            some = ", ".join(_value(e) for e in values[:12])
            yield f"{role}: {some}{f' and {len(values) - 12} more' if len(values) > 12 else ''}"


def _value(edge: dict[str, object]) -> str:
    size = edge.get("nbytes")
    return f"{edge['name']} ({format_size(size)})" if isinstance(size, int) and size > 1024 else str(edge["name"])
