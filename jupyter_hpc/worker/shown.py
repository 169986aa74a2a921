"""The value that a cell shows goes back to the kernel, where it becomes ``_`` and ``Out[n]``."""

from __future__ import annotations

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any

SHOWN = "<value>"


def goes_back(value: Any) -> bool:
    """Tell whether a cell's value is worth sending; figures are drawn already, and would be drawn once more there."""
    if isinstance(value, (list, tuple)) and value:
        return all(map(goes_back, value[:3]))
    root = type(value).__module__.partition(".")[0]
    return value is not None and root not in ("matplotlib", "mpl_toolkits")
