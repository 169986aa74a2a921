"""The cell that runs in this process: what publishes its displays, what records its files."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than a small cell
if TYPE_CHECKING:
    from typing import Callable, Optional

    from .files import Files
    from .rich import Publisher

_publisher: Optional[Publisher] = None
_files: Optional[Callable[[], Files]] = None


def begin(publisher: Publisher, files: Callable[[], Files]) -> None:
    """A cell begins: its publisher, and what makes its record of files when it is first asked for."""
    global _publisher, _files
    _publisher, _files = publisher, files


def current_publisher() -> Publisher:
    """Return the publisher of the running cell."""
    if _publisher is None:
        raise RuntimeError("no cell is running here")
    return _publisher


def current_files() -> Files:
    """Return what records the files of the running cell."""
    if _files is None:
        raise RuntimeError("no cell is running here")
    return _files()
