"""Where Python finds the lines of functions that a sent cell defined.

Code that comes back names the file under which the node compiled it. That file exists nowhere; ``inspect.getsource``,
tracebacks and what is built on them (``torch.jit.script``) look for its text in :mod:`linecache`.
"""

from __future__ import annotations

import linecache

from ..rundir.run import Run


def remember(run: Run) -> None:
    """Give linecache the text of a run's cell, and of the earlier cells whose functions it was sent.

    In the kernel that sent it they are known already; a new kernel takes them from the payload.
    """
    cell = run.sent().get("cell") or {}
    texts = {name: source["text"] for name, source in (cell.get("sources") or {}).items()}
    texts[cell.get("filename")] = cell.get("code")
    for name, text in texts.items():
        if name and text and name not in linecache.cache:
            linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
