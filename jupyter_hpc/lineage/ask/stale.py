"""Why a result is no longer what the notebook would make now: a cell, function, module or input changed since."""

from __future__ import annotations

import filecmp
import inspect
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...model.redaction import code_redacted
from ...rundir.fitting import parsed
from ...rundir.run import Run
from ..index.activity import CODE_TYPES, MAY_MUTATE
from ..index.index import Index
from ..record.session import code_of, session
from .graph import Graph, Node, ancestors
from .same_code import same_code
from .values import digest_of

MOST = 200  # activities that are looked at; the nearest come first
MOST_BYTES = 16 << 20  # of a value that is looked at again
_MAGICS = re.compile(r"(?:\s*%%\w+[^\n]*(?:\n|\Z))+")  # `%%time` before ours
_AGAIN = (  # a job that was submitted again ran no cell
    "SELECT exec_count, session FROM run WHERE cell_id = ? AND notebook IS ? AND created > ?"
    " AND resubmits IS NULL AND NOT (exec_count IS ? AND session IS ?) ORDER BY created DESC LIMIT 1"
)
_RAN = (  # one execution of a cell may be several activities: `%%time` around a remote cell, a loop that submits
    "SELECT run_id, code_digest FROM run WHERE cell_id = ? AND notebook IS ? AND exec_count IS ? AND session IS ?"
    " ORDER BY created LIMIT 200"
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
    if again and not _has_ran(index, node, index.query(_RAN, (*cell, *again[0]), fresh=False)):
        yield f"its cell was changed and ran again as In [{again[0][0]}]"
    yield from _inputs(index, node, namespace)
    run = index.store.run(node.id) if node.kind == "run" else None
    record = run.record_or_none() if run else None
    if run is None or record is None:
        return
    if not again and _is_edited(record):
        yield "the text of its cell was changed since"
    yield from _modules(run, record)
    if namespace is not None:
        yield from _functions(record, namespace)


def _has_ran(index: Index, node: Node, others: Sequence[tuple[str, str | None]]) -> bool:
    """Whether one of these activities has the node's code."""
    if any(digest == node.row.get("code_digest") for _, digest in others):
        return True
    own = _text(index, node.id)
    return own is not None and any(
        same_code(own, text) for run_id, _ in others if (text := _text(index, run_id)) is not None
    )


def _text(index: Index, run_id: str) -> str | None:
    if ":" in run_id:
        return code_of(index.store.root, [run_id]).get(run_id)
    record = index.store.run(run_id).record_or_none()
    return None if record is None else str(record["code"].get("text") or "")


def _inputs(index: Index, node: Node, namespace: Mapping[str, Any] | None) -> Iterator[str]:
    """Names that the activity used and that something wrote again afterwards, with another value."""
    row = node.row
    made = {edge["name"] for edge in node.made}
    for edge in node.used:
        if edge["kind"] == "file":
            yield from _file(edge)
        elif edge["kind"] == "value" and row.get("session") and edge["name"] not in made:
            rows = index.query(_WRITTEN, (edge["name"], row.get("created"), row["session"], MAY_MUTATE), fresh=False)
            if rows and not (edge["digest"] and edge["digest"] in (rows[0][2], _digest_now(node, edge, namespace))):
                run_id, count, _, kind = rows[0]
                by = f"In [{count}]" if kind == "local_cell" else f"run {run_id}"
                yield f"{edge['name']} was written again by {by}"


def _digest_now(node: Node, edge: Mapping[str, Any], namespace: Mapping[str, Any] | None) -> str | None:
    """Return the digest of what the name has now, where the activity is of this kernel: it may be the same again."""
    name = edge["name"]
    if namespace is None or name not in namespace or node.row.get("session") != session.id:
        return None
    return digest_of(name, namespace[name]) if (edge["nbytes"] or 0) <= MOST_BYTES else None


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
    return not same_code(_body("".join(sources[0])), _body(str(record["code"].get("text") or "")))


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
            if os.path.isfile(kept) and os.path.isfile(path) and not _same_file(kept, path):
                yield f"{name} was changed"


def _same_file(kept: str, path: str) -> bool:
    if filecmp.cmp(kept, path):
        return True
    try:
        return path.endswith(".py") and same_code(Path(kept).read_text("utf-8"), Path(path).read_text("utf-8"))
    except (OSError, ValueError):
        return False


def _functions(record: Mapping[str, Any], namespace: Mapping[str, Any]) -> Iterator[str]:
    for name, ran in (record["code"].get("functions") or {}).items():
        value = namespace.get(name)
        if not inspect.isfunction(value):
            continue
        try:
            source = inspect.getsource(value)
        except (OSError, TypeError):
            continue
        then = str(ran.get("source") or "")
        if then != code_redacted(source) and not same_code(then, source):
            yield f"{name}() was changed"
