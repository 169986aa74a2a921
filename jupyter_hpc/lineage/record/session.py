"""Local cells between runs: what each may have read and written, from its text alone.

``ROOT/cells/SESSION.jsonl`` has a line for each cell of a kernel. A kernel that submits nothing writes nothing:
lines wait in memory until its first run.
"""

from __future__ import annotations

import builtins
import json
import logging
import os
import time
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...capture.cell.analysis import Step, joined
from ...model.redaction import code_redacted
from ...rundir.shapes import LOCAL_CELL, lines
from ...rundir.store import Store, new_id
from ...worker.digest import digest_bytes
from ...worker.files import Files
from ...worker.regular import open_regular
from .known import Known, Registry, known_values

FOLDER = "cells"
_MOST_WAITING = 5_000
_LONGEST_CHAIN = 100  # cells and values before one name

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ancestry:
    """What may have gone into the value of a name: local cells in order, and digests of what runs made."""

    cells: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()

    def joined(self, other: Ancestry) -> Ancestry:
        cells = sorted({*self.cells, *other.cells}, key=_number)
        digests = dict.fromkeys((*self.digests, *other.digests))
        return Ancestry(tuple(cells)[-_LONGEST_CHAIN:], tuple(digests)[-_LONGEST_CHAIN:])


@dataclass
class LocalCell:
    """One cell that ran in the kernel, as the shell tells of it; ``steps`` are its statements, in order."""

    text: str
    steps: Sequence[Step]
    execution_count: int | None = None
    notebook: str | None = None
    cell_id: str | None = None
    failed: bool = False


class Session:
    """One kernel: its local cells, and which of them may have made each name.

    Parameters
    ----------
    registry : Registry
        The values of this kernel that runs made.
    """

    def __init__(self, registry: Registry) -> None:
        self.id = new_id()
        self._registry = registry
        self._pid = os.getpid()
        self._count = 0
        self._names: dict[str, Ancestry | Known] = {}
        self._waiting: list[str] = []
        self._path: Path | None = None
        self._files: list[dict[str, Any]] = []
        self.files = Files(lambda **record: self._files.append(record), time.time())

    # -- what happens ----------------------------------------------------------------------------

    def ran(self, cell: LocalCell, namespace: Mapping[str, Any]) -> None:
        """Note a local cell that has ended."""
        self._check_process()
        files, self._files = self._files, []
        names = joined(cell.steps)
        mutates = [n for n in sorted(names.may_mutate) if n not in names.assigns and _is_data(n, namespace)]
        reads = {n: self._known(n, namespace, names) for n in self._read(names, namespace)}
        if not (reads or names.assigns or files):
            return
        self._count += 1
        own = f"{self.id}:{self._count}"
        for step in cell.steps:
            self._follow(own, step, namespace)
        line = {
            "id": own,
            "t": round(time.time(), 3),
            "execution_count": cell.execution_count,
            "notebook": cell.notebook,
            "cell_id": cell.cell_id,
            "text": code_redacted(cell.text),  # nobody asked for this cell to be kept
            "digest": digest_bytes(cell.text.encode("utf-8", "surrogatepass")),
            "reads": {n: known.digest if known else None for n, known in reads.items()},
            "writes": list(names.assigns),
            "mutates": mutates,
            **({"files": files} if files else {}),
            **({"failed": True} if cell.failed else {}),
        }
        self._waiting.append(json.dumps(line))
        if self._path is not None:
            self._write()
        else:
            del self._waiting[:-_MOST_WAITING]

    def bound(self, made: Mapping[str, Known]) -> None:
        """Names in the kernel have values of a run now."""
        self._names.update(made)

    def begin(self, store: Store) -> None:
        """A run is submitted: from now on cells are written as they end."""
        self._check_process()
        self._path = store.root / FOLDER / f"{self.id}.jsonl"
        self._write()

    def ancestry(self, name: str) -> Ancestry:
        """Return what may have gone into a name's value."""
        found = self._names.get(name)
        return Ancestry(digests=(found.digest,)) if isinstance(found, Known) else found or Ancestry()

    def run_of(self, name: str) -> Known | None:
        """Return the value that a run gave to this name, if no local cell has written it since."""
        found = self._names.get(name)
        return found if isinstance(found, Known) else None

    # -- how it is found out ---------------------------------------------------------------------

    @staticmethod
    def _read(names: Step, namespace: Mapping[str, Any]) -> list[str]:
        found = names.reads | names.may_mutate
        return [n for n in sorted(found) if _is_data(n, namespace)]

    def _known(self, name: str, namespace: Mapping[str, Any], names: Step) -> Known | None:
        """Return what is known of the value that was read; what the cell bound anew is known by its name only."""
        known = None if name in names.assigns else self._registry.by_identity(namespace[name])
        return known or self.run_of(name)

    def _follow(self, own: str, step: Step, namespace: Mapping[str, Any]) -> None:
        """Let what a statement wrote descend from all that it read."""
        found = Ancestry()
        for name in self._read(step, namespace):
            before = self._names.get(name)
            known = before if isinstance(before, Known) else self._registry.by_identity(namespace[name])
            if known is not None and known.run:
                found = found.joined(Ancestry(digests=(known.digest,)))
            if isinstance(before, Ancestry):
                found = found.joined(before)
        found = found.joined(Ancestry(cells=(own,)))
        mutated = (n for n in step.may_mutate if _is_data(n, namespace))
        self._names.update(dict.fromkeys((*step.assigns, *mutated), found))

    def _check_process(self) -> None:
        """A fork is a kernel of its own."""
        if self._pid != os.getpid():
            self.id, self._pid, self._path, self._waiting = new_id(), os.getpid(), None, []

    def _write(self) -> None:
        """Append the lines that wait; where the disk doesn't take them, the newest wait on."""
        if self._path is None or not self._waiting:
            return
        data = "".join(line + "\n" for line in self._waiting).encode("utf-8", "surrogatepass")
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(
                self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600
            )
            try:
                if os.write(descriptor, data) < len(data):  # the disk was full in between
                    os.write(descriptor, b"\n")
            finally:
                os.close(descriptor)
        except OSError as error:
            _logger.warning("local cells could not be recorded: %s", error)
            del self._waiting[:-_MOST_WAITING]
            return
        self._waiting.clear()


def _is_data(name: str, namespace: Mapping[str, Any]) -> bool:
    """Whether a name is the user's own, and no module."""
    if name not in namespace or isinstance(namespace[name], types.ModuleType):
        return False
    return not (name.startswith("_") or hasattr(builtins, name) or name in ("In", "Out", "get_ipython"))


def _number(cell: str) -> int:
    return int(cell.rpartition(":")[2])


def read(root: Path) -> Iterator[tuple[Path, dict[str, Any] | None]]:
    """Return all local cells of a store, each with its file; None for a line that can't be read (cut off, damaged)."""
    for path in sorted((root / FOLDER).glob("*.jsonl")):
        for cell in _cells(path):
            yield path, cell


def _cells(path: Path) -> list[dict[str, Any] | None]:
    try:
        with open_regular(path) as file:
            return lines(file.read(), LOCAL_CELL)
    except OSError:
        return []


def code_of(root: Path, idents: Iterable[str]) -> dict[str, str]:
    """Return the text of local cells by their ids, ``SESSION:NUMBER``; without those that no file here has."""
    wanted: dict[str, set[str]] = {}
    for ident in idents:
        wanted.setdefault(ident.rpartition(":")[0], set()).add(ident)
    found = {}
    for path in (root / FOLDER).glob("*.jsonl"):
        if path.stem in wanted:
            cells = filter(None, _cells(path))
            found.update({c["id"]: str(c.get("text") or "") for c in cells if c["id"] in wanted[path.stem]})
    return found


session = Session(known_values)


def declare(path: Any, name: str | None = None) -> None:
    """Record a file that a local cell wrote or read."""
    session.files.declare(path, name)
