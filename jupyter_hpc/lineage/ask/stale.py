"""Why a result is no longer what the notebook would make now: a cell, function, module or input changed since."""

from __future__ import annotations

import filecmp
import inspect
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...model.redaction import code_redacted
from ...rundir.fitting import parsed
from ...rundir.run import Run
from ..index.activity import CODE_TYPES, MAY_MUTATE
from ..index.index import Index
from .graph import Graph, Node, ancestors

MOST = 200  # activities that are looked at; the nearest come first
_MAGICS = re.compile(r"(?:\s*%%\w+[^\n]*(?:\n|\Z))+")  # `%%time` before ours
_AGAIN = (  # a job that was submitted again ran no cell
    "SELECT exec_count, session FROM run WHERE cell_id = ? AND notebook IS ? AND created > ?"
    " AND resubmits IS NULL AND NOT (exec_count IS ? AND session IS ?) ORDER BY created DESC LIMIT 1"
)
_SAME = (  # one execution of a cell may be several activities: `%%time` around a remote cell, a loop that submits
    "SELECT 1 FROM run WHERE cell_id = ? AND notebook IS ? AND exec_count IS ? AND session IS ?"
    " AND code_digest = ? LIMIT 1"
)
_WRITTEN = (
    "SELECT r.run_id, r.exec_count, e.digest, r.kind FROM edge AS e JOIN run AS r USING(run_id) WHERE e.name = ?"
    " AND e.role = 'generated' AND e.kind = 'value' AND e.t > ? AND r.session = ?"
    " AND e.type IS NOT ? ORDER BY e.t DESC LIMIT 1"
)


def marks(index: Index, start: str, graph: Graph, namespace: Mapping[str, Any] | None = None) -> list[str]:
    """Return why something is stale, a line each: what changed of the activity that made it, then what led to that.

    Parameters
    ----------
    namespace : mapping, optional
        The kernel's names: functions are then compared with those that ran.
    """
    found: dict[str, None] = {}
    for ident, node in list(graph.nodes.items())[:MOST]:
        if node.kind == "gone":
            continue
        for why in _of_node(index, node, namespace):
            found[why if ident == start else f"upstream, {_words(node)}: {why}"] = None
    return list(found)


def of_inputs(index: Index, record: Mapping[str, Any], namespace: Mapping[str, Any]) -> list[str]:
    """Return which inputs of a run were stale when it got them, and why: a line each."""
    lines = []
    for item in record.get("inputs") or ():
        told = item.get("origin") or {}
        made_by = told.get("run") or (told.get("cells") or [""])[-1]
        if made_by and item.get("type") not in CODE_TYPES:
            found = marks(index, made_by, ancestors(index, [made_by], MOST), namespace)
            lines += [f"{item['name']} is stale: {found[0]}"] if found else []
    return lines


def _words(node: Node) -> str:
    return f"In [{node.row.get('exec_count')}]" if node.kind == "cell" else f"run {node.id}"


def _of_node(index: Index, node: Node, namespace: Mapping[str, Any] | None) -> Iterator[str]:
    row = node.row
    cell, own = (row.get("cell_id"), row.get("notebook")), (row.get("exec_count"), row.get("session"))
    again = index.query(_AGAIN, (*cell, row.get("created"), *own), fresh=False)
    if again and not index.query(_SAME, (*cell, *again[0], row.get("code_digest")), fresh=False):
        yield f"its cell was changed and ran again as In [{again[0][0]}]"
    yield from _inputs(index, node)
    run = index.store.run(node.id) if node.kind == "run" else None
    record = run.record_or_none() if run else None
    if run is None or record is None:
        return
    if not again and _is_edited(record):
        yield "the text of its cell was changed since"
    yield from _modules(run, record)
    if namespace is not None:
        yield from _functions(record, namespace)


def _inputs(index: Index, node: Node) -> Iterator[str]:
    """Names that the activity used and that something wrote again afterwards."""
    row = node.row
    made = {edge["name"] for edge in node.made}
    for edge in node.used:
        if edge["kind"] == "file":
            yield from _file(edge)
        elif edge["kind"] == "value" and row.get("session") and edge["name"] not in made:
            rows = index.query(_WRITTEN, (edge["name"], row.get("created"), row["session"], MAY_MUTATE), fresh=False)
            if rows and not (rows[0][2] and rows[0][2] == edge["digest"]):
                run_id, count, _, kind = rows[0]
                by = f"In [{count}]" if kind == "local_cell" else f"run {run_id}"
                yield f"{edge['name']} was written again by {by}"


def _file(edge: Mapping[str, Any]) -> Iterator[str]:
    """A file of another size has other content; one of the same size is not read for this."""
    try:
        size = os.path.getsize(edge["name"]) if os.path.isfile(edge["name"]) else None
    except OSError:
        return
    if size is not None and edge["nbytes"] is not None and size != edge["nbytes"]:
        yield f"the file {edge['name']} was changed"


def _is_edited(record: Mapping[str, Any]) -> bool:
    """Whether the notebook on disk has another text in the run's cell."""
    told = record.get("notebook") or {}
    path, cell_id = told.get("path"), told.get("cell_id")
    if not path or not cell_id or record.get("kind") != "cell" or not os.path.isfile(path):
        return False
    try:
        cells = parsed(Path(path).read_bytes())["cells"]
        sources = [cell["source"] for cell in cells if cell.get("id") == cell_id]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    if not sources:
        return False
    return _body("".join(sources[0])) != _body(str(record["code"].get("text") or ""))


def _body(text: str) -> str:
    """Return a cell without the magics that it begins with; a remote cell's own text has none, or those of its body."""
    found = _MAGICS.match(text)
    return text[found.end() if found else 0 :].strip()


def _modules(run: Run, record: Mapping[str, Any]) -> Iterator[str]:
    files = (record["code"].get("modules") or {}).get("files") or {}
    if not files:
        return
    frozen = run.sent().get("cell", {}).get("module_paths") or ()
    for folder in frozen:
        for name, path in files.items():
            kept = os.path.join(folder, name)
            if os.path.isfile(kept) and os.path.isfile(path) and not filecmp.cmp(kept, path):
                yield f"{name} was changed"


def _functions(record: Mapping[str, Any], namespace: Mapping[str, Any]) -> Iterator[str]:
    for name, ran in (record["code"].get("functions") or {}).items():
        value = namespace.get(name)
        if not inspect.isfunction(value):
            continue
        try:
            source = inspect.getsource(value)
        except (OSError, TypeError):
            continue
        if ran.get("source") not in (source, code_redacted(source)):
            yield f"{name}() was changed"
