"""The cell that runs in this process: what publishes its displays, records its files and takes its numbers."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than a small cell
if TYPE_CHECKING:
    from typing import Callable, Optional

    from .files import Files
    from .points import Points
    from .rich import Publisher

_publisher: Optional[Publisher] = None
_files: Optional[Callable[[], Files]] = None
_points: Optional[Points] = None


def begin(publisher: Publisher, files: Callable[[], Files], points: Points) -> None:
    """A cell begins: its publisher, what makes its record of files when it is first asked for, its series."""
    global _publisher, _files, _points
    _publisher, _files, _points = publisher, files, points


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


def current_points() -> Optional[Points]:
    """Return what takes the numbers of the running cell; None in a process that runs none."""
    return _points
