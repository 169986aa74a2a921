"""Definite assignment for the statements of a cell: which names are surely bound where.

A branch binds what all its arms bind, a loop may run no times, and code after ``raise`` isn't
reached. Function bodies run later and are judged by what the cell has bound at its end.
"""

# ruff: noqa: N802, N815

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager

from .bindings import Bindings, ClassBody, Loop, State
from .names import (
    CONSUMING_BUILTINS,
    Comprehension,
    Free,
    Function,
    catches_name_error,
    defaults,
    mangle,
    signature_annotations,
    swallowers,
    type_params,
)
from .scope import Resolver
from .surely import certain

_LAZY_ANNOTATIONS = sys.version_info >= (3, 14)


class Flow(Bindings):
    """Follow a cell's statements."""

    def _snap(self) -> State:
        return State(set(self.state.bound), self.state.dead)

    def _merge(self, states: Sequence[State]) -> None:
        live = [state for state in states if not state.dead]
        bound = set.intersection(*(state.bound for state in live or states))
        self.state = State(bound, not live)

    @contextmanager
    def _branch(self, state: State) -> Iterator[None]:
        """Visit code that may not run, starting from a copy of the state."""
        self.state = State(set(state.bound), state.dead)
        self.depth += 1
        yield
        self.depth -= 1

    @contextmanager
    def _killing(self) -> Iterator[set[str]]:
        """Collect the names that the code inside may delete."""
        kills: set[str] = set()
        self._kills.append(kills)
        yield kills
        self._kills.pop()

    def _perhaps(self, nodes: Sequence[ast.AST]) -> State:
        """Visit nodes that may not run, and give the state after them if they did."""
        before = self._snap()
        with self._branch(before):
            self.block(nodes)
        after, self.state = self.state, before
        return after

    def _condition(self, test: ast.expr) -> tuple[State, State]:
        """Visit a condition, and give the states where it is true and where it is false."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            true, false = self._condition(test.operand)
            return false, true
        if isinstance(test, ast.BoolOp):
            self.visit(test.values[0])
            every = self._perhaps(test.values[1:])
            first = self._snap()
            return (every, first) if isinstance(test.op, ast.And) else (first, every)
        self.visit(test)
        true, false = self._snap(), self._snap()
        if isinstance(test, ast.Constant):
            (false if test.value else true).dead = True
        return true, false

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._merge(self._condition(node))

    def visit_Compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        self.visit(node.comparators[0])
        if node.comparators[1:]:
            self._perhaps(node.comparators[1:])

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        arms = []
        tests = self._condition(node.test)
        for state, body in zip(tests, (node.body, node.orelse), strict=True):
            with self._branch(state):
                self.block(body if isinstance(body, list) else [body])
            arms.append(self.state)
        self._merge(arms)

    visit_IfExp = visit_If

    def visit_Assert(self, node: ast.Assert) -> None:
        true, false = self._condition(node.test)
        if node.msg is not None:
            with self._branch(false):
                self.visit(node.msg)
        self.state = true

    def visit_Raise(self, node: ast.Raise) -> None:
        self.generic_visit(node)
        self.state.dead = True

    def visit_Break(self, node: ast.Break) -> None:
        self._loops[-1].breaks.append(self._snap())
        self.state.dead = True

    def visit_Continue(self, node: ast.Continue) -> None:
        self.state.dead = True

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.notes.alias(node.target, node.iter)
        self.visit(node.iter)
        before = self._snap()
        with self._killing() as killed:
            loop = self._loop([node.target, *node.body], node)
        self._after_loop(node.orelse, before.without(killed), loop)

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        true, false = self._condition(node.test)
        self.state = true
        with self._killing() as killed:
            loop = self._loop(node.body, node)
        self._after_loop(node.orelse, false.without(killed), loop)

    def _loop(self, body: Sequence[ast.AST], node: ast.AST) -> Loop:
        names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}
        loop = Loop(names, self.depth)
        self._loops.append(loop)
        self.block(body)
        self._loops.pop()
        return loop

    def _after_loop(self, orelse: Sequence[ast.AST], state: State, loop: Loop) -> None:
        with self._branch(state):
            self.block(orelse)
        self._merge([self.state, *loop.breaks])

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self.block(node.items)
        swallows, guarded = swallowers(node)
        before = self._snap()
        self.guard += guarded
        self.trying += swallows
        with self._killing() as killed:
            self.block(node.body)
        self.guard -= guarded
        self.trying -= swallows
        if swallows:
            self._merge([before.without(killed), self.state])

    visit_AsyncWith = visit_With

    def visit_Try(self, node: ast.Try) -> None:
        before = self._snap()
        number = len(self._loops[-1].breaks) if self._loops else 0
        guarded = any(catches_name_error(handler.type) for handler in node.handlers)
        with self._killing() as all_killed:
            with self._killing() as killed:
                self.guard += guarded
                self.trying += 1
                self.block(node.body)
                self.trying -= 1
                self.guard -= guarded
            self.block(node.orelse)
            arms = [self.state]
            for handler in node.handlers:
                with self._branch(before.without(killed)):
                    self._handler(handler)
                arms.append(self.state)
            self._merge(arms)
        if node.finalbody:
            self._finally(node.finalbody, before.without(all_killed), number)

    visit_TryStar = visit_Try  # type: ignore[assignment]

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.state.bound.add(self._key(mangle(node.name, self._class_name)))
        self.block(node.body)
        if node.name:
            self._forget(node.name)

    def _finally(self, body: Sequence[ast.AST], weakest: State, number: int) -> None:
        normal = self.state
        self.state = weakest
        with self._killing() as killed:
            self.block(body)
        bound = (normal.bound - killed) | self.state.bound
        self.state = State(bound, normal.dead or self.state.dead)
        for state in self._loops[-1].breaks[number:] if self._loops else ():
            state.bound -= killed

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        rest = self._snap()
        arms = []
        for case in node.cases:
            with self._branch(rest):
                self.visit(case.pattern)
                if case.guard is not None:
                    self.state, _ = self._condition(case.guard)
                self.block(case.body)
            arms.append(self.state)
            rest.dead |= case.guard is None and _irrefutable(case.pattern)
        self._merge([*arms, rest])

    def _defer(self, free: Free) -> Free:
        """Keep what runs later for `finish`."""
        for params in self._params:
            free.reads -= params
            free.guarded -= params
        for name, binds_first in free.writes.items():
            self._assign(name)
            if binds_first:
                self._possible.add(name)
        self.touched |= free.touches
        if not self.state.dead:
            self._later.append(free)
        return free

    def _resolver(self) -> Resolver:
        return Resolver(self.notes, self._class_name)

    @contextmanager
    def _parameters(self, node: ast.AST) -> Iterator[None]:
        params = type_params(node)
        self._params.append({param.name for param in params})  # type: ignore[attr-defined]
        for param in params:
            self._defer(self._resolver().expression(param))
        yield
        self._params.pop()

    def visit_FunctionDef(self, node: Function) -> None:
        self.block(node.decorator_list)
        self.block(list(defaults(node.args)))
        with self._parameters(node):
            for annotation in signature_annotations(node.args, node.returns):
                self._annotation(annotation)
            free = self._defer(self._resolver().function(node))
        self.bind(node.name)
        if not self._classes:
            self._functions[node.name] = free
            self._knows(node.name, node, free)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def _knows(self, name: str, node: Function | ast.Lambda, free: Free) -> None:
        """Remember what a call of the name comes to, where it surely has this function."""
        if not (self.depth or self._loops):
            self._certain[name] = certain(node), free

    def _annotation(self, node: ast.expr) -> None:
        if self.notes.future_annotations:
            return
        if _LAZY_ANNOTATIONS:
            self._defer(self._resolver().expression(node))
        else:
            self.visit(node)

    def _lambda(self, node: ast.Lambda) -> Free:
        self.block(list(defaults(node.args)))
        return self._defer(self._resolver().function(node))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._soon(self._lambda(node))

    def visit_Assign(self, node: ast.Assign) -> None:
        if not isinstance(node.value, ast.Lambda):
            super().visit_Assign(node)
            return
        free = self._lambda(node.value)
        self.block(node.targets)
        for target in node.targets:
            if isinstance(target, ast.Name) and not self._classes:
                self._functions[target.id] = free
                self._knows(target.id, node.value, free)

    def visit_Call(self, node: ast.Call) -> None:
        if _consumes(node, self.assigned):
            self._consumed.update(node.args[:1])
        super().visit_Call(node)
        if isinstance(node.func, ast.Name):
            self._called(node.func.id)
            for free in self._known_classes.get(node.func.id, ()):
                self._soon(free)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)
        self._annotation(node.annotation)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.block(node.decorator_list)
        first = len(self._later)
        with self._parameters(node):
            self.block([*node.bases, *node.keywords])
            self._classes.append(ClassBody(node.name, f".{node.lineno}.{node.col_offset}."))
            self.block(node.body)
            self._classes.pop()
        self.bind(node.name)
        self._known_classes[node.name] = self._later[first:]

    def visit_Global(self, node: ast.Global) -> None:
        if self._classes:
            self._classes[-1].globals.update(mangle(n, self._class_name) for n in node.names)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        with self._parameters(node):
            self._defer(self._resolver().expression(node.value))  # type: ignore[attr-defined]
        self.visit(node.name)  # type: ignore[attr-defined]

    def visit_ListComp(self, node: Comprehension) -> None:
        self.visit(node.generators[0].iter)
        free = self._resolver().comprehension(node)
        if isinstance(node, ast.GeneratorExp) and node not in self._consumed:
            self._soon(self._defer(free))
        else:
            self.touched |= free.touches
            for name in free.reads | free.guarded:
                self._use(name, class_visible=False)
        for name in free.walrus:
            self._possible.add(name)
            self._assign(name)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp


def _consumes(node: ast.Call, assigned: Container[str]) -> bool:
    """Whether a call runs through the generator that it is given, now: ``sum(k * x for x in xs)``."""
    func = node.func
    if not (isinstance(func, ast.Name) and node.args and isinstance(node.args[0], ast.GeneratorExp)):
        return False
    return func.id in CONSUMING_BUILTINS and func.id not in assigned


def _irrefutable(pattern: ast.pattern) -> bool:
    """Whether a pattern always matches: ``_``, a capture, or alternatives ending in one."""
    if isinstance(pattern, ast.MatchOr):
        return _irrefutable(pattern.patterns[-1])
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _irrefutable(pattern.pattern))
