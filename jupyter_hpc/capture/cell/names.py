"""What the analyses of names share: a visitor that reports each use of a name, and small helpers."""

# ruff: noqa: N815, SIM905

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .hiding import TEXT_CALLS

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

# Every module has these, and class bodies and methods get the last three from Python itself.
MODULE_NAMES = frozenset(
    "__name__ __file__ __doc__ __builtins__ __package__ __loader__ __spec__ __debug__ __path__ "
    "__cached__ __annotations__ __class__ __module__ __qualname__".split()
)
PURE_BUILTINS = frozenset(
    "len print repr str int float sum min max sorted range type isinstance id hash abs round bool "
    "list tuple set dict enumerate zip any all hasattr getattr format".split()
)
CONSUMING_BUILTINS = frozenset("sum min max sorted list tuple set frozenset dict any all".split())
_NAME_ERRORS = frozenset({"NameError", "Exception", "BaseException"})
_SWALLOWERS = frozenset({"suppress", "raises", "assertRaises"})
_NAMESPACES = frozenset({"user_ns", "user_global_ns", "f_globals"})
_BINDING_MAGICS = frozenset({"run", "pylab", "run_cell_magic"})


@dataclass
class Notes:
    """What both visitors write down on their way."""

    future_annotations: bool = False
    dynamic: list[tuple[str, int]] = field(default_factory=list)
    ipython: list[int] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    star_imports: set[str] = field(default_factory=set)
    aliases: set[tuple[str, str]] = field(default_factory=set)  # (name, what it may be a part of)
    texts: set[str] = field(default_factory=set)  # texts in which names are read
    pointers: set[str] = field(default_factory=set)  # names whose values are such texts
    narrow: set[ast.AST] = field(default_factory=set)  # calls that are asked for one name, which is written there
    callees: set[ast.AST] = field(default_factory=set)  # what is called, rather than handed on
    opaque: bool = False  # names that nobody can see statically may be bound by now

    def call(self, node: ast.Call, in_function: bool) -> None:
        """Note a call of exec, globals and the like, or of IPython."""
        func = node.func
        if node in self.narrow:
            self.opaque = True
            return
        if isinstance(func, ast.Attribute):
            self.opaque |= _runs_code(func, node.args)
            if func.attr in TEXT_CALLS:
                self._texts(node)
            elif func.attr == "import_module":
                self._imports(node, "import_module")
        if not isinstance(func, ast.Name):
            return
        name = func.id
        if name == "get_ipython":
            self.ipython.append(node.lineno)
        elif name in ("__import__", "import_module"):
            self._imports(node, name)
        elif name in ("exec", "eval"):
            self.opaque |= name == "exec"
            if _text(node.args) is not None:
                self._texts(node)
            elif not (node.args[1:] or node.keywords):  # else it is told where its names are
                self.dynamic.append((name, node.lineno))
        elif name in TEXT_CALLS:  # from duckdb import sql
            self._texts(node)
        elif name == "globals":
            self.dynamic.append((name, node.lineno))
            self.opaque = True
        elif name in ("locals", "vars", "dir") and not (node.args or node.keywords or in_function):
            # In a function these see only what is local to it.
            self.dynamic.append((name, node.lineno))
            self.opaque = True

    def handed_on(self, node: ast.Name) -> None:
        """Note a builtin that hides names and is an argument: ``map(eval, texts)``."""
        if node.id in ("eval", "exec", "globals") and node not in self.callees:
            self.dynamic.append((node.id, node.lineno))

    def narrowed(self, tree: ast.AST) -> None:
        """Note where a namespace is asked for one name that is written there, or only written to."""
        for node in ast.walk(tree):
            call: ast.expr | None = None
            key: ast.expr | None = None
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
                call, key = node.comparators[0], node.left
            elif isinstance(node, ast.Subscript):
                call, key = node.value, node.slice
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
                "get",
                "pop",
                "setdefault",
            ):
                call, key = getattr(node.func, "value", None), node.args[0] if node.args else None
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)) or call.args or call.keywords:
                continue
            written = isinstance(key, ast.Constant) and isinstance(key.value, str)
            stores = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
            if call.func.id in ("globals", "locals", "vars", "dir") and (written or stores):
                self.narrow.add(call)
                if isinstance(key, ast.Constant) and written:
                    self.texts.add(str(key.value))

    def _imports(self, node: ast.Call, name: str) -> None:
        """Note the module that is imported by a text, if the text is there to be read."""
        text = _text(node.args)
        if text is None or text == "__main__":
            self.dynamic.append((name, node.lineno))
        else:
            self.imports.add(text)

    def _texts(self, node: ast.Call) -> None:
        """Note the texts among a call's arguments, and the names whose values may be texts."""
        for arg in (*node.args, *(keyword.value for keyword in node.keywords)):
            for part in ast.walk(arg) if isinstance(arg, (ast.JoinedStr, ast.BinOp)) else (arg,):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    self.texts.add(part.value)
                elif isinstance(part, ast.Name):
                    self.pointers.add(part.id)

    def alias(self, target: ast.expr, value: ast.expr) -> None:
        """Note that names in ``target`` may now stand for parts of the names in ``value``."""
        names = [n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        sources = value.args if isinstance(value, ast.Call) else [value]  # enumerate(rows), zip(a, b)
        self.aliases.update((name, root) for source in sources for root in roots(source) for name in names)

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note the modules that an import statement names."""
        if isinstance(node, ast.Import):
            self.imports.update(alias.name for alias in node.names)
        elif node.module and not node.level:
            self.imports.add(node.module)
            for alias in node.names:
                if alias.name == "*":
                    self.star_imports.add(node.module)
                else:
                    self.imports.add(f"{node.module}.{alias.name}")
        self.opaque |= any(alias.name in ("*", "__main__") for alias in node.names)


def _runs_code(func: ast.Attribute, args: Sequence[ast.expr]) -> bool:
    """Whether a method call runs code that binds names, as a magic such as ``%run`` does."""
    if func.attr in ("run_cell_magic", "run_cell", "run_code"):
        return True
    if func.attr in ("push", "ex") and isinstance(func.value, ast.Call):
        return isinstance(func.value.func, ast.Name) and func.value.func.id == "get_ipython"
    first = args[0] if func.attr == "run_line_magic" and args else None
    return isinstance(first, ast.Constant) and first.value in _BINDING_MAGICS


def _text(args: Sequence[ast.expr]) -> str | None:
    """The text that is a call's first argument, if it is written there."""
    value = args[0].value if args and isinstance(args[0], ast.Constant) else None
    return value if isinstance(value, str) else None


def mangle(name: str, class_name: str) -> str:
    """Give the name that Python uses for a private name inside a class."""
    class_name = class_name.lstrip("_")
    if class_name and name.startswith("__") and not name.endswith("__"):
        return f"_{class_name}{name}"
    return name


def catches_name_error(kind: ast.expr | None) -> bool:
    """Whether ``except kind`` catches a NameError."""
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(item, ast.Name) and item.id in _NAME_ERRORS for item in kinds)


def swallowers(node: ast.With | ast.AsyncWith) -> tuple[bool, bool]:
    """Whether a ``with`` may swallow exceptions, and whether NameError is among them."""
    swallows = name_error = False
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call):
            func = call.func
            name = getattr(func, "attr", None) or getattr(func, "id", None)
            if name in _SWALLOWERS:
                swallows = True
                name_error |= any(catches_name_error(arg) for arg in call.args)
    return swallows, name_error


def roots(node: ast.expr) -> Iterator[str]:
    """Yield the names whose value, or a part of it, this expression hands on."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.NamedExpr, ast.Await)):
        node = node.value
    parts: Iterable[ast.expr] = ()
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        parts = node.elts
    elif isinstance(node, (ast.Dict, ast.BoolOp)):
        parts = node.values
    elif isinstance(node, ast.IfExp):
        parts = (node.body, node.orelse)
    for part in parts:
        yield from roots(part)


def type_params(node: ast.AST) -> list[ast.AST]:
    """List a definition's type parameters (Python 3.12 and later)."""
    return getattr(node, "type_params", [])


def signature_annotations(args: ast.arguments, returns: ast.expr | None) -> Iterator[ast.expr]:
    """Yield the annotations in a function's signature."""
    for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
        if arg is not None and arg.annotation is not None:
            yield arg.annotation
    if returns is not None:
        yield returns


def defaults(args: ast.arguments) -> Iterator[ast.expr]:
    """Yield the default values in a function's signature."""
    yield from args.defaults
    yield from (value for value in args.kw_defaults if value is not None)


class NameVisitor(ast.NodeVisitor):
    """Visit code in the order it runs, and report each use of a name."""

    in_function = False

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.guard = 0  # how many enclosing blocks catch NameError

    def use(self, name: str) -> None:
        """Take note that the name is read."""
        raise NotImplementedError

    def bind(self, name: str) -> None:
        """Take note that the name is bound."""
        raise NotImplementedError

    def unbind(self, name: str) -> None:
        """Take note that the name is deleted."""
        raise NotImplementedError

    def touch(self, name: str, via: str = "") -> None:
        """Take note that the value may change in place, by the function `via` unless that is pure."""
        raise NotImplementedError

    def block(self, body: Sequence[ast.AST]) -> None:
        """Visit statements or expressions one after another."""
        for node in body:
            self.visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.use(node.id)
            self.notes.handed_on(node)
        elif isinstance(node.ctx, ast.Store):
            self.bind(node.id)
        else:
            self.use(node.id)
            self.unbind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._touch_all(node.value)
        self.notes.opaque |= node.attr in _NAMESPACES
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._touch_all(node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        func = node.func
        self.notes.callees.add(func)
        via = func.id if isinstance(func, ast.Name) and func.id in PURE_BUILTINS else ""
        if isinstance(func, ast.Attribute):
            self._touch_all(func.value)
        for arg in (*node.args, *(keyword.value for keyword in node.keywords)):
            self._touch_all(arg, via)
        self.generic_visit(node)
        self.notes.call(node, self.in_function)

    def _touch_all(self, node: ast.expr, via: str = "") -> None:
        for name in roots(node):
            self.touch(name, via)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.notes.alias(target, node.value)
        self.visit(node.value)
        self.block(node.targets)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.notes.alias(node.target, node.value)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.use(node.target.id)
            self.touch(node.target.id)
            self.visit(node.value)
            self.bind(node.target.id)
        else:
            self.visit(node.target)
            self.visit(node.value)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.notes.imported(node)
        for alias in node.names:
            if alias.name != "*":
                dotted = isinstance(node, ast.Import)
                self.bind(alias.asname or (alias.name.split(".")[0] if dotted else alias.name))

    visit_ImportFrom = visit_Import

    def _capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        self.generic_visit(node)
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            self.bind(name)

    visit_MatchAs = visit_MatchStar = visit_MatchMapping = _capture


@dataclass
class Free:
    """Names that a piece of code looks up in the module, not in itself.

    Attributes
    ----------
    reads, guarded : set of str
        Names read; and those read only where NameError is caught.
    writes : dict
        Names that ``global`` lets it bind, in order; each with whether it binds before it reads.
    walrus : dict
        Names that a comprehension binds outside itself, in order (the values mean nothing).
    touches : set of (str, str)
        Names that may change in place, each with the pure function they were passed to, if any.
    """

    reads: set[str] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    writes: dict[str, bool] = field(default_factory=dict)
    walrus: dict[str, None] = field(default_factory=dict)
    touches: set[tuple[str, str]] = field(default_factory=set)
