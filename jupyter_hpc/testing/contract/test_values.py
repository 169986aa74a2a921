"""Values whose classes have ideas of their own travel both ways, and one that can't never costs the rest."""

from __future__ import annotations

from jupyter_hpc.testing.notebook import Notebook


def test_objects_with_a_getattr_of_their_own_travel(notebook: Notebook) -> None:
    notebook.run(
        """
        class Config(dict):
            __getattr__ = dict.__getitem__
            __setattr__ = dict.__setitem__
        class Proxy:
            def __init__(self, inner): self.inner = inner
            def __getattr__(self, name): return getattr(self.inner, name)
        class Lazy:
            def __getattr__(self, name): raise RuntimeError("not connected: " + name)
        config = Config(lr=1); config.sub = Config(x=2); proxy = Proxy([1, 2]); lazy = Lazy()
        """
    )
    executed = notebook.remote(
        "there = (config.lr + config.sub.x, proxy.index(2), type(lazy).__name__)\n"
        "c = Config(y=3); p = Proxy({}); z = Lazy()\nc"
    )
    assert executed.error is None
    assert notebook.value("(there, c.y, type(c) is Config, type(p) is Proxy, type(z) is Lazy)") == (
        (3, 1, "Lazy"),
        3,
        True,
        True,
        True,
    )
    notebook.remote("again = c.y + 1")
    assert notebook.value("again") == 4


def test_classes_made_with_arguments_travel(notebook: Notebook) -> None:
    notebook.run(
        """
        import enum, functools
        class Meta(type):
            def __new__(m, n, b, d, *, size):
                c = super().__new__(m, n, b, d); c.size = size; return c
            def __init__(c, n, b, d, *, size): super().__init__(n, b, d)
        class Sized(metaclass=Meta, size=4): pass
        class Base:
            def __init_subclass__(cls, /, arg, **kw):
                super().__init_subclass__(**kw); cls.arg = arg
        class Child(Base, arg="hello"): pass
        class Coded(bytes, enum.Enum):
            def __new__(cls, value, label):
                o = bytes.__new__(cls, [value]); o._value_ = value; o.label = label; return o
            X = (0, "x")
            Y = (1, "y")
        class Op(enum.Enum):
            ADD = functools.partial(lambda a, b: a + b)
            def __call__(self, *a): return self.value(*a)
        """
    )
    notebook.remote(
        "s = Sized(); c = Child(); y = Coded.Y; op = Op.ADD\n"
        "there = (Sized.size, c.arg, Coded(1) is Coded.Y, y.label, op(1, 2))"
    )
    assert notebook.value("there") == (4, "hello", True, "y", 3)
    assert notebook.value("(type(s) is Sized, type(c) is Child, y is Coded.Y, op is Op.ADD)") == (True,) * 4


def test_type_variables_and_what_functools_makes_travel(notebook: Notebook) -> None:
    notebook.run(
        """
        from functools import cached_property, singledispatch
        from typing import Generic, TypeVar
        T = TypeVar("T")
        class Box(Generic[T]):
            def __init__(self, v): self.v = v
            @cached_property
            def twice(self): return self.v * 2
        def opened(box: Box[int]) -> T: return box.v
        @singledispatch
        def show(x): return "any"
        @show.register
        def _(x: int): return "int"
        """
    )
    notebook.remote("b = Box(3); there = (b.twice, opened(b), show(1), show(''), Box.__parameters__ == (T,)); t = T")
    assert notebook.value("there") == (6, 3, "int", "any", True)
    assert notebook.value("(type(b) is Box, b.twice, t is T)") == (True, 6, True)


def test_constructors_and_hashes_of_their_own_do_no_harm(notebook: Notebook) -> None:
    notebook.run(
        """
        class Failed(Exception):
            def __init__(self, code, *, extra): super().__init__(code); self.code = code; self.extra = extra
        class Pair(tuple):
            def __new__(cls, a, b): return super().__new__(cls, (a, b))
        class Key:
            def __init__(self, n): self.n = n; self.h = hash(n)
            def __hash__(self): return self.h
            def __eq__(self, other): return self.n == other.n
        pair = Pair(1, 2); table = {Key("a"): 1}
        """
    )
    notebook.remote(
        "try: raise Failed(3, extra='x')\nexcept Failed as e: kept = e\n"
        "there = (pair[1], table[Key('a')]); new = Pair(3, 4); more = {Key('b'): 2}"
    )
    assert notebook.value("(there, type(new) is Pair, new == (3, 4), more[Key('b')])") == (
        (2, 1),
        True,
        True,
        2,
    )
    assert notebook.value("(type(kept) is Failed, kept.code, kept.extra)") == (True, 3, "x")


def test_what_is_nested_by_thousands_travels_both_ways(notebook: Notebook) -> None:
    notebook.run("head = None\nfor i in range(3000): head = (i, head)")
    notebook.remote("n, h = 0, head\nwhile h: n += 1; h = h[1]\nlast = None\nfor i in range(3000): last = [i, last]")
    assert notebook.value("(n, last[1][1][0], h)") == (3000, 2997, None)


def test_views_of_one_array_stay_views_both_ways(notebook: Notebook) -> None:
    notebook.run("import numpy as np\na = np.zeros(4); b = a[:2]")
    notebook.remote("b[:] = 1; there = a.sum(); c = a[2:]; d = np.arange(6.); e = d[::2]")
    assert notebook.value("(float(there), a.tolist(), b.base is a)") == (2.0, [1.0, 1.0, 0.0, 0.0], True)
    assert notebook.value("(np.shares_memory(c, a), np.shares_memory(d, e), e.tolist())") == (
        True,
        True,
        [0.0, 2.0, 4.0],
    )


def test_an_accessor_that_the_notebook_gave_to_frames_is_there(notebook: Notebook) -> None:
    notebook.run(
        """
        import pandas as pd
        @pd.api.extensions.register_dataframe_accessor("geo")
        class Geo:
            def __init__(self, frame): self.frame = frame
            def count(self): return len(self.frame)
        df = pd.DataFrame({"a": [1, 2]})
        """
    )
    notebook.remote("r = df.geo.count()")
    assert notebook.value("(r, df.geo.count(), type(df.geo) is Geo)") == (2, 2, True)
