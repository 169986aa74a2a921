"""``jupyter hpc notebook``: a saved notebook shows how its jobs ended, without a browser and without a kernel."""

from __future__ import annotations

import argparse
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from ..jobs.final_outputs import ended, run_in
from ..model.exceptions import OptionError
from ..rundir.leftovers import temporary
from ..rundir.store import store
from ..views.outputs import Ended, finished, unfinished
from ..views.style import plain
from ..worker.regular import open_regular

_JSON = re.compile(r"application/(?:.*\+)?json")


def _notebook(arguments: argparse.Namespace) -> str:
    look_up = cache(_ended_in_store)
    lines, refused = [], []
    for name in arguments.files:
        try:
            lines += _finish(Path(name), look_up)
        except OptionError as error:  # the others' turn comes all the same
            refused.append(error)
    if refused:
        said = [*lines, *(error.message for error in refused)]
        raise OptionError("\n".join(said), hint=" ".join(dict.fromkeys(error.hint for error in refused if error.hint)))
    return "\n".join(lines)


def _notebook_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a notebook")


def _ended_in_store(run_id: str) -> tuple[str, Ended | None]:
    """Return what is left of a job of the user's, with a word on it."""
    run = run_in(store(), run_id)
    if run is None:
        return "is not among your jobs: left as it is", None
    found = ended(run)
    return ("has not ended: left as it is", None) if found is None else (found.card["text/plain"].split("\n")[0], found)


def _finish(path: Path, look_up: Callable[[str], tuple[str, Ended | None]]) -> list[str]:
    """Rewrite one notebook, if a job of it has ended since it was saved; return a line for each such cell."""
    saved = _Saved(path)
    lines = []
    for cell in saved.cells():
        outputs = [_joined(output) for output in cell["outputs"]]
        found = filter(None, map(unfinished, outputs))
        lines += [plain(f"{path} {_name(cell)}: {run_id} {look_up(run_id)[0]}") for run_id in found]
        new = finished(outputs, lambda run_id: look_up(run_id)[1], cell.get("execution_count"))
        if new != outputs:
            kept = {id(memory): written for memory, written in zip(outputs, cell["outputs"])}
            cell["outputs"] = [kept.get(id(each)) or _divided(each) for each in new]
            saved.is_changed = True
    saved.write()
    return lines or [plain(f"{path}: no job of it has ended since it was saved")]


def _name(cell: dict[str, Any]) -> str:
    count = cell.get("execution_count")
    return f"In [{count if isinstance(count, int) else ' '}]"


class _Saved:
    """A notebook as it lies on the disk; what we don't change is written as it was.

    Raises
    ------
    OptionError
        If it is none, can't be read or written, or was changed meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.is_changed = False
        self._named = path
        try:
            self._path = Path(os.path.realpath(path))  # a link stays one
            with open_regular(self._path) as file:
                self._state = _state(os.fstat(file.fileno()))
                self._bytes = file.read()
        except (OSError, ValueError) as error:
            self._refuse(f"can't be read: {getattr(error, 'strerror', '') or error}")
        try:
            self._content = json.loads(self._bytes)
        except (ValueError, RecursionError):
            self._refuse("is no notebook")
        found = self._content if isinstance(self._content, dict) else {}
        if not isinstance(found.get("cells", found.get("worksheets")), list) or "nbformat" not in found:
            self._refuse("is no notebook")
        if "cells" not in found:
            self._refuse(
                "is a notebook of an old format", "`jupyter nbconvert --to notebook --inplace FILE` renews it."
            )

    def _refuse(self, why: str, hint: str = "") -> NoReturn:
        raise OptionError(plain(f"{self._named} {why}") + ".", hint=hint)

    def cells(self) -> Iterator[dict[str, Any]]:
        """Each cell that can have outputs of a job."""
        for cell in self._content["cells"]:
            outputs = cell.get("outputs") if isinstance(cell, dict) else None
            if isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs):
                yield cell

    def write(self) -> None:
        """Put the notebook in the file's place at once, with its mode, and as trusted as it was."""
        if not self.is_changed:
            return
        was_trusted = _notary_says(self._bytes, sign=False)
        draft = temporary(self._path)
        try:
            there = self._path.stat()
            if not (os.access(self._path, os.W_OK) and there.st_mode & 0o222):  # a rename would ask nobody, nor root
                self._refuse("can't be written: it is read-only")
            self._write_draft(draft, there)
            if _state(self._path.stat()) != self._state:
                self._refuse("was changed meanwhile", "Nothing was written. Save it, close it, and try again.")
            os.replace(draft, self._path)
        except OSError as error:
            self._refuse(f"can't be written: {error.strerror}")
        finally:
            draft.unlink(missing_ok=True)
        if was_trusted:
            _notary_says(self._path.read_bytes(), sign=True)

    def _write_draft(self, draft: Path, there: os.stat_result) -> None:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(self._written())
            file.flush()
            os.fsync(descriptor)
        draft.chmod(stat.S_IMODE(there.st_mode))
        if (there.st_uid, there.st_gid) != (os.getuid(), os.getgid()):
            with suppress(OSError):  # another's, or of a group that is not ours any more: it is ours then
                os.chown(draft, there.st_uid, there.st_gid)

    def _written(self) -> bytes:
        """The notebook as text, in the form that it had."""
        form = re.match(rb"(?:\xef\xbb\xbf)?\s*\{(\r?\n)([ \t]*)\"", self._bytes)
        newline, indent = (each.decode() for each in form.groups()) if form else ("\n", None)
        text = json.dumps(self._content, ensure_ascii=False, indent=indent).replace("\n", newline)
        try:
            content = text.encode()
        except UnicodeEncodeError:  # half a character, which only an escape can be
            content = json.dumps(self._content, indent=indent).replace("\n", newline).encode()
        return content + self._bytes[len(self._bytes.rstrip()) :]


def _state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _notary_says(content: bytes, *, sign: bool) -> bool:
    """Tell whether the user has trusted a notebook, which Jupyter keeps beside it by its content; or trust it now."""
    try:
        nbformat: Any = import_module("nbformat")
        notary: Any = import_module("nbformat.sign").NotebookNotary()
        notebook = nbformat.reads(content.decode(), as_version=4)
        if sign:
            notary.sign(notebook)
        return bool(notary.check_signature(notebook))
    except Exception:  # no nbformat, or one that finds fault with it: it is then as any notebook from elsewhere
        return False


# -- outputs as they are written: texts by their lines ---------------------------------------------


def _joined(output: dict[str, Any]) -> dict[str, Any]:
    data = output.get("data")
    if not isinstance(data, dict):
        return output
    return {**output, "data": {mime: _whole(mime, value) for mime, value in data.items()}}


def _whole(mime: str, value: Any) -> Any:
    is_lines = isinstance(value, list) and not _JSON.fullmatch(mime) and all(isinstance(line, str) for line in value)
    return "".join(value) if is_lines else value


def _divided(output: dict[str, Any]) -> dict[str, Any]:
    return {**output, "data": {mime: _lines(mime, value) for mime, value in output["data"].items()}}


def _lines(mime: str, value: Any) -> Any:
    return value.splitlines(keepends=True) if isinstance(value, str) and not _JSON.fullmatch(mime) else value
