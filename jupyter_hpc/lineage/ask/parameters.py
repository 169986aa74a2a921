"""The numbers and words that a run was given: constants of its code, and small inputs of plain types."""

from __future__ import annotations

import ast
import io
import pickle
from collections.abc import Iterable
from typing import Any

from ...model.exceptions import OptionError
from ...model.redaction import code_redacted
from ...rundir.run import Run
from ...worker.container import PICKLE
from ...worker.regular import open_regular
from .constants import ASSIGNED, LONGEST, Constant, constants, is_constant

PLAIN = ("int", "float", "str", "bool", "complex", "NoneType")


def parameters(run: Run, code: str) -> dict[str, str]:
    """Return parameters by name, as Python would write them; what looks like a secret is none."""
    names = _sent(run)
    types = {str(name["name"]): str(name.get("type")) for name in names}
    found = {**_plain_ones(run, names), **_in_code(constants(code, types))}
    return {name: text for name, text in found.items() if _redacted(name, text) == text}


def _in_code(found: Iterable[Constant]) -> dict[str, str]:
    """Return constants by name; where calls give other values to the same keyword, the others with their calls."""
    parameters: dict[str, str] = {}
    for constant in found:
        if constant.is_parameter and parameters.get(constant.name) != constant.text:
            name = constant.name if constant.name not in parameters else f"{constant.name} ({constant.where})"
            parameters.setdefault(name, constant.text)
    return parameters


def _redacted(name: str, text: str) -> str:
    assigned = f"{name.partition(' ')[0]}="
    return code_redacted(assigned + text).removeprefix(assigned)


def _sent(run: Run) -> list[dict[str, Any]]:
    return [name for name in run.sent().get("names", ()) if not str(name["name"]).startswith("_")]


def _plain_ones(run: Run, names: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the inputs that are plain: nothing but numbers, text, True, False and None is ever loaded."""
    found = {}
    for name in names:
        if str(name.get("type")).removeprefix("builtins.") in PLAIN and name["nbytes"] <= 4 * LONGEST:
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
            return repr(_Plain(io.BytesIO(file.read(name["nbytes"]))).load())[:LONGEST]
    except Exception:  # a damaged pickle may raise anything
        return None


# -- set anew ------------------------------------------------------------------------------------------


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
        places = [p for p in constants(code) if p.name == name]
        assigned = [p for p in places if p.where == ASSIGNED]
        if assigned or places:
            by_place = sorted(assigned or places, key=lambda p: (p.node.lineno, p.node.col_offset), reverse=True)
            for place in by_place:
                code = _replaced(code, place.node, expression)
        elif name in names:
            first.append(f"{name} = {expression}")
        else:
            there = sorted({p.name for p in constants(code) if p.is_parameter} | names)
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
    return text if is_constant(ast.parse(text, mode="eval").body) else repr(text)


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
