"""What one run directory, or one line of a kernel's cells, says: rows for the index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...model.redaction import code_redacted
from ...model.spec import first_line
from ...rundir import blobs
from ...rundir.fitting import parsed
from ...rundir.run import Run
from ..record.end import outputs as result_outputs

RUN_COLUMNS = (
    *("run_id", "parent_run_id", "kind", "backend", "target", "native_id", "state", "created", "started_at"),
    *(
        "ended_at",
        "name",
        "label",
        "notebook",
        "cell_id",
        "exec_count",
        "session",
        "code_digest",
        "env_digest",
    ),
    *("reuse_key", "reused_from", "resubmits", "node", "agent", "host", "error", "cause"),
)
LOCAL_CELL = "local_cell"
_LABELLED = 20_000  # characters of code of which the first line is found
MAY_MUTATE = "may be changed in place"  # the type of an edge: the cell handed the value to a call
CODE_TYPES = ("builtins.module", "builtins.function", "builtins.type")  # known by their text
_NO_VALUES = (*CODE_TYPES, "builtins.builtin_function_or_method")


@dataclass(frozen=True)
class Edge:
    """A value or file that a run used or generated. ``sources`` are runs and cells that it is known to come from."""

    role: str
    kind: str
    name: str
    digest: str | None
    nbytes: int | None = None
    type: str = ""
    sources: tuple[tuple[str, str], ...] = ()  # (run or cell, via)
    derived: tuple[tuple[str, str], ...] = ()  # (digest, how)


@dataclass(frozen=True)
class Facts:
    """Rows of one activity."""

    run: Mapping[str, Any]
    edges: tuple[Edge, ...] = ()
    code: tuple[Mapping[str, Any], ...] = ()
    environment: str | None = None
    names: tuple[tuple[str, str], ...] = field(default=())  # read names whose content isn't known
    metrics: tuple[tuple[Any, ...], ...] = ()  # (name, last, least, largest, count)


def of_run(run: Run, record: Mapping[str, Any]) -> Facts:
    """Return the rows of a run, from its record and, while nobody wrote the verdict, from its result."""
    is_task = "task" in record
    edges = [] if is_task else [_used(item) for item in _items(record.get("inputs"))]
    edges += [_value("generated", item) for item in outputs(run, record)]
    edges += [_file(item) for item in _items(record.get("files"))]
    if is_task:
        edges.append(Edge("used", "code", "<array>", None, sources=((str(record["array_id"]), "task"),)))
    found = _environment(record)
    metrics = tuple(_metrics(record))
    return Facts(_run_row(run, record, found), tuple(edges), tuple(_code(record)), found, metrics=metrics)


def outputs(run: Run, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values that a run made: name, digest, size, type."""
    found = record.get("outputs")
    if found is None:  # nobody has concluded it
        found = result_outputs(run.manifest() or {})
    return list(_items(found))


def of_cell(cell: Mapping[str, Any], session: str) -> Facts:
    """Return the rows of one local cell."""
    ident, t = cell["id"], float(cell["t"])
    writes = dict.fromkeys(cell.get("mutates") or (), MAY_MUTATE)
    writes.update(dict.fromkeys(cell.get("writes") or (), ""))
    row: dict[str, Any] = dict.fromkeys(RUN_COLUMNS)
    row.update(
        run_id=ident,
        kind=LOCAL_CELL,
        backend="kernel",
        created=t,
        started_at=t,
        session=session,
        state="FAILED" if cell.get("failed") else "COMPLETED",
        label=_label(cell.get("text") or ""),
        notebook=cell.get("notebook"),
        cell_id=cell.get("cell_id"),
        exec_count=cell.get("execution_count"),
        code_digest=cell.get("digest"),
    )
    edges = [Edge("used", "value", name, digest) for name, digest in (cell.get("reads") or {}).items()]
    edges += [Edge("generated", "value", name, None, type=how) for name, how in writes.items()]
    edges += [_file(item) for item in _items(cell.get("files"))]
    return Facts(row, tuple(edges))


def _items(found: Any) -> Iterator[dict[str, Any]]:
    """Yield what is an object in a list that may be anything: a record may be another version's."""
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def _used(item: dict[str, Any]) -> Edge:
    told = item.get("origin")
    origin: dict[str, Any] = told if isinstance(told, dict) else {}
    sources = [(str(origin["run"]), str(origin.get("via") or "name"))] if origin.get("run") else []
    if item.get("type") != "builtins.module":  # an import leads to no result
        sources += [(str(cell), "cells") for cell in origin.get("cells") or ()]
    derived = [(str(d["digest"]), str(d.get("how") or "")) for d in _items(item.get("derived")) if d.get("digest")]
    return _value("used", item, tuple(sources), tuple(derived))


def _label(text: str) -> str:
    """Return what a list shows of code; the index stands beside the runs, and keeps no secret of theirs."""
    return first_line(code_redacted(text[:_LABELLED]))[:120]


def _value(role: str, item: dict[str, Any], sources: Any = (), derived: Any = ()) -> Edge:
    type_ = str(item.get("type") or "")
    kind = "code" if type_ in _NO_VALUES else "value"
    return Edge(role, kind, str(item.get("name")), item.get("digest"), item.get("nbytes"), type_, sources, derived)


def _file(item: dict[str, Any]) -> Edge:
    role = "generated" if item.get("role") == "generated" else "used"
    return Edge(role, "file", str(item.get("path")), item.get("digest"), item.get("nbytes"), "file")


def _metrics(record: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield what each series came to; SQLite compares infinities, and keeps what is no number as nothing."""
    for name, total in (record.get("metrics") or {}).items():
        last, low, high = (None if total.get(key) is None else float(total[key]) for key in ("last", "min", "max"))
        yield name, last, low, high, total["count"]


def _environment(record: Mapping[str, Any]) -> str | None:
    found = record.get("environment") or {}
    return found.get("worker") or found.get("digest")


def _run_row(run: Run, record: Mapping[str, Any], environment: str | None) -> dict[str, Any]:
    notebook, verdict, code = (record.get(k) or {} for k in ("notebook", "verdict", "code"))
    row = {column: record.get(column) for column in RUN_COLUMNS}
    row.update(
        run_id=run.id,
        parent_run_id=record.get("array_id"),
        kind=str(record.get("kind") or "cell"),
        backend=record["target"].get("backend"),
        target=record["target"]["name"],
        label=_label(str(code.get("text") or "")),
        notebook=notebook.get("path"),
        cell_id=notebook.get("cell_id"),
        exec_count=notebook.get("execution_count"),
        session=run.id if record.get("brings") is False else notebook.get("session") or record.get("session"),
        code_digest=code.get("digest"),
        env_digest=environment,
        agent=record.get("user"),
        error=verdict.get("error") or None,
        cause=verdict.get("cause") or None,
    )
    return row


def repositories(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the repositories whose code ran: the notebook's, and each editable package's."""
    return list(_items((record.get("code") or {}).get("sources")))


def _code(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "task" in record:  # the array's
        return
    for found in repositories(record):
        yield {
            "module": ", ".join(map(str, found.get("of") or ())),
            "path": found.get("path"),
            "git_remote": found.get("remote"),
            "git_commit": found.get("commit"),
            "git_branch": found.get("branch"),
            "dirty": int(bool(found.get("dirty"))),
            "diff_digest": found.get("diff"),
        }


def environment(root: Path, digest: str | None) -> dict[str, Any]:
    """Return a recorded environment: Python, platform, packages; empty if it is gone."""
    try:
        found = parsed(blobs.read(root, digest) or b"null")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def packages(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions of an environment's packages by name."""
    found = environment.get("packages") or {}
    if isinstance(found, dict):
        return {str(k): str(v) for k, v in found.items()}
    return {str(p.get("name")): str(p.get("version")) for p in _items(found)}
