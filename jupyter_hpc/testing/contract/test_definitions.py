"""Functions, classes and their instances keep working, and keep their identity, across the round trip."""

from __future__ import annotations

import pytest

from jupyter_hpc.testing.notebook import Notebook


def test_a_function_defined_in_the_cell_works_here(notebook: Notebook) -> None:
    notebook.remote("K = 2\ndef helper(x): return x * K\ndef f(x): return helper(x) + 1")
    assert notebook.value("f(20)") == 41


def test_a_class_defined_in_the_cell_works_here(notebook: Notebook) -> None:
    notebook.remote("class Box:\n    def __init__(self, v): self.v = v\n    def get(self): return self.v\nbox = Box(3)")
    assert notebook.value("(box.get(), isinstance(box, Box), Box(4).get())") == (3, True, 4)


def test_a_module_imported_in_the_cell_is_the_same_module(notebook: Notebook) -> None:
    notebook.run("import json as mine")
    notebook.remote("import json")
    assert notebook.value("json is mine") is True


def test_an_instance_of_a_class_defined_here_is_an_instance_of_it(notebook: Notebook) -> None:
    notebook.run("class A: pass")
    notebook.remote("a = A(); many = [A(), A()]")
    assert notebook.value("(isinstance(a, A), type(a) is A, all(type(m) is A for m in many))") == (
        True,
        True,
        True,
    )


def test_a_class_defined_here_stays_the_same_after_many_round_trips(notebook: Notebook) -> None:
    notebook.run("class A: pass\nkept = A")
    for _ in range(3):
        notebook.remote("a = A()")
        assert notebook.value("(A is kept, type(a) is kept)") == (True, True)


def test_an_enum_member_is_the_same_member(notebook: Notebook) -> None:
    notebook.run("import enum\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 2")
    notebook.remote("c = Color.BLUE; by_value = Color(1); table = {Color.RED: 'r'}")
    assert notebook.value("(c is Color.BLUE, by_value is Color.RED, table[Color.RED])") == (True, True, "r")


def test_an_enum_defined_in_the_cell_works_here(notebook: Notebook) -> None:
    notebook.remote("import enum\nclass Mode(enum.IntFlag):\n    R = 1\n    W = 2\nm = Mode.R | Mode.W")
    assert notebook.value("(m == Mode.R | Mode.W, Mode.R in m, int(m))") == (True, True, 3)


def test_a_singleton_made_by_new_stays_single(notebook: Notebook) -> None:
    notebook.run(
        """
        class Config:
            _one = None
            def __new__(cls):
                if cls._one is None:
                    cls._one = super().__new__(cls)
                return cls._one
        config = Config()
        """
    )
    notebook.remote("same_there = Config() is config; again = Config()")
    assert notebook.value("(same_there, again is config)") == (True, True)


def test_a_sentinel_that_reduces_to_its_name_stays_single(notebook: Notebook) -> None:
    notebook.run(
        """
        class _Missing:
            def __reduce__(self): return "MISSING"
        MISSING = _Missing()
        def f(x=MISSING): return x is MISSING
        """
    )
    notebook.remote("there = (f(), f(1)); back = MISSING; inside = [MISSING]")
    assert notebook.value("(there, back is MISSING, inside[0] is MISSING)") == ((True, False), True, True)


def test_a_plain_object_used_as_a_sentinel_stays_single(notebook: Notebook) -> None:
    notebook.run("MISSING = object()\ndef f(x=MISSING): return x is MISSING")
    notebook.remote("there = (f(), f(1)); back = [MISSING]")
    assert notebook.value("(there, back[0] is MISSING)") == ((True, False), True)


def test_a_dataclass_comes_back_equal_and_as_its_own_type(notebook: Notebook) -> None:
    notebook.run(
        "import dataclasses\n@dataclasses.dataclass(frozen=True, order=True)\nclass P:\n    x: int\n    y: float = 2.0"
    )
    notebook.remote("p = P(1); q = P(2, 3.0)")
    assert notebook.value("(p == P(1), p < q, type(p) is P, hash(p) == hash(P(1)))") == (True,) * 4


def test_a_dataclass_defined_in_the_cell_works_here(notebook: Notebook) -> None:
    notebook.remote(
        "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    xs: list = field(default_factory=list)\np = P()"
    )
    assert notebook.value("(p == P(), repr(p))") == (True, "P(xs=[])")


def test_a_namedtuple_comes_back_as_its_own_type(notebook: Notebook) -> None:
    notebook.run("from collections import namedtuple\nP = namedtuple('P', 'x y')")
    notebook.remote("p = P(1, 2)")
    assert notebook.value("(type(p) is P, p.y)") == (True, 2)


def test_a_typed_namedtuple_defined_in_the_cell_works_here(notebook: Notebook) -> None:
    notebook.remote("import typing\nclass P(typing.NamedTuple):\n    x: int = 5\np = P()")
    assert notebook.value("(isinstance(p, P), p.x)") == (True, 5)


def test_a_subclass_made_in_the_cell_has_the_kernels_class_as_its_base(notebook: Notebook) -> None:
    notebook.run("class Base:\n    def who(self): return 'base'")
    notebook.remote("class Sub(Base):\n    def who(self): return 'sub of ' + super().who()\ns = Sub()")
    assert notebook.value("(Sub.__mro__[1] is Base, isinstance(s, Base), s.who())") == (
        True,
        True,
        "sub of base",
    )


def test_an_abstract_base_class_and_a_registered_subclass_travel(notebook: Notebook) -> None:
    notebook.run("import abc\nclass Shape(abc.ABC):\n    @abc.abstractmethod\n    def area(self): ...")
    notebook.remote("class Square(Shape):\n    def area(self): return 4\nsquare = Square()")
    assert notebook.value("(isinstance(square, Shape), square.area())") == (True, 4)


def test_a_class_with_slots_travels(notebook: Notebook) -> None:
    notebook.run("class S:\n    __slots__ = ('x',)")
    notebook.remote("s = S(); s.x = 5")
    assert notebook.value("(type(s) is S, s.x)") == (True, 5)


def test_a_class_attribute_changed_here_is_not_overwritten_by_what_comes_back(notebook: Notebook) -> None:
    notebook.run("class A:\n    count = 1")
    request = notebook.remote("a = A()", "--detach")
    notebook.run("A.count = 2")
    notebook.run("a = _hpc.result()['a']")
    assert request.error is None
    assert notebook.value("(A.count, a.count)") == (2, 2)


def test_a_class_attribute_changed_there_changes_here(notebook: Notebook) -> None:
    notebook.run("class A:\n    count = 1")
    notebook.remote("A.count = 5\na = A(); there = a.count")
    assert notebook.value("(there, A.count, type(a) is A)") == (5, 5, True)


def test_a_class_redefined_in_the_cell_replaces_the_kernels(notebook: Notebook) -> None:
    notebook.run("class A: v = 1")
    notebook.remote("class A: v = 2\na = A()")
    assert notebook.value("(A.v, a.v, type(a) is A)") == (2, 2, True)


def test_a_function_from_an_earlier_cell_sees_the_names_that_the_cell_assigns(notebook: Notebook) -> None:
    notebook.run("LIMIT = 1\ndef f(): return LIMIT")
    notebook.remote("LIMIT = 100\nx = f()")
    assert notebook.value("(x, LIMIT, f())") == (100, 100, 100)


def test_a_function_from_an_earlier_cell_sees_a_name_that_only_the_cell_has(notebook: Notebook) -> None:
    notebook.run("def f(): return ONLY_THERE + 1")
    notebook.remote("ONLY_THERE = 1\nx = f()")
    assert notebook.value("x") == 2


def test_two_functions_from_an_earlier_cell_share_one_namespace(notebook: Notebook) -> None:
    notebook.run("n = 0\ndef bump():\n    global n\n    n += 1\ndef read(): return n")
    notebook.remote("bump(); bump()\nx = read()")
    assert notebook.value("x") == 2


def test_a_function_that_comes_back_sees_the_kernels_later_names(notebook: Notebook) -> None:
    notebook.run("K = 1")
    notebook.remote("def f(): return K")
    notebook.run("K = 50")
    assert notebook.value("f()") == 50


def test_a_function_that_comes_back_has_the_kernel_as_its_namespace(notebook: Notebook) -> None:
    notebook.remote("J = 1\ndef f(): return J")
    assert notebook.value("(f.__globals__ is globals(), f.__module__)") == (True, "__main__")


def test_a_helper_redefined_here_is_what_a_function_from_the_cell_calls(notebook: Notebook) -> None:
    notebook.run("def h(): return 'old'")
    notebook.remote("def f(): return h()")
    notebook.run("def h(): return 'new'")
    assert notebook.value("f()") == "new"


def test_a_closure_keeps_its_own_state_when_it_comes_back(notebook: Notebook) -> None:
    notebook.remote(
        """
        def counter():
            n = 10
            def step():
                nonlocal n
                n += 1
                return n
            return step
        step = counter()
        step()
        """
    )
    assert notebook.value("(step(), step())") == (12, 13)


def test_a_lambda_and_a_partial_come_back(notebook: Notebook) -> None:
    notebook.remote("import functools\nsq = lambda x: x * x\nadd2 = functools.partial(lambda a, b: a + b, 2)")
    assert notebook.value("(sq(3), add2(3))") == (9, 5)


def test_a_decorated_and_cached_function_comes_back(notebook: Notebook) -> None:
    notebook.remote(
        "import functools\n@functools.lru_cache\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)"
    )
    assert notebook.value("fib(30)") == 832040


def test_a_recursive_function_defined_in_the_cell_works_here(notebook: Notebook) -> None:
    notebook.remote("def fact(n): return 1 if n < 2 else n * fact(n - 1)\nx = fact(5)")
    assert notebook.value("(x, fact(6))") == (120, 720)


def test_a_generator_function_and_a_coroutine_function_come_back(notebook: Notebook) -> None:
    notebook.remote("def g():\n    yield from (1, 2)\nasync def c(): return 3")
    notebook.run("three = await c()")
    assert notebook.value("(list(g()), three)") == ([1, 2], 3)


def test_the_source_of_a_function_defined_in_the_cell_can_be_read_there(notebook: Notebook) -> None:
    notebook.remote("import inspect\ndef f():\n    return 'its own text'\nsource = inspect.getsource(f)")
    assert "its own text" in notebook.value("source")


def test_an_instance_that_stays_the_same_object_in_two_names_is_one_object(notebook: Notebook) -> None:
    notebook.run("class A: pass")
    notebook.remote("a = A()\nb = {'a': a}\nclass B: pass\nc = B(); c.a = a")
    assert notebook.value("(b['a'] is a, c.a is a)") == (True, True)


def test_the_source_of_what_a_cell_defined_is_found_here_there_and_in_a_new_kernel(
    notebook: Notebook,
) -> None:
    notebook.remote("def half(x):\n    return x / 0\nclass K:\n    def m(self): return 'a method'")
    run = notebook.value("_hpc.id")
    notebook.run("import inspect\nsource = inspect.getsource(half), inspect.getsource(K.m)")
    assert notebook.value("('x / 0' in source[0], 'a method' in source[1])") == (True, True)
    assert "Cell In[" in notebook.run("half(1)", fails=True).error.traceback
    notebook.remote("import inspect\nthere = inspect.getsource(half)")
    assert "return x / 0" in notebook.value("there")
    notebook.restart()
    notebook.run(f"%hpc result {run}")
    assert "return x / 0" in notebook.run("half(1)", fails=True).error.traceback


def test_annotations_are_values_as_in_the_kernel(notebook: Notebook) -> None:
    notebook.remote("def f(x: int): pass\nkind = f.__annotations__['x'] is int")
    assert notebook.value("(kind, f.__annotations__['x'] is int)") == (True, True)
    notebook.remote("from __future__ import annotations\ndef g(x: Later): pass\nf.__annotations__")
    assert notebook.value("g.__annotations__") == {"x": "Later"}


def test_a_pydantic_model_that_waits_for_another_class_is_completed_on_the_node(notebook: Notebook) -> None:
    pytest.importorskip("pydantic")
    notebook.run(
        """
        from pydantic import BaseModel
        class A(BaseModel): b: "B"
        class B(BaseModel): x: int
        """
    )
    notebook.remote("a = A(b={'x': 1})")
    assert notebook.value("(a.b.x, type(a) is A)") == (1, True)
