"""What a cell reads, binds and may change, from its text alone.

Nothing is run or imported. The answer errs on the side of reading too much: a name that may be
unnecessary is in `CellNames.maybe_reads`, too, so that its absence is no error.
"""

from __future__ import annotations

import ast
import types
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from .flow import Flow
from .names import Notes

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True)
class CellNames:
    """Names in a cell.

    Attributes
    ----------
    reads : frozenset of str
        Names that must come from outside the cell: the kernel or builtins.
    maybe_reads : frozenset of str
        Those of `reads` that may be unnecessary: read after ``from m import *``, ``exec`` or
        ``globals()``; read where NameError is caught; bound by the cell on some paths only; or
        read by a function, unless the cell surely calls it and it surely reads them.
    later : frozenset of str
        Those of `maybe_reads` that only functions read, and that nothing in the cell binds.
    assigns : tuple of str
        Names that the cell binds in the module, in order; a few may be bound on some paths only.
    deletes : frozenset of str
        Names deleted and not bound again.
    may_mutate : frozenset of str
        Those of `reads` whose value the cell may change in place.
    imports, star_imports : frozenset of str
        Modules imported, within functions too; ``from a.b import c`` gives a.b and a.b.c.
    dynamic : tuple of (str, int)
        Calls that hide names from this analysis, each with its line.
    texts, pointers : frozenset of str
        Texts in which names are read, as by ``df.query``, and names whose values may be such texts.
    code : code
        The cell, compiled.
    ipython : tuple of (str, int)
        Lines that need IPython, each with its number. Both kinds of line are the original cell's.
    value_line : int or None
        Line, as transformed, of the last expression if its value would be shown.
    """

    reads: frozenset[str]
    maybe_reads: frozenset[str]
    later: frozenset[str]
    assigns: tuple[str, ...]
    deletes: frozenset[str]
    may_mutate: frozenset[str]
    imports: frozenset[str]
    star_imports: frozenset[str]
    dynamic: tuple[tuple[str, int], ...]
    texts: frozenset[str]
    pointers: frozenset[str]
    ipython: tuple[tuple[str, int], ...]
    value_line: int | None
    code: types.CodeType


def analyze(transformed: str, original: str | None = None, *, lazy_annotations: bool = False) -> CellNames:
    """Find the names in a cell.

    Parameters
    ----------
    transformed : str
        Python code, as IPython's ``TransformerManager.transform_cell`` gives it.
    original : str, optional
        The cell as the user wrote it; lines are reported from it.
    lazy_annotations : bool
        ``from __future__ import annotations`` holds, from an earlier cell.

    Raises
    ------
    SyntaxError
        As Python would, with the filename ``<cell>``.
    """
    tree, code = _parse(transformed)
    notes = Notes(future_annotations=lazy_annotations or _future_annotations(tree))
    notes.narrowed(tree)
    flow = Flow(notes)
    flow.block(tree.body)
    flow.finish()
    reads = flow.hard | flow.soft
    assigned = flow.assigned
    touched = _touched(flow, notes)
    dynamic = [use for use in notes.dynamic if use[0] not in assigned or use[0] == "import_module"]
    lines = _Lines(transformed, original) if dynamic or notes.ipython else None
    return CellNames(
        reads=frozenset(reads),
        maybe_reads=frozenset(flow.soft - flow.hard),
        later=frozenset(flow.later - flow.hard),
        assigns=tuple(name for name in assigned if name != "_"),
        deletes=frozenset(flow.deleted),
        may_mutate=frozenset(touched & reads),
        imports=frozenset(notes.imports),
        star_imports=frozenset(notes.star_imports),
        dynamic=tuple((name, lines.number(line)) for name, line in dynamic) if lines else (),
        texts=frozenset(notes.texts),
        pointers=frozenset(notes.pointers),
        ipython=lines.texts(notes.ipython) if lines else (),
        value_line=_value_line(tree, transformed),
        code=code,
    )


@dataclass(frozen=True)
class Step:
    """One statement of a cell that has run, or several: names as in `CellNames`."""

    reads: frozenset[str]
    assigns: tuple[str, ...]
    may_mutate: frozenset[str]


def steps(transformed: str) -> list[Step]:
    """Find the names in each statement of a cell, in order.

    Raises
    ------
    SyntaxError
        As Python would.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever ran the cell has shown them
        tree = compile(transformed, "<cell>", "exec", _FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, ast.Module)  # noqa: S101
    future = _future_annotations(tree)
    return [_step(node, Notes(future_annotations=future)) for node in tree.body]


def _step(node: ast.stmt, notes: Notes) -> Step:
    flow = Flow(notes)
    flow.block([node])
    flow.finish()
    reads = flow.hard | flow.soft
    return Step(
        reads=frozenset(reads),
        assigns=tuple(name for name in flow.assigned if name != "_"),
        may_mutate=frozenset(_touched(flow, notes) & reads),
    )


def joined(parts: Sequence[Step]) -> Step:
    """Return what statements read, bind and may change together, seen from outside."""
    reads: set[str] = set()
    mutated: set[str] = set()
    bound: dict[str, None] = {}
    for part in parts:
        reads |= part.reads - bound.keys()
        mutated |= part.may_mutate - bound.keys()
        bound.update(dict.fromkeys(part.assigns))
    return Step(frozenset(reads), tuple(bound), frozenset(mutated))


def _touched(flow: Flow, notes: Notes) -> set[str]:
    direct = {name for name, via in flow.touched if not via or via in flow.assigned}
    return _with_aliased(direct, notes.aliases)


def _with_aliased(touched: set[str], aliases: set[tuple[str, str]]) -> set[str]:
    """Add what the touched names may be parts of: ``for row in rows: row.append(1)`` changes ``rows``."""
    while found := {root for name, root in aliases if name in touched} - touched:
        touched = touched | found
    return touched


def _parse(source: str) -> tuple[ast.Module, types.CodeType]:
    """Parse and compile a cell: some errors, and awaits, only show when it is compiled."""
    if "\0" in source:  # a ValueError in older Pythons
        raise SyntaxError("source code string cannot contain null bytes", ("<cell>", 1, 1, None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever runs the cell shows them
        tree = compile(source, "<cell>", "exec", _FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, ast.Module)  # noqa: S101
        code = compile(tree, "<cell>", "exec", _FLAGS, dont_inherit=True)
    return tree, code


def _future_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )


def _value_line(tree: ast.Module, source: str) -> int | None:
    """Give the line of the last expression, unless a semicolon follows it."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or last.end_lineno is None:
        return None
    # Only a semicolon, comments and blanks can follow the last statement.
    tail = "\n".join(_split(source)[last.end_lineno - 1 :])
    rest = tail.encode()[last.end_col_offset :].decode()
    return None if rest.lstrip(" \t\f\n\\").startswith(";") else last.lineno


def _split(source: str) -> list[str]:
    """Split into lines where Python does (not at form feeds and such)."""
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class _Lines:
    """Find lines of the transformed cell in the original one."""

    def __init__(self, transformed: str, original: str | None) -> None:
        after = _split(transformed)
        self.before = after if original is None else _split(original)
        same = [line.strip() for line in after] == [line.strip() for line in self.before]
        self.map = list(range(len(after))) if same else self._align(after)

    def _align(self, after: list[str]) -> list[int]:
        """Walk through both: magics changed some lines and joined continued ones."""
        before = [line.strip() for line in self.before]
        last = len(before) - 1
        at = next((i for i, line in enumerate(before) if line), 0)
        blank = next((i for i, line in enumerate(after) if line.strip()), 0)
        found = [min(i, last) for i in range(blank)]
        for number, line in enumerate(after[blank:], start=blank):
            found.append(min(at, last))
            if line.strip() != before[min(at, last)] and "get_ipython()" in line:
                while at < last and before[at].endswith("\\"):
                    at += 1
                following = after[number + 1].strip() if number + 1 < len(after) else ""
                if following and "get_ipython()" not in following:
                    at = self._resync(before, at, following)
            at += 1
        return found

    @staticmethod
    def _resync(before: list[str], at: int, following: str) -> int:
        """Skip lines that became part of the line before `following`."""
        try:
            return before.index(following, at + 1) - 1
        except ValueError:  # this line was changed as well
            return at

    def number(self, line: int) -> int:
        """Give the original line's number."""
        return self.map[line - 1] + 1

    def texts(self, lines: list[int]) -> tuple[tuple[str, int], ...]:
        """Give the text and number of each original line."""
        numbers = sorted({self.number(line) for line in lines})
        return tuple((self.before[number - 1].strip(), number) for number in numbers)
