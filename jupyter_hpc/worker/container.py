"""The container that travels both ways: a directory with a manifest, one pickle and large buffers.

``manifest.json`` (JSON, read and checked before anything is unpickled), ``payload.pkl`` (one pickler, one
segment for each name, so that sizes and digests are known by name and shared objects stay shared) and
``buffers/NNNN.bin`` for every buffer of a MiB or more, which a reader on the same file system maps.
"""

from __future__ import annotations

import json
import os
import sys
import types
from collections import namedtuple

from .apart import apart
from .digest import Hasher, digest_bytes, digest_open
from .looking import attribute, is_a, module_of
from .regular import open_regular

TYPE_CHECKING = False  # a start without typing and pickle is faster
if TYPE_CHECKING:
    import pickle
    from typing import Any, Callable, Dict, List, Optional, Tuple

FORMAT = 2
_READ = (1, 2)  # 2 has results that go on where the payload ended
BUFFER_BYTES = 1 << 20  # smaller buffers stay inside the pickle
MAP_BYTES = 8 << 20  # smaller files are read: a mapping costs a file descriptor
MANIFEST = "manifest.json"
PICKLE = "payload.pkl"


Failure = namedtuple("Failure", "name error")  # a name that can't be pickled, and why


# how a stream goes on where another ended: what it begins with, a pickler that knows nothing of the other (for
# digests), and what a name's segment is about, where that isn't its value
Continues = namedtuple("Continues", "prelude alone subjects")


class ContainerError(Exception):
    """The container is damaged, foreign or of an unknown format."""


def implementation() -> str:
    """Return ``platform.python_implementation()``, where possible without importing platform."""
    if sys.implementation.name == "cpython":
        return "CPython"
    import platform

    return platform.python_implementation()


def python_record() -> Dict[str, Any]:
    """Return the versions that decide whether a pickle from here can be loaded elsewhere."""
    record: Dict[str, Any] = {
        "python": list(sys.version_info[:3]),
        "implementation": implementation(),
        "executable": sys.executable,
    }
    for name in ("cloudpickle", "numpy"):
        module = sys.modules.get(name)
        record[name] = getattr(module, "__version__", None)
    return record


class _Sink:
    """Counts and digests what the pickler writes."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "wb", opener=private)
        self._total = Hasher()
        self._segment = Hasher()
        self.size = 0

    def write(self, data: Any) -> int:
        if hasattr(data, "raw"):  # a PickleBuffer of any shape and type; digests take bytes only
            data = data.raw()
        self._total.update(data)
        self._segment.update(data)
        n = self._file.write(data)
        self.size += n
        return n

    def close_segment(self) -> str:
        digest = self._segment.tagged()
        self._segment = Hasher()
        return digest

    def close(self) -> str:
        self._file.close()
        return self._total.tagged()


def private(path: str, flags: int) -> int:
    """Open a file so that it is private if it is made; for ``open(…, opener=)``."""
    return os.open(path, flags, 0o600)


class _Segments:
    """One pass over the values; buffers are only collected, so that a pass can be repeated cheaply."""

    def __init__(self, path: str, make_pickler: Callable[..., Any], prelude: bytes) -> None:
        self.sink = _Sink(path)
        self.sink.write(prelude)
        self.sink.close_segment()
        buffers: List[Any] = []  # not `self.buffers`: a pickler that holds its own maker is freed late
        self.buffers = buffers
        self.records: List[Dict[str, Any]] = []
        self.pickler = make_pickler(self.sink, buffer_callback=lambda b: _stays_inside(b, buffers))

    def add(self, name: str, value: Any, subject: Any) -> None:
        offset, first = self.sink.size, len(self.buffers)
        self.pickler.dump(value)
        own = self.buffers[first:]
        record = {
            "name": name,
            "offset": offset,
            "nbytes": self.sink.size - offset + sum(b.nbytes for b in own),
            "buffers": [first, len(self.buffers)],
            "digest": self.sink.close_segment(),
        }
        record.update(apart(f"the type of {name}", describe, subject, default={"type": ""}))
        self.records.append(record)


def describe(value: Any) -> Dict[str, Any]:
    """Return type, shape and dtype of a value, as far as it has them, for people and for lineage."""
    kind = type(value)
    record: Dict[str, Any] = {"type": f"{module_of(kind)}.{type.__dict__['__qualname__'].__get__(kind)}"}
    try:
        shape = attribute(value, "shape")
        if is_a(shape, tuple):
            record["shape"] = [int(n) for n in shape]
            record["dtype"] = str(attribute(value, "dtype", "")) or None
        elif is_a(value, (list, tuple, set, dict, str, bytes)):
            record["length"] = len(value)
    except Exception:  # a property of a foreign class may raise anything; the record only loses detail
        pass
    return record


def write(
    directory: str,
    values: List[Tuple[str, Any]],
    extra: Callable[[Any], Dict[str, Any]],
    make_pickler: Callable[..., Any],
    place_buffer: Optional[Callable[[str, Any, str], None]] = None,
    digest: Callable[[Any], str] = digest_bytes,
    continues: Optional[Continues] = None,
) -> List[Failure]:
    """Write a container and return what could not be pickled (the rest is in it).

    Each name's digest is that of its value pickled alone, so that it is the same in whatever company it travels.

    Parameters
    ----------
    directory : str
        An existing, empty directory.
    values : list of (name, value)
        What to write, in order.
    extra : callable
        Called with the pickler when it has seen everything; returns JSON-able entries for the manifest.
    make_pickler : callable
        Called with ``(file, buffer_callback=…)``, returns a pickler of protocol 5.
    place_buffer : callable, optional
        Called with ``(path, buffer, digest)`` to write one large buffer; lets the store share equal ones.
    digest : callable, optional
        Gives a large buffer's digest; a caller may know it.
    continues : Continues, optional
        The stream goes on where another ended.
    """
    failures: List[Failure] = []
    path = os.path.join(directory, PICKLE)
    prelude, alone_pickler, subjects = continues or Continues(b"", make_pickler, {})
    make, call = make_pickler, _call
    while True:
        segments = _Segments(path, make, prelude)
        share = getattr(segments.pickler, "share", None)
        if share is not None:
            apart("what memory arrays share", share, [value for _, value in values])
        failed = call(_pickle_all, segments, values, subjects)
        pickle_digest = segments.sink.close()
        if failed is None:
            break
        if call is _call and RecursionError in (type(failed.error), type(failed.error.__cause__)):
            from .deep import deeply, with_room

            make, call = deeply(make_pickler), with_room
            continue
        # the pickler's memo already names objects that were not written: begin again without this one
        failures.append(failed)
        values = [(n, v) for n, v in values if n != failed.name]
    buffers = _write_buffers(directory, segments.buffers, place_buffer or _write_buffer, digest)
    known = KnownBuffers(segments.buffers, buffers, digest)
    for index, (record, (_, value)) in enumerate(zip(segments.records, values)):
        own = [b["digest"] for b in buffers[slice(*record["buffers"])]]
        first = not index and not prelude and not getattr(segments.pickler, "shared", None)
        subject = subjects.get(record["name"], value)
        what = f"the digest of {record['name']}"
        alone = None if first else apart(what, digest_alone, subject, alone_pickler, known.digest)
        record["digest"] = alone or _combined(record["digest"], own if first else [*own, pickle_digest])
    has_code = bool(getattr(segments.pickler, "has_code", False))
    rebuilds = bool(getattr(segments.pickler, "rebuilds", False))
    flags = {"has_code": has_code, "rebuilds": rebuilds}
    manifest = {"format": FORMAT, **python_record(), **flags, **extra(segments.pickler)}
    manifest["names"] = segments.records
    manifest["buffers"] = buffers
    manifest["pickle"] = {"size": segments.sink.size, "digest": pickle_digest}
    with open(os.path.join(directory, MANIFEST), "w", encoding="utf-8", opener=private) as file:
        file.write(json.dumps(manifest))
    return failures


class KnownBuffers:
    """The digests of buffers that were written, by their place in memory, so that none is read again."""

    def __init__(self, raws: List[Any], records: List[Dict[str, Any]], digest: Callable[[Any], str]) -> None:
        self._digest = digest
        self._known = {place_of(raw): b["digest"] for raw, b in zip(raws, records)}

    def digest(self, raw: Any) -> str:
        return self._known.get(place_of(raw)) or self._digest(raw)


def place_of(raw: Any) -> Tuple[int, int]:
    """Return address and size of a buffer; numpy tells it without ctypes, and hardly any buffer comes without numpy."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return id(raw), raw.nbytes
    return numpy.frombuffer(raw, dtype="u1").__array_interface__["data"][0], raw.nbytes


class _Digests:
    """A file that is only digested."""

    def __init__(self) -> None:
        self._hasher = Hasher()

    def write(self, data: Any) -> int:
        if hasattr(data, "raw"):
            data = data.raw()
        self._hasher.update(data)
        return len(data)

    def tagged(self) -> str:
        return self._hasher.tagged()


def digest_alone(value: Any, make_pickler: Callable[..., Any], digest: Callable[[Any], str]) -> Optional[str]:
    """Return the digest of a value as if it were pickled first; None for code, of which no pickle is a stable key.

    In the stream it may name objects of values before it by their number.

    Parameters
    ----------
    digest : callable
        Gives the digest of one of its large buffers.
    """
    if is_a(value, (type, types.FunctionType)):
        return None
    sink = _Digests()
    own: List[Any] = []
    try:
        make_pickler(sink, buffer_callback=lambda buffer: _stays_inside(buffer, own)).dump(value)
        return _combined(sink.tagged(), [digest(raw) for raw in own])
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # it could be pickled a moment ago: then it is no stable key either
        return None


def _combined(digest: str, others: List[str]) -> str:
    return digest_bytes("\n".join([digest, *others]).encode()) if others else digest


def _stays_inside(buffer: pickle.PickleBuffer, large: List[Any]) -> bool:
    """Tell whether a buffer goes into the pickle; else it is among ``large``."""
    try:
        raw = buffer.raw()
    except BufferError:  # not contiguous
        return True
    if raw.nbytes < BUFFER_BYTES:
        return True
    large.append(raw)
    return False


def _call(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def _pickle_all(segments: _Segments, values: List[Tuple[str, Any]], subjects: Dict[str, Any]) -> Optional[Failure]:
    for name, value in values:
        try:
            segments.add(name, value, subjects.get(name, value))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # user-written __reduce__ may raise anything
            return Failure(name, error)
    return None


def _write_buffers(
    directory: str, raws: List[Any], place: Callable[[str, Any, str], None], digest_of: Callable[[Any], str]
) -> List[Dict[str, Any]]:
    if raws:
        os.makedirs(os.path.join(directory, "buffers"), 0o700, exist_ok=True)
    records = []
    for i, raw in enumerate(raws):
        name = f"buffers/{i:05d}.bin"
        digest = digest_of(raw)
        place(os.path.join(directory, name), raw, digest)
        records.append({"file": name, "size": raw.nbytes, "digest": digest})
    return records


def _write_buffer(path: str, raw: Any, digest: str) -> None:
    with open(path, "wb", buffering=0, opener=private) as file:
        view = memoryview(raw)
        while view.nbytes:
            view = view[file.write(view[: 64 << 20]) :]


def read_manifest(directory: str) -> Dict[str, Any]:
    """Read a container's manifest.

    Raises
    ------
    ContainerError
        If it is not JSON or of a newer format than this one.
    """
    with open_regular(os.path.join(directory, MANIFEST)) as file:
        return parsed_manifest(file.read(), directory)


def parsed_manifest(data: bytes, directory: str) -> Dict[str, Any]:
    """Return a manifest that was read; the errors are those of `read_manifest`."""
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ContainerError(f"the manifest of {directory} is not JSON: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") not in _READ:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise ContainerError(f"{directory} has container format {found!r}; this version reads {_READ}")
    return manifest


def verify(directory: str, manifest: Dict[str, Any]) -> None:
    """Check every byte against the manifest's digests.

    Raises
    ------
    ContainerError
        Naming the first file that differs.
    """
    check_names(directory, manifest)
    for name, record in [(PICKLE, manifest["pickle"])] + [(b["file"], b) for b in manifest["buffers"]]:
        with open_regular(os.path.join(directory, name), 0) as file:
            verify_file(file, os.path.join(directory, name), record)


def check_names(directory: str, manifest: Dict[str, Any]) -> None:
    """Refuse a manifest that names files elsewhere.

    Raises
    ------
    ContainerError
        Naming the first of them.
    """
    for name in (b["file"] for b in manifest["buffers"]):
        if os.path.dirname(name) != "buffers" or not name.endswith(".bin"):
            raise ContainerError(f"the manifest of {directory} names a file outside it: {name!r}")


def verify_file(file: Any, path: str, record: Dict[str, Any]) -> None:
    """Check the bytes of an open file against its record; the errors are those of `verify`."""
    size = os.fstat(file.fileno()).st_size
    if size != record["size"]:
        raise ContainerError(f"{path} has {size} bytes, not {record['size']}")
    try:
        found = digest_open(file, record["digest"].partition(":")[0])
    except LookupError as error:
        raise ContainerError(f"{path} can't be verified: {error}") from None
    if found != record["digest"]:
        raise ContainerError(f"{path} was changed after it was written ({found})")


def load_buffers(directory: str, manifest: Dict[str, Any]) -> List[Any]:
    """Return the large buffers: mapped copy-on-write where that pays, else read.

    Their files are ours and final: each is written under another name and renamed, and nobody opens it for writing
    again. What is removed stays mapped; only a file that shrinks would end the process.
    """
    buffers: List[Any] = []
    for record in manifest["buffers"]:
        with open_regular(os.path.join(directory, record["file"]), 0) as file:
            buffers.append(load_buffer(file, record["size"]))
    return buffers


def load_buffer(file: Any, size: int) -> Any:
    """Return the content of an open file, mapped copy-on-write where that pays."""
    if size >= MAP_BYTES:
        import mmap

        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)
    data = bytearray(size)
    file.readinto(data)
    return data
