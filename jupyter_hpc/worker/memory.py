"""Which of the mapped buffers were written, and where, without reading them."""

from __future__ import annotations

import mmap
import os

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Iterable, List, Optional, Tuple

PAGE_BYTES = mmap.PAGESIZE


class Memory:
    """Knows which mapped buffers were written."""

    def __init__(self, buffers: Iterable[Any]) -> None:
        can_tell = os.path.exists("/proc/self/smaps")
        self._mapped = [_range_of(b) for b in buffers if can_tell and isinstance(b, mmap.mmap)]
        self._dirty: List[range] = []

    def holds(self, address: int) -> bool:
        return any(address in each for each in self._mapped)

    def look(self) -> None:
        """See which were written by now."""
        self._dirty = (dirty_mappings() or []) if self._mapped else []

    def written_parts(self, address: int, size: int) -> Optional[List[Tuple[int, int]]]:
        """Return the parts of a mapped buffer that were written, as offsets; None if that can't be told, or is most."""
        if not self.holds(address):
            return None
        try:
            parts = _written_pages(address, size)
        except (OSError, ValueError):
            return None
        return parts if sum(end - start for start, end in parts) <= size // 2 else None

    def is_written(self, address: int) -> bool:
        mapped = next((each for each in self._mapped if address in each), range(0))
        return any(mapped.start in each or each.start in mapped for each in self._dirty)


def _range_of(buffer: Any) -> range:
    start = address_of(buffer)
    return range(start, start + len(buffer))


def dirty_mappings() -> Optional[List[range]]:
    """Return the address ranges of mappings with pages of their own: for a private file mapping, written ones.

    (``Private_Dirty`` would also count pages that were only read while the file itself was fresh.)
    """
    ranges: List[range] = []
    current = range(0)
    try:
        with open("/proc/self/smaps", encoding="utf-8", errors="replace") as file:
            for line in file:
                key = line.split(None, 1)[0]
                if "-" in key and not key.endswith(":"):
                    first, _, last = key.partition("-")
                    current = range(int(first, 16), int(last, 16))
                elif key == "Anonymous:" and line.split()[1] != "0":
                    ranges.append(current)
    except (OSError, ValueError):
        return None
    return ranges


def _written_pages(address: int, size: int) -> List[Tuple[int, int]]:
    """Return the runs of pages of a private file mapping that are its own, from ``/proc/self/pagemap``.

    A page has eight bytes there: bit 63 present, 62 swapped, 61 of the file still
    (Documentation/admin-guide/mm/pagemap.rst).
    """
    import numpy as np

    first = address // PAGE_BYTES
    count = (address + size - 1) // PAGE_BYTES - first + 1
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        file.seek(first * 8)
        entries = np.frombuffer(file.read(count * 8), "u8")
    if len(entries) != count:
        raise ValueError("pagemap ended early")
    own = ((entries >> np.uint64(62)) > 0) & ((entries >> np.uint64(61)) & np.uint64(1) == 0)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], own, [False])).astype("i1")))
    shift = address - first * PAGE_BYTES
    bounds = np.clip(edges * PAGE_BYTES - shift, 0, size).reshape(-1, 2)
    return [(int(start), int(end)) for start, end in bounds]


def address_of(raw: Any) -> int:
    """Return where a buffer lies in memory; 0 if it is empty or can't be written."""
    import ctypes

    view = memoryview(raw)
    if view.readonly or not view.nbytes:
        return 0
    return ctypes.addressof(ctypes.c_char.from_buffer(view))
