"""Files in an object store, through fsspec: the same on both sides.

A store is ``{"url": "s3://bucket/prefix/RUN", "options": {…}}``; credentials come from the environment.
"""

from __future__ import annotations

import os
import shutil

from .digest import digest_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

PIECE = 8 << 20


def _open(store: Dict[str, Any], name: str, mode: str) -> Any:
    import fsspec

    return fsspec.open(f"{store['url']}/{name}", mode, **(store.get("options") or {}))


def put(store: Dict[str, Any], name: str, path: str) -> None:
    """Write a file into the store."""
    with open(path, "rb") as source, _open(store, name, "wb") as target:
        shutil.copyfileobj(source, target, PIECE)


def get(store: Dict[str, Any], name: str, path: str, digest: str = "") -> None:
    """Read a file from the store.

    Raises
    ------
    OSError
        If it isn't what it should be.
    """
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    with _open(store, name, "rb") as source, open(path, "wb") as target:
        shutil.copyfileobj(source, target, PIECE)
    if digest and digest_file(path, "sha256") != digest:
        raise OSError(f"{name} in {store['url']} was changed")


def remove(store: Dict[str, Any]) -> None:
    """Remove what a run has in the store."""
    import fsspec

    files, path = fsspec.core.url_to_fs(store["url"], **(store.get("options") or {}))
    if files.exists(path):
        files.rm(path, recursive=True)
