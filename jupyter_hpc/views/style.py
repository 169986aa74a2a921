"""How panel and card look, without a style sheet: a page may drop all of it, and they must still read well."""

from __future__ import annotations

import html
import re

from ..model.printable import printable

BOX = (
    "border:1px solid rgba(128,128,128,.35);border-radius:4px;padding:6px 10px;margin:2px 0;"
    "font-size:13px;line-height:1.5"
)
PRE = (
    "margin:4px 0 0;padding:4px 8px;white-space:pre-wrap;overflow-wrap:anywhere;background:rgba(128,128,128,.07);"
    "font:12px/1.4 var(--jp-code-font-family, ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace)"
)
QUIET = "opacity:.8;font-size:12px"
COPY = "user-select:all;overflow-wrap:anywhere"  # one click takes the whole command
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
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>{body}</details>"
