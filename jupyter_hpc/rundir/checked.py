"""A container of a run, open: what is loaded from it was signed, and is the very file that was checked.

Every file is opened once, below the descriptor of the root, and checked and loaded through that; a buffer is checked as
it is mapped.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from ..model.exceptions import HPCError, NotOurs, ResultError
from ..worker import container, signing
from ..worker.continuation import prelude
from . import secret
from .fitting import Missing, fitted
from .opened import Folder, open_below
from .parts import parts_of
from .run import Run
from .shapes import CONTAINER

_MOST = 1024
_digests: OrderedDict[tuple[int, ...], str] = OrderedDict()  # of files as they stand: a payload is loaded for each task


class Checked:
    """A container that was checked.

    Attributes
    ----------
    manifest : dict
        As it was signed.
    """

    def __init__(self, run: Run, what: str, folder: Folder) -> None:
        self._folder = folder
        with folder.file(container.MANIFEST) as file:
            data = file.read()
        secret.check(run, what, data, _signature(folder))
        self.manifest: dict[str, Any] = container.parsed_manifest(data, folder.path)
        container.check_names(folder.path, self.manifest)
        if what == signing.RESULT:
            self.manifest = _complete(self.manifest, folder.path)
        self._pickle = folder.file(container.PICKLE)
        try:
            self._check(self._pickle, container.PICKLE, self.manifest["pickle"])
            self._buffers: list[Any] | None = self._load_buffers()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._pickle.close()

    def pickle(self) -> BinaryIO:
        """Return the pickle, at its beginning; it closes with this."""
        self._pickle.seek(0)
        return self._pickle

    def buffers(self) -> list[Any]:
        """Return the large buffers, in no hand but the caller's."""
        found, self._buffers = self._buffers, None
        return self._load_buffers() if found is None else found

    def _load_buffers(self) -> list[Any]:
        found = []
        for record in self.manifest["buffers"]:
            folder, name = os.path.split(record["file"])
            with self._folder.folder(folder) as inside, inside.file(name) as file:
                self._check(file, record["file"], record)
                found.append(container.load_buffer(file, record["size"]))
        return found

    def _check(self, file: BinaryIO, name: str, record: dict[str, Any]) -> None:
        info = os.fstat(file.fileno())
        state = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if _digests.get(state) == record["digest"] and info.st_size == record["size"]:
            return
        container.verify_file(file, os.path.join(self._folder.path, name), record)
        file.seek(0)
        _digests[state] = record["digest"]
        if len(_digests) > _MOST:
            _digests.popitem(last=False)


def _complete(manifest: dict[str, Any], directory: str) -> dict[str, Any]:
    """Return a container's manifest, which has all that loading it asks for.

    Raises
    ------
    ContainerError
        If it is damaged, or lacks a name.
    """
    fit = fitted(manifest, CONTAINER)
    if fit is Missing or any(len(fit[each]) != len(manifest[each]) for each in ("names", "buffers")):
        raise container.ContainerError(f"the manifest of {directory} is damaged")
    if not all(len(record.get("buffers") or ()) == 2 and "offset" in record for record in fit["names"]):
        raise container.ContainerError(f"the manifest of {directory} is damaged")
    _check_complete(directory, fit)
    found: dict[str, Any] = fit
    return found


def _check_complete(directory: str, manifest: dict[str, Any]) -> None:
    """Check that the names fill the stream and have all the buffers: none was left out or is cut.

    Raises
    ------
    ContainerError
        If they don't.
    """
    count = (manifest.get("continues") or {}).get("count") or 0
    at, first = len(prelude(count)), 0
    for record in manifest["names"]:
        begin, end = record["buffers"]
        own = sum(buffer["size"] for buffer in manifest["buffers"][begin:end])
        if record["offset"] != at or begin != first or not begin <= end <= len(manifest["buffers"]):
            raise container.ContainerError(f"the manifest of {directory} has not all of its names, or not in order")
        at, first = at + record["nbytes"] - own, end
    if manifest["names"] and (at != manifest["pickle"]["size"] or first != len(manifest["buffers"])):
        raise container.ContainerError(f"the manifest of {directory} has not all of its names")
    if not manifest["names"] and manifest["pickle"]["size"] > len(prelude(count)):
        raise container.ContainerError(f"the manifest of {directory} has no names, and its stream has")


@contextmanager
def result(run: Run) -> Iterator[Checked]:
    """Open the result of a run.

    Raises
    ------
    ResultError
        If somebody else could have written it, or it isn't as it was signed.
    """
    with _opened(run, signing.RESULT) as found:
        yield found


@contextmanager
def payload(run: Run) -> Iterator[Checked]:
    """Open what was sent to a run; the errors are those of `result`."""
    with _opened(run.whole or run, signing.PAYLOAD) as found:
        yield found


def trust(run: Run) -> list[str]:
    """Sign what a run was sent and what it made as they are, and return which of that there was.

    For results of before there were signatures, and for those of a home directory that this one doesn't know.

    Raises
    ------
    NotOurs
        If somebody else could have written it.
    HPCError
        If it can't be signed.
    """
    whole = run.whole or run
    root = whole.path.parents[1]
    signed = []
    made = [(each, signing.RESULT) for each in parts_of(whole) or [whole]]
    for each, what in [(whole, signing.PAYLOAD), *made]:
        try:
            with open_below(root, [*each.path.relative_to(root).parts, what]) as folder:
                with folder.file(container.MANIFEST) as file:
                    data = file.read()
                secret.write_signature(each, what, data, folder.descriptor)
        except FileNotFoundError:  # it has not ended, or without a result
            continue
        except OSError as error:
            raise HPCError(f"The {what} of {each.id} can't be signed: {error.strerror}.") from None
        signed.append(what)
    return signed


@contextmanager
def _opened(run: Run, what: str) -> Iterator[Checked]:
    whole = run.whole or run
    root = whole.path.parents[1]
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(open_below(root, [*run.path.relative_to(root).parts, what]))
            found = Checked(run, what, folder)
            stack.callback(found.close)
        except NotOurs as error:
            raise ResultError(error.message, hint=error.hint) from None
        except HPCError:
            raise
        except FileNotFoundError:
            gone = f"What {run.id} was sent" if what == signing.PAYLOAD else f"What {run.id} made"
            raise ResultError(f"{gone} is gone from its directory.", hint="Run the cell again.") from None
        except Exception as error:  # a manifest may hold anything
            raise ResultError(
                f"The {what} of {run.id} can't be trusted: {error}.", hint="Nothing was loaded from it."
            ) from None
        yield found


def _signature(folder: Folder) -> bytes | None:
    try:
        with folder.file(signing.SIGNATURE) as file:
            return file.read(1024)
    except FileNotFoundError:
        return None
