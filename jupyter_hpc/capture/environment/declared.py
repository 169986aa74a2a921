"""What of a local module's names contradicts its source: for modules whose import nobody saw."""

from __future__ import annotations

import ast
import types
from functools import lru_cache
from pathlib import Path
from typing import Any


def contradicting(module: Any) -> dict[str, Any]:
    """Return the values that are not what the source says: other literals, other functions, names it doesn't have."""
    path = getattr(module, "__file__", None)
    if not path or not path.endswith(".py"):
        return {}
    try:
        literals, functions, names = _declared(path, Path(path).stat().st_mtime_ns)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return {}
    found = {}
    for name, value in list(vars(module).items()):
        if (name[:2] == "__" and name[-2:] == "__") or isinstance(value, types.ModuleType):
            continue
        if name in literals:
            if type(value) is not type(literals[name]) or value != literals[name]:
                found[name] = value
        elif name in functions:
            code = getattr(value, "__code__", None)
            if code is not None and code.co_filename != path and not hasattr(value, "__wrapped__"):
                found[name] = value
        elif names is not None and name not in names:
            found[name] = value
    return found


@lru_cache(maxsize=512)
def _declared(path: str, mtime: int) -> tuple[dict[str, Any], set[str], set[str] | None]:
    """Return literals and plain functions by name, and all names, None if they can't be known."""
    tree = ast.parse(Path(path).read_bytes())
    bound: dict[str, int] = {}
    star = False
    for node in ast.walk(tree):
        for name in _bound(node):
            bound[name] = bound.get(name, 0) + 1
            star |= name in ("*", "globals", "setattr", "exec", "vars")
    literals: dict[str, Any] = {}
    functions: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and not statement.decorator_list:
            if bound[statement.name] == 1:
                functions.add(statement.name)
            continue
        target, value = _assignment(statement)
        if target is not None and bound[target] == 1:
            try:
                literals[target] = ast.literal_eval(value)  # type: ignore[arg-type]
            except (ValueError, TypeError, SyntaxError):
                continue
    return literals, functions, None if star else set(bound)


def _assignment(statement: ast.stmt) -> tuple[str | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            return target.id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        return statement.target.id, statement.value
    return None, None


def _bound(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, (ast.Store, ast.Del)) or node.id in _HIDING else []
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    if isinstance(node, (ast.Global, ast.ExceptHandler)):
        return list(node.names) if isinstance(node, ast.Global) else [node.name or ""]
    return []


_HIDING = ("globals", "setattr", "exec", "vars")
