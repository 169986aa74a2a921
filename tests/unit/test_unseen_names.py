"""What is sent where names hide, and what the magics of a cell need; without a kernel."""

from __future__ import annotations

import threading

import pytest

from jupyter_hpc.capture.cell.analysis import analyze
from jupyter_hpc.capture.cell.hiding import hiding
from jupyter_hpc.capture.cell.magics import inside, without_options
from jupyter_hpc.capture.request import Request
from jupyter_hpc.capture.unseen import choose, estimate, find, own_names
from jupyter_hpc.jobs import not_sent

MIB = 1 << 20
LOCK = threading.Lock()


def chosen(code: str, most: int = 256 * MIB, **names: object):
    request = Request(text=code, code=code, names=analyze(code), namespace=names)
    return choose(request, find(request, ()), (), {"exit"}, most, lambda v: None if v is LOCK else frozenset())


def test_the_largest_stay_where_all_is_too_much_and_what_reaches_them_too():
    found = chosen("eval(x)", 3 * MIB, a=bytes(2 * MIB), b=[bytes(2 * MIB), 1], c=1, lock=LOCK, exit=1)
    assert set(found.names) == {"a", "c"}
    (line,) = found.lines
    assert line.startswith("eval hides names: 2 more names of the notebook travel")
    assert "b (2 MiB); `-i b` sends it" in line and "can't travel: lock" in line


def test_nothing_is_sent_unasked_where_no_name_hides():
    for code in ("y = 1", "model.eval(); json.load(f)", "'a' in globals()", "eval('1 + 1')"):
        assert not chosen(code, c=1).names, code


@pytest.mark.parametrize(
    ("source", "everything", "code"),
    [
        ("def f(): return eval(t)", ["eval"], []),
        ("def f(): return model.eval(), shell.exec()", [], []),
        ("def f():\n import __main__", ["__main__"], []),
        ("def f():\n import pickle as p\n return lambda x: p.load(x)", [], ["pickle.load"]),
        ("import __main__ as m\ndef f(): return m.x", ["__main__"], []),
        ("def g(): pass\ndef f(): return model.eval(g())", [], []),
        ("import pickle as p\ndef f(): return p.load(x)", [], ["pickle.load"]),
        ("from pickle import loads as l\ndef f(): return l(x)", [], ["pickle.loads"]),
        ("import json\ndef f(): return json.load(x)", [], []),
        ("import numpy as n\ndef f(): return n.load(x), n.load(x, allow_pickle=True)", [], ["numpy.load"]),
        ("import timeit\ndef f(): return timeit.default_timer()", [], []),
        ("import timeit\ndef f(): return timeit.timeit('g()')", ["timeit.timeit"], []),
        ("def f(ip): return ip.user_ns['x']", ["user_ns"], []),
        ("def f(): return get_ipython().ev('x')", ["ev"], []),
        ("def eval(t): return t\ndef f(): return eval(1)", [], []),
    ],
)
def test_what_hides_names_in_functions(source: str, everything: list[str], code: list[str]):
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(source, namespace)
    found = hiding([namespace["f"].__code__], namespace)  # type: ignore[attr-defined]
    assert (found.everything, found.code) == (everything, code)


def test_ipythons_own_names_are_not_the_users():
    names = {
        "x": 1,
        "_private": 2,
        "_": 3,
        "__": 4,
        "_12": 5,
        "_i12": 6,
        "_ii": 7,
        "__doc__": "",
        "exit": 8,
        "In": [],
        "_ih": [],
    }
    assert own_names({**names, "In": names["_ih"]}, {"exit": 8}) == ["x", "_private"]


def test_sizes_are_estimated_without_pickling():
    assert estimate([bytes(MIB)] * 10) < 2 * MIB  # one object, ten times
    assert 10 * MIB < estimate({n: bytes(MIB) for n in range(10)}) < 11 * MIB
    assert 4 * MIB < estimate([[0.5 + n] for n in range(50_000)]) < 12 * MIB
    held = type("Held", (), {})()
    held.data, held.itself = bytes(MIB), held
    assert MIB < estimate(held) < 2 * MIB


def test_the_names_in_magics():
    transform = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager().transform_cell
    found = inside(
        transform("r = %timeit -o -n 2 f(a)\n%prun -s cumulative g()\n!echo {d['k']} $s\n%mine some words"),
        transform,
    )
    assert found.hints >= {"f", "a", "g", "d", "s"}
    assert found.guesses >= {"some", "words"}
    assert {("line", "mine"), ("line", "timeit")} <= found.magics
    assert inside(transform("%%time\n%who\nx"), transform).sees_all == ["%who"]
    assert inside(transform("%%bash\nls words"), transform).guesses == set()
    assert without_options("prun", "-q -s cumulative f(-x)") == "f(-x)"
    assert without_options("timeit", "-n1 -r 2 -o a*2") == "a*2"


@pytest.mark.parametrize(
    ("kind", "message", "name"),
    [
        ("NameError", "name 'x' is not defined", "x"),
        ("pandas.errors.UndefinedVariableError", "local variable 'x' is not defined", "x"),
        ("AttributeError", "Can't get attribute 'x' on <module '__main__'>", "x"),
        ("ImportError", "cannot import name 'x' from '__main__' (unknown location)", "x"),
        ("NameError", "name 'sent' is not defined", ""),
        ("NameError", "name 'nowhere' is not defined", ""),
        ("AttributeError", "'A' object has no attribute 'x'", ""),
        ("KeyError", "'x'", ""),
    ],
)
def test_an_error_about_a_name_that_is_here_says_how_to_send_it(kind: str, message: str, name: str):
    record = {"inputs": [{"name": "sent"}]}
    found = not_sent.hint({"type": kind, "message": message}, record, {"x": 1, "sent": 2})
    assert found == (f"{name} is defined here and was not sent; `-i {name}` sends it." if name else "")
