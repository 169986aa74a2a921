"""Publish what a cell displayed as the kernel's own outputs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..rundir.reader import Output
from ..views.ansi import Colours
from ..views.screen import coloured
from .front_end import is_page


def fit(shell: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Return what a cell displayed, for a terminal with no sequences but colours."""
    words = data.get("text/plain")
    return data if is_page(shell) or not isinstance(words, str) else {**data, "text/plain": coloured(words)}


def show(outputs: list[Output], *, text: bool, colours: Mapping[str, Colours] | None = None) -> None:
    """Publish displays as the kernel's own; with ``text`` also stdout and stderr, each through its ``colours``."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    for output in outputs:
        if output.kind in ("stdout", "stderr"):
            if text:
                stream = sys.stdout if output.kind == "stdout" else sys.stderr
                stream.write(colours[output.kind].add(output.text) if colours else output.text)
                stream.flush()
        elif output.kind == "attempt":
            words = f"{output.text} begins: what stands above is of the one before, which was taken back"
            shell.display_pub.publish({"text/plain": words})
        elif output.kind == "clear_output":
            shell.display_pub.clear_output(wait=output.wait)
        elif output.kind in ("display", "update_display"):
            shell.display_pub.publish(
                fit(shell, output.data),
                output.metadata,
                transient=output.transient,
                update=output.kind == "update_display",
            )
