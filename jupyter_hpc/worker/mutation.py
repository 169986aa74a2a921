"""Which inputs did the cell change in place?"""

from __future__ import annotations

import mmap
from typing import Any, Callable, Dict, Iterable, List, Optional, Set

from .digest import Hasher

MAX_BYTES = 64 << 20  # a larger pickle is not compared; mapped buffers cost nothing


class _HashOnly:
    def __init__(self) -> None:
        self.hasher = Hasher()
        self.size = 0

    def write(self, data: Any) -> int:
        raw = (
            data.raw() if hasattr(data, "raw") else data
        )  # a PickleBuffer may have any shape and has no len()
        self.hasher.update(raw)
        size = len(raw)
        self.size += size
        if self.size > MAX_BYTES:
            raise OverflowError
        return size


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


class Fingerprints:
    """Digests of the values as they were before the cell ran.

    Large buffers are mapped copy-on-write, so that a page that was written shows in ``smaps``: they are
    compared without being read. What lies in the pickle is compared by its digest.
    """

    def __init__(self, make_pickler: Callable[..., Any], mapped: Iterable[Any]) -> None:
        self._make = make_pickler
        self._mapped: Set[int] = {_address(b) for b in mapped if isinstance(b, mmap.mmap)}
        self._before: Dict[str, Any] = {}

    def take(self, names: Iterable[str], namespace: Dict[str, Any]) -> None:
        for name in names:
            if name in namespace:
                self._before[name] = self._digest(namespace[name], None)

    def changed(self, namespace: Dict[str, Any], originals: Dict[str, Any]) -> List[str]:
        """Return the names whose objects differ from what was taken."""
        if not self._before:
            return []
        dirty = dirty_mappings()
        found = []
        for name, before in self._before.items():
            if before is None or name not in originals:
                continue
            after = self._digest(originals[name], dirty)
            if after is None or after != before:
                found.append(name)
        return found

    def _digest(self, value: Any, dirty: Optional[List[range]]) -> Optional[str]:
        """Return a digest; None if the value can't be compared, "dirty" if a mapped page was written."""
        sink = _HashOnly()
        written = []

        def keep(buffer: Any) -> bool:
            raw = buffer.raw()
            address = _address(raw)
            if address not in self._mapped:
                return True
            sink.hasher.update(f"{address}:{raw.nbytes}".encode())
            if dirty is not None and any(address in r for r in dirty):
                written.append(address)
            return False

        try:
            self._make(sink, buffer_callback=keep).dump(value)
        except Exception:  # too large, or no longer picklable: then it did change, or we can't tell
            return None
        return "dirty" if written else sink.hasher.tagged()


def _address(buffer: Any) -> int:
    import ctypes

    view = memoryview(buffer)
    if view.readonly:
        return 0
    return ctypes.addressof(ctypes.c_char.from_buffer(view)) if view.nbytes else 0
