"""Content digests, tagged with their algorithm: ``b3:…`` where blake3 is installed, else ``sha256:…``."""

from __future__ import annotations

from .regular import open_regular

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Optional

try:
    from blake3 import blake3 as _blake3
except ImportError:  # a node or an image without it
    _blake3 = None  # type: ignore[assignment,misc]

CHUNK = 1 << 20


class Hasher:
    """An incremental digest.

    Parameters
    ----------
    algorithm : str, optional
        ``"b3"`` or ``"sha256"``; the best one installed by default.
    """

    def __init__(self, algorithm: Optional[str] = None) -> None:
        self.algorithm = algorithm or ("sha256" if _blake3 is None else "b3")
        self._hash: Any
        if self.algorithm == "b3":
            if _blake3 is None:
                raise LookupError("blake3 is not installed here")
            self._hash = _blake3()
        elif self.algorithm == "sha256":
            import hashlib

            self._hash = hashlib.sha256()
        else:
            raise LookupError(f"unknown digest algorithm {self.algorithm!r}")

    def update(self, data: Any) -> None:
        self._hash.update(data)

    def tagged(self) -> str:
        return f"{self.algorithm}:{self._hash.hexdigest()}"


def digest_bytes(data: Any) -> str:
    """Return the tagged digest of one buffer."""
    hasher = Hasher()
    hasher.update(data)
    return hasher.tagged()


def digest_file(path: str, algorithm: Optional[str] = None) -> str:
    """Return the tagged digest of a file, read in chunks so that memory doesn't grow."""
    with open_regular(path, 0) as file:
        return digest_open(file, algorithm)


def digest_open(file: Any, algorithm: Optional[str] = None) -> str:
    """Return the tagged digest of what is left of an open file."""
    hasher = Hasher(algorithm)
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    while True:
        n = file.readinto(buffer)
        if not n:
            return hasher.tagged()
        hasher.update(view[:n])
