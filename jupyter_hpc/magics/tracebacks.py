"""Let IPython show an error of a job in the words of the node: of many it would list our frames, and its own."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from IPython.core.error import UsageError

from ..model.attributes import attributes_of


def register(shell: Any) -> None:
    """Show such errors as they say themselves, whatever they are; all others go on as before.

    IPython by itself asks none that is a syntax error or a group, or was raised after one.
    """
    if hasattr(shell.showtraceback, "jupyter_hpc_before"):
        return
    before = shell.showtraceback

    def showtraceback(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        words = None if error is None else attributes_of(error).get("_render_traceback_")
        if error is not None and words is not None and not isinstance(error, UsageError):
            shell._get_exc_info(exc_tuple)  # so that `sys.last_value` and `%debug` have it
            shell._showtraceback(type(error), _sayable(error), words())
            if shell.call_pdb:
                shell.debugger(force=True)
        else:
            before(exc_tuple, *args, **kwargs)

    showtraceback.jupyter_hpc_before = before  # type: ignore[attr-defined]
    shell.showtraceback = showtraceback


def _sayable(error: BaseException) -> BaseException:
    """Return the error, or one in its place where its own text can't be had: a kernel asks it for that."""
    try:
        str(error)
    except Exception:
        return Exception("<exception str() failed>")
    return error


def unregister(shell: Any) -> None:
    """Undo `register`, unless somebody else has come in between."""
    if (before := getattr(shell.showtraceback, "jupyter_hpc_before", None)) is not None:
        shell.showtraceback = before


def name_cell(error: SyntaxError, label: str, code: str) -> None:
    """Let an error that was found before anything ran say where in the notebook it is, as Python would."""
    error.filename = label
    if error.text is None and error.lineno:  # the compiler looks for the line in a file
        error.text = next(iter(code.splitlines()[error.lineno - 1 : error.lineno]), None)
    lines = "".join(traceback.format_exception_only(error)).splitlines()
    attributes_of(error)["_render_traceback_"] = lambda: lines
