"""What magics inside a cell hide from static analysis: ``%%time`` bodies, ``%time x = 1``, ``!echo {name}``."""

from __future__ import annotations

import ast
import re

_WHOLE = re.compile(r"^(\s*)%%(time|capture|prun|debug)\b.*$")
_LINE = re.compile(r"^(\s*)%(time|prun)\s+(?!-)")
_MAGIC = re.compile(r"^\s*(?:[\w, ]+=\s*)?[!%]")


def exposed(cell: str) -> str:
    """Return the cell with the statements that timing magics wrap laid open, line by line, for analysis only."""
    lines = cell.split("\n")
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        match = _WHOLE.match(line)
        if match is None:
            break
        lines[i] = ""
    return "\n".join(_LINE.sub(r"\1", line) for line in lines)


def mentioned(cell: str) -> frozenset[str]:
    """Return the names in ``{…}`` and ``$name`` of magic and shell lines, and in lines of ``%timeit``."""
    found: set[str] = set()
    for line in cell.split("\n"):
        if not _MAGIC.match(line):
            continue
        found |= set(re.findall(r"\$(\w+)", line))
        expressions = re.findall(r"\{([^{}]+)\}", line)
        timed = re.match(r"^\s*%{1,2}timeit\s+(?:-\w+\s*\d*\s+)*(.*)$", line)
        if timed:
            expressions.append(timed[1])
        for text in expressions:
            found |= _names(text)
    if re.match(r"\s*%%timeit\b", cell):
        found |= _names(cell.split("\n", 1)[1] if "\n" in cell else "")
    return frozenset(found)


def _names(text: str) -> set[str]:
    try:
        tree = ast.parse(text.strip())
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
