"""What a widget shows from a job: progress as a line of the log, texts as texts, any other one sentence.

A widget lives from messages between a kernel and a front end, and a job has neither. Its display would only say
that its model was not found.
"""

from __future__ import annotations

import sys
import threading
import time

from . import areas
from .bars import Bars

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional

    from .rich import Publisher

VIEW = "application/vnd.jupyter.widget-view+json"
EVERY_S = 0.3
CELLS = 20
_shown: List[_Shown] = []
_bars: Optional[Bars] = None


def show(publisher: Publisher, view: Any, event: str, transient: Dict[str, Any]) -> None:
    """Publish what stands for a widget whose view was to be displayed."""
    global _bars
    widget = _widget(str((view or {}).get("model_id")))
    if widget is None:
        publisher.publish({"text/plain": "A widget can't be used from a job."}, event=event)
        return
    for part in _parts(widget):
        if type(part).__name__ == "Output":
            areas.watch(publisher, part)
    if type(widget).__name__ == "Output":  # what is written inside it goes to the cell
        return
    if _has_progress(widget):
        _bars = _bars or Bars(publisher.log)
        _shown.append(_Progress(_bars, widget, f"{widget.model_id}-{len(_shown)}"))
    elif event == "update_display":
        publisher.publish(bundle_of(widget), event=event, transient=transient)
    elif _picture(widget):
        publisher.publish(_picture(widget), event=event, transient=transient)
    else:
        identifier = transient.get("display_id") or f"{widget.model_id}-{len(_shown)}"
        _shown.append(_Text(publisher, widget, str(identifier)))


def flush() -> None:
    """Show the last state of all that was shown."""
    for each in _shown:
        each.update()
    if _bars is not None:
        _bars.end()


def _widget(identifier: str) -> Any:
    module = sys.modules.get("ipywidgets.widgets.widget")
    known = getattr(module, "_instances", None)
    if known is None:  # before ipywidgets 8
        known = getattr(getattr(module, "Widget", None), "widgets", {})
    return known.get(identifier)


class _Shown:
    """One display of a widget, brought up to date when its values change, a few times a second."""

    def __init__(self, widget: Any) -> None:
        self._widget = widget
        self._lock = threading.RLock()
        self._timer: Optional[threading.Timer] = None
        self._next = 0.0
        self._watched: Dict[int, Any] = {}
        self._closed = False
        self._state: Any = None  # as it is shown
        self._watch(widget)
        self.update()

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
        is_over = self._closed or (change["name"] == "bar_style" and change["new"] in ("success", "danger"))
        with self._lock:
            wait = self._next - time.monotonic()
            if wait <= 0 or is_over:
                self.update(is_over=is_over)
            elif self._timer is None:
                self._timer = threading.Timer(wait, self.update)
                self._timer.daemon = True
                self._timer.start()

    def update(self, *, is_over: bool = False) -> None:
        """Show the present state, if it isn't shown yet."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._next = time.monotonic() + EVERY_S
            state = None if self._closed else self._now()
            if state != self._state or is_over:
                before, self._state = self._state, state
                self._show(before, is_over=is_over)

    def _now(self) -> Any:
        """Return what there is to show."""
        raise NotImplementedError

    def _show(self, before: Any, *, is_over: bool) -> None:
        raise NotImplementedError


class _Progress(_Shown):
    """A bar, and what stands beside it, in the log."""

    def __init__(self, bars: Bars, widget: Any, name: str) -> None:
        self._bars, self._name = bars, name
        super().__init__(widget)

    def _now(self) -> str:
        return text_of(self._widget).replace("\n", "  ")

    def _show(self, before: Any, *, is_over: bool) -> None:
        if is_over or self._closed:
            self._bars.finish(self._name, self._state or "")
        else:
            self._bars.show(self._name, self._state)


class _Text(_Shown):
    """A text, or a sentence, as a display."""

    def __init__(self, publisher: Publisher, widget: Any, identifier: str) -> None:
        self._publisher = publisher
        self._transient = {"display_id": identifier}
        super().__init__(widget)

    def _now(self) -> Dict[str, Any]:
        return bundle_of(self._widget)

    def _show(self, before: Any, *, is_over: bool) -> None:
        event = "display" if before is None else "update_display"
        self._publisher.publish(self._state or {"text/plain": ""}, transient=self._transient, event=event)


def bundle_of(widget: Any) -> Dict[str, Any]:
    """Return a widget as text; one of HTML as that too."""
    data = {"text/plain": text_of(widget)}
    if any(base.__name__ == "HTML" for base in type(widget).__mro__):
        data["text/html"] = str(widget.value)
    return data


def _parts(widget: Any) -> Iterator[Any]:
    """Yield a widget and all that is in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _parts(child)


def _has_progress(widget: Any) -> bool:
    return any(_kind(part) == "progress" for part in _parts(widget))


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
        said: List[str] = []
        for part in parts:
            text = _text(part, alone=lone)
            if text.strip() and (_kind(part) or text not in said):  # a sentence once
                said.append(text)
        return ("\n" if down else " ").join(said)
    name = type(widget).__name__
    article = "An" if name[:1] in "AEIOU" else "A"
    return f"{article} {name} widget can't be used from a job: nothing there answers it. Show it in a cell of its own."


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
