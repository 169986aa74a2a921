"""Which names a cell reads, binds and may change."""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import subprocess
import sys
import textwrap
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_hpc.capture.cell import CellNames, analyze

BUILTINS = frozenset(dir(builtins))


def names(code: str, original: str | None = None) -> CellNames:
    return analyze(textwrap.dedent(code), original)


def words(text: str) -> set[str]:
    return set(text.split())


READS = [
    # code, names read (builtins left out), those among them that are only perhaps needed
    ("y = x", "x", ""),
    ("x = 1\ny = x", "", ""),
    ("y = x; x = 1", "x", ""),
    ("x = x + 1", "x", ""),
    ("x += 1", "x", ""),
    ("x[0] += y", "x y", ""),
    ("del x", "x", ""),
    ("del x[i], y.z", "x i y", ""),
    ("x = 1; del x; y = x", "x", "x"),
    ("a.b.c = d", "a d", ""),
    ("(a, [b, *c]) = d; e = a + b + c", "d", ""),
    ("x: T = 1", "T", ""),
    ("x: T", "T", ""),
    ("x: T; y = x", "T x", ""),
    ("from __future__ import annotations\nx: T = 1", "", ""),
    ("f'{x!r:>{w}} {y=}'", "x w y", ""),
    ("a if b else c", "a b c", ""),
    ("x[a:b:c, ...]", "x a b c", ""),
    ("__name__, __file__, __doc__, __builtins__", "", ""),
    ("__version__", "__version__", ""),
    ("import a.b; a.c", "", ""),
    ("import a.b as c; a, c", "a", ""),
    ("from a import b as c; b, c", "b", ""),
    # walrus and comprehensions
    ("(x := y); x", "y", ""),
    ("[i for i in xs if i > k]", "xs k", ""),
    ("[i for i in xs]; i", "xs i", ""),
    ("[i for i in i]", "i", ""),
    ("[(i, j) for i in xs for j in i]", "xs", ""),
    ("[j for i in xs for j in js]", "xs js", ""),
    ("{k: v for k, v in d.items()}", "d", ""),
    ("{s for s in t}", "t", ""),
    ("[last := i for i in xs]; last", "xs last", "last"),
    ("[total := total + v for v in vs]", "vs total", ""),
    ("[y for x in xs if (y := x)]", "xs", ""),
    ("[[a for a in b] for b in c]", "c", ""),
    ("any((hit := x) > 3 for x in xs); hit", "xs hit", "hit"),
    ("g = (x + k for x in xs); k = 1", "xs k", "k"),
    ("[lambda: i for i in xs]", "xs", ""),
    ("[(lambda j: i + j + k) for i in xs]", "xs k", ""),
    # branches
    ("if c: x = 1\nx", "c x", "x"),
    ("if c: x = 1\nelse: x = 2\nx", "c", ""),
    ("if c: x = 1\nelif d: x = 2\nelse: x = 3\nx", "c d", ""),
    ("if c: x = 1\nelse: raise E\nx", "c E", ""),
    ("if True: x = 1\nx", "", ""),
    ("if False: y\nx", "x", ""),
    ("if a and (x := f()): x", "a f", ""),
    ("if not (a and (x := f())): pass\nelse: x", "a f", ""),
    ("if a or (x := f()): pass\nelse: x", "a f", ""),
    ("a and (x := 1); x", "a x", "x"),
    ("(x := 1) and a; x", "a", ""),
    ("a < (x := 1) < (y := 2); x, y", "a y", "y"),
    ("assert (x := y), msg\nx", "y msg", ""),
    ("raise E\nx", "E", ""),
    ("b = (x := 1) if c else (x := 2); x", "c", ""),
    # loops
    ("for i in xs: y = i\ny", "xs y", "y"),
    ("for i in xs: pass\ni", "xs i", "i"),
    ("for i in xs: pass\nelse: z = 1\nz", "xs", ""),
    ("for i in xs:\n  break\nelse: z = 1\nz", "xs z", "z"),
    ("for i in xs: acc += i", "xs acc", ""),
    ("for i in xs:\n  if i: p\n  p = i", "xs p", "p"),
    ("for i in xs:\n  if i: continue\n  y = 1\n  y", "xs", ""),
    ("for x.a in xs: pass", "x xs", ""),
    ("while True:\n  x = f()\n  if x: break\nx", "f", ""),
    ("while True:\n  if c: break\n  x = 1\nx", "c x", "x"),
    ("while 1: pass\nx", "", ""),
    ("while (n := f()): n\nn", "f", ""),
    ("while c: x = 1\nx", "c x", "x"),
    ("while c:\n  x = 1\nelse: x = 2\nx", "c", ""),
    # try
    ("try: x = f()\nexcept E: pass\nx", "f E x", "x"),
    ("try: x = f()\nexcept E: x = 1\nx", "f E", ""),
    ("try: x = f()\nexcept E: raise\nx", "f E", ""),
    ("try: f()\nexcept E: x = 1\nelse: x = 2\nx", "f E", ""),
    ("try: f()\nfinally: x = 1\nx", "f", ""),
    ("try: x = f()\nfinally: x", "f x", "x"),
    ("try: x = f()\nfinally: pass\nx", "f", ""),
    ("try: f()\nexcept E as e: e\ne", "f E e", ""),
    ("e = 1\ntry: f()\nexcept E as e: pass\ne", "f E e", "e"),
    ("try: model\nexcept NameError: model = 1\nmodel", "model", "model"),
    ("try: model\nexcept (KeyError, NameError): pass\nmodel", "model", ""),
    ("try: model\nexcept KeyError: model = 1", "model", ""),
    ("try: x\nexcept: pass", "x", "x"),
    ("x = 1\ntry: del x\nexcept E: x", "x E", "x"),
    ("while True:\n  try:\n    x = 1\n    break\n  finally: del x\nx", "x", "x"),
    ("x = 1\ntry: f()\nfinally: del x\nx", "f x", "x"),
    ("try: x\nexcept NameError: raise E\nx", "x E", "x"),
    ("for i in xs:\n  if i: continue\n  else: y = 1\n  y", "xs", ""),
    ("def f(x):\n  class A:\n    x = 1\n    def m(self): return x", "", ""),
    ("class A:\n  for i in xs: pass\n  del i", "xs i", "i"),
    # with
    ("with open(p) as f: x = f.read()\nx", "p", ""),
    ("with suppress(E): x = f()\nx", "suppress E f x", "x"),
    ("with a as b, b.c as d: d", "a", ""),
    ("with contextlib.suppress(NameError): x", "contextlib x", "x"),
    ("with suppress(E): raise F\nx", "suppress E F x", ""),
    # match
    ("match s:\n  case [a, *b]: a, b\n  case {'k': c, **r}: c, r\n  case C(x=d) as e: d, e", "s C", ""),
    ("match s:\n  case 1: x = 1\nx", "s x", "x"),
    ("match s:\n  case 1: x = 1\n  case _: x = 2\nx", "s", ""),
    ("match s:\n  case k.v if g: x = 1\n  case n: x = n\nx", "s k g", ""),
    ("match s:\n  case n if n > m: x = 1\nx", "s m x", "x"),
    # functions
    ("def f(): return x", "x", ""),
    ("def f(): return x\nx = 1", "", ""),
    ("def f(): return x\nif c: x = 1", "c x", "x"),
    ("def f(): return x\nx = 1\nraise E", "E", ""),
    ("def f(): return x\nr = f()\nx = 1", "x", "x"),
    ("def f(): return g()\ndef g(): return x\nf()\nx = 1", "x", "x"),
    ("def f(): return g()\ndef g(): return 1\nf()", "", ""),
    ("def f(): return f()", "", ""),
    ("def f(): x = 1; return x", "", ""),
    ("def f():\n  if c: x = 1\n  return x", "c", ""),
    ("def f(a, /, b, *c, d=e, **g): return a, b, c, d, g", "e", ""),
    ("def f(a: T, *b: U, c: V = w) -> R: pass", "T U V w R", ""),
    ("from __future__ import annotations\ndef f(a: T = d) -> R: x: S = a", "d", ""),
    ("def f(): x: T = 1", "", ""),
    ("@d(k)\ndef f(): pass", "d k", ""),
    ("x = 1\ndef f(a=x): pass", "", ""),
    ("def f(a=f): pass", "f", ""),
    ("def f():\n  global cnt\n  cnt += 1", "cnt", ""),
    ("def f():\n  global cnt\n  cnt = 1\nf()\ncnt", "cnt", "cnt"),
    ("def f():\n  global cnt\n  if cnt: cnt = 1\nf()\ncnt", "cnt", ""),
    ("def f():\n  global cnt\n  cnt = 1\ndef g(): return cnt", "cnt", "cnt"),
    ("def f():\n  x = 1\n  def g():\n    nonlocal x\n    x += y\n  return g", "y", ""),
    ("def f():\n  x = 1\n  def g():\n    global x\n    return x", "x", ""),
    ("def f():\n  global x\n  def g(): return x", "x", ""),
    ("def f():\n  def g(): return x\n  x = 1", "", ""),
    ("def f(xs): return [x for x in xs if (y := x)], y", "", ""),
    ("def f(): [i for i in xs]; return i", "xs i", ""),
    ("def f(): import a.b; from c import d; return a, d", "", ""),
    ("def f():\n  try: q\n  except E as e: return e", "q E", ""),
    ("def f():\n  try: return q\n  except NameError: return 1", "q", "q"),
    ("def f(s):\n  match s:\n    case [a, *b]: return a, b\n    case {'k': c, **r}: return c, r", "", ""),
    ("def f():\n  for i in xs: pass\n  with c as d: pass\n  return i, d", "xs c", ""),
    ("def f():\n  class A:\n    x = x\n    y = x\n    def m(self): return x, y", "x y", ""),
    ("def f(k):\n  class A(B, metaclass=M):\n    a: T = k\n    def m(self): return k", "B M T", ""),
    ("def f():\n  def g(a=b, *, c: T = d) -> R: pass\n  return lambda e=h: e", "b T d R h", ""),
    ("def f():\n  del x", "", ""),
    ("f = lambda a, b=c: a + b + d", "c d", ""),
    ("f = lambda: x\nx = 1", "", ""),
    ("f = lambda: x\nf()\nx = 1", "x", "x"),
    ("xs = sorted(ys, key=lambda v: v * k)\nk = 1", "ys k", "k"),
    ("async def f(): return await g(x)", "g x", ""),
    ("async def f():\n  async with a as b:\n    async for c in b: c", "a", ""),
    # classes
    ("class A(B, metaclass=M): x = y", "B M y", ""),
    ("class A:\n  x = 1\n  y = x", "", ""),
    ("class A:\n  x = 1\ny = x", "x", ""),
    ("class A:\n  x = 1\n  def m(self): return x", "x", ""),
    ("class A:\n  x = 1\n  y = [x for _ in z]", "x z", ""),
    ("class A:\n  x = 1\n  y = [i for i in x]", "", ""),
    ("class A:\n  x = x", "x", ""),
    ("class A:\n  if c: x = 1\n  x", "c x", "x"),
    ("class A:\n  def m(self): return later()\ndef later(): pass", "", ""),
    ("class A:\n  def __init__(self): self.v = x\na = A()\nx = 1", "x", "x"),
    ("class A:\n  a: T\n  b: U = v\n  def m(self) -> 'A': return __class__", "T U v", ""),
    ("class A:\n  def m(self): return A", "", ""),
    ("class A:\n  __module__, __qualname__\n  def m(self): super().m()", "", ""),
    ("class A:\n  global x\n  x = 1\nx", "", ""),
    ("class A:\n  def m(self): return __x", "_A__x", ""),
    ("class A:\n  __x = 1\n  y = __x", "", ""),
    ("class A:\n  class B:\n    z = 1\n  c = B", "", ""),
    ("class A:\n  x = 1\n  class B:\n    y = x", "x", ""),
    # what can't be seen
    ("from m import *\nx", "x", "x"),
    ("x\nfrom m import *\ny, x", "x y", "y"),
    ("exec(s); y", "s y", "y"),
    ("y; exec(s)", "s y", ""),
    ("y = x if 'x' in globals() else 0", "x", "x"),
    ("get_ipython().run_line_magic('run', 'a.py'); y", "get_ipython y", "y"),
    ("get_ipython().run_line_magic('time', 'a'); y", "get_ipython y", ""),
    # async
    ("await x", "x", ""),
    ("async for i in xs: i", "xs", ""),
    ("async with a as b: b", "a", ""),
]


@pytest.mark.parametrize(("code", "reads", "maybe"), READS, ids=[case[0] for case in READS])
def test_reads(code, reads, maybe):
    found = names(code)
    assert found.reads - BUILTINS == words(reads)
    assert found.maybe_reads - BUILTINS == words(maybe)
    assert found.maybe_reads <= found.reads
    assert found.may_mutate <= found.reads


def test_builtins_are_reads():
    found = names("y = list(x); print(sum(y)); len = 3; len; __import__('a')")
    assert found.reads == words("list x print sum __import__")


ASSIGNS = [
    ("b = a = 1; b = 2", "b a"),
    ("x += 1; y[0] = 1; z.a = 2", "x"),
    ("x: int; y: int = 1", "y"),
    ("for i, (j, *k) in xs: m = 1\nelse: n = 1", "i j k m n"),
    ("with a as b, c as (d, e.f): pass", "b d"),
    ("try: x = 1\nexcept E as e: y = 1\nelse: z = 1\nfinally: w = 1", "x z y w"),
    ("match s:\n  case {'a': a, **r}: pass\n  case [b, *c] as d: pass\n  case _: pass", "a r b c d"),
    ("if (n := f()): m = 1", "n m"),
    ("[y := i for i in x]; (z := j for j in x)", "y z"),
    ("import a.b, c as d\nfrom e import f, g as h\nfrom i import *", "a d f h"),
    ("def f(): x = 1\nclass A: y = 1\nasync def g(): pass", "f A g"),
    ("def f():\n  global u, v, w\n  u = 1\n  def v(): pass\n  return w\nx = 1", "u v f x"),
    ("class A:\n  def m(self):\n    global made\n    import made\n", "made A"),
    ("class A:\n  global x\n  x = 1", "x A"),
    ("_ = 1; a, _ = b", "a"),
    ("for _ in xs: pass", ""),
    ("x = 1; del x", "x"),
    ("raise E\nx = 1", "x"),
    ("lambda a: (b := 1)", ""),
    ("f = lambda: 0", "f"),
]


@pytest.mark.parametrize(("code", "assigns"), ASSIGNS, ids=[case[0] for case in ASSIGNS])
def test_assigns(code, assigns):
    assert names(code).assigns == tuple(assigns.split())


@pytest.mark.parametrize(
    ("code", "deletes"),
    [
        ("del x", "x"),
        ("del x, (y, z)", "x y z"),
        ("del x[0], y.a", ""),
        ("del x; x = 1", ""),
        ("x = 1; del x", "x"),
        ("del x\nimport x", ""),
        ("def f():\n  x = 1\n  del x", ""),
        ("class A:\n  x = 1\n  del x", ""),
        ("try: f()\nexcept E as e: pass", ""),
    ],
)
def test_deletes(code, deletes):
    assert names(code).deletes == words(deletes)


MUTATES = [
    ("x[0] = 1", "x"),
    ("a.b[0].c = 1", "a"),
    ("x[0].y += 1", "x"),
    ("x += 1", "x"),
    ("del x[0]", "x"),
    ("(x[0], y.z), w = v", "x y"),
    ("for x[0] in y: pass", "x"),
    ("with c as x.a: pass", "x"),
    ("x.append(1)", "x"),
    ("df.loc[0].drop()", "df"),
    ("x.a().b()", "x"),
    ("x.y", ""),
    ("x[0]", ""),
    ("y = x + 1", ""),
    ("f(x)", "x"),
    ("f(*x, k=y, **z)", "x y z"),
    ("f(x.a, y[0])", "x y"),
    ("f([x, (y,)], {'k': z}, u if c else v, {w})", "x y z u v w"),
    ("f(x + y, i == j)", ""),
    ("f((y := x))", "x"),
    ("len(x), print(x, sep=y), sorted(x), sum(*x), getattr(x, 'a')", ""),
    ("def len(v): v.clear()\nlen(x)", "x"),
    ("from m import print\nprint(x)", "x"),
    ("def f(len): len(x)", "x"),
    ("next(x)", "x"),
    ("len(f(x))", "x"),
    ("x = 1; f(x)", ""),
    ("x = f(x)", "x"),
    ("def f(): x.append(1)", "x"),
    ("def f(x): x.append(y)", "y"),
    ("def f():\n  global x\n  x += 1", "x"),
    ("[x.append(y) for x in xs]", "y"),
    ("[x.pop() for i in xs]", "x"),
    ("lambda: x.pop()", "x"),
    ("class A:\n  x[0] = 1\n  def m(self): y.a = 1", "x y"),
    ("class A:\n  x = []\n  x.append(y)\nx", "y"),
]


@pytest.mark.parametrize(("code", "mutates"), MUTATES, ids=[case[0] for case in MUTATES])
def test_may_mutate(code, mutates):
    assert names(code).may_mutate == words(mutates)


def test_imports():
    found = names(
        """
        import a.b, c as d
        from e.f import g, h as i
        from j import *
        from . import k
        def fn():
            import l.m
            from n import o
            class A:
                import p
        """
    )
    assert found.imports == words("a.b c e.f e.f.g e.f.h j l.m n n.o p")
    assert found.star_imports == {"j"}


@pytest.mark.parametrize(
    ("code", "dynamic"),
    [
        ("exec(a)\neval(b)", [("exec", 1), ("eval", 2)]),
        ("x = 1\ny = globals()['x']", [("globals", 2)]),
        ("locals(); vars()", [("locals", 1), ("vars", 1)]),
        ("vars(x)", []),
        ("model.eval(); a.exec(b)", []),
        ("def f():\n  exec(a)\n  return eval(b)", [("exec", 2), ("eval", 3)]),
        ("def f():\n  return locals(), vars()", []),  # these see only the function
        ("def f():\n  return globals()", [("globals", 2)]),
        ("def eval(m): pass\neval(m)", []),
        ("from m import eval\neval(m)", []),
        ("[exec(s) for s in ss]", [("exec", 1)]),
    ],
)
def test_dynamic(code, dynamic):
    assert names(code).dynamic == tuple(dynamic)


@pytest.mark.parametrize(
    ("original", "lines"),
    [
        ("x = 1\n%time x\n", [("%time x", 2)]),
        ("\n\n!ls\ny = 1\n%foo", [("!ls", 3), ("%foo", 5)]),
        ("a = !ls \\\n  -l\nb = 1\n%foo", [("a = !ls \\", 1), ("%foo", 4)]),
        ("!ls \\\n  -l\n!pwd\n%foo", [("!ls \\", 1), ("!pwd", 3), ("%foo", 4)]),
        ("f?\n%who", [("f?", 1), ("%who", 2)]),
        ("%%time\nx = 1\n", [("%%time", 1)]),
        ("\n%%bash\nls\n", [("%%bash", 2)]),
        ("  x = 1\n  %foo\n", [("%foo", 2)]),
        (">>> x = 1\n>>> %foo\n", [(">>> %foo", 2)]),
        ("if x:\n    !ls {a}\n", [("!ls {a}", 2)]),
        ("ip = get_ipython()\nget_ipython().x", [("ip = get_ipython()", 1), ("get_ipython().x", 2)]),
        ("def f():\n    %foo", [("%foo", 2)]),
        ("x = '%foo'\n# %bar\n", []),
        ("y = x %time\n", []),
    ],
)
def test_ipython_lines(original, lines):
    transform = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager()
    found = analyze(transform.transform_cell(original), original)
    assert found.ipython == tuple(lines)


def test_dynamic_lines_are_the_original_cells():
    assert analyze("x = 1\nexec(s)\n", "\n\nx = 1\nexec(s)\n").dynamic == (("exec", 4),)


def test_ipython_without_the_original():
    assert analyze("x\nget_ipython().system('ls')\n").ipython == (("get_ipython().system('ls')", 2),)


@pytest.mark.parametrize(
    ("code", "has_await"),
    [
        ("await x", True),
        ("async for i in x: pass", True),
        ("async with x: pass", True),
        ("[i async for i in x]", True),
        ("y = [await i for i in x]", True),
        ("async def f(): await x", False),
        ("f = lambda: 0", False),
        ("x = 1", False),
    ],
)
def test_has_await(code, has_await):
    assert names(code).has_await is has_await


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("x", 1),
        ("x = 1\nx\n", 2),
        ("x = 1", None),
        ("x;", None),
        ("x ;  # done", None),
        ("x\n# a; b;", 1),
        ("x  # ;", 1),
        ("';'", 1),
        ("'é';", None),
        ("f(\n  1,\n)", 1),
        ("(\n  x\n);", None),
        ("a; b", 1),
        ("a; b;", None),
        ("s = '''\n'''; b;", None),
        ("x \\\n;", None),
        ("x\r\ny;\r\n", None),
        ("x\r\ny\r\n", 2),
        ("'\x0c'; y\n", 1),
        ("if x: y", None),
        ("def f(): pass", None),
        ("await x", 1),
        ("", None),
        ("# only this", None),
    ],
)
def test_value_line(code, line):
    assert analyze(code).value_line == line


def test_defines():
    code = "def f(): pass\nclass A:\n  def m(self): pass\nasync def g(): pass\nh = lambda: 0\nf = f"
    assert names(code).defines == ("f", "A", "g")


@pytest.mark.parametrize("code", ["x = (", "return 1", "break", "yield x", "def f(): await x", "x = 1 +"])
def test_syntax_errors_are_pythons(code):
    with pytest.raises(SyntaxError) as error:
        analyze(code)
    assert error.value.filename == "<cell>"


def test_warnings_are_left_to_whoever_runs_the_cell():
    assert names("x is 1\n'\\d'").reads == {"x"}


def test_annotations_of_this_project_do_not_leak_into_cells():
    assert "T" in names("def f(a: T): pass").reads


@pytest.mark.skipif(sys.version_info < (3, 11), reason="except* is newer")
def test_exception_groups():
    found = names("try: x = f()\nexcept* E as e: x = g(e)\nx")
    assert found.reads == words("f E g")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are newer")
@pytest.mark.parametrize(
    ("code", "reads", "assigns"),
    [
        ("def f[T: B](a: T) -> T: return T, x", "B x", "f"),
        ("class A[T](G[T]):\n  a: T\n  def m(self) -> T: return T", "G", "A"),
        ("type X[T] = list[T] | Y", "list Y", "X"),
        ("type X = X | None", "", "X"),
        ("def f():\n  def g[T](a: T): return T\n  type Z[U] = U", "", "f"),
        ("class A[T]:\n  x = 1\n  y = x", "", "A"),
    ],
)
def test_type_parameters(code, reads, assigns):
    found = names(code)
    assert found.reads == words(reads)
    assert found.assigns == tuple(assigns.split())


# ---- against what really happens -----------------------------------------------------------------


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
        if not isinstance(error, UnboundLocalError):
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
    assert missing <= found.reads


def straight(code: str) -> bool:
    """Whether a cell runs through without a choice, a function or an await."""
    plain = (ast.Assign, ast.AugAssign, ast.Expr, ast.Delete, ast.AnnAssign)
    choices = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.ListComp, ast.Compare, ast.Await)
    tree = ast.parse(code)
    nodes = list(ast.walk(tree))
    return all(isinstance(node, plain) for node in tree.body) and not any(
        isinstance(node, choices) for node in nodes
    )


STRAIGHT = [case for case in READS if case[1] and straight(case[0])]


@pytest.mark.parametrize("case", STRAIGHT, ids=[case[0] for case in STRAIGHT])
def test_straight_reads_fail_when_absent(case):
    """Where a cell runs straight through, each name that it surely reads is really missed."""
    code, reads, maybe = case
    for left_out in words(reads) - words(maybe):
        supplied = {"exec": exec, "globals": globals, **dict.fromkeys(words(reads), Anything())}
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


def test_it_is_quick():
    code = "\n".join(
        f"def f{i}(x, y=1):\n    z = [x + w for w in range(y)]\n    return z\nr{i} = f{i}(a)\nif r{i}: q = 1"
        for i in range(100)
    )
    analyze(code)
    best = min(_timed(code) for _ in range(3))
    assert best / 500 < 0.001  # seconds a line; typically a tenth of that


def _timed(code: str) -> float:
    start = time.perf_counter()
    analyze(code)
    return time.perf_counter() - start


def test_import_is_light():
    code = (
        "import sys; import jupyter_hpc.capture.cell; "
        "print({'IPython', 'tokenize', 'typing_extensions', 'numpy'} & set(sys.modules) or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in {"light", "{'tokenize'}"}


def test_lines_are_found_under_blank_ones_in_both_texts() -> None:
    """A magic's cell is analysed below a blank line, so that numbers are the notebook's."""
    found = analyze("\na = 1\nget_ipython().system('ls')\n", "\na = 1\n!ls\n")

    assert found.ipython == (("!ls", 3),)
