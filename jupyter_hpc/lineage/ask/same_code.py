"""Whether two texts are the same code: comments, blank lines and the layout between words change no result."""

from __future__ import annotations

import ast
import textwrap
import warnings

from ...model.redaction_of_code import MARK


def same_code(one: str, other: str) -> bool:
    """Compare two cells or functions; where a secret was taken out of both, nothing is known."""
    return one == other or (MARK not in one and _essence(one) == _essence(other))


def _essence(text: str) -> object:
    """Return what Python reads; of a text with magics, its lines."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the cell's own escapes
            return ast.dump(ast.parse(textwrap.dedent(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
