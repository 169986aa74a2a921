"""The log in the panel: a box that stays at its end while lines come, and where somebody scrolled to."""

from __future__ import annotations

from typing import Any

from ..views.log import LogTail
from ..views.style import LINE_HEIGHT, MONO, SMALL, STEP_PX
from .blocks import block, change, put

SHORT, TALL = "18em", "70vh"
MOST_WIDGETS = 24  # for blocks of the log; beyond, they are used again
_STYLE = f"margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:{SMALL}/{LINE_HEIGHT} {MONO}"
_LINES = (f"<pre style='{_STYLE}'>", "</pre>")
_REACHED = (_LINES[0].replace("<pre", "<pre tabindex='0' aria-label='log'"), _LINES[1])  # so a keyboard can scroll it


class LogBox:
    """A widget for each block of a log: what somebody reads there must not be replaced under their eyes."""

    def __init__(self, tail: LogTail) -> None:
        import ipywidgets

        self._blocks: list[Any] = []
        self._first = (tail, 0)  # the log that is shown, and its block that the first of ours shows
        self._lines = ipywidgets.VBox(layout={"flex": "0 0 auto", "overflow": "visible"})
        # reversed, it stays where it is
        layout = {"flex_flow": "column-reverse", "max_height": SHORT, "overflow": "auto", "display": "none"}
        self.widget = ipywidgets.Box([self._lines], layout={"margin": f"{STEP_PX}px 0 0", **layout})
        self.widget.add_class("jp-HPCPanel-log")

    def show(self, tail: LogTail) -> int:
        """Show a log; return how many bytes went."""
        shown, first = self._first
        if shown is not tail or tail.blocks[-1].number - first >= MOST_WIDGETS:
            self._first = shown, first = tail, tail.blocks[0].number
        while len(self._blocks) <= tail.blocks[-1].number - first:
            self._blocks.append(block())
            self._lines.children = self._blocks
        found = {each.number - first: each.html() for each in tail.blocks}
        around = {min(found): _REACHED}
        sent = sum(put(widget, found.get(i, ""), around.get(i, _LINES)) for i, widget in enumerate(self._blocks))
        if any(found.values()):
            change(self.widget.layout, display="flex")
        return sent

    @property
    def is_empty(self) -> bool:
        return self.widget.layout.display == "none"

    def unfold(self) -> bool:
        """Show more of it, or less again; return whether it is more."""
        is_short = self.widget.layout.max_height == SHORT
        self.widget.layout.max_height = TALL if is_short else SHORT
        return is_short

    def close(self) -> None:
        for each in self._blocks:
            put(each, "")
        self.widget.layout.display = "none"
