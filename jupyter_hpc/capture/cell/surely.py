"""What a function surely reads and calls when it is called: nothing that a branch or a return may forestall."""

# ruff: noqa: N815

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .names import Comprehension, Function, defaults, swallowers

_LEAVES = (ast.Return, ast.Raise)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass
class Certain:
    """Names in the order in which they are met; which of them are the function's own, the caller knows."""

    reads: dict[str, None] = field(default_factory=dict)
    calls: dict[str, None] = field(default_factory=dict)


def certain(node: Function | ast.Lambda) -> Certain:
    """Return what a call of the function surely comes to; nothing for what only runs when awaited or iterated."""
    walk = _Walk()
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
    plain = isinstance(node, (ast.FunctionDef, ast.Lambda)) and not getattr(node, "decorator_list", ())
    if plain and not any(_yields(part) for part in body):
        for part in body:
            walk.visit(part)
    return walk.found


def _yields(node: ast.AST) -> bool:
    if isinstance(node, (ast.Yield, ast.YieldFrom)):
        return True
    return not isinstance(node, _SCOPES) and any(_yields(child) for child in ast.iter_child_nodes(node))


class _Walk(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found = Certain()
        self.over = False  # what follows may not be reached

    def visit(self, node: ast.AST) -> None:
        if not self.over:
            super().visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.found.reads[node.id] = None

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name):
            self.found.calls[node.func.id] = None

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])

    def visit_Compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        self.visit(node.comparators[0])

    def visit_Test(self, node: ast.If | ast.While | ast.IfExp | ast.Assert) -> None:
        self.visit(node.test)
        self._skip(node)

    visit_If = visit_While = visit_IfExp = visit_Assert = visit_Test

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._skip(node)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self._skip(node)

    def _skip(self, node: ast.AST) -> None:
        """What is inside may not run; if it leaves the function, neither may what follows."""
        self.over |= any(isinstance(child, _LEAVES) for child in ast.walk(node))

    def visit_Try(self, node: ast.AST) -> None:
        self.over = True  # which part fails, and what a handler then does, nobody knows

    visit_TryStar = visit_Try

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
        if swallowers(node)[0]:
            self.over = True
        for part in node.body:
            self.visit(part)

    def visit_Leave(self, node: ast.AST) -> None:
        self.generic_visit(node)
        self.over = True

    visit_Return = visit_Raise = visit_Leave

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in defaults(node.args):
            self.visit(default)

    def visit_FunctionDef(self, node: Function) -> None:
        for part in (*node.decorator_list, *defaults(node.args)):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases):
            self.visit(part)

    def visit_ListComp(self, node: Comprehension) -> None:
        self.visit(node.generators[0].iter)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp
