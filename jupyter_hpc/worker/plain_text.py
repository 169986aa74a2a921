"""The text form of values where the kernel's user has chosen one: ``%precision``, ``%pprint``."""

from __future__ import annotations

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

_TRAITS = ("pprint", "max_width", "max_seq_length", "newline")


def chosen(obj: Any, options: Dict[str, Any]) -> Optional[str]:
    """Return the text as the kernel would show it; None where nothing was chosen for it."""
    precision = options.get("precision")
    traits = {key: options[key] for key in _TRAITS if key in options}
    if not precision and not traits:
        return None
    if precision and isinstance(obj, float) and type(obj).__module__ in ("builtins", "numpy"):
        return str(precision % obj)
    if isinstance(obj, (str, bytes, int, type(None))):
        return None
    try:
        from IPython.core.formatters import PlainTextFormatter
    except ImportError:  # a node without it shows numbers inside of others as Python does
        return None
    formatter = PlainTextFormatter(**traits)
    if precision:
        formatter.float_format = precision
    text = formatter(obj)
    return text if isinstance(text, str) else None
