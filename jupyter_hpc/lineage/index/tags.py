"""Names that people give to values and runs, ``model:v3``: one file of lines, only ever added to.

A later line of a tag holds; one without subject says that it was removed.
"""

from __future__ import annotations

import errno
import json
import os
import re
import time
from pathlib import Path
from typing import Any

from ...model.exceptions import HPCError, OptionError
from ...rundir.shapes import TAG, lines
from ...rundir.store import Store
from ...worker.regular import open_regular

FILE = "tags.jsonl"
WORD = r"[\w.@+-]{1,100}"
WHOLE = f"{WORD}:{WORD}"


def add(store: Store, key: str, value: str, *, subject: str, name: str = "", run: str = "") -> None:
    """Tag a value (its digest) or a run (its id); a tag that exists moves there.

    Raises
    ------
    OptionError
        If key or value is no word.
    HPCError
        If the disk doesn't take it.
    """
    for word in (key, value):
        if not re.fullmatch(WORD, word):
            raise OptionError(f"{word[:100]!r} can't be part of a tag.", hint="Use letters, digits and . _ @ + -")
    _write(store, {"key": key, "value": value, "subject": subject, "name": name, "run": run}, "tagged. Tag it")


def remove(store: Store, text: str, run: str = "") -> None:
    """Take a whole tag, ``model:v3``, away from whatever has it: it moves to nothing.

    Raises
    ------
    OptionError
        If there is no such tag, or it is none of that run.
    HPCError
        If the disk doesn't take it.
    """
    key, _, value = text.rpartition(":")
    having = next((name for name, has in by_run(store.root / FILE).items() if text in has), None)
    if having is None or (run and having != run):
        whose = f"{run} has" if run else "There is"
        raise OptionError(f"{whose} no tag {text[:200]!r}.", hint="`%hpc jobs` shows the tags of each run.")
    _write(store, {"key": key, "value": value, "subject": ""}, "removed. Remove it")


def _write(store: Store, tag: dict[str, str], done: str) -> None:
    store.prepare()
    try:
        _append(store.root / FILE, json.dumps({"t": time.time(), **tag}).encode() + b"\n")
    except OSError as error:
        raise HPCError(
            f"{tag['key']}:{tag['value']} can't be written to {store.root / FILE}: {error.strerror}.",
            hint=f"Nothing was {done} again when the disk takes it.",
        ) from None


def of_a_run(store: Store, text: str, run: str) -> str:
    """Tag a run with a whole tag, ``model:v3``, or with a word that many runs may have: then its id tells them apart.

    Returns
    -------
    str
        The tag that it has now.

    Raises
    ------
    OptionError, HPCError
        As :func:`add`.
    """
    key, colon, value = text.strip().partition(":")
    value = value if colon else run.rpartition("-")[2]
    add(store, key, value, subject=run, run=run)
    return f"{key}:{value}"


def _append(path: Path, line: bytes) -> None:
    """Add a line, at once: two processes may."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600)
    try:
        data = b"\n" * _is_cut(path) + line
        if os.write(descriptor, data) < len(data):  # what there is of it is no line that could be read
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _is_cut(path: Path) -> bool:
    """Whether the last line has no end: its writer died."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return size > 0 and file.read() != b"\n"


def rows(path: Path) -> list[tuple[Any, ...]]:
    """Return the tags as the index keeps them, each once."""
    return [(tag["subject"], tag["key"], tag["value"], tag.get("name") or "", tag["t"]) for tag in _standing(path)]


def by_run(path: Path) -> dict[str, list[str]]:
    """Return the tags of each run, its values' among them, as people write them: ``model:v3``."""
    tagged: dict[str, list[str]] = {}
    for tag in _standing(path):
        tagged.setdefault(tag.get("run") or tag["subject"], []).append(f"{tag['key']}:{tag['value']}")
    return {run: sorted(each) for run, each in tagged.items()}


def _standing(path: Path) -> list[dict[str, Any]]:
    """Return the last line of each tag that was not removed; lines that can't be read are skipped."""
    try:
        with open_regular(path) as file:
            found = lines(file.read(), TAG)
    except OSError:
        return []
    last = {(tag["key"], tag["value"]): tag for tag in found if tag}
    return [tag for tag in last.values() if tag["subject"]]
