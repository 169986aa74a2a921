"""Free names of code that runs later: functions, lambdas, comprehensions, lazy annotations.

Python decides statically which names are local to a function, so no flow analysis is needed here;
`flow` does that for the statements that run now.
"""

# ruff: noqa: N802, N815

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from .names import (
    Comprehension,
    Free,
    Function,
    NameVisitor,
    Notes,
    catches_name_error,
    defaults,
    mangle,
    signature_annotations,
    swallowers,
    type_params,
)


@dataclass
class _Scope:
    kind: str  # module, function, class or comprehension
    bound: dict[str, None] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    read_first: set[str] = field(default_factory=set)
    uses: dict[str, bool] = field(default_factory=dict)  # name: only where NameError is caught
    touches: set[tuple[str, str]] = field(default_factory=set)

    def add(self, name: str, guarded: bool) -> None:
        self.uses[name] = self.uses.get(name, True) and guarded


class Resolver(NameVisitor):
    """Find the free names of code inside a function, lambda or comprehension."""

    in_function = True

    def __init__(self, notes: Notes, class_name: str = "") -> None:
        super().__init__(notes)
        self.class_name = class_name
        self.scopes = [_Scope("module")]
        self.writes: dict[str, bool] = {}

    def function(self, node: Function | ast.Lambda) -> Free:
        """Resolve a function's body; its defaults, annotations and decorators are left out."""
        self._body(node)
        return self.result()

    def comprehension(self, node: Comprehension) -> Free:
        """Resolve a comprehension without its first iterable, which belongs to the outer scope."""
        self.in_function = False
        self._comprehension(node)
        return self.result()

    def expression(self, node: ast.AST) -> Free:
        """Resolve an expression that is evaluated later."""
        self.visit(node)
        return self.result()

    def result(self) -> Free:
        """Say what was found so far."""
        root = self.scopes[0]
        return Free(
            {name for name, guarded in root.uses.items() if not guarded},
            {name for name, guarded in root.uses.items() if guarded},
            self.writes,
            root.bound,
            root.touches,
        )

    def use(self, name: str) -> None:
        name = mangle(name, self.class_name)
        owner = self._owner()
        # Class bodies run in order, and so does a comprehension whose walrus binds outside it.
        if owner.kind in ("class", "module") and name in owner.bound:
            return
        if name not in owner.bound:
            owner.read_first.add(name)
        self.scopes[-1].add(name, self.guard > 0)

    def bind(self, name: str) -> None:
        self.scopes[-1].bound[mangle(name, self.class_name)] = None

    unbind = bind  # ``del x`` makes x local, too

    def touch(self, name: str, via: str = "") -> None:
        self.scopes[-1].touches.add((mangle(name, self.class_name), via))

    def _owner(self) -> _Scope:
        return next(scope for scope in reversed(self.scopes) if scope.kind != "comprehension")

    def _close(self) -> None:
        """Leave the innermost scope and hand its free names to the one around it."""
        scope = self.scopes.pop()
        root = self.scopes[0]
        # Code inside a class body doesn't see the class's own names.
        outer = next(outer for outer in reversed(self.scopes) if outer.kind != "class")
        local = scope.bound.keys() - scope.globals - scope.nonlocals
        for name in scope.bound:
            if name in scope.globals:
                first = name not in scope.read_first
                self.writes[name] = self.writes.get(name, False) or first
        for name, guarded in scope.uses.items():
            if name in scope.globals or (scope.kind == "class" and name in local):
                root.add(name, guarded)
            elif name not in local:
                outer.add(name, guarded)
        for name, via in scope.touches:
            if name not in local:
                target = root if name in scope.globals else outer
                target.touches.add((name, "" if via in local else via))

    def visit_Global(self, node: ast.Global) -> None:
        self.scopes[-1].globals.update(mangle(name, self.class_name) for name in node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.scopes[-1].nonlocals.update(mangle(name, self.class_name) for name in node.names)

    def _body(self, node: Function | ast.Lambda) -> None:
        guard, self.guard = self.guard, 0
        in_function, self.in_function = self.in_function, True
        self.scopes.append(_Scope("function"))
        args = node.args
        for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
            if arg is not None:
                self.bind(arg.arg)
        self.block([node.body] if isinstance(node, ast.Lambda) else node.body)
        self._close()
        self.guard, self.in_function = guard, in_function

    def _parameters(self, node: ast.AST) -> bool:
        """Open a scope for type parameters if there are any."""
        params = type_params(node)
        if params:
            self.scopes.append(_Scope("function"))
            for param in params:
                self.bind(param.name)  # type: ignore[attr-defined]
            for param in params:
                self.generic_visit(param)
        return bool(params)

    def visit_FunctionDef(self, node: Function) -> None:
        self.block(node.decorator_list)
        self.block(list(defaults(node.args)))
        scoped = self._parameters(node)
        if not self.notes.future_annotations:
            self.block(list(signature_annotations(node.args, node.returns)))
        self._body(node)
        if scoped:
            self._close()
        self.bind(node.name)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.block(list(defaults(node.args)))
        self._body(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.block(node.decorator_list)
        scoped = self._parameters(node)
        self.block([*node.bases, *node.keywords])
        self.scopes.append(_Scope("class"))
        class_name, self.class_name = self.class_name, node.name
        self.block(node.body)
        self.class_name = class_name
        self._close()
        if scoped:
            self._close()
        self.bind(node.name)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        scoped = self._parameters(node)
        self.visit(node.value)  # type: ignore[attr-defined]
        if scoped:
            self._close()
        self.visit(node.name)  # type: ignore[attr-defined]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if self.scopes[-1].kind == "class" and not self.notes.future_annotations:
            self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
        self.visit(node.target)

    def _comprehension(self, node: Comprehension) -> None:
        self.scopes.append(_Scope("comprehension"))
        for number, generator in enumerate(node.generators):
            if number:
                self.visit(generator.iter)
            self.visit(generator.target)
            self.block(generator.ifs)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.block(parts)
        self._close()

    def visit_ListComp(self, node: Comprehension) -> None:
        self.visit(node.generators[0].iter)
        self._comprehension(node)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._owner().bound[mangle(node.target.id, self.class_name)] = None

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bind(node.name)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        guarded = any(catches_name_error(handler.type) for handler in node.handlers)
        self.guard += guarded
        self.block(node.body)
        self.guard -= guarded
        self.block([*node.handlers, *node.orelse, *node.finalbody])

    visit_TryStar = visit_Try  # type: ignore[assignment]

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self.block(node.items)
        guarded = swallowers(node)[1]
        self.guard += guarded
        self.block(node.body)
        self.guard -= guarded

    visit_AsyncWith = visit_With
