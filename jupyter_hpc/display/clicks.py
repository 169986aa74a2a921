"""Clicks are handled while their cell runs: by a subshell, the front end's own or, where it has none, one of ours."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import Any

NO_ANSWER = "Buttons answer when the cell is over. Interrupt it to leave the job, which goes on."
_NOTE = "_reply_subshell_id"
_MAKE_S = 2.0
_own: list[str] = []  # of this process's kernel: one at most


def let_subshell_answer(widget: Any) -> None:
    """Let a click be handled while this cell runs.

    ipykernel 7.4 routes what the front end says to a widget to the loop that last sent the widget's state: the main
    one, which our cell blocks. Without that note the front end's own choice holds, a subshell (JupyterLab ≥ 4.4).
    """
    notes = getattr(widget.comm, "__dict__", {})
    notes.pop(_NOTE, None)
    if _own:
        notes[_NOTE] = _own[0]


def can_answer() -> bool:
    """Tell whether clicks reach a subshell; where the front end makes none, as VS Code, there is one from now on."""
    from IPython.core.getipython import get_ipython

    thread = getattr(getattr(get_ipython(), "kernel", None), "shell_channel_thread", None)
    manager = getattr(thread, "manager", None)
    if manager is None:
        return False  # ipykernel 6
    return bool(manager.list_subshell()) or _have_own(thread, manager)


def _have_own(thread: Any, manager: Any) -> bool:
    """Make a subshell as a front end's request does; ipykernel 7.4 then routes clicks to it, older ones can't."""
    comm: Any = import_module("ipykernel.comm.comm").BaseComm
    if not hasattr(comm, "_reply_subshell_for") or not hasattr(manager, "_create_subshell"):
        return False
    is_made = threading.Event()

    def make() -> None:
        try:
            _own.append(manager._create_subshell())
        finally:
            is_made.set()

    thread.io_loop.add_callback(make)
    is_made.wait(_MAKE_S)
    return bool(_own)
