"""Let IPython show an error in its own words: of syntax errors and groups it would list our frames, and IPython's."""

from __future__ import annotations

import builtins
import sys
import traceback
from typing import Any

_GROUPS: tuple[type, ...] = (builtins.BaseExceptionGroup,) if sys.version_info >= (3, 11) else ()


def register(shell: Any) -> None:
    """Show such errors as they say themselves; all others go on as before."""
    if hasattr(shell.showtraceback, "jupyter_hpc_before"):
        return
    before = shell.showtraceback

    def showtraceback(exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        words = getattr(error, "__dict__", {}).get("_render_traceback_")
        if words is not None and isinstance(error, (SyntaxError, *_GROUPS)):
            shell._get_exc_info(exc_tuple)  # so that `sys.last_value` and `%debug` have it
            shell._showtraceback(type(error), error, words())
        else:
            before(exc_tuple, *args, **kwargs)

    showtraceback.jupyter_hpc_before = before  # type: ignore[attr-defined]
    shell.showtraceback = showtraceback


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
    error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
