"""A notebook whose cells are sent leaves the namespace that it leaves when they run in the kernel, aliases included.

``JUPYTER_HPC_TEST_EXAMPLES=2000`` tries that many notebooks, others each time; without it, the same 25.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from jupyter_hpc.testing.notebook import Notebook
from tests.property.notebooks import Cell, RandomNotebook, notebooks
from tests.property.portrait import portrait
from tests.property.statements import SETUP

EXAMPLES = int(os.environ.get("JUPYTER_HPC_TEST_EXAMPLES", "0"))
PORTRAIT = Path(__file__).with_name("portrait.py")
INSTALL = f"""
import gc, sys, types
gc.freeze()  # else each %reset looks for cycles in all that was ever imported
module = sys.modules["_portrait"] = types.ModuleType("_portrait")
exec(open({str(PORTRAIT)!r}).read(), module.__dict__)
del gc, sys, types, module
"""
LOOK = "__import__('_portrait').portrait(get_ipython().user_ns, get_ipython().user_ns_hidden)"

profile = settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Left:
    """How the cells of a notebook ended, and what they left: the portrait, a line each."""

    ends: list[str]
    portrait: list[str]


def left_by(kernel: Notebook, cells: tuple[Cell, ...], *, sent: bool) -> Left:
    """Run a notebook in an empty namespace."""
    if not kernel.manager.is_alive():
        kernel.restart()
    kernel.run("%reset -f\n" + INSTALL + SETUP)
    ends = []
    for number, cell in enumerate(cells, 1):
        code = kernel.cell(cell.code) if sent and cell.is_sent else cell.code
        error = kernel.finish(kernel.begin(code), fails=None).error
        words = (error.value.splitlines() or [""])[0] if error else ""
        ends.append(f"cell {number} {f'{error.name}: {words}' if error else 'ended well'}")
    return Left(ends, json.dumps(json.loads(kernel.value(LOOK)), indent=1).splitlines())


def differences(kernel: Notebook, notebook: RandomNotebook, *, sent: bool = True) -> str:
    """Return what a notebook leaves that isn't left when no cell is sent, as a diff; empty if nothing.

    A cell that reads what is certainly not there is refused as a whole, where the kernel stops half-way: what comes
    after can't be compared.
    """
    here, there = left_by(kernel, notebook.cells, sent=False), left_by(kernel, notebook.cells, sent=sent)
    for one, other in zip(here.ends, there.ends):
        if " NameError: " in one and " UndefinedName: " in other:
            return ""
        if one != other:
            break
    both = ([*left.ends, *left.portrait] for left in (here, there))
    return "\n".join(unified_diff(*both, "in the kernel", "sent", lineterm="", n=4))


@pytest.mark.timeout(600 + 10 * EXAMPLES)
@profile
@given(notebook=notebooks())
def test_notebooks_are_the_same(kernel: Notebook, notebook: RandomNotebook) -> None:
    found = differences(kernel, notebook)
    assert not found, f"{notebook}\n{found}"


# -- the test itself -------------------------------------------------------------------------------


@settings(profile, max_examples=10, derandomize=True)
@given(notebook=notebooks())
def test_the_kernel_agrees_with_itself(kernel: Notebook, notebook: RandomNotebook) -> None:
    """Else a difference would say nothing of what is sent."""
    found = differences(kernel, notebook, sent=False)
    assert not found, f"{notebook}\n{found}"


def drawn(code: str) -> str:
    space = {"__name__": "__main__"}
    exec(SETUP + code, space)
    return portrait(space)


CLOSURES = "def made():\n n = 0\n def f():\n  nonlocal n\n  n += 1\n  return n\n return f, (lambda: n)\n"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = [1]; b = a", "a = [1]; b = [1]"),
        ("a = [[1]] * 2", "a = [[1], [1]]"),
        ("a = ([1],); b = [a, a]", "a = ([1],); b = [a, (a[0],)]"),
        ("a = 1", "a = True"),
        ("a = 1", ""),
        ("a = {1: 2, 3: 4}", "a = {3: 4, 1: 2}"),
        ("a = []; a.append(a)", "a = []; a.append([a])"),
        ("a = bytearray(b'x')", "a = bytearray(b'y')"),
        ("a = collections.deque([1], 2)", "a = collections.deque([1], 3)"),
        ("a = collections.defaultdict(list)", "a = collections.defaultdict(dict)"),
        ("a = collections.Counter('a')", "a = {'a': 1}"),
        ("a = iter([1, 2])", "a = iter([1, 2]); next(a)"),
        ("b = [1]; a = iter(b)", "b = [1]; a = iter([1])"),
        ("a = random.Random(1)", "a = random.Random(1); a.random()"),
        ("a = np.random.default_rng(1)", "a = np.random.default_rng(1); a.random()"),
        ("a = np.arange(3)", "a = np.arange(3); a[0] = 5"),
        ("a = np.arange(3)", "a = np.arange(3.0)"),
        ("a = np.arange(3); b = a[1:]", "a = np.arange(3); b = a[1:].copy()"),
        ("a = np.arange(3)", "a = np.arange(3); a.flags.writeable = False"),
        ("class C0: n = 1", "class C0: n = 2"),
        ("class C0: n = 1\na = C0()", "class C0: n = 1\na = C0(); C0 = type('C0', (), {'n': 1})"),
        ("class C0: pass\na = C0(); a.x = []; b = a.x", "class C0: pass\na = C0(); a.x = []; b = []"),
        ("class C0: __slots__ = 'x'\na = C0(); a.x = 1", "class C0: __slots__ = 'x'\na = C0(); a.x = 2"),
        (
            "class C0:\n def g(self): pass\na = C0(); b = a.g",
            "class C0:\n def g(self): pass\na = C0(); b = C0().g",
        ),
        ("class C0(list): pass\na = C0([1])", "class C0(list): pass\na = C0([2])"),
        ("class C0(list): pass\na = C0([1])", "class C0(list): pass\na = C0([1]); a.n = 1"),
        ("def f0(): return 1", "def f0(): return 2"),
        ("def f0(): return a", "def f0(): return b"),
        ("def f0(x=[]): x.append(1)", "def f0(x=[]): x.append(1)\nf0()"),
        ("def f0(): pass", "def f0(): pass\nf0.n = 1"),
        ("def f0(): pass", "def f0(): pass\nf0 = type(f0)(f0.__code__, {}, 'f0')"),
        (f"{CLOSURES}f0, f1 = made()", f"{CLOSURES}f0, f1 = made(); f0()"),
        (f"{CLOSURES}f0, f1 = made()", f"{CLOSURES}f0, f1 = made()[0], made()[1]"),
    ],
)
def test_what_differs_is_found(one: str, other: str) -> None:
    assert drawn(one) == drawn(one)
    assert drawn(one) != drawn(other)
