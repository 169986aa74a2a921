"""Names that the cell reads are found and sent, with all that they reach."""

from __future__ import annotations

import pytest

from jupyter_hpc.testing.notebook import Notebook

REACHED = {
    "a helper of a helper": ("def g(): return 40\ndef f(): return g() + 2", "f()", 42),
    "a global that a function reads": ("LIMIT = 7\ndef f(): return LIMIT", "f()", 7),
    "a global that a helper of a method reads": (
        "RATE = 3\ndef scale(x): return RATE * x\nclass A:\n    def go(self): return scale(2)",
        "A().go()",
        6,
    ),
    "a closure": ("def make(n):\n    def add(x): return x + n\n    return add\nadd = make(5)", "add(1)", 6),
    "a base class": (
        "class A:\n    def who(self): return 'A'\nclass B(A): pass\nclass C(B): pass",
        "C().who()",
        "A",
    ),
    "a base class's helper": (
        "def h(): return 1\nclass A:\n    def go(self): return h()\nclass B(A): pass",
        "B().go()",
        1,
    ),
    "a default value": ("D = [1, 2]\ndef f(x=D): return sum(x)\ndel D", "f()", 3),
    "a keyword-only default": ("def f(*, k=9): return k", "f()", 9),
    "a decorator's wrapper": (
        "import functools\nN = 10\ndef deco(f):\n    @functools.wraps(f)\n    def w(*a): return f(*a) + N\n    return w\n"
        "@deco\ndef f(x): return x",
        "f(1)",
        11,
    ),
    "a decorator applied in the cell": ("def deco(f): return lambda: f() * 2", "(deco)(lambda: 21)()", 42),
    "a name in a comprehension": ("xs = [1, 2]; k = 3", "[x * k for x in xs]", [3, 6]),
    "a name in a nested comprehension": ("m = [[1], [2, 3]]", "[y for x in m for y in x]", [1, 2, 3]),
    "a name in an f-string": ("who = 'you'", "f'hi {who!r}'", "hi 'you'"),
    "a name inside a lambda": ("k = 4", "(lambda x: x + k)(1)", 5),
    "a lambda": ("square = lambda x: x * x", "square(9)", 81),
    "a recursive function": ("def fact(n): return 1 if n < 2 else n * fact(n - 1)", "fact(5)", 120),
    "two functions that call each other": (
        "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)",
        "even(8)",
        True,
    ),
    "an instance of a class": (
        "class P:\n    def __init__(self, x): self.x = x\n    def twice(self): return self.x * 2\np = P(4)",
        "p.twice()",
        8,
    ),
    "a bound method": ("class P:\n    x = 3\n    def get(self): return self.x\nget = P().get", "get()", 3),
    "a static and a class method": (
        "K = 2\nclass P:\n    @staticmethod\n    def s(): return K\n    @classmethod\n    def c(cls): return cls.s() + 1",
        "(P.s(), P.c())",
        (2, 3),
    ),
    "a property": ("K = 2\nclass P:\n    @property\n    def v(self): return K", "P().v", 2),
    "a name that shadows a builtin": ("def sum(x): return 'mine'", "sum([1])", "mine"),
    "a value that shadows a builtin": ("max = 5", "max + 1", 6),
    "a module's alias": ("import math as m", "m.floor(2.5)", 2),
    "a module that a function uses": ("import json\ndef f(): return json.dumps([1])", "f()", "[1]"),
    "an imported function": ("from os.path import join", "join('a', 'b')", "a/b"),
    "a functools.partial": ("import functools\nadd2 = functools.partial(pow, 2)", "add2(5)", 32),
    "a name with letters of other scripts": ("größe = 3; 变量 = 4", "größe * 变量", 12),
    "a name that a nested function reads": (
        "k = 8\ndef outer():\n    def inner(): return k\n    return inner()",
        "outer()",
        8,
    ),
    "numpy scalars": (
        "import numpy as np\ns = np.float32(1.5)",
        "(type(s).__name__, float(s))",
        ("float32", 1.5),
    ),
    "a singleton": ("", "(None, Ellipsis, NotImplemented) == (None, ..., NotImplemented)", True),
}


@pytest.mark.parametrize("case", REACHED)
def test_the_cell_can_use(notebook: Notebook, case: str) -> None:
    setup, expression, expected = REACHED[case]
    notebook.run(setup)
    notebook.remote(f"answer = {expression}")
    assert notebook.value("answer") == expected


def test_only_what_the_cell_reads_is_sent(notebook: Notebook) -> None:
    notebook.run("used = 1; unused = 2; import threading; lock = threading.Lock()")
    notebook.remote("answer = used")
    assert notebook.value("[i['name'] for i in _hpc.record['inputs']]") == ["used"]


def test_a_name_that_the_cell_binds_first_is_not_sent(notebook: Notebook) -> None:
    notebook.run("import threading; x = threading.Lock()")
    notebook.remote("x = 3\ny = x + 1")
    assert notebook.value("(x, y)") == (3, 4)


def test_an_undefined_name_is_an_error_before_submission_with_a_suggestion(notebook: Notebook) -> None:
    notebook.run("learning_rate = 1")
    before = notebook.jobs()
    executed = notebook.remote("x = learning_rat * 2", fails=True)
    assert executed.error.name == "UndefinedName"
    assert "Did you mean learning_rate?" in executed.error.traceback
    assert notebook.jobs() == before


def test_an_undefined_name_is_a_name_error(notebook: Notebook) -> None:
    notebook.remote("nowhere_to_be_found", fails=True)
    assert notebook.raised("isinstance(error, NameError)") is True


def test_a_name_that_only_an_untaken_branch_reads_is_no_error(notebook: Notebook) -> None:
    notebook.remote("try:\n    x = not_there_at_all\nexcept NameError:\n    x = 'handled'")
    assert notebook.value("x") == "handled"


def test_an_input_that_cannot_be_sent_is_named_with_its_path_and_nothing_is_submitted(
    notebook: Notebook,
) -> None:
    notebook.run(
        "import threading\nclass M: pass\nmodel = M(); model.cache = [M()]; model.cache[0].lock = threading.Lock()"
    )
    before = notebook.jobs()
    executed = notebook.remote("model.cache", fails=True)
    assert executed.error.name == "UnpicklableInput"
    assert "model.cache[0].lock" in executed.error.traceback
    assert notebook.jobs() == before


def test_every_input_that_cannot_be_sent_is_named_at_once(notebook: Notebook) -> None:
    notebook.run("g = (i for i in [1]); f = open('/dev/null')")
    executed = notebook.remote("list(g), f.read()", fails=True)
    assert "generator" in executed.error.traceback
    assert "open file" in executed.error.traceback


def test_i_adds_a_name(notebook: Notebook) -> None:
    notebook.run("a = 5")
    notebook.remote("x = eval('a + 1')", "-i a")
    assert notebook.value("x") == 6


def test_i_names_must_exist(notebook: Notebook) -> None:
    executed = notebook.remote("x = 1", "-i missing_one", fails=True)
    assert executed.error.name == "UndefinedName"
    assert "-i names missing_one" in executed.error.traceback


def test_no_auto_sends_only_what_is_listed(notebook: Notebook) -> None:
    notebook.run("a = 1; b = 2")
    notebook.remote("try:\n    x = a + b\nexcept NameError as e:\n    x = e.name", "--no-auto -i a")
    assert notebook.value("x") == "b"


def test_globals_with_i_sees_what_was_listed(notebook: Notebook) -> None:
    notebook.run("a = 1")
    notebook.remote("x = globals()['a']", "-i a")
    assert notebook.value("x") == 1


def test_shared_references_among_inputs_stay_shared(notebook: Notebook) -> None:
    notebook.run("inner = [1]; outer = {'inner': inner}")
    notebook.remote("same = outer['inner'] is inner")
    assert notebook.value("same") is True


def test_a_cycle_travels(notebook: Notebook) -> None:
    notebook.run("loop = [1]; loop.append(loop)")
    notebook.remote("ok = loop[1] is loop")
    assert notebook.value("ok") is True


def test_a_large_array_arrives_equal(notebook: Notebook) -> None:
    notebook.run("import numpy as np; big = np.arange(3_000_000, dtype='f8').reshape(3000, 1000)")
    notebook.remote("total = float(big.sum()); shape = big.shape; flags = bool(big.flags.writeable)")
    assert notebook.value("(total == float(big.sum()), shape, flags)") == (True, (3000, 1000), True)


def test_a_data_frame_arrives_with_its_dtypes(notebook: Notebook) -> None:
    notebook.run(
        "import pandas as pd; df = pd.DataFrame({'a': [1, 2], 'b': ['x', None], 'c': pd.to_datetime(['2020-01-01'] * 2)})"
    )
    notebook.remote("dtypes = [str(t) for t in df.dtypes]")
    assert notebook.value("dtypes == [str(t) for t in df.dtypes]") is True


def test_the_kernels_own_objects_are_untouched_by_sending(notebook: Notebook) -> None:
    notebook.run("class A: pass\na = A(); a.x = [1]; kept = a")
    notebook.remote("n = len(a.x)")
    assert notebook.value("(a is kept, a.x, A.__module__)") == (True, [1], "__main__")


def test_the_open_that_ipython_puts_among_the_names_is_not_sent(notebook: Notebook) -> None:
    notebook.remote("with open('/dev/null') as f: text = f.read()\ndel f")
    assert notebook.value("(text, _hpc.record['inputs'])") == ("", [])
