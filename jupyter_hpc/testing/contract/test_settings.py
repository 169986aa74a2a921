"""The process around the cell: the user's settings are there, and the cell's come back."""

from __future__ import annotations

from jupyter_hpc.testing.notebook import Notebook

_RESTORE = """
import decimal, logging, random, sys, warnings
_before = (warnings.filters[:], sys.getrecursionlimit(), decimal.getcontext().copy(), logging.root.handlers[:])
"""
_RESTORED = """
warnings.filters[:], (limit, context) = _before[0], _before[1:3]
sys.setrecursionlimit(limit), decimal.setcontext(context)
logging.root.handlers[:] = _before[3]
logging.root.setLevel(logging.WARNING)
logging.getLogger("app").handlers.clear()
"""


def test_random_sequences_go_on_there_and_here(notebook: Notebook) -> None:
    notebook.run("import random, numpy as np\nrandom.seed(1), np.random.seed(0)")
    notebook.remote("a, b = random.random(), float(np.random.rand())")
    assert notebook.value("(a, round(b, 12))") == (0.13436424411240122, 0.548813503927)
    assert notebook.value("(random.random(), round(float(np.random.rand()), 12))") == (
        0.8474337369372327,
        0.715189366372,
    )
    notebook.remote("import random, numpy\nrandom.seed(1), numpy.random.seed(0)")
    assert notebook.value("(random.random(), round(float(np.random.rand()), 12))") == (
        0.13436424411240122,
        0.548813503927,
    )


def test_settings_of_the_interpreter_travel_and_come_back(notebook: Notebook) -> None:
    notebook.run(_RESTORE)
    notebook.run(
        """
        warnings.filterwarnings("ignore", message="noisy")
        sys.setrecursionlimit(7000)
        decimal.getcontext().prec = 5
        """
    )
    executed = notebook.remote(
        """
        import decimal, sys, warnings
        warnings.warn("noisy thing")
        warnings.warn("heard")
        there = (sys.getrecursionlimit(), str(decimal.Decimal(1) / 3))
        sys.setrecursionlimit(8000)
        decimal.getcontext().prec = 3
        warnings.simplefilter("error", FutureWarning)
        """
    )
    assert "UserWarning: heard" in executed.text and "UserWarning: noisy" not in executed.text
    assert notebook.value("there") == (7000, "0.33333")
    first = "warnings.filters[0][0], warnings.filters[0][2].__name__"
    found = notebook.value(f"(sys.getrecursionlimit(), decimal.getcontext().prec, {first})")
    notebook.run(_RESTORED)
    assert found == (8000, 3, "error", "FutureWarning")


def test_loggers_write_there_as_here(notebook: Notebook) -> None:
    notebook.run(_RESTORE)
    notebook.run(
        """
        log = logging.getLogger("app")
        log.setLevel("DEBUG")
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("FMT %(message)s"))
        log.addHandler(handler)
        """
    )
    executed = notebook.remote("log.debug('said there')\nimport logging\nlogging.getLogger('new').setLevel(10)")
    found = notebook.value("(log.handlers == [handler], logging.getLogger('new').level)")
    notebook.run(_RESTORED)
    assert "FMT said there" in executed.text
    assert found == (True, 10)


def test_options_of_libraries_travel_and_come_back(notebook: Notebook) -> None:
    notebook.run(
        """
        import matplotlib.pyplot as plt, numpy as np, pandas as pd
        plt.style.use("dark_background")
        plt.rcParams["figure.figsize"] = (1, 1)
        np.set_printoptions(precision=2)
        pd.options.display.float_format = lambda x: f"<{x:.1f}>"
        """
    )
    notebook.remote(
        """
        there = (list(plt.rcParams["figure.figsize"]), plt.rcParams["axes.facecolor"], str(np.array([1.23456])))
        text = str(pd.Series([1.234]))
        plt.rcdefaults()
        np.set_printoptions(precision=4)
        pd.set_option("display.max_rows", 7)
        pd.reset_option("display.float_format")
        """
    )
    assert notebook.value("there") == ([1.0, 1.0], "black", "[1.23]")
    assert "<1.2>" in notebook.value("text")
    here = "(plt.rcParams['axes.facecolor'], str(np.array([1.23456])), pd.get_option('display.max_rows'))"
    assert notebook.value(here) == ("white", "[1.2346]", 7)
    assert notebook.value("pd.get_option('display.float_format')") is None
    notebook.run("pd.reset_option('display.max_rows'), np.set_printoptions(precision=8)")


def test_variables_travel_but_no_secrets(notebook: Notebook) -> None:
    notebook.run("import os\nos.environ.update(MY_MODE='fast', MY_TOKEN='t0p')")
    executed = notebook.remote(
        """
        import os
        there = os.environ.get("MY_MODE"), os.environ.get("MY_OTHER")
        os.environ["MY_NEW"] = "2"
        os.environ["MY_PASSWORD"] = "3"
        del os.environ["MY_MODE"]
        """,
        "--env MY_OTHER=given",
    )
    assert notebook.value("there") == ("fast", "given")
    assert notebook.value("(os.environ.pop('MY_NEW'), 'MY_MODE' in os.environ, 'MY_PASSWORD' in os.environ)") == (
        "2",
        False,
        False,
    )
    assert "MY_TOKEN" in executed.text and "MY_PASSWORD" in executed.text
    notebook.run("os.environ.pop('MY_TOKEN')")


def test_what_was_assigned_to_modules_is_there_and_comes_back(notebook: Notebook) -> None:
    notebook.write(
        "conf.py",
        """
        DEBUG = False
        OPTIONS = {"a": 1}
        class Model:
            rate = 1
        def answer(): return 0
        def show(): return DEBUG, dict(OPTIONS), Model.rate, answer()
        """,
    )
    notebook.run(
        """
        import collections, conf, json, threading
        conf.DEBUG = True
        conf.OPTIONS["b"] = 2
        conf.Model.rate = 3
        conf.answer = lambda: 42
        conf.lock = threading.Lock()
        json.encoder.FLOAT_REPR = "zz"
        def total(self): return "patched"
        collections.Counter.total2 = total
        """
    )
    executed = notebook.remote(
        """
        there = conf.show(), json.encoder.FLOAT_REPR, collections.Counter().total2()
        conf.DEBUG = "there"
        conf.OPTIONS["c"] = 3
        conf.Model.rate = 4
        json.encoder.OTHER = "new"
        """
    )
    assert notebook.value("there") == ((True, {"a": 1, "b": 2}, 3, 42), "zz", "patched")
    assert notebook.value("(conf.show(), json.encoder.OTHER)") == (
        ("there", {"a": 1, "b": 2, "c": 3}, 4, 42),
        "new",
    )
    assert "conf.lock" in executed.text
    notebook.run("del json.encoder.FLOAT_REPR, json.encoder.OTHER, collections.Counter.total2")


def test_a_module_imported_before_the_extension_is_compared_with_its_source(notebook: Notebook) -> None:
    notebook.write("early.py", "LIMIT = 1\nTABLE = {}\ndef f(): return 0\n")
    notebook.run(
        """
        import early, jupyter_hpc.capture.environment.baseline as b
        b._snapshots.pop("early"), b._late.add("early")
        early.LIMIT, early.NEW = 7, 8
        early.TABLE["x"] = 1
        """
    )
    notebook.remote("there = early.LIMIT, early.NEW, early.TABLE, early.f()")
    assert notebook.value("there") == (7, 8, {"x": 1}, 0)


def test_precision_and_loaded_submodules_are_as_here(notebook: Notebook) -> None:
    notebook.run("import xml.dom.minidom\n%precision 2")
    executed = notebook.remote("x = xml.dom.minidom.parseString('<a/>').toxml()\n3.14159")
    notebook.run("%precision")
    assert "3.14" in executed.text and "3.14159" not in executed.text
    assert "<a/>" in notebook.value("x")


def test_a_setting_of_another_library_can_be_added(notebook: Notebook) -> None:
    notebook.write("otherlib.py", "_level = 0\ndef get(): return _level\ndef set(n):\n    globals()['_level'] = n\n")
    notebook.run(
        """
        import jupyter_hpc, otherlib
        def get_it():
            return {"level": otherlib.get()}
        def set_it(values, gone):
            otherlib.set(values.get("level", 0))
        jupyter_hpc.carry_setting("otherlib", "otherlib", get_it, set_it)
        otherlib.set(4)
        """
    )
    notebook.remote("there = otherlib.get()\notherlib.set(7)")
    assert notebook.value("(there, otherlib.get())") == (4, 7)
    notebook.run("import jupyter_hpc.capture.carried_settings as s\ns._added.clear()")


def test_a_call_uses_the_state_and_changes_none_here(notebook: Notebook) -> None:
    notebook.run("import jupyter_hpc, random\nrandom.seed(1)\ndef f(): return random.random()")
    target = notebook.target
    assert notebook.value(f"jupyter_hpc.submit(f, on={target!r}).result()") == 0.13436424411240122
    assert notebook.value("random.random()") == 0.13436424411240122


def test_types_are_shown_there_as_the_notebook_shows_them(notebook: Notebook) -> None:
    notebook.run(
        """
        class Shape:
            pass
        formatters = get_ipython().display_formatter.formatters
        formatters["text/html"].for_type(Shape, lambda shape: "<b>a shape</b>")
        formatters["text/plain"].for_type(Shape, lambda shape, printer, cycle: printer.text("SHAPE"))
        """
    )
    executed = notebook.remote("Shape()")
    notebook.run("for f in formatters.values(): f.type_printers.pop(Shape, None)")
    assert executed.result["text/html"] == "<b>a shape</b>"
    assert executed.result["text/plain"] == "SHAPE"
