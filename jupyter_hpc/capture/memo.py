"""Digests of large buffers, remembered while they don't change: a GiB is hashed once, not at every submission.

Whether a buffer changed is seen by xxh3, which reads several times as fast as blake3. It only ever answers for the
same place in memory of this process, so nobody else can bring a buffer that it would mistake for another. A result
that is mapped from its file has been hashed already, and the kernel tells which of its pages were written since.
"""

from __future__ import annotations

import mmap
import sys
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from ..worker.container import digest_alone, place_of
from ..worker.digest import Hasher, digest_bytes
from ..worker.memory import dirty_mappings

SMALL_BYTES = 8 << 20  # hashing less takes no time worth saving
_MOST = 256

_hashed: OrderedDict[tuple[int, int], tuple[bytes, str]] = OrderedDict()
_mapped: dict[tuple[int, int], tuple[weakref.ref[mmap.mmap], str]] = {}
_loaded: dict[tuple[int, int], str] = {}  # of the result that was loaded last, before anybody could change it


def digest(raw: Any) -> str:
    """Return the tagged digest of a buffer, from memory if it is the same as before."""
    if raw.nbytes < SMALL_BYTES or "numpy" not in sys.modules:
        return digest_bytes(raw)
    place = place_of(raw)
    if (known := _of_mapped(place)) is not None:
        return known
    seen = _fingerprint(raw)
    if seen is None:
        return digest_bytes(raw)
    hashed = _hashed.get(place)
    if hashed is None or hashed[0] != seen:
        hashed = _hashed[place] = (seen, digest_bytes(raw))
        if len(_hashed) > _MOST:
            _hashed.popitem(last=False)
    _hashed.move_to_end(place)
    return hashed[1]


def remember_loaded(buffers: Iterable[Any], records: Iterable[Mapping[str, Any]]) -> None:
    """Remember the digests of a result's buffers, which were verified before they were loaded."""
    for place in [place for place, (mapping, _) in _mapped.items() if mapping() is None]:
        del _mapped[place]
    _loaded.clear()
    if "numpy" not in sys.modules:
        return
    algorithm = Hasher().algorithm
    for buffer, record in zip(buffers, records):
        if record["digest"].partition(":")[0] != algorithm:  # of a node without blake3
            continue
        place = place_of(memoryview(buffer))
        _loaded[place] = record["digest"]
        if isinstance(buffer, mmap.mmap):
            _mapped[place] = weakref.ref(buffer), record["digest"]


def digest_here(value: Any) -> str | None:
    """Return the digest of a value that was just loaded, as this process would send it; no large buffer is read.

    None if it can't be found out so.
    """
    return digest_alone(value, _pickler, lambda raw: _loaded[place_of(raw)])


def digest_of(value: Any) -> str | None:
    """Return the digest of a value as this process would send it now; None if it has none."""
    return digest_alone(value, _pickler, digest)


def _pickler(file: Any, **options: Any) -> Any:
    from ..worker.pickling import ValuePickler, main_namespace

    return ValuePickler(file, namespace=main_namespace(), **options)


def _of_mapped(place: tuple[int, int]) -> str | None:
    """Return the digest of a mapped buffer of which no page was written."""
    mapping, digest = _mapped.get(place, (None, ""))
    if mapping is None or mapping() is None:
        return None
    dirty = dirty_mappings()
    if dirty is None or any(place[0] < r.stop and r.start < sum(place) for r in dirty):
        return None
    return digest


def _fingerprint(raw: Any) -> bytes | None:
    try:
        import xxhash
    except ImportError:  # then every buffer is hashed in full
        return None
    found: bytes = xxhash.xxh3_128_digest(raw)
    return found
