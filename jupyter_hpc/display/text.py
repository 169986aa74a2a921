"""The text that panel and card show of a log: bounded, in order, stdout and stderr told apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..reader import Output
from .ansi import fold, strip, to_html

MAX_LINES = 200
MAX_BYTES = 64 << 10
MAX_LINE = 2000


@dataclass
class LogTail:
    """The last lines of a job's text.

    Attributes
    ----------
    dropped : bool
        Earlier text is no longer here.
    """

    pieces: list[tuple[str, str]] = field(default_factory=list)
    lines: int = 0
    dropped: bool = False

    def add(self, outputs: list[Output]) -> bool:
        """Take the text among the outputs; return True if there was any."""
        new = [(o.kind, o.text) for o in outputs if o.kind in ("stdout", "stderr") and o.text]
        for kind, text in new:
            self.lines += text.count("\n")
            if len(text) > 4 * MAX_BYTES:
                text, self.dropped = text[-4 * MAX_BYTES :], True
            if self.pieces and self.pieces[-1][0] == kind:
                text = self.pieces.pop()[1] + text
            self.pieces.append((kind, _bounded(fold(text), self)))
        self._bound()
        return bool(new)

    def _bound(self) -> None:
        while len(self.pieces) > 1 and sum(len(t) for _, t in self.pieces) > MAX_BYTES:
            self.pieces.pop(0)
            self.dropped = True

    def plain(self) -> str:
        """Return the text without colours."""
        return strip("".join(text for _, text in self.pieces))

    def html(self) -> str:
        """Return escaped HTML; stderr is marked by a line at its left as well as by its colour."""
        found = []
        for kind, text in self.pieces:
            inner = to_html(text)
            found.append(inner if kind == "stdout" else f'<span style="{_STDERR}">{inner}</span>')
        return "".join(found)


_STDERR = "background:rgba(231,92,88,.12);box-shadow:-3px 0 0 rgba(231,92,88,.6)"


def _bounded(text: str, tail: LogTail) -> str:
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        lines, tail.dropped = lines[-MAX_LINES:], True
    return "\n".join(x if len(x) <= MAX_LINE else f"{x[:MAX_LINE]}… ({len(x)} characters)" for x in lines)
