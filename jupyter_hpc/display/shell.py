"""What of IPython's shell a remote cell takes along and changes: future imports, ``_`` and ``Out``."""

from __future__ import annotations
import __future__

import ast
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..rundir.reader import Output

_FEATURES = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}


def future_flags(shell: Any) -> int:
    """Return the compiler flags of the future imports of earlier cells."""
    mask = 0
    for flag in _FEATURES.values():
        mask |= flag
    return int(getattr(shell.compile, "flags", 0)) & mask


def lazy_annotations(flags: int) -> bool:
    """Tell whether annotations are not evaluated."""
    return bool(flags & _FEATURES["annotations"])


def keep_future_imports(shell: Any, code: str) -> None:
    """Let a remote cell's future imports hold from now on, as those of a cell that IPython compiles do."""
    if "__future__" not in code:
        return
    for node in ast.parse(code).body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                shell.compile.flags |= _FEATURES.get(alias.name, 0)


class _AsShown:
    """Stands for a value whose forms the node made."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self._output.data, self._output.metadata


def show(shell: Any, output: Output, value: Any) -> None:
    """Show what a cell's last expression gave as ``Out[n]``, in the node's forms; ``_`` and ``Out`` get the value.

    Parameters
    ----------
    value : object
        None where it could not come back; ``_`` then stays as it is.
    """
    if sys.displayhook is not shell.displayhook:  # somebody captures what is shown
        sys.displayhook(_AsShown(output))
        return
    from .publish import fit

    hook: Any = shell.displayhook
    hook.start_displayhook()
    hook.write_output_prompt()
    if value is not None:
        hook.update_user_ns(value)
        hook.fill_exec_result(value)
    hook.write_format_data(fit(shell, output.data), output.metadata)
    hook.log_output(output.data)
    hook.finish_displayhook()
