"""What of IPython's shell a remote cell takes along and changes: future imports, ``_`` and ``Out``."""

from __future__ import annotations
import __future__

import ast
from typing import Any

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
