"""All statements that make sense in a namespace as it is: what assigns, shares, changes, defines, calls and deletes.

Each function returns texts, the plainest first. They are drawn from, so a namespace must give the same list each time.
"""

from __future__ import annotations

import collections
import inspect
import random
import types
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

Space = dict[str, Any]
NAMES = ("a", "b", "c", "d", "e")
FUNCTIONS = ("f0", "f1", "f2")
CLASSES = ("C0", "C1", "C2")
SETUP = "import collections, contextlib, dataclasses, functools, random\nimport numpy as np\n"
LONGEST = 12  # of a container that may still grow

LITERALS = (
    "0",
    "'x'",
    "2.5",
    "None",
    "[]",
    "[1, 2]",
    "[[1], [2]]",
    "{}",
    "{'k': 1}",
    "{'k': [1], 'm': {}}",
    "{1, 2}",
    "(1, [2])",
    "bytearray(b'ab')",
    "collections.deque([1, 2], maxlen=3)",
    "collections.Counter('aab')",
    "collections.defaultdict(list)",
    "collections.OrderedDict(k=1, m=2)",
    "np.arange(4)",
    "np.zeros((2, 2))",
    "np.array([[1], 'x'], dtype=object)",
    "random.Random(1)",
    "np.random.default_rng(1)",
    "iter([1, 2, 3])",
    "[x * 2 for x in range(3)]",
    "{x: [x] for x in 'km'}",
    "functools.partial(list, (1, 2))",
    "True",
)

FUNCTION_TEXTS = (
    "def {f}():\n    return {n}",
    "def {f}(x=7):\n    global {n}\n    {n} = x",
    "def {f}():\n    global {n}\n    {n} = [{n}, {n}]\n    return {n}",
    "def {f}():\n    global {n}\n    del {n}",
    "def {f}(x, kept=[]):\n    kept.append(x)\n    return kept",
    "def {f}(x=1, *, kept={{}}):\n    kept[len(kept)] = x\n    return kept",
    "def {f}():\n    {f}.calls = getattr({f}, 'calls', 0) + 1\n    return {f}.calls",
    "{f} = lambda x: [x, {n}]",
    "def {f}(x):\n    x.append(1)\n    return x",
    "def {f}():\n    {n}.append(len({n}))\n    return {n}",
    "def {f}():\n    {n}['f'] = len({n})",
    "def {f}():\n    yield {n}\n    yield [1]",
    "def {f}():\n    try:\n        {n}.x = 3\n    except AttributeError as error:\n        return str(type(error))",
)
COUNTERS = """\
def made(kept):
    n = 0
    def up():
        nonlocal n
        n += 1
        kept.append(n)
        return n
    def look():
        return n, kept
    return up, look
f0, f1 = made({kept})"""
WRAPPED = """\
def counted(function):
    seen = []
    @functools.wraps(function)
    def inner(*args):
        seen.append(len(args))
        return function(*args)
    inner.seen = seen
    return inner
{f} = counted({g})"""
CLASS_TEXTS = (
    "class {c}:\n    count = 0\n    def __init__(self):\n        {c}.count += 1\n        self.items = []\n"
    "    def grow(self, x=1):\n        self.items.append(x)\n        return self.items",
    "class {c}:\n    known = []\n    def __init__(self):\n        self.known.append(self)",
    "class {c}:\n    __slots__ = ('x', 'y')\n    def grow(self, x=1):\n        self.x = [x]\n        return self",
    "class {c}:\n    size = 1\n    @property\n    def half(self):\n        return self.size / 2\n    @half.setter\n"
    "    def half(self, x):\n        self.size = x * 2\n    @classmethod\n    def made(cls):\n        cls.size += 1\n"
    "        return cls()\n    @staticmethod\n    def twice(x=2):\n        return [x, x]",
    "@dataclasses.dataclass\nclass {c}:\n    x: int = 0\n    items: list = dataclasses.field(default_factory=list)\n"
    "    def grow(self, x=1):\n        self.items.append(x)\n        self.x += x",
    "class {c}(list):\n    note = None\n    def grow(self, x=1):\n        self.append(x)\n        self.note = x",
    "class {c}(dict):\n    def __missing__(self, key):\n        self[key] = [key]\n        return self[key]",
)
CHILD = """\
class {c}({base}):
    def __init__(self):
        super().__init__()
        self.child = [1]
    def grow(self, x=1):
        self.child.append(x)
        return self.child"""
METHODS = ("grow()", "grow(2)", "made()", "twice()", "half = 4", "calls")
FAILURES = ("raise ValueError('no')", "1 / 0", "{}['k']", "[].nothing", "raise KeyError(1, [2])")


def values(space: Space) -> dict[str, Any]:
    return {name: space[name] for name in NAMES if name in space}


def functions(space: Space) -> dict[str, Any]:
    return {name: space[name] for name in FUNCTIONS if name in space}


def classes(space: Space) -> dict[str, type]:
    return {name: space[name] for name in CLASSES if name in space}


def places(space: Space) -> list[tuple[str, Any]]:
    """Return expressions that lead to what may be changed or shared, from one name and at most two steps on."""
    named = [*values(space).items(), *functions(space).items(), *classes(space).items()]
    near = [step for expression, value in named for step in _steps(expression, value)]
    far = [step for expression, value in near for step in _steps(expression, value)]
    return [(e, v) for e, v in (*named, *near, *far) if not isinstance(v, (int, float, str, type(None)))][:60]


def _steps(expression: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (list, tuple)) and value:
        yield f"{expression}[0]", value[0]
        if len(value) > 1:
            yield f"{expression}[-1]", value[-1]
    elif isinstance(value, dict):
        plain = ((k, v) for k, v in value.items() if type(k) in (str, int))
        yield from ((f"{expression}[{key!r}]", inside) for key, inside in islice(plain, 2))
    if isinstance(value, (type, types.FunctionType)) or _is_instance(value):
        own = vars(value) if hasattr(value, "__dict__") else {}
        shown = [n for n, v in own.items() if not n.startswith("_") and not callable(v)]
        slots = [n for n in getattr(type(value), "__slots__", ()) if hasattr(value, n)]
        yield from ((f"{expression}.{n}", getattr(value, n)) for n in [*shown, *slots][:3] if n != "half")


def _is_instance(value: Any) -> bool:
    return type(value).__module__ == "__main__"


# -- one kind of statement each --------------------------------------------------------------------


def assign(space: Space) -> list[str]:
    made = [f"{c}()" for c in classes(space)]
    return [f"{name} = {value}" for value in (*LITERALS, *made) for name in NAMES]


def share(space: Space) -> list[str]:
    forms = ("{p}", "[{p}, {p}]", "{{'k': {p}}}", "({p}, 1)", "[[{p}], {p}]")
    found = [f"{name} = {form.format(p=p)}" for form in forms for p, _ in places(space) for name in NAMES[:3]]
    held = values(space)
    found += [f"{x}, {y} = {y}, {x}" for x in held for y in held if x < y]
    for x, into in held.items():
        for p, _ in places(space):
            if isinstance(into, list) and len(into) < LONGEST:
                found.append(f"{x}.append({p})")
            elif isinstance(into, dict):
                found.append(f"{x}['s'] = {p}")
            elif _is_instance(into):
                found.append(f"{x}.x = {p}")
    for x in (*functions(space), *classes(space)):
        found += [f"{x}.kept = {p}" for p, _ in places(space)]
    return found


def copy(space: Space) -> list[str]:
    found = []
    for x, value in values(space).items():
        if isinstance(value, (list, tuple)):
            found += [f"{n} = list({x})" for n in NAMES] + [f"{n} = [x for x in {x}]" for n in NAMES]
        if isinstance(value, list):
            found += [f"{n} = iter({x})" for n in NAMES]
        if isinstance(value, (list, dict, set, np.ndarray)) and not _is_instance(value):
            found += [f"{n} = {x}.copy()" for n in NAMES]
    return found


def array(space: Space) -> list[str]:
    forms = ("np.arange(4)", "np.zeros((2, 2))", "np.arange(4.0)[::-1]", "np.array([[1], 'x'], dtype=object)")
    return [f"{n} = {form}" for form in forms for n in NAMES[:3]]


def view(space: Space) -> list[str]:
    """Not of arrays of objects, whose views still travel as copies."""
    found = {x: value for x, value in values(space).items() if isinstance(value, np.ndarray) and value.size > 1}
    arrays = [x for x, value in found.items() if not value.dtype.hasobject]
    forms = ("{x}[1:]", "{x}.T", "{x}.ravel()", "{x}[::-1]", "{x}.view()")
    return [f"{n} = {form.format(x=x)}" for form in forms for x in arrays for n in NAMES]


def change(space: Space) -> list[str]:
    return [text for expression, value in places(space) for text in _changes(expression, value)]


def _changes(p: str, value: Any) -> list[str]:
    is_small = not hasattr(type(value), "__len__") or len(value) < LONGEST
    found: list[str] = []
    if _is_instance(value):
        found += [f"{p}.x = 5", f"{p}.z = [1]", f"setattr({p}, 'w', {{}})"]
        found += [f"del {p}.{n}" for n in list(getattr(value, "__dict__", ()))[:2]]
        found += [f"{p}.{m}" for m in METHODS if is_small and hasattr(value, m.partition("(")[0].partition(" ")[0])]
    if isinstance(value, type) and value.__module__ == "__main__":
        found += [
            f"{p}.extra = [1]",
            f"{p}.count = 9",
            f"{p}.grow = lambda self, x=1: setattr(self, 'x', [x])",
        ]
        found += [f"del {p}.{n}" for n in ("extra", "kept", "grow") if n in vars(value)]
        found += [f"{p}.made()"] * hasattr(value, "made")
    if isinstance(value, types.FunctionType):
        found += [
            f"{p}.note = [1]",
            f"{p}.__doc__ = 'new'",
            f"{p}.__name__ = 'g'",
            f"{p}.__defaults__ = ([3],)",
        ]
        found += [f"del {p}.{n}" for n in list(vars(value))[:2]]
    for kind, texts in _BUILTIN.items():
        if isinstance(value, kind):
            found += [t.format(p=p) for t in texts if is_small or not t.startswith("+")]
    return [t.lstrip("+") for t in found]


_BUILTIN: dict[type, tuple[str, ...]] = {  # with a + in front where it grows
    list: (
        "+{p}.append(1)",
        "{p}[0] = 9",
        "{p}.pop()",
        "+{p}.extend([3, 3])",
        "+{p}.insert(0, [0])",
        "del {p}[0]",
        "{p}[1:1] = [7]",
        "{p}.sort(key=str)",
        "{p}.reverse()",
        "{p}.clear()",
        "+{p} += [5]",
        "{p}[:] = [1]",
        "{p}[0].append(1)",
    ),
    dict: (
        "{p}['n'] = 1",
        "{p}.update(m=[2])",
        "{p}.pop('k', None)",
        "{p}.setdefault('k', []).append(1)",
        "del {p}['k']",
        "{p}.clear()",
        "{p} |= {{'o': 1}}",
        "{p}.popitem()",
    ),
    collections.OrderedDict: ("{p}.move_to_end('k')",),
    collections.Counter: ("{p}.update('ab')", "{p}['a'] += 2"),
    collections.defaultdict: ("{p}['new'].append(1)", "{p}.default_factory = dict"),
    set: ("{p}.add(5)", "{p}.discard(1)", "{p} |= {{7}}", "{p}.clear()", "{p}.update([8, 9])"),
    bytearray: ("+{p}.append(1)", "{p}[0] = 65", "+{p} += b'z'", "del {p}[0]"),
    collections.deque: ("{p}.append(1)", "{p}.appendleft([0])", "{p}.popleft()", "{p}.rotate(1)"),
    np.ndarray: (
        "{p}[0] = 9",
        "{p} += 1",
        "{p}.fill(2)",
        "{p}[:] = {p}[::-1].copy()",
        "{p}.sort()",
        "{p}.shape = (4, 1)",
        "{p}.flags.writeable = False",
    ),
    random.Random: ("{p}.random()", "{p}.seed(4)"),
    np.random.Generator: ("{p}.random()", "{p}.integers(5, size=3)"),
    type(iter([])): ("next({p}, None)", "list({p})"),
}


def augment(space: Space) -> list[str]:
    """Immutable values, by their names."""
    plain = {x: v for x, v in values(space).items() if type(v) in (int, str, float)}
    return [f"{x} += {v!r}" if v else f"{x} += {type(v).__name__}()" for x, v in plain.items() if len(str(v)) < 9]


def define(space: Space) -> list[str]:
    return [t.format(f=f, n=n) for t in FUNCTION_TEXTS for f in FUNCTIONS for n in NAMES]


def close_over(space: Space) -> list[str]:
    lists = [x for x, value in values(space).items() if isinstance(value, list)]
    wrapped = [WRAPPED.format(f=f, g=g) for f in FUNCTIONS for g in functions(space)]
    return [COUNTERS.format(kept=x) for x in ("[]", *lists)] + wrapped


def build(space: Space) -> list[str]:
    bases = [(c, b) for b in classes(space) for c in CLASSES if c != b]
    children = [CHILD.format(c=c, base=b) for c, b in bases]
    return [t.format(c=c) for t in CLASS_TEXTS for c in CLASSES] + children


def call(space: Space) -> list[str]:
    found, listed = [], []
    given = ["[]", *values(space)]
    for p, value in [*functions(space).items(), *((p, v) for p, v in places(space) if callable(v))]:
        if isinstance(value, types.MethodType):
            found += [f"{p}()"]
        elif isinstance(value, types.FunctionType):
            needed = value.__code__.co_argcount - len(value.__defaults__ or ())
            calls = [f"{p}({x})" for x in given] if needed == 1 else [f"{p}()"] * (needed < 1)
            is_generator = bool(value.__code__.co_flags & inspect.CO_GENERATOR)  # which could not travel
            listed += [f"list({c})" for c in calls]
            found += [] if is_generator else calls
    found = list(dict.fromkeys([*found, *listed]))
    return [*found, *(f"{n} = {c}" for n in NAMES[:3] for c in found)]


def bind(space: Space) -> list[str]:
    """Bound methods, and an object that becomes of another class."""
    found = []
    for x, value in values(space).items():
        if _is_instance(value):
            found += [f"{n} = {x}.grow" for n in NAMES[:3] if hasattr(value, "grow")]
            found += [f"{x}.__class__ = {c}" for c in classes(space)]
    return found


def delete(space: Space) -> list[str]:
    return [f"del {x}" for x in (*values(space), *functions(space), *classes(space))]


def fail(space: Space) -> list[str]:
    return list(FAILURES)


KINDS: dict[str, Callable[[Space], list[str]]] = {
    each.__name__: each
    for each in (assign, change, share, call, define, build, close_over, array, view, copy, augment, bind, delete, fail)
}
