"""Names that the cell assigns come back; what can't is named; inputs that changed are reported."""

from __future__ import annotations

import pytest

from jupyter_hpc.testing.notebook import Notebook

ASSIGNED = {
    "an assignment": ("x = 1", "x", 1),
    "a chained assignment": ("x = y = 2", "(x, y)", (2, 2)),
    "an unpacking": ("a, (b, *c) = 1, (2, 3, 4)", "(a, b, c)", (1, 2, [3, 4])),
    "an annotated assignment": ("x: int = 3", "x", 3),
    "a walrus": ("if (n := 5) > 3: pass", "n", 5),
    "a walrus in a comprehension": ("[last := i for i in range(4)]", "last", 3),
    "the variable of a for loop": ("for i in range(3): pass", "i", 2),
    "the variable of a with": (
        "import contextlib\nwith contextlib.nullcontext('w') as w: pass",
        "w",
        "w",
    ),
    "a name assigned in a branch": ("if True:\n    x = 'yes'\nelse:\n    z = 'no'", "x", "yes"),
    "a name assigned in a try": (
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    x = 'caught'",
        "x",
        "caught",
    ),
    "a name that match captures": (
        "match {'k': 5}:\n    case {'k': value}: pass",
        "value",
        5,
    ),
    "a global that a function assigns": ("def f():\n    global g\n    g = 6\nf()", "g", 6),
    "a name with letters of other scripts": ("ñandú = 'ave'", "ñandú", "ave"),
    "an imported module": ("import json", "json.dumps(1)", "1"),
    "an imported submodule under an alias": ("import os.path as p", "p.join('a', 'b')", "a/b"),
    "an imported function": ("from math import floor as fl", "fl(2.5)", 2),
    "a star import": ("from math import *", "floor(2.5)", 2),
    "None": ("x = None", "x", None),
    "nested containers": ("x = {'a': [(1, {2}), b'3'], None: 1.5}", "x", {"a": [(1, {2}), b"3"], None: 1.5}),
    "text with every kind of character": (
        "x = 'ü€😀\\x00\\ud800' + chr(0x2028)",
        "x",
        "ü€😀\x00\ud800\u2028",
    ),
}


@pytest.mark.parametrize("case", ASSIGNED)
def test_what_comes_back(notebook: Notebook, case: str) -> None:
    code, expression, expected = ASSIGNED[case]
    notebook.remote(code)
    assert notebook.value(expression) == expected


def test_an_augmented_assignment_comes_back(notebook: Notebook) -> None:
    notebook.run("x = 1")
    notebook.remote("x += 41")
    assert notebook.value("x") == 42


def test_a_name_deleted_in_the_cell_is_deleted_here(notebook: Notebook) -> None:
    notebook.run("x = 1")
    executed = notebook.remote("del x\ny = 2")
    assert notebook.value("('x' in globals(), y)") == (False, 2)
    assert "deleted: x" in executed.text


def test_a_name_made_and_deleted_in_the_cell_does_not_come_back(notebook: Notebook) -> None:
    notebook.remote("x = 1\ny = x\ndel x")
    assert notebook.value("(y, 'x' in globals())") == (1, False)


def test_o_brings_back_only_what_it_names(notebook: Notebook) -> None:
    notebook.remote("a = 1; b = 2; c = 3", "-o a,c")
    assert notebook.value("(a, c, 'b' in globals())") == (1, 3, False)


def test_o_brings_back_an_input_changed_in_place(notebook: Notebook) -> None:
    notebook.run("xs = [1]")
    notebook.remote("xs.append(2)", "-o xs")
    assert notebook.value("xs") == [1, 2]


def test_o_of_a_name_that_the_cell_did_not_assign_is_reported(notebook: Notebook) -> None:
    executed = notebook.remote("a = 1", "-o a,b")
    assert notebook.value("a") == 1
    assert "not assigned by the cell: b" in executed.text


def test_capital_o_brings_back_nothing(notebook: Notebook) -> None:
    notebook.remote("a = 1; import json", "-O")
    assert notebook.value("('a' in globals(), 'json' in globals())") == (False, False)


UNSENT = {
    "a generator": ("bad = (i for i in [1])", "bad is a generator"),
    "an open file": ("bad = open('/dev/null')", "open file"),
    "a lock": ("import threading\nbad = threading.Lock()", "a lock belongs to one process"),
    "a socket": ("import socket\nbad = socket.socket()", "socket"),
    "a lock deep inside": (
        "import threading\nclass M: pass\nbad = M(); bad.cache = [0, {'k': M()}]; bad.cache[1]['k'].lock = threading.Lock()",
        "bad.cache[1]['k'].lock is a _thread.lock",
    ),
    "a generator in a closure": (
        "def make():\n    g = (i for i in [1])\n    return lambda: g\nbad = make()",
        "bad → g is a generator",
    ),
}


@pytest.mark.parametrize("case", UNSENT)
def test_what_cannot_come_back_is_named_and_the_rest_comes(notebook: Notebook, case: str) -> None:
    code, reason = UNSENT[case]
    executed = notebook.remote(f"first = 1\n{code}\nlast = 2")
    assert notebook.value("(first, last, 'bad' in globals())") == (1, 2, False)
    assert "bad did not come back" in executed.text
    assert reason in executed.text


def test_a_value_whose_pickling_raises_anything_leaves_the_rest(notebook: Notebook) -> None:
    executed = notebook.remote(
        """
        class Bad:
            def __reduce__(self): raise KeyError("no way")
        bad = Bad()
        good = 1
        """
    )
    assert notebook.value("good") == 1
    assert "no way" in executed.text


def test_a_value_that_fails_to_load_here_leaves_the_rest(notebook: Notebook) -> None:
    notebook.remote(
        """
        class Bad:
            def __setstate__(self, state): raise ValueError("not again")
        bad = Bad(); bad.x = 1
        good = 1
        """
    )
    assert notebook.value("good") == 1
    assert notebook.value("_hpc.outcome().unsent['bad']") == "ValueError: not again"


def test_shared_references_among_outputs_stay_shared(notebook: Notebook) -> None:
    notebook.remote("inner = [1]\nouter = {'inner': inner}")
    assert notebook.value("outer['inner'] is inner") is True


def test_objects_shared_by_a_name_that_fails_still_come_back(notebook: Notebook) -> None:
    notebook.remote("import threading\nshared = [1]\nbad = [shared, threading.Lock()]\nother = {'s': shared}")
    assert notebook.value("(other['s'] is shared, shared)") == (True, [1])


def test_a_large_array_comes_back_equal_and_writable(notebook: Notebook) -> None:
    notebook.remote("import numpy as np\nbig = np.arange(3_000_000, dtype='i8')[::-1].copy()")
    assert notebook.value("(int(big[0]), int(big[-1]), big.shape, big.flags.writeable)") == (
        2_999_999,
        0,
        (3_000_000,),
        True,
    )


@pytest.mark.parametrize(
    "make",
    [
        "np.arange(6).reshape(2, 3).T",
        "np.zeros((0, 4))",
        "np.arange(20_000.0).reshape(100, 200)",
        "np.arange(200_000, dtype='c16')",
        "np.arange(400_000).reshape(2, -1).T",
        "np.array(['a', None], dtype=object)",
        "np.array([(1, 2.5)], dtype=[('a', 'i4'), ('b', 'f8')])",
        "np.arange(10)[::2]",
        "np.ma.masked_array([1, 2], [0, 1])",
    ],
)
def test_arrays_of_every_layout_come_back_equal(notebook: Notebook, make: str) -> None:
    notebook.run(f"import numpy as np\nexpected = {make}")
    notebook.remote(f"import numpy as np\nfound = {make}")
    assert notebook.value("(found.dtype == expected.dtype, found.shape, found.tolist() == expected.tolist())") == (
        True,
        notebook.value("expected.shape"),
        True,
    )


def test_a_data_frame_comes_back_equal(notebook: Notebook) -> None:
    notebook.run("import pandas as pd")
    notebook.remote("df = pd.DataFrame({'a': [1.5, None], 'b': ['x', 'y']}, index=['r', 's'])")
    assert notebook.value("df.equals(pd.DataFrame({'a': [1.5, None], 'b': ['x', 'y']}, index=['r', 's']))") is True


def test_a_numpy_scalar_keeps_its_type(notebook: Notebook) -> None:
    notebook.remote("import numpy as np\ns = np.float32(1) / 3")
    assert notebook.value("type(s).__name__") == "float32"


MUTATED = {
    "a list": ("x = [1]", "x.append(2)", "x == [1]"),
    "a list inside a dict": ("x = {'k': [1]}", "x['k'].append(2)", "x == {'k': [1]}"),
    "a dict": ("x = {'a': 1}", "x['b'] = 2", "x == {'a': 1}"),
    "a set": ("x = {1}", "x.add(2)", "x == {1}"),
    "an attribute": ("class A: n = 0\nx = A(); x.n = 1", "x.n = 2", "x.n == 1"),
    "a small array": ("import numpy as np; x = np.zeros(10)", "x[3] = 1", "float(x.sum()) == 0"),
    "an array of 2 MiB": ("import numpy as np; x = np.zeros(1 << 18)", "x[5] = 1", "float(x.sum()) == 0"),
    "a mapped array of 16 MiB": (
        "import numpy as np; x = np.zeros(1 << 21)",
        "x[5] = 1",
        "float(x.sum()) == 0",
    ),
    "a data frame": (
        "import pandas as pd; x = pd.DataFrame({'a': [1]})",
        "x['b'] = 2",
        "list(x.columns) == ['a']",
    ),
    "a list changed by a function": ("x = [1]\ndef f(v): v.append(2)", "f(x)", "x == [1]"),
    "a list changed through a method": (
        "class A:\n    def __init__(self): self.v = []\n    def go(self): self.v.append(1)\nx = A()",
        "x.go()",
        "x.v == []",
    ),
    "a list changed under another name": ("x = [1]", "alias = x\nalias.append(2)", "x == [1]"),
}


@pytest.mark.parametrize("case", MUTATED)
def test_an_input_changed_in_place_changes_here_too_unless_nothing_shall(notebook: Notebook, case: str) -> None:
    setup, change, unchanged = MUTATED[case]
    notebook.run(f"{setup}\nsame = x")
    executed = notebook.remote(change, "-O")
    assert "x changed on the node and not here; -o x brings it back" in executed.text
    assert notebook.value(unchanged) is True
    executed = notebook.remote(change)
    assert "changed here too: x" in executed.text
    assert notebook.value(f"(not ({unchanged}), same is x)") == (True, True)


READ = {
    "a list": ("x = [3, 1]", "n = len(x); s = sorted(x)"),
    "a list given to a function": ("x = [3, 1]\ndef f(v): return len(v)", "n = f(x)"),
    "an array of 2 MiB given to a function": (
        "import numpy as np; x = np.ones(1 << 18)\ndef f(v): return float(v.sum())",
        "n = f(x)",
    ),
    "an array of 16 MiB given to a function": (
        "import numpy as np; x = np.ones(1 << 21)\ndef f(v): return float(v.sum())",
        "n = f(x)",
    ),
    "a data frame": (
        "import pandas as pd; x = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\ndef f(v): return v.groupby('b').a.sum()",
        "n = f(x); m = x.a.mean(); y = x.merge(x, on='a')",
    ),
    "an instance given to a function": (
        "class A: pass\nx = A(); x.v = [1]\ndef f(a): return a.v[0]",
        "n = f(x)",
    ),
    "a set of strings": ("x = {'a', 'b', 'c', 'd'}\ndef f(v): return 'a' in v", "n = f(x)"),
}


@pytest.mark.parametrize("case", READ)
def test_an_input_that_is_only_read_is_not_reported(notebook: Notebook, case: str) -> None:
    setup, read = READ[case]
    notebook.run(setup)
    executed = notebook.remote(read)
    assert "changed" not in executed.text
    assert notebook.value("(_hpc.outcome().mutated, _hpc.outcome().changes.names)") == ([], [])


def test_an_input_that_comes_back_by_assignment_is_not_reported_as_changed(notebook: Notebook) -> None:
    notebook.run("x = [1]")
    executed = notebook.remote("x = x + [2]\nx.append(3)")
    assert notebook.value("x") == [1, 2, 3]
    assert "changed on the node" not in executed.text
