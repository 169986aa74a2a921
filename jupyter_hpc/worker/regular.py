"""The one way to open a file of a run: a pipe, a device or a folder in its place keeps nobody waiting.

What lies in a run directory may be damaged, or somebody else's. To open a named pipe waits for a writer, for ever.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from io import BufferedReader
    from typing import Any, Union


class NotRegular(OSError):
    """There is something of this name, but it is no file that could be read."""


def open_regular(path: Union[str, os.PathLike[str]], buffering: int = -1) -> BufferedReader:
    """Open a regular file for reading.

    Raises
    ------
    NotRegular
        If it is a pipe, a device, a socket or a folder.
    OSError
        As `open` does.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegular(None, "it is no regular file", os.fspath(path))
        file: Any = os.fdopen(descriptor, "rb", buffering)
    except BaseException:
        os.close(descriptor)
        raise
    return file
