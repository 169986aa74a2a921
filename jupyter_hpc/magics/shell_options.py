"""How the shell shows values: ``%precision``, ``%config InlineBackend``, ``%pprint``, as plain JSON for the node."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

_TEXT = {"float_format": "%r", "pprint": True, "max_width": 79, "max_seq_length": 1000, "newline": "\n"}
_DRAWN = {"figure_formats": ["png"], "print_figure_kwargs": {"bbox_inches": "tight"}, "rc": {}}
_FIGURE_MIMES = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml", "pdf": "application/pdf"}


def shell_options(shell: Any) -> dict[str, Any]:
    """Return what differs from a new shell's; what JSON has no words for stays here.

    ``precision`` is a format as ``%.2f``; ``figure_formats``, ``print_figure_kwargs`` and ``rc`` are of the inline
    backend.
    """
    found: dict[str, Any] = {}
    with suppress(AttributeError, KeyError):  # a shell without formatters
        text = shell.display_formatter.formatters["text/plain"]
        found = {key: getattr(text, key) for key, usual in _TEXT.items() if getattr(text, key) != usual}
        if "float_format" in found:
            found["precision"] = found.pop("float_format")
    drawn = _inline_backend(shell)
    found |= {key: drawn[key] for key, usual in _DRAWN.items() if drawn.get(key, usual) != usual}
    return {key: value for key, value in found.items() if _is_json(value)}


def printers(shell: Any) -> dict[str, list[tuple[Any, Any]]]:
    """Return how the notebook itself shows types (``formatter.for_type``), by MIME type."""
    found: dict[str, list[tuple[Any, Any]]] = {}
    with suppress(AttributeError):  # a shell without formatters
        for mime, formatter in shell.display_formatter.formatters.items():
            own = [(t, f) for t, f in formatter.type_printers.items() if "__main__" in (_home(t), _home(f))]
            if own:
                found[mime] = own
    return found


def _home(obj: Any) -> Any:
    return getattr(obj, "__module__", None)


def _inline_backend(shell: Any) -> dict[str, Any]:
    """Return the inline backend's traits, or what is configured while it isn't loaded."""
    config = sys.modules.get("matplotlib_inline.config")
    if config is not None and config.InlineBackend.initialized():
        backend = config.InlineBackend.instance()
        found = {key: getattr(backend, key) for key in _DRAWN}
    else:
        found = dict(shell.config.get("InlineBackend") or {})
    formats = found.get("figure_formats") or found.pop("figure_format", None) or ["png"]
    found["figure_formats"] = sorted({formats} if isinstance(formats, str) else formats)
    chosen = _registered(shell)
    if chosen and {_mime_of(f) for f in found["figure_formats"]} != {_FIGURE_MIMES[f] for f in chosen}:
        found["figure_formats"] = chosen  # by set_matplotlib_formats
    return found


def _mime_of(name: str) -> str:
    name = {"retina": "png", "png2x": "png", "jpg": "jpeg"}.get(name, name)
    return _FIGURE_MIMES.get(name, name)


def _registered(shell: Any) -> list[str]:
    """Return the formats for which the shell has a way to draw figures."""
    figure = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    formatters = shell.display_formatter.formatters
    return sorted(f for f, mime in _FIGURE_MIMES.items() if figure in formatters[mime].type_printers)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
