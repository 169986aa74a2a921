"""Signatures of containers: who has the run's key wrote the manifest, and it has the digests of all other files.

The kernel lays the key into the run directory, in a file that only its owner can read (into a pod, with the request);
it knows the key itself from elsewhere. The worker reads it before the cell runs, and it is nowhere else: not in
arguments, variables, records or logs.
"""

from __future__ import annotations

import os

try:
    from _blake2 import blake2b  # hashlib would load OpenSSL, which takes milliseconds
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Optional

KEY = "key"  # in the run directory
SIGNATURE = "signature"  # beside the manifest
KEY_BYTES = 32
PAYLOAD, RESULT = "payload", "result"  # what is signed: neither can stand for the other


def mac(key: bytes, *parts: bytes) -> str:
    """Return the keyed digest of some parts, in which each part's end is certain."""
    digest = blake2b(key=key, digest_size=32)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    found: str = digest.hexdigest()
    return found


def of_manifest(key: bytes, place: str, what: str, manifest: bytes) -> str:
    """Return the signature of a container's manifest.

    Parameters
    ----------
    place : str
        Of the run below the whole's directory, so that no task's result can stand for another's: ``.`` for the whole.
    """
    return mac(key, place.encode(), what.encode(), manifest)


class Signer:
    """Signs the result of the run in a directory; it reads the key at once, since a cell may do anything."""

    def __init__(self, directory: str) -> None:
        whole = os.path.realpath(os.path.join(directory, PAYLOAD, os.pardir))  # a task's payload is the array's
        self._place = os.path.relpath(os.path.realpath(directory), whole)
        self._key: Optional[bytes] = None
        try:
            with open(os.path.join(whole, KEY), "rb") as file:
                self._key = file.read()
        except FileNotFoundError:  # of a kernel that signs nothing
            pass

    def of_result(self, manifest: bytes) -> str:
        """Return the signature of a result's manifest; empty if there is no key."""
        return of_manifest(self._key, self._place, RESULT, manifest) if self._key else ""
