"""How panel and card look, without a style sheet: a page may drop all of it, and they must still read well.

The same table as ``labextension/style/tokens.css``, each value with what holds where no JupyterLab defines it.
"""

from __future__ import annotations

import html
import re

from ..model.printable import printable


def _mixed(name: str, otherwise: str, percent: int) -> str:
    """Return a colour mixed with that of text, so that words in it can be read on light and on dark ground."""
    ink = "var(--jp-ui-font-color0, currentColor)"
    return f"color-mix(in srgb, var(--jp-{name}, {otherwise}) {percent}%, {ink})"


SMALL, TEXT, LARGE = (f"calc(var(--jp-ui-font-size1, 13px) * {n} / 13)" for n in (12, 13, 16))
LINE_HEIGHT = "1.5"
STEP_PX = 4  # spaces are multiples of it
EDGE = f"{2 * STEP_PX}px"  # where the letters of a notebook's own outputs begin
BUTTON = "24px"  # how high one is
RADIUS = "4px"
SANS = "var(--jp-ui-font-family, system-ui, sans-serif)"
MONO = "var(--jp-code-font-family, ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace)"
LIVE = _mixed("brand-color1", "#2080d8", 75)
WAITING = _mixed("warn-color1", "#e08000", 65)
GOOD = _mixed("success-color1", "#2e9d45", 75)
BAD = _mixed("error-color1", "#e04038", 80)
SOFT = "color-mix(in srgb, var(--jp-ui-font-color0, currentColor) 68%, transparent)"
TRACK = "rgba(128,128,128,.25)"
LINE = "rgba(128,128,128,.3)"

BOX = f"margin:{STEP_PX}px 0;padding:0 0 0 {EDGE};font:{TEXT}/{LINE_HEIGHT} {SANS};overflow-wrap:anywhere"
PRE = (
    f"margin:{STEP_PX}px 0 0;padding:0;white-space:pre-wrap;overflow-wrap:anywhere;"
    f"font:{SMALL}/1.4 {MONO};background:none"
)
LIST = "margin:0;padding:0;list-style:none"
QUIET = f"opacity:.8;font-size:{SMALL}"
COPY = f"font-family:{MONO};user-select:all;overflow-wrap:anywhere"  # one click takes the whole command
_MOST = 600


def plain(text: object, most: int = _MOST) -> str:
    """Return one line of text that may be hostile: what would act is shown as text; bounded."""
    words = printable(" ".join(str(text)[: 4 * most].split()))
    return words if len(words) <= most else f"{words[:most]}…"


def escaped(text: object, most: int = _MOST) -> str:
    """Return one line of hostile text as HTML."""
    return html.escape(plain(text, most))


def command(line: str) -> str:
    """Return a command to copy."""
    return f'<code style="{COPY}">{escaped(line, 2000)}</code>'


def with_code(text: str) -> str:
    """Return escaped HTML in which what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped(text))


def folded(summary: str, body: str, *, is_open: bool = False) -> str:
    """Return HTML behind a line that unfolds it."""
    return f'<details{" open" if is_open else ""}><summary style="cursor:pointer">{summary}</summary>{body}</details>'
