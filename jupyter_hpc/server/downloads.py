"""Files of a run that its page offers: what we keep of it, and what the cell declared that it made.

A record names files, and a record may be wrong: only a regular file of this user's, in the run's directory or in one of
the user's own, is given to a browser, wherever links lead. What a cell made elsewhere, as on a scratch disk, is given
if it is still what the job left there: whoever can write into a record gets nothing by it that they don't know already.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from ..jobs.job import Job
from ..model.exceptions import HPCError, JobNotFound
from ..model.printable import printable
from ..worker.digest import digest_open
from ..worker.files import GENERATED
from ..worker.regular import NotRegular, open_regular

MOST_FILES = 500
_ELSEWHERE = "it is neither in the run's directory nor in one of yours"


@dataclass(frozen=True)
class Offered:
    """A file that can be downloaded.

    Attributes
    ----------
    name : str
        What an address calls it.
    title : str
        What people call it: its path, if the cell declared it.
    role : str
        ``log``, ``script``, ``record``, ``code`` or ``made``.
    data : bytes or None
        What is in it, where there is no such file.
    left : mapping or None
        Of a file that the cell made: size, time of change and digest, as the job left it.
    """

    name: str
    title: str
    role: str
    path: Path
    data: bytes | None = None
    left: Mapping[str, Any] | None = None


def attachment(name: str) -> str:
    """Return what lets a browser keep an answer under a name, whatever it holds: in ASCII, and as it is (RFC 6266)."""
    in_ascii = re.sub(r"[^\w.~-]", "_", name, flags=re.ASCII)
    whole = "" if in_ascii == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{in_ascii}"{whole}'


def listed(job: Job, folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Return what a page needs of each file that is there now."""
    found = []
    for offered in _offered(job):
        size = len(offered.data) if offered.data is not None else _size(job, offered, folders)
        if size is not None:
            title = " ".join(printable(offered.title).split("\n"))
            found.append({"name": offered.name, "title": title, "role": offered.role, "nbytes": size})
    return found


def opened(job: Job, name: str, folders: Iterable[Path]) -> tuple[str, BinaryIO]:
    """Return the name under which a browser keeps a file, and the file.

    Raises
    ------
    JobNotFound
        If the run has no such file.
    HPCError
        If it can't be read.
    """
    import io

    offered = next((each for each in _offered(job) if each.name == name), None)
    if offered is None:
        raise JobNotFound(f"{job.id} has no file {name[:80]!r}.", hint="`…/files` lists what it has.")
    kept = re.sub(r'[\s/\\"]', lambda found: " " if found[0] == " " else "_", printable(offered.path.name)) or "file"
    if offered.data is not None:
        return kept, io.BytesIO(offered.data)
    try:
        return kept, _checked(job, offered, folders)
    except (NotRegular, FileNotFoundError, NotADirectoryError):
        raise JobNotFound(f"{offered.path.name} of {job.id} is not there any more.") from None
    except PermissionError as error:
        raise HPCError(f"{offered.path.name} of {job.id} is not offered: {error.strerror}.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or str(error)
        raise HPCError(f"{offered.path.name} of {job.id} can't be read: {why}.") from None


def _offered(job: Job) -> Iterator[Offered]:
    run, record = job.run, job.record
    whole = run.whole or run
    yield Offered("log", "log", "log", run.log)
    yield Offered("scheduler.log", "scheduler.log", "log", run.scheduler_log)
    for name in ("job.sh", "manifest.yaml"):
        yield Offered(name, name, "script", whole.path / name)
    code = str(record["code"].get("text") or "")
    name = "code.sh" if record.get("kind") == "script" else "code.py"
    if code:
        yield Offered(name, name, "code", run.path / name, code.encode("utf-8", "replace"))
    told = json.dumps(record, indent=1, ensure_ascii=False).encode("utf-8", "replace")
    yield Offered("record.json", "record.json", "record", run.path / "record.json", told)
    made = [file for file in record.get("files") or () if file.get("role") == GENERATED]
    for number, file in enumerate(made[:MOST_FILES]):
        path = Path(file["path"])
        yield Offered(f"made-{number}", file["path"], "made", path, left=file)


def _size(job: Job, offered: Offered, folders: Iterable[Path]) -> int | None:
    """Return a file's size; None if it isn't there or isn't offered."""
    try:
        with _open(job, offered, folders) as file:
            return os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return None


def _is_within(job: Job, place: str, folders: Iterable[Path]) -> bool:
    """Whether a file is in the run's directory or in one of the user's own."""
    within = [run for run in (job.run, job.run.whole) if run is not None]
    roots = [os.path.realpath(each) for each in (*(run.path for run in within), *folders)]
    return any(place.startswith(os.path.join(root, "")) for root in roots if root != "/")


def _checked(job: Job, offered: Offered, folders: Iterable[Path]) -> BinaryIO:
    """Open a file; of one that lies elsewhere read whether it is what the job left there."""
    file = _open(job, offered, folders)
    try:
        if not _is_within(job, os.path.realpath(offered.path), folders):
            digest = str((offered.left or {}).get("digest"))
            if digest_open(file, digest.partition(":")[0]) != digest:
                raise PermissionError(1, f"{_ELSEWHERE}, and is not as the job left it")
            file.seek(0)
    except LookupError as error:
        file.close()
        raise PermissionError(1, f"{_ELSEWHERE}, and its digest can't be compared: {error}") from None
    except BaseException:
        file.close()
        raise
    return file


def _open(job: Job, offered: Offered, folders: Iterable[Path]) -> BinaryIO:
    """Open a file where it really is: judged by what is open, since a name can come to mean something else."""
    place = os.path.realpath(offered.path)
    is_within = _is_within(job, place, folders)
    left = offered.left or {}
    if not is_within and not left.get("digest"):
        raise PermissionError(1, _ELSEWHERE, place)
    file = open_regular(place)
    try:
        info = os.fstat(file.fileno())
        if info.st_uid != os.geteuid():
            raise PermissionError(1, "it belongs to somebody else", place)
        if os.path.realpath(place) != place or not os.path.samestat(info, os.stat(place, follow_symlinks=False)):
            raise PermissionError(1, "it was replaced meanwhile", place)
        if not is_within and (info.st_size, info.st_mtime) != (left.get("nbytes"), left.get("mtime")):
            raise PermissionError(1, f"{_ELSEWHERE}, and is not as the job left it", place)
    except BaseException:
        file.close()
        raise
    return file
