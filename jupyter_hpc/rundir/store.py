"""All run directories under one root: the truth about every job, which all views read.

``ROOT/runs/ID/`` holds ``record.json`` (written here), ``payload/`` (written here), ``events.jsonl``, ``log``
and ``result/`` (written by the worker), ``end.json`` (written by the batch script's shell) and
``scheduler.log``. Everything is 0700/0600. ``ROOT/blobs`` shares equal large buffers by hard links,
``ROOT/modules`` and ``ROOT/worker`` hold frozen code by content.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..model.exceptions import HPCError, JobNotFound
from ..runtime.settings import root
from ..worker.digest import Hasher
from . import shipped
from .leftovers import left_in, removed, temporary
from .opened import is_ours, open_below, open_root
from .run import Run

ID_PATTERN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
ANY_ID_PATTERN = re.compile(rf"{ID_PATTERN.pattern}(?:_\d{{1,9}})?")  # a task's too
_FOLDERS = ("runs", "blobs", "modules", "worker")
FRESH_S = 60.0  # a buffer this young may be about to be linked
PUBLISHED = ("worker", "modules", "environments", "environments/uv")  # folders of folders that `publish` makes


def new_id() -> str:
    """Return a run id that sorts by time: ``20261124-055301-3f9a1c`` (UTC; the end is a fraction and chance)."""
    now = datetime.now(timezone.utc)
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond * 4096 // 1_000_000:03x}{secrets.randbelow(4096):03x}"


class Store:
    """All runs under one root.

    Parameters
    ----------
    root : Path
        A directory that the nodes see too; created with mode 0700, and left as it is if it is there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    @property
    def runs_directory(self) -> Path:
        return self.root / "runs"

    def prepare(self) -> None:
        """Create the folders.

        Raises
        ------
        HPCError
            If the root can't be created, or somebody else can write in it or put something else in its place.
        """
        try:
            with open_root(self.root, make=True) as root:
                for name in _FOLDERS:
                    root.folder(name, make=True).close()
        except OSError as error:
            raise HPCError(
                f"The run directory {self.root} can't be used: {error.strerror}.",
                hint="Set JUPYTER_HPC_ROOT, or `root` in jupyter_hpc_config.json, "
                "to a folder of yours that the nodes see.",
            ) from None

    def try_to_write(self) -> None:
        """Write a small file, and remove it.

        Raises
        ------
        OSError
            If the disk doesn't take it.
        """
        draft = temporary(self.root / "draft")
        try:
            _write_all(draft, bytes(4096))
        finally:
            with suppress(OSError):
                draft.unlink()

    def create(self) -> Run:
        """Create an empty run directory."""
        self.prepare()
        for name in PUBLISHED:  # few names: what a submission that was killed left there goes with the next
            removed(left_in(self.root / name))
        while True:
            path = self.runs_directory / new_id()
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                continue
            try:
                (path / "payload").mkdir(mode=0o700)
            except OSError:
                path.rmdir()
                raise
            return Run(path)

    def run(self, run_id: str) -> Run:
        """Return the run, or the task of an array, with an id; whether it is there is for who reads it to see.

        Raises
        ------
        JobNotFound
            If that is no id.
        """
        if not ANY_ID_PATTERN.fullmatch(run_id):
            raise JobNotFound(f"{run_id[:80]!r} is no run's id.", hint="`%hpc jobs` lists the runs.")
        whole, _, task = run_id.partition("_")
        run = Run(self.runs_directory / whole)
        return run.part(int(task)) if task else run

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        try:
            names = sorted(os.listdir(self.runs_directory), reverse=True)
        except FileNotFoundError:
            return []
        return [self.run(name) for name in names if ID_PATTERN.fullmatch(name)]

    def records(self) -> tuple[list[tuple[Run, dict[str, Any]]], list[tuple[Run, str]]]:
        """Return all runs with their records, newest first, and those that can't be shown, each with the reason."""
        found, damaged = [], []
        for run in self.runs():
            record = run.record_or_none()
            if record is not None:
                found.append((run, record))
            elif why := _damage(run):
                damaged.append((run, why))
        return found, damaged

    def find(self, text: str) -> Run:
        """Return the run that an id, a part of one, a native id or a job name means; the newest if several names match.

        Raises
        ------
        JobNotFound
            If none matches, or the part of an id is ambiguous.
        """
        array, _, index = text.rpartition("_")
        if array and re.fullmatch(r"\d{1,9}", index):
            try:
                task = self.find(array).part(int(index))
                if task.path.is_dir():
                    return task
            except JobNotFound:
                pass  # a job's name may have an underscore
        runs = self.runs()
        exact = [r for r in runs if r.id == text]
        if exact:
            return exact[0]
        part = [r for r in runs if len(text) >= 3 and (r.id.endswith(text) or r.id.startswith(text))]
        if len(part) == 1:
            return part[0]
        if len(part) > 1:
            some = ", ".join(r.id for r in part[:5])
            raise JobNotFound(
                f"{text!r} is the beginning or end of {len(part)} runs: {some}.", hint="Give more of the id."
            )
        for run in runs:
            record = run.record_or_none() or {}
            if text and text in (record.get("native_id"), record.get("name")):
                return run
        raise JobNotFound(
            f"No run is called {text[:80]!r} in {self.runs_directory}.", hint="`%hpc jobs` lists the runs."
        )

    def place_buffer(self, path: str, raw: Any, digest: str) -> None:
        """Write one large buffer, or link the equal one that the store already has."""
        blob = self._blob(digest)
        for _ in range(2):
            self._fill_blob(blob, raw)
            try:
                os.link(blob, path)
                return
            except FileExistsError:  # another process has placed it
                return
            except FileNotFoundError:  # the run that had made it was discarded meanwhile
                continue
            except OSError:  # a file system without hard links
                break
        _copy_whole(blob, path)

    def _blob(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self.root / "blobs" / algorithm / value[:2] / value

    @staticmethod
    def _fill_blob(blob: Path, raw: Any) -> None:
        if not (is_ours(blob) and blob.stat().st_size == raw.nbytes):
            blob.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = temporary(blob)
            try:
                _write_all(draft, raw)
                os.replace(draft, blob)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    def keep(self, target: Path, content: bytes | Path, digest: str) -> None:
        """Put a content at a path: a link to the equal one that the store has, which it gets if it lacks it."""
        blob = self._blob(digest)
        if is_ours(blob):
            try:
                os.link(blob, target)
                return
            except OSError:  # a file system without hard links
                pass
        data = content if isinstance(content, bytes) else content.read_bytes()
        hasher = Hasher(digest.partition(":")[0])
        hasher.update(data)
        if hasher.tagged() == digest:
            self.place_buffer(str(target), memoryview(data), digest)
        else:  # the file changed since it was read
            _write_all(target, data)

    def forget(self, run: Run) -> None:
        """Remove a run that has ended.

        Raises
        ------
        HPCError
            If it goes on, or is a task of an array.
        """
        record = run.record()
        if run.whole is not None:
            raise HPCError(f"{run.id} is a task.", hint=f"Forget the whole array: {run.whole.id}.")
        if not record.get("ended_at") and not record.get("verdict"):
            raise HPCError(f"{run.id} has not ended.", hint=f"`%hpc cancel {run.id}` ends it.")
        self.remove(run)

    def remove(self, run: Run) -> None:
        """Remove a run directory, at once, whoever still writes into it.

        Raises
        ------
        HPCError
            If it lies on a read-only disk.
        """
        gone = run.path.with_name(f".{run.id}.gone")
        if gone.exists():  # of whoever was killed over it
            shutil.rmtree(gone, ignore_errors=True)
        try:
            os.rename(run.path, gone)
        except FileNotFoundError:  # somebody else did
            return
        except OSError as error:
            raise HPCError(f"{run.id} can't be removed: {error.strerror}.", hint=f"It is {run.path}.") from None
        shutil.rmtree(gone, ignore_errors=True)

    def discard(self, run: Run) -> None:
        """Remove a run that was never submitted, and the large buffers that it alone has."""
        own = {(found.st_dev, found.st_ino) for found in _stats(run.path) if found.st_nlink == 2}
        shutil.rmtree(run.path, ignore_errors=True)
        for path in self.blobs() if own else ():
            with suppress(FileNotFoundError):
                found = path.stat()
                if found.st_nlink == 1 and (found.st_dev, found.st_ino) in own:
                    path.unlink()

    def blobs(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self.root / "blobs"):
            yield from (Path(folder, name) for name in names)

    def worker_directory(self) -> Path:
        """Ship the worker and cloudpickle, once for each version of them, and return their folder."""
        digest, files = shipped.worker_files()
        target = self.root / "worker" / digest
        is_whole = shipped.is_whole(self.root, target, dict(files))
        if is_whole is False:
            self.unpublish(target)
        if not is_whole:
            self.publish(target, lambda folder: _copy_all(folder, files))
        if not (target / shipped.bytecode("jupyter_hpc_worker/main.py")).exists():
            shipped.compile_for_this_python(target, [name for name, _ in files])
            shipped.sign_bytecode(self.root, target)
        return target

    def publish(self, target: Path, fill: Callable[[Path], Any]) -> None:
        """Make a folder appear at once with all its content; one that is there is only touched: it is in use.

        Raises
        ------
        NotOurs
            If somebody else made it, or could change it.
        """
        *above, name = target.relative_to(self.root).parts
        with open_below(self.root, above, make=True) as parent:
            if name in parent:
                parent.folder(name).close()
                with suppress(OSError):  # nothing more can be done on a read-only disk
                    os.utime(target)
                return
        draft = temporary(target)
        draft.mkdir(mode=0o700)
        try:
            fill(draft)
            os.rename(draft, target)
        except BaseException as error:
            shutil.rmtree(draft, ignore_errors=True)
            if not (isinstance(error, OSError) and target.exists()):  # else another kernel was first
                raise

    def unpublish(self, target: Path) -> None:
        """Remove a folder that `publish` is to make anew."""
        gone = temporary(target)
        with suppress(FileNotFoundError):
            os.rename(target, gone)
            shutil.rmtree(gone, ignore_errors=True)


def _damage(run: Run) -> str:
    """Return why a run has no record that can be read; one that is being submitted is not damaged."""
    try:
        age = time.time() - run.path.stat().st_mtime
    except OSError:  # removed meanwhile
        return ""
    if os.path.lexists(run.path / "record.json"):
        return "its record.json is damaged"
    return "it has no record.json: its submission was cut off" if age > 60 else ""


def _copy_whole(source: Path, path: str) -> None:
    """Copy a file into a private one, or leave nothing: a part of it would be taken for the whole."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as copy, open(source, "rb") as whole:
            shutil.copyfileobj(whole, copy)
    except OSError:
        Path(path).unlink(missing_ok=True)
        raise


def _write_all(path: Path, raw: Any) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        view = memoryview(raw)
        while view.nbytes:
            view = view[os.write(descriptor, view[: 64 << 20]) :]
    finally:
        os.close(descriptor)


def _copy_all(folder: Path, files: list[tuple[str, bytes]]) -> None:
    for name, data in files:
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_all(path, data)


def disk_use(path: Path) -> int:
    """Return the bytes under a folder; equal buffers that are shared count each time, and what goes meanwhile not."""
    return sum(found.st_size for found in _stats(path))


def _stats(path: Path) -> Iterator[os.stat_result]:
    for folder, _, files in os.walk(path):
        for name in files:
            with suppress(OSError):  # a record is written beside its place, and renamed
                yield os.lstat(os.path.join(folder, name))


def store() -> Store:
    """Return the store under the configured root."""
    return Store(root()[0])
