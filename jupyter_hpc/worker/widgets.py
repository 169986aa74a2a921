"""What a widget shows from a job: progress as a line of text that grows, texts as texts, any other one sentence.

A widget lives from messages between a kernel and a front end, and a job has neither. Its display would only say
that its model was not found.
"""

from __future__ import annotations

import sys
import threading
import time

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from .rich import Publisher

VIEW = "application/vnd.jupyter.widget-view+json"
EVERY_S = 0.3
CELLS = 20
_shown: List[_Shown] = []


def show(publisher: Publisher, view: Any, event: str, transient: Dict[str, Any]) -> None:
    """Publish what stands for a widget whose view was to be displayed."""
    widget = _widget(str((view or {}).get("model_id")))
    if widget is None:
        publisher.publish({"text/plain": "A widget can't be shown from a job."}, event=event)
    elif type(widget).__name__ == "Output":  # what is written inside it goes to the cell
        return
    elif event == "update_display":
        publisher.publish({"text/plain": text_of(widget)}, event=event, transient=transient)
    elif _picture(widget):
        publisher.publish(_picture(widget), event=event, transient=transient)
    else:
        identifier = transient.get("display_id") or f"{widget.model_id}-{len(_shown)}"
        _shown.append(_Shown(publisher, widget, str(identifier)))


def flush() -> None:
    """Show the last state of all that was shown."""
    for each in _shown:
        each.update()


def _widget(identifier: str) -> Any:
    module = sys.modules.get("ipywidgets.widgets.widget")
    known = getattr(module, "_instances", None)
    if known is None:  # before ipywidgets 8
        known = getattr(getattr(module, "Widget", None), "widgets", {})
    return known.get(identifier)


class _Shown:
    """One display of a widget, brought up to date when its values change, a few times a second."""

    def __init__(self, publisher: Publisher, widget: Any, identifier: str) -> None:
        self._publisher = publisher
        self._widget = widget
        self._transient = {"display_id": identifier}
        self._lock = threading.RLock()
        self._timer: Optional[threading.Timer] = None
        self._next = 0.0
        self._watched: Dict[int, Any] = {}
        self._closed = False
        self._watch(widget)
        self._text = text_of(widget)
        publisher.publish({"text/plain": self._text}, transient=self._transient)

    def _watch(self, widget: Any) -> None:
        if id(widget) not in self._watched:
            self._watched[id(widget)] = widget
            widget.observe(self._changed)
        for child in getattr(widget, "children", ()):
            self._watch(child)

    def _changed(self, change: Any) -> None:
        if change["name"] == "children":
            self._watch(self._widget)
        if change["name"] == "comm" and change["owner"] is self._widget:
            self._closed = change["new"] is None
        with self._lock:
            wait = self._next - time.monotonic()
            if wait <= 0 or self._closed:
                self.update()
            elif self._timer is None:
                self._timer = threading.Timer(wait, self.update)
                self._timer.daemon = True
                self._timer.start()

    def update(self) -> None:
        """Show the present state, if it isn't shown yet."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._next = time.monotonic() + EVERY_S
            text = "" if self._closed else text_of(self._widget)
            if text != self._text:
                self._text = text
                self._publisher.publish({"text/plain": text}, transient=self._transient, event="update_display")


def text_of(widget: Any) -> str:
    """Return a widget as text."""
    return _text(widget, alone=True)


def _text(widget: Any, *, alone: bool) -> str:
    kind = _kind(widget)
    if kind == "progress":
        return _bar(widget, alone=alone)
    if kind == "text":
        return _without_tags(str(widget.value))
    if kind == "box":
        down = any(base.__name__ in ("VBox", "Accordion", "Tab") for base in type(widget).__mro__)
        parts = [child for child in widget.children if type(child).__name__ != "Output"]
        lone = down or not any(_kind(part) == "text" for part in parts)
        texts = [_text(part, alone=lone) for part in parts]
        return ("\n" if down else " ").join(text for text in texts if text.strip())
    name = type(widget).__name__
    article = "An" if name[:1] in "AEIOU" else "A"
    return f"{article} {name} can't be shown from a job: nothing there answers it; show it in a cell of the notebook."


def _kind(widget: Any) -> str:
    for base in type(widget).__mro__:
        if base.__name__ in ("IntProgress", "FloatProgress"):
            return "progress"
        if base.__name__ in ("HTML", "HTMLMath", "Label"):
            return "text"
        if base.__name__ == "Box":
            return "box"
    return ""


def _bar(widget: Any, *, alone: bool) -> str:
    """Return a bar; with its words unless others stand beside it."""
    low, high, value = widget.min, widget.max, widget.value
    part = min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 1.0
    full = int(part * CELLS)
    bar = "|" + "█" * full + " " * (CELLS - full) + "|"
    if not alone:
        return bar
    return f"{widget.description} {part:4.0%} {bar} {value:g}/{high:g}".strip()


def _without_tags(text: str) -> str:
    import html
    import re

    return html.unescape(re.sub(r"<[^>]*>", "", text)).replace("\u2007", " ")


def _picture(widget: Any) -> Dict[str, Any]:
    """Return what shows a widget that is a picture or HTML and nothing else."""
    names = {base.__name__ for base in type(widget).__mro__}
    if "Image" in names and widget.format in ("png", "jpeg", "jpg") and widget.value:
        kind = widget.format.replace("jpg", "jpeg")
        return {f"image/{kind}": bytes(widget.value), "text/plain": f"a picture of {len(widget.value)} bytes"}
    return {}
