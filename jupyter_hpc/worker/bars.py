"""Progress as a line of the log that is drawn again and again: bars that live share it, one that is over keeps it.

So they are seen wherever a log is, while the job runs and after. What else is written comes above them.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Dict

    from .events import LogFile

BETWEEN = "  ·  "


class Bars:
    """The bars of a cell that are not over."""

    def __init__(self, log: LogFile) -> None:
        self._log = log
        self._texts: Dict[str, str] = {}
        self._lock = threading.RLock()

    def show(self, name: str, text: str) -> None:
        """Draw a bar as it is now."""
        with self._lock:
            if self._texts.get(name) != text:
                self._texts[name] = text
                self._draw()

    def finish(self, name: str, text: str) -> None:
        """A bar is over: it stays as a line of its own; one without text only goes."""
        with self._lock:
            if self._texts.pop(name, None) is None:
                return
            if text.strip():
                self._log.draw(text, keep=True)
            self._draw()

    def _draw(self) -> None:
        self._log.draw(BETWEEN.join(text for text in self._texts.values() if text.strip()))

    def end(self) -> None:
        """The cell has ended: what is there stays."""
        with self._lock:
            for name, text in list(self._texts.items()):
                self.finish(name, text)
