"""What is displayed inside an ``Output`` widget: under the cell, and cleared with it without touching anything else.

A job's cell has one output. So each display inside a widget gets a place there, which is filled anew after the widget
was cleared; text stays where it is in the log.
"""

from __future__ import annotations

import os
import threading

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from .rich import Publisher

_NOTHING = {"text/plain": ""}


class _Area:
    """The displays of one widget."""

    def __init__(self) -> None:
        self.places: List[str] = []  # their ids
        self.used = 0
        self.clears = False  # with the next display


_areas: Dict[int, _Area] = {}
_inside = threading.local()


def install() -> None:
    """Notice whose ``with`` a display is in, once something imports ipywidgets; without a kernel it tells nobody."""
    from .settings_table import on_import

    on_import.call("ipywidgets.widgets.widget_output", _follow)


def _follow(module: Any) -> None:
    enter, leave = module.Output.__enter__, module.Output.__exit__

    def enter_noted(widget: Any) -> Any:
        _inside.widgets = [*_within(), widget]
        return enter(widget)

    def leave_noted(widget: Any, *why: Any) -> Any:
        _inside.widgets = _within()[:-1]
        return leave(widget, *why)

    module.Output.__enter__, module.Output.__exit__ = enter_noted, leave_noted


def _within() -> List[Any]:
    found: List[Any] = getattr(_inside, "widgets", [])
    return found


def current() -> Optional[Any]:
    """Return the Output widget inside whose ``with`` this thread is, if any."""
    within = _within()
    return within[-1] if within else None


def place(publisher: Publisher, event: str, transient: Dict[str, Any]) -> Tuple[str, Dict[str, Any]]:
    """Return how a display is published: where there is a place that was cleared, in it."""
    widget = current()
    if widget is None or event != "display" or transient.get("display_id"):
        return event, transient
    area = _areas.setdefault(id(widget), _Area())
    if area.clears:
        _blank(publisher, area, area.places[1:])
    if area.used < len(area.places):
        area.used += 1
        return "update_display", {"display_id": area.places[area.used - 1]}
    area.places.append(os.urandom(16).hex())
    area.used += 1
    return event, {**transient, "display_id": area.places[-1]}


def clear(publisher: Publisher, wait: bool) -> bool:
    """Clear what is displayed inside the widget; tell whether it is inside one."""
    widget = current()
    if widget is None:
        return False
    area = _areas.setdefault(id(widget), _Area())
    area.clears = wait
    if not wait:
        _blank(publisher, area, area.places)
    return True


def _blank(publisher: Publisher, area: _Area, places: List[str]) -> None:
    area.used, area.clears = 0, False
    for each in places:
        publisher.log.event("update_display", data=_NOTHING, metadata={}, transient={"display_id": each})


def watch(publisher: Publisher, widget: Any) -> None:
    """Publish what is appended to an Output widget by its methods, ``append_stdout`` and the like."""

    def appended(change: Any) -> None:
        before = change["old"] or ()
        new = change["new"][len(before) :] if change["new"][: len(before)] == before else change["new"]
        for output in new:
            if output.get("output_type") == "stream":
                name = "stderr" if output.get("name") == "stderr" else "stdout"
                publisher.log.streams[name].write(str(output.get("text", "")))
            elif "data" in output:
                with widget:
                    publisher.publish(output["data"], output.get("metadata"))

    widget.observe(appended, names="outputs")
