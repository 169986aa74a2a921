"""Names that hide: behind ``eval`` and the like, in texts, in magics, in IPython's own history."""

from __future__ import annotations

from jupyter_hpc.testing.notebook import Notebook

SETUP = """
import pickle, threading, importlib, pandas as pd
K = 3; thr = 3; name = "K"; lock = threading.Lock()
df = pd.DataFrame({"a": [1, 5, 9]})
wanted = "a > @thr"
class Net:
    w = 7
def calc(text): return eval(text)
def pick(n): return globals()[n]
def chosen(): return df.query("a > @thr")
def through_the_shell(n): return get_ipython().user_ns[n]
def unpickled(path):
    with open(path, "rb") as file: return pickle.load(file)
with open("m.pkl", "wb") as file: file.write(pickle.dumps(Net()))
"""

HIDDEN = """
import __main__, sys, timeit, pickle
r = [calc("K*2"), pick("K"), len(chosen()), through_the_shell("K"), unpickled("m.pkl").w]
s = [len(df.query("a > @thr")), len(df.query(wanted)), __main__.K, vars()["K"], "{K}".format(**globals())]
t = [eval(name), sys.modules["__main__"].K, timeit.timeit("calc('1')", "from __main__ import calc", number=1) > 0]
exec("made = K + 1")
"""


def test_where_names_hide_all_that_can_travel_is_sent(notebook: Notebook) -> None:
    notebook.run(SETUP)
    notebook.run(f"import os; os.chdir({str(notebook.folder)!r})")
    executed = notebook.remote(HIDDEN)
    assert notebook.value("(r, s, t, made)") == ([6, 3, 2, 3, 7], [2, 2, 3, 3, "3"], [3, 3, True], 4)
    assert "hides names" in executed.text and "can't travel: file, lock" in executed.text


def test_names_in_texts_and_classes_in_pickles_are_found_without_the_rest(notebook: Notebook) -> None:
    notebook.run(SETUP + "big = bytearray(10)")
    sent = "sorted(i['name'] for i in _hpc.record['inputs'])"
    notebook.remote("n = len(df.query('a > @thr'))\nk = eval('K + 1')")
    assert notebook.value(f"(n, k, {sent})") == (2, 4, ["K", "df", "thr"])
    notebook.remote("m = unpickled('m.pkl')")
    assert notebook.value("(type(m) is Net, m.w)") == (True, 7)
    assert "big" not in notebook.value(sent) and "Net" in notebook.value(sent)


def test_too_large_names_stay_here_and_an_error_says_how_to_send_them(notebook: Notebook) -> None:
    notebook.run(
        "import numpy as np; small = 1; large = np.zeros(300 << 20, dtype='u1')\ndef total(): return large.sum()"
    )
    executed = notebook.remote("x = eval('sma' + 'll')\ny = eval('lar' + 'ge')", fails=True)
    assert executed.error.name == "NameError"
    assert "large (300 MiB)" in executed.text and "-i large sends it" in executed.text.replace("`", "")
    notebook.remote("y = eval('to' + 'tal()')", "-i large")
    assert notebook.value("int(y)") == 0


def test_what_only_may_be_needed_keeps_no_cell_from_running(notebook: Notebook) -> None:
    notebook.run(
        """
        import sys, types
        ghost = sys.modules["ghost"] = types.ModuleType("ghost")  # the node has no such module
        class G: pass
        G.__module__, G.__qualname__, ghost.G = "ghost", "G", G
        at_home = G(); data = [1]; other = {2: 3}
        """
    )
    notebook.remote("data.append(eval('other[' + '2]'))\nr = 'at_home' in globals(), 'data' in vars()\ndel other")
    assert notebook.value("(data, r, 'other' in globals(), type(at_home) is G)") == (
        [1, 3],
        (False, True),
        False,
        True,
    )
    notebook.run("del sys.modules['ghost']")


def test_only_a_certain_read_of_an_unknown_name_is_refused(notebook: Notebook) -> None:
    executed = notebook.remote("def parse(): return grammar['x']\nok = 1")
    assert "grammar may be missing" in executed.text
    assert "grammar may be missing" in notebook.remote("def parse(): return grammar['x']", "--quiet").stderr
    notebook.run("grammar = {'x': 5}\ndef prepare():\n    global ready\n    ready = 1")
    notebook.remote("r = parse()\nprepare()\ns = ready")
    assert notebook.value("(ok, r, s)") == (1, 5, 1)
    before = notebook.jobs()
    for code in ("def f(): return unheard\nf()", "x = unheard"):
        assert notebook.remote(code, fails=True).error.name == "UndefinedName"
    assert notebook.jobs() == before


def test_what_the_user_calls_exit_or_display_is_the_users(notebook: Notebook) -> None:
    notebook.run("def exit(): return 'mine'\nquit = 'q'\ndef display(x): return [x]\ndef open(p): return p * 2")
    notebook.remote("r = exit() + quit, display(1), open('a')\n!true\ns = exit() + open('b')")
    assert notebook.value("(r, s)") == (("mineq", [1], "aa"), "minebb")
    notebook.run("del exit, quit, display, open")
    notebook.remote("display('shown')\nwith open('/dev/null') as f: r = f.read()\ndel f")
    assert notebook.value("r") == ""


def test_the_history_can_be_read(notebook: Notebook) -> None:
    notebook.run("import threading\n(threading.Lock(), 1)")
    notebook.run("41")
    number = notebook.value("max(Out)")
    notebook.remote(f"r = Out[{number}] + _{number} + _\ns = In[{number}]\nn = {number} in Out")
    assert notebook.value("(r, s, n)") == (123, "41", True)


def test_future_annotations_hold_once_they_were_asked_for(notebook: Notebook) -> None:
    notebook.remote("def f(x: int) -> str: return x\nkinds = f.__annotations__")
    assert notebook.value("kinds == {'x': int, 'return': str}") is True
    notebook.remote("from __future__ import annotations\ndef f(x: Nowhere): return x")
    notebook.run("def g(x: Nowhere): return x")
    notebook.remote("def h(x: NotYet) -> Later: return x\nr = h(3), h.__annotations__['x']")
    notebook.remote("%%time\ndef h(x: NotYet) -> Later: return x")
    assert notebook.value("r") == (3, "NotYet")
    notebook.restart()


def test_names_in_magics_are_found(notebook: Notebook) -> None:
    notebook.run("base = 5; a = 2\ndef f(): return base")
    notebook.write("script.py", "got = base + 1")
    notebook.remote(
        """
        res = %timeit -o -n 2 -r 1 a * 2
        %prun -q -s cumulative f()
        %run -i script.py
        r = got, res.best >= 0
        """
    )
    assert notebook.value("r") == (6, True)
    notebook.remote("%whos")
    assert "base" in notebook.value("_hpc.logs()")
    notebook.remote("%%timeit -n 1 -r 1 b = a\nb + base")
    notebook.remote("%%capture cap\nprint(base)")
    assert notebook.value("cap.stdout") == "5\n"
    for above in ("%%time", "%%capture out"):
        notebook.run(above + "\n" + notebook.cell("six = base + 1\nsix"))
        assert notebook.value("_") == 6 or above != "%%time"
    assert notebook.value("six") == 6


def test_the_users_own_magics_travel(notebook: Notebook) -> None:
    notebook.run(
        """
        from IPython.core.magic import Magics, line_magic, magics_class, register_cell_magic, register_line_magic
        factor = 3
        @register_line_magic
        def times(line): return factor * eval(line, get_ipython().user_ns)
        @register_cell_magic
        def doubled(line, cell): get_ipython().user_ns[line.strip()] = 2 * eval(cell, get_ipython().user_ns)
        @magics_class
        class Mine(Magics):
            @line_magic
            def who_am_i(self, line): return line.upper()
        get_ipython().register_magics(Mine)
        value = 7
        ip = get_ipython()
        """
    )
    notebook.remote("r = %times value\ns = %who_am_i me\nt = ip.user_ns['value']")
    notebook.remote("%%doubled twice\nvalue")
    assert notebook.value("(r, s, t, twice)") == (21, "ME", 7, 14)
