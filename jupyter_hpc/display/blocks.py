"""Pieces of the panel: HTML that is sent when it changes, and buttons that work while their cell runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..views.style import BUTTON, LINE_HEIGHT, SANS, SMALL, STEP_PX, TEXT
from .clicks import let_subshell_answer

WORDS = (f"<div style='font:{TEXT}/{LINE_HEIGHT} {SANS}'>", "</div>")


def block() -> Any:
    """Return an empty piece, which takes no room."""
    import ipywidgets

    return ipywidgets.HTML(layout={"margin": "0", "display": "none"})


def button(text: str, icon: str, tip: str, act: Callable[[Any], None]) -> Any:
    """Return a button as high as all others."""
    import ipywidgets

    layout = {"width": "auto", "height": BUTTON, "margin": f"0 0 0 {STEP_PX}px", "padding": f"0 {2 * STEP_PX}px"}
    made = ipywidgets.Button(description=text, icon=icon, tooltip=tip, layout=layout, style={"font_size": SMALL})
    made.on_click(act)
    return made


def put(piece: Any, inner: str, around: tuple[str, str] = WORDS) -> int:
    """Give a piece its HTML, if that is new; return how many bytes went."""
    value = f"{around[0]}{inner}{around[1]}" if inner else ""
    if value == piece.value:
        return 0
    piece.value = value
    change(piece.layout, display="block" if value else "none")
    return len(value)


def change(widget: Any, **traits: Any) -> None:
    """Set traits, and leave clicks to the subshell."""
    for name, value in traits.items():
        if getattr(widget, name) != value:
            setattr(widget, name, value)
    let_subshell_answer(widget)
