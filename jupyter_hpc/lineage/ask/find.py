"""What somebody means by a word: a run, a value by its name or tag, a file by its content."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...model.exceptions import JobNotFound
from ...rundir.store import ANY_ID_PATTERN
from ...worker.digest import digest_file
from ..index.index import Index

_DIGEST = re.compile(r"(b3|sha256):[0-9a-f]{6,64}")
_MADE_BY_DIGEST = (
    "SELECT run_id, name, digest FROM edge WHERE role = 'generated' AND digest >= ? AND digest < ?"
    " ORDER BY t DESC LIMIT 1"
)
_MADE_BY_PATH = (
    "SELECT run_id, digest FROM edge WHERE name = ? AND role = 'generated' AND kind = 'file' ORDER BY t DESC LIMIT 1"
)
_MADE_BY_NAME = (
    "SELECT run_id, edge.name, digest FROM edge JOIN run USING(run_id) WHERE edge.name = ? AND role = 'generated'"
    " AND edge.kind = 'value' AND (? IS NULL OR session = ? OR session IS NULL) ORDER BY t DESC LIMIT 1"
)


@dataclass(frozen=True)
class Start:
    """Where to begin: the activity that made it, and what it is.

    Attributes
    ----------
    kind : str
        ``run``, ``value`` or ``file``.
    title : str
        What the user called it.
    run_id : str
        The run or cell that made it, or that it is.
    note : str
        What the user should know, as that a file was changed since.
    """

    kind: str
    title: str
    run_id: str
    name: str = ""
    digest: str | None = None
    note: str = ""


def find(index: Index, text: str, *, namespace: Mapping[str, Any] | None = None) -> Start:
    """Return what a text means.

    Parameters
    ----------
    namespace : mapping, optional
        The kernel's names; what one of them is now comes first.

    Raises
    ------
    JobNotFound
        If it means nothing that any run made.
    """
    if ANY_ID_PATTERN.fullmatch(text):
        return Start("run", text, _there(index, text))
    if _DIGEST.fullmatch(text):
        return of_digest(index, text, text)
    if namespace is not None and text in namespace:
        from .values import of_kernel

        return of_kernel(index, text, namespace[text])
    key, _, version = text.rpartition(":")
    if key and (found := _tagged(index, key, version)):
        return found
    if os.sep in text or os.path.isfile(text):
        return of_file(index, text)
    try:
        return of_name(index, text)
    except JobNotFound:
        pass
    try:
        return Start("run", text, index.store.find(text).id)
    except JobNotFound:
        raise JobNotFound(
            f"Nothing is known of {text[:80]!r}: no run, no tag, no file here, and no name that a run made.",
            hint="`%hpc runs` lists the runs; the path of a file must be given from this folder.",
        ) from None


def of_name(index: Index, name: str, digest: str | None = None, session: str | None = None) -> Start:
    """Return who made a name: its present content if that is known, else whoever wrote the name last."""
    if digest is not None:
        rows = index.query(_MADE_BY_DIGEST, (digest, digest + "~"))
        if rows:
            return Start("value", name, rows[0][0], name, digest)
    rows = index.query(_MADE_BY_NAME, (name, session, session))
    if not rows:
        raise JobNotFound(
            f"No run and no cell that is recorded made {name[:80]!r}.",
            hint="Values are known from the first job of a kernel on.",
        )
    run_id, _, recorded = rows[0]
    note = ""
    if digest is not None and recorded is not None:
        note = f"its content is no longer what {run_id} made: it may have been changed since"
    return Start("value", name, run_id, name, recorded or digest, note)


def of_digest(index: Index, digest: str, title: str) -> Start:
    """Return who made some content.

    Raises
    ------
    JobNotFound
        If nobody did.
    """
    rows = index.query(_MADE_BY_DIGEST, (digest, digest + "~"))
    if not rows:
        raise JobNotFound(f"No run made {title[:100]}.", hint='`%hpc runs --where "input …"` finds who used it.')
    return Start("value", title, rows[0][0], rows[0][1], rows[0][2])


def of_file(index: Index, path: str | os.PathLike[str]) -> Start:
    """Return which run wrote a file, by its content wherever it lies now; else by its path.

    Raises
    ------
    JobNotFound
        If no recorded run did, or there is no such file.
    """
    where = os.path.abspath(path)
    if os.path.isfile(where):
        for algorithm in _algorithms(index, os.path.getsize(where)):
            digest = digest_file(where, algorithm)
            rows = index.query(_MADE_BY_DIGEST, (digest, digest + "~"))
            if rows:
                return Start("file", str(path), rows[0][0], rows[0][1], digest)
    rows = index.query(_MADE_BY_PATH, (where,))
    if rows:
        there = "it was changed since" if os.path.exists(where) else "it is not there any more"
        return Start("file", str(path), rows[0][0], where, rows[0][1], f"found by its path; {there}")
    raise JobNotFound(
        f"No recorded run wrote {str(path)[:200]!r}." if os.path.exists(where) else f"There is no file {where}.",
        hint="What a sent cell opened to write, or left in its folder, is known; "
        "for the rest there is --writes PATH, or jupyter_hpc.artifact(PATH) in the cell.",
    )


def _algorithms(index: Index, size: int) -> list[str]:
    """Return how files of this size were digested; a file that nobody made is not read at all."""
    sql = "SELECT DISTINCT substr(digest, 1, instr(digest, ':') - 1) FROM edge WHERE kind = 'file' AND nbytes = ?"
    return [row[0] for row in index.query(sql, (size,)) if row[0] in ("b3", "sha256")]


def _tagged(index: Index, key: str, version: str) -> Start | None:
    rows = index.query("SELECT subject, name FROM tag WHERE key = ? AND value = ?", (key, version))
    if not rows:
        return None
    subject, name = rows[0]
    title = f"{key}:{version}"
    return of_digest(index, subject, title) if _DIGEST.fullmatch(subject) else Start("run", title, subject, name)


def is_there(index: Index, run_id: str) -> bool:
    """Whether a run or cell is in the index."""
    return bool(index.query("SELECT 1 FROM run WHERE run_id = ?", (run_id,)))


def _there(index: Index, run_id: str) -> str:
    if not is_there(index, run_id):
        raise JobNotFound(f"There is no run {run_id}.", hint="`%hpc runs` lists the runs.")
    return run_id
