"""The analysis against what really happens: cells are run with exactly the names that it says they read."""

from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_hpc.capture.cell.analysis import analyze
from tests.unit.cell_cases import READS, words


def run(code: str, supplied: dict[str, object]) -> tuple[set[str], dict[str, object]]:
    """Run a cell with only these names; give the NameErrors' names and the namespace."""
    namespace = {"__name__": "__main__", "__builtins__": {"__build_class__": __build_class__}}
    namespace.update(supplied)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compiled = compile(code, "<cell>", "exec", flags, dont_inherit=True)
    missing = set()
    try:
        result = eval(compiled, namespace)
        if inspect.iscoroutine(result):
            asyncio.run(result)
    except NameError as error:
        if not isinstance(error, UnboundLocalError) and "free variable" not in str(error):
            missing.add(error.name)
    except Exception:
        pass  # other errors are the cell's own business
    return missing, namespace


NAMES = ["a", "b", "c", "d", "e"]
name = st.sampled_from(NAMES)


def indented(block: str) -> str:
    return textwrap.indent(block, "  ")


atoms = st.one_of(name, st.sampled_from(["0", "1", "[]", "(1, 2)"]))
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({} == {})".format, inner, inner),
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({} := {})".format, name, inner),
        st.builds("[{} for {} in (1, 2)]".format, inner, name),
        st.builds("(lambda {}=0: {})()".format, name, inner),
        st.builds("f'{{{}}}'".format, name),
    ),
    max_leaves=4,
)
simple = st.one_of(
    st.builds("{} = {}".format, name, expressions),
    st.builds("{} += 1".format, name),
    st.builds("{}: {} = 1".format, name, name),
    st.builds("({}, {}) = (1, 2)".format, name, name),
    st.builds("import sys as {}".format, name),
    st.sampled_from(["pass", "raise"]),
    expressions,
)


def compound(inner):
    block = st.lists(inner, min_size=1, max_size=3).map("\n".join).map(indented)
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, expressions, block, block),
        st.builds("for {} in (0, 1):\n{}\n  if {}: break\nelse:\n{}".format, name, block, expressions, block),
        st.builds("for {} in (0, 1):\n{}\n  continue".format, name, block),
        st.builds("while True:\n{}\n  break".format, block),
        st.builds("try:\n{}\nexcept TypeError as {}:\n{}".format, block, name, block),
        st.builds("try:\n{}\nexcept TypeError:\n{}\nelse:\n{}".format, block, block, block),
        st.builds("try:\n{}\nfinally:\n{}".format, block, block),
        st.builds("def {}({}=0):\n{}\n{}()".format, name, name, block, name),
        st.builds("def {}():\n{}".format, name, block),
        st.builds("class {}:\n{}\n  def m(self):\n{}".format, name, block, block.map(indented)),
        st.builds("match {}:\n case {}:\n{}".format, expressions, name, block),
        st.builds("match {}:\n case [{}, 2]:\n{}\n case _:\n{}".format, expressions, name, block, block),
    )


cells = st.lists(st.recursive(simple, compound, max_leaves=8), min_size=1, max_size=5).map("\n".join)


def compiles(code: str) -> bool:
    try:
        ast.parse(code)
        compile(code, "<cell>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


VALUES = {"0": 0, "1": 1, "list": [3], "pair": (1, 2)}


@settings(max_examples=150, deadline=None)
@given(cells.filter(compiles), st.sampled_from(sorted(VALUES)))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_cell_given_its_reads_finds_every_name(code, value):
    """Supplied with exactly `reads`, a cell finds every name that all names together would give."""
    found = analyze(code)
    extra = {"TypeError": TypeError, "__import__": __import__}
    every = {**dict.fromkeys(NAMES, VALUES[value]), **extra}
    supplied = {key: item for key, item in every.items() if key in found.reads or key in extra}
    without = run(code, every)[0]  # names the cell itself deletes, such as ``except … as e``
    missing, namespace = run(code, supplied)
    assert missing == without
    bound = namespace.keys() - supplied.keys() - {"__name__", "__builtins__", "__annotations__"}
    assert bound <= set(found.assigns) | {"_"}


@settings(max_examples=80, deadline=None)
@given(cells.filter(compiles))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_name_that_is_surely_read_is_missed(code):
    """Without anything supplied, the first missing name is one that analysis reports."""
    found = analyze(code)
    extra = {"TypeError": TypeError, "__import__": __import__}
    missing, _ = run(code, extra)
    assert missing - {"__annotations__"} <= found.reads  # Python's own, made by an annotation


def straight(code: str) -> bool:
    """Whether a cell runs through without a choice, a function or an await."""
    plain = (ast.Assign, ast.AugAssign, ast.Expr, ast.Delete, ast.AnnAssign)
    choices = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.ListComp, ast.Compare, ast.Await)
    tree = ast.parse(code)
    nodes = list(ast.walk(tree))
    return all(isinstance(node, plain) for node in tree.body) and not any(isinstance(node, choices) for node in nodes)


STRAIGHT = [case for case in READS if case[1] and straight(case[0])]


@pytest.mark.parametrize("case", STRAIGHT, ids=[case[0] for case in STRAIGHT])
def test_straight_reads_fail_when_absent(case):
    """Where a cell runs straight through, each name that it surely reads is really missed."""
    code, reads, maybe = case
    for left_out in words(reads) - words(maybe):
        supplied = {"exec": exec, "globals": globals, "sum": sum, **dict.fromkeys(words(reads), Anything())}
        del supplied[left_out]
        missing, _ = run(code, supplied)
        assert missing == {left_out}


class Anything:
    """A value that most operations accept."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    def __call__(self, *args, **kwargs):
        return Anything()

    def __iter__(self):
        return iter((1, 2, 3))

    def __getitem__(self, key):
        return Anything()

    def __setitem__(self, key, value):
        pass

    def __delitem__(self, key):
        pass

    def __delattr__(self, name):
        pass

    def __add__(self, other):
        return self

    __radd__ = __iadd__ = __gt__ = __lt__ = __add__

    def __format__(self, spec):
        return ""
