"""A file system of the trials' own, which can be full, or read-only, for a while. Takes root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE_MIB = 64


class Disk:
    """A tmpfs at a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)
        self._mount("-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0700", "none")

    def _mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, str(self.folder)], check=True)

    @contextmanager
    def filled(self) -> Iterator[None]:
        ballast = self.folder / ".ballast"
        with suppress(OSError), open(ballast, "wb", 0) as file:
            while file.write(bytes(1 << 16)):
                pass
        try:
            yield
        finally:
            ballast.unlink(missing_ok=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nobody begin to write; refused, and so without effect, while a file is open for writing."""
        tried = subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=False, capture_output=True)
        try:
            yield
        finally:
            if tried.returncode == 0:
                self._mount("-o", "remount,rw")

    def remove(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
