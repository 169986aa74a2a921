"""Publish what a cell displayed as the kernel's own outputs."""

from __future__ import annotations

import sys

from ..rundir.reader import Output


def show(outputs: list[Output], *, text: bool) -> None:
    """Publish displays as the kernel's own; with ``text`` also stdout and stderr."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    for output in outputs:
        if output.kind in ("stdout", "stderr"):
            if text:
                stream = sys.stdout if output.kind == "stdout" else sys.stderr
                stream.write(output.text)
                stream.flush()
        elif output.kind == "attempt":
            words = f"{output.text} begins: what stands above is of the one before, which was taken back"
            shell.display_pub.publish({"text/plain": words})
        elif output.kind == "clear_output":
            shell.display_pub.clear_output(wait=output.wait)
        elif output.kind in ("display", "update_display"):
            shell.display_pub.publish(
                output.data,
                output.metadata,
                transient=output.transient,
                update=output.kind == "update_display",
            )
