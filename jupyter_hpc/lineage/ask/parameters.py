"""The numbers and words that a run was given: constants of its code, and small inputs of plain types."""

from __future__ import annotations

import ast
import io
import pickle
from collections.abc import Iterator
from typing import Any

from ...model.exceptions import OptionError
from ...model.redaction import code_redacted
from ...rundir.run import Run
from ...worker.container import PICKLE
from ...worker.regular import open_regular

PLAIN = ("int", "float", "str", "bool", "complex", "NoneType")
SHOWN = 200


def parameters(run: Run, code: str) -> dict[str, str]:
    """Return parameters by name, as Python would write them."""
    found: dict[str, str] = {}
    for place in _places(code):
        name = place.name if place.name not in found else f"{place.name} ({place.where})"
        found.setdefault(name, place.text)
    return {name: _redacted(name, text) for name, text in {**inputs(run), **found}.items()}


def _redacted(name: str, text: str) -> str:
    assigned = f"{name.partition(' ')[0]}="
    return code_redacted(assigned + text).removeprefix(assigned)


def inputs(run: Run) -> dict[str, str]:
    """Return the inputs that are plain: nothing but numbers, text, True, False and None is ever loaded."""
    manifest = run.sent()
    plain = [n for n in manifest.get("names", ()) if str(n.get("type")).removeprefix("builtins.") in PLAIN]
    found = {}
    for name in plain:
        if not name["name"].startswith("__") and name["nbytes"] <= 4 * SHOWN:
            value = _load(run, name)
            if value is not None:
                found[str(name["name"])] = value
    return found


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError("not plain")


def _load(run: Run, name: dict[str, Any]) -> str | None:
    """Return the repr of one segment of the payload; None if it leans on another segment."""
    try:
        with open_regular(run.payload / PICKLE) as file:
            file.seek(name["offset"])
            return repr(_Plain(io.BytesIO(file.read(name["nbytes"]))).load())[:SHOWN]
    except Exception:  # a damaged pickle may raise anything
        return None


# -- in the code -------------------------------------------------------------------------------------


class _Place:
    """A constant in the code that has a name: ``lr = 0.01`` or ``fit(lr=0.01)``."""

    def __init__(self, name: str, node: ast.expr, text: str, where: str) -> None:
        self.name, self.node, self.text, self.where = name, node, text, where


def _places(code: str) -> Iterator[_Place]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ast.Name) and _is_constant(statement.value):
                yield _Place(targets[0].id, statement.value, ast.unparse(statement.value), "assigned")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg and _is_constant(keyword.value):
                    where = f"of {ast.unparse(node.func)[:40]}"
                    yield _Place(keyword.arg, keyword.value, ast.unparse(keyword.value), where)


def _is_constant(node: ast.expr) -> bool:
    """Whether it is written out: a literal, also a list or tuple of literals."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return len(ast.unparse(node)) <= SHOWN


def changed(code: str, given: dict[str, str], names: set[str]) -> str:
    """Return the code with parameters set to other expressions.

    Parameters
    ----------
    given : dict
        Name → Python expression.
    names : set of str
        Inputs; one of these is assigned before the first line.

    Raises
    ------
    OptionError
        If the code has no such parameter, or an expression isn't one.
    """
    first: list[str] = []
    for name, text in given.items():
        expression = _expression(name, text)
        places = [p for p in _places(code) if p.name == name]
        assigned = [p for p in places if p.where == "assigned"]
        if assigned or places:
            by_place = sorted(assigned or places, key=lambda p: (p.node.lineno, p.node.col_offset), reverse=True)
            for place in by_place:
                code = _replaced(code, place.node, expression)
        elif name in names:
            first.append(f"{name} = {expression}")
        else:
            there = sorted({p.name for p in _places(code)} | names)
            raise OptionError(
                f"The cell has no parameter {name[:80]!r}.", hint=f"It has {', '.join(there[:20]) or 'none'}."
            )
    return _with_first_line("; ".join(first), code)


def _expression(name: str, text: str) -> str:
    if not name.isidentifier():
        raise OptionError(f"--set takes name=value; {name[:80]!r} is no name.")
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return repr(text)  # --set model=resnet: a word is meant as text
    return text if _is_constant(ast.parse(text, mode="eval").body) else repr(text)


def _replaced(code: str, node: ast.expr, text: str) -> str:
    """Put text in the place of a node; columns count bytes."""
    lines = code.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: (node.end_lineno or node.lineno) - 1])) + (node.end_col_offset or 0)
    data = code.encode()
    return (data[:start] + text.encode() + data[end:]).decode()


def _with_first_line(line: str, code: str) -> str:
    """Put a line at the top; it takes the place of the empty line that stands for the magic's, so that numbers hold."""
    if not line:
        return code
    return f"{line}{code}" if code.startswith("\n") else f"{line}\n{code}"
