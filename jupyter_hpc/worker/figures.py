"""Pictures of matplotlib figures, in the formats that the notebook's inline backend is set to."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Optional, Tuple

MIME = {
    "png": "image/png",
    "retina": "image/png",
    "png2x": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}
TWICE = ("retina", "png2x")  # twice the dots in the same place


def is_figure(obj: Any) -> bool:
    """Tell whether it is a matplotlib figure, without importing matplotlib."""
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(obj, module.Figure)


def bundle(figure: Any, options: Dict[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return (data, metadata) of a figure in each of the formats that are set; an empty one has none."""
    data: Dict[str, Any] = {"text/plain": repr(figure)}
    metadata: Dict[str, Any] = {}
    for name in formats(options):
        picture = render(figure, name, options)
        if picture is not None:
            data[MIME[name]] = picture[0]
            if picture[1]:
                metadata[MIME[name]] = picture[1]
    return data, metadata


def formats(options: Dict[str, Any]) -> Tuple[str, ...]:
    """Return the formats that are set, as far as they are known here."""
    return tuple(name for name in options.get("figure_formats") or ("png",) if name in MIME) or ("png",)


def render(figure: Any, name: str, options: Dict[str, Any]) -> Optional[Tuple[Any, Dict[str, Any]]]:
    """Return a picture and its metadata, as the inline backend makes it; None where nothing is drawn."""
    import io

    if not figure.axes and not figure.lines:
        return None
    kind = "png" if name in TWICE else name
    wanted: Dict[str, Any] = {
        "format": kind,
        "facecolor": figure.get_facecolor(),
        "edgecolor": figure.get_edgecolor(),
        "dpi": figure.dpi * (2 if name in TWICE else 1),
        "bbox_inches": "tight",
        **(options.get("print_figure_kwargs") or {}),
    }
    file = io.BytesIO()
    figure.savefig(file, **wanted)
    found = file.getvalue()
    if kind == "svg":
        return found.decode("utf-8"), {}
    return found, _half_size(found) if name in TWICE else {}


def _half_size(png: bytes) -> Dict[str, int]:
    """Return the size in which a picture of twice the dots is shown."""
    return {"width": int.from_bytes(png[16:20], "big") // 2, "height": int.from_bytes(png[20:24], "big") // 2}


def teach(formatter: Any, options: Dict[str, Any]) -> None:
    """Let IPython's formatter draw figures so; matplotlib is not imported for it."""
    for name in formats(options):
        formatter.formatters[MIME[name]].for_type_by_name(
            "matplotlib.figure", "Figure", lambda figure, name=name: _printed(render(figure, name, options))
        )


def _printed(picture: Optional[Tuple[Any, Dict[str, Any]]]) -> Any:
    if picture is None:
        return None
    return picture if picture[1] else picture[0]
