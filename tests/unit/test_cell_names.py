"""Which names a cell reads, binds and may change."""

from __future__ import annotations

import subprocess
import sys

import pytest

from jupyter_hpc.capture.cell.analysis import analyze
from jupyter_hpc.capture.cell.hiding import in_text
from tests.unit.cell_cases import BUILTINS, READS, names, words


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
        ("x = 1\ny = globals()[x]", [("globals", 2)]),
        ("if 'x' not in globals(): y = globals().get('z'), vars()['w']", []),  # each asks for one name
        ("globals()[k] = 1", []),
        ("list(map(eval, texts))", [("eval", 1)]),
        ("eval('x + 1'); eval(s, {'x': 1}); __import__('os')", []),
        (
            "__import__(s); import_module(s); importlib.import_module('__main__')",
            [("__import__", 1), ("import_module", 1)],
        ),
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
    assert list(dict.fromkeys(names(code).dynamic)) == dynamic


def test_names_in_texts():
    found = names("df.query('a > @thr'); eval('x + 1'); df.eval(q); f'{z}'; 'u' in globals(); print('no')")
    assert found.texts == {"a > @thr", "x + 1", "u"}
    assert found.pointers == {"q"}
    assert in_text("a > @thr and b < @cfg.low") == {"thr", "cfg"}
    assert in_text("x + f(1)") == {"x", "f"}
    assert in_text("select a from df where b = '@x'") >= {"df"}


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


def test_import_is_light():
    code = (
        "import sys; import jupyter_hpc.capture.cell.analysis; "
        "print({'IPython', 'tokenize', 'typing_extensions', 'numpy'} & set(sys.modules) or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in {"light", "{'tokenize'}"}


def test_lines_are_found_under_blank_ones_in_both_texts() -> None:
    """A magic's cell is analysed below a blank line, so that numbers are the notebook's."""
    found = analyze("\na = 1\nget_ipython().system('ls')\n", "\na = 1\n!ls\n")

    assert found.ipython == (("!ls", 3),)
