"""Where code hides the names that it uses: ``eval``, ``globals()``, pickles of a notebook's classes, names in texts.

Functions and the cell itself are judged by their bytecode, which tells a global ``eval`` from ``model.eval()``.
"""

from __future__ import annotations

import builtins
import dis
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...worker.looking import is_a, module_of

# module → what of it looks names up in the notebook's namespace
_LOOKS_UP = {
    "__main__": None,  # to import it is enough
    "timeit": {"timeit", "repeat", "Timer"},
    "doctest": {"testmod", "run_docstring_examples", "DocTestFinder", "testsource"},
    "cProfile": {"run"},
    "profile": {"run"},
    "pdb": {"run", "runeval", "runcall"},
    "code": {"interact", "InteractiveConsole", "InteractiveInterpreter"},
    "inspect": {"currentframe", "stack"},
    "sys": {"_getframe"},
    "importlib": {"import_module"},
    "builtins": {"eval", "exec", "globals"},
}
# module → what of it makes objects of classes that are only named in a file or a stream
_LOADS = {
    "pickle": {"load", "loads", "Unpickler"},
    "_pickle": {"load", "loads", "Unpickler"},
    "cloudpickle": {"load", "loads"},
    "dill": {"load", "loads", "Unpickler", "load_session", "load_module"},
    "joblib": {"load"},
    "torch": {"load"},
    "shelve": {"open"},
    "pandas": {"read_pickle"},
    "unittest": {"main", "TestLoader", "defaultTestLoader"},
}
_SHELL = {"user_ns", "user_global_ns", "ev", "ex", "run_cell", "run_code", "find_user_code"}
_NAMESPACES = {"user_ns", "user_global_ns", "f_globals", "f_back"}
_BUILTINS = {"eval", "exec", "globals", "__import__"}
TEXT_CALLS = frozenset(
    {
        *("query", "eval", "evaluate", "sql", "execute", "sqldf"),
        *("ols", "wls", "glm", "gls", "logit", "probit", "mixedlm", "from_formula", "dmatrix", "dmatrices"),
    }
)
_WORDS = (
    {"modules", "load", *TEXT_CALLS, *_SHELL, *_NAMESPACES, *_BUILTINS}
    | {word for words in (*_LOOKS_UP.values(), *_LOADS.values()) for word in words or ()}
) | _LOOKS_UP.keys()
_GLOBALS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})
_ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"})
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, type)
_SELECTS = re.compile(r"\b(select|from|join|with)\b", re.IGNORECASE)


@dataclass
class Hiding:
    """What hides names in some code.

    Attributes
    ----------
    everything : list of str
        What may read any name of the notebook.
    code : list of str
        What may need any class or function of the notebook.
    texts, pointers : set of str
        Texts in which names are read, and names whose values are such texts.
    modules : set of str
        Texts that may name modules; where any is imported by its name, else empty.
    """

    everything: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)
    pointers: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.everything or self.code or self.texts or self.pointers or self.modules)

    def named(self, namespace: Mapping[str, Any]) -> set[str]:
        """Return the names of the namespace that the texts mention."""
        texts = [*self.texts, *(namespace[name] for name in self.pointers if name in namespace)]
        return {name for text in texts if is_a(text, str) for name in in_text(text) if name in namespace}


def in_text(text: str) -> set[str]:
    """Return the words in a text that may be names: after ``@`` if there are such, in an expression, in SQL all."""
    local = set(re.findall(r"@(\w+)", text))
    if local and not _SELECTS.search(text):
        return local
    return local | {word for word in re.findall(r"[^\W\d]\w*", text) if not word.startswith("__")}


def hiding(codes: Iterable[types.CodeType], namespace: Mapping[str, Any], *, is_cell: bool = False) -> Hiding:
    """Return what hides names in code objects and those within them.

    Parameters
    ----------
    is_cell : bool
        It is the cell's code, whose calls of builtins and texts are known from its syntax.
    """
    found = Hiding()
    for code in codes:
        parts = list(_nested(code))
        names = {name for part in parts for name in part.co_names}
        if _WORDS & names or any(_may_hide(namespace.get(name)) for name in names):
            _judge(parts, namespace, found, is_cell)
    return found


def _may_hide(value: Any) -> bool:
    """Whether it is a function that may hide names, whatever it is called here, or the notebook as a module."""
    if is_a(value, types.ModuleType):
        return bool(value.__name__ == "__main__")
    return is_a(value, _FUNCTIONS) and module_of(value).partition(".")[0] in _LOOKS_UP.keys() | _LOADS.keys()


def texts_in(code: types.CodeType) -> set[str]:
    """Return every text that is written in some code."""
    return {text for each in _nested(code) for text in each.co_consts if isinstance(text, str)}


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)


def _judge(parts: Sequence[types.CodeType], namespace: Mapping[str, Any], found: Hiding, is_cell: bool) -> None:
    """Judge a piece of code together with what is nested in it, which may use what that imports."""
    reads, words, modules = set(), set(), set()
    for step in (step for part in parts for step in dis.get_instructions(part)):
        if step.opname in _GLOBALS:
            reads.add(str(step.argval))
        elif step.opname in _ATTRIBUTES:
            words.add(str(step.argval))
        elif step.opname == "IMPORT_NAME":
            modules.add(str(step.argval).partition(".")[0])
    called = words & TEXT_CALLS
    for name in reads:
        value: Any = namespace.get(name)
        if is_a(value, types.ModuleType):
            modules.add(value.__name__.partition(".")[0])
        elif is_a(value, _FUNCTIONS) and module_of(value) != "__main__":
            modules.add(module_of(value).partition(".")[0])
            words.add(str(value.__name__))
    constants = texts_in(parts[0])
    if not is_cell:
        shadowed = {name for name in _BUILTINS & reads if not _is_builtin(name, namespace)}
        found.everything += sorted((_BUILTINS & reads) - shadowed)
        if called:
            found.texts |= constants
            found.pointers |= reads
    for module, means in _LOOKS_UP.items():
        hit = means is None or bool(means & words)
        if module in modules and hit and not (is_cell and module == "importlib"):
            found.everything += [module if means is None else f"{module}.{min(means & words)}"]
    if "sys" in modules and "modules" in words and ("__main__" in constants or "__name__" in reads):
        found.everything.append("sys.modules")
    if _NAMESPACES & words or ("get_ipython" in reads and _SHELL & words):
        found.everything += sorted((_NAMESPACES | _SHELL) & words)[:1]
    for module, means in _LOADS.items():
        if module in modules and means & words:
            found.code.append(f"{module.lstrip('_')}.{min(means & words)}")
    if "numpy" in modules and "load" in words and _has_keyword(parts, "allow_pickle"):
        found.code.append("numpy.load")
    if "import_module" in words or (not is_cell and "__import__" in reads):
        found.modules |= constants | {v for n in reads for v in _texts_of(namespace.get(n))}


def _is_builtin(name: str, namespace: Mapping[str, Any]) -> bool:
    return namespace.get(name, vars(builtins)[name]) is vars(builtins)[name]


def _has_keyword(parts: Sequence[types.CodeType], name: str) -> bool:
    return any(isinstance(each, tuple) and name in each for part in parts for each in part.co_consts)


def _texts_of(value: Any) -> list[str]:
    """Return a text, or those of a short list: names of modules to import."""
    if is_a(value, str):
        return [value]
    if type(value) in (list, tuple) and len(value) < 100:
        return [part for part in value if is_a(part, str)]
    return []
