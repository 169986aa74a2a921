"""Small disks for the fault tests, that are full or read-only for a while."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root, to mount")


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def fill(folder: Path) -> Path:
    """Use up a disk, and return the file to remove."""
    path = folder / "big"
    with suppress(OSError), open(path, "wb", 0) as file:
        while file.write(bytes(1 << 16)):
            pass
    with suppress(OSError), open(path, "ab", 0) as file:
        while file.write(bytes(1 << 10)):
            pass
    return path


@contextmanager
def full(folder: Path) -> Iterator[None]:
    path = fill(folder)
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
