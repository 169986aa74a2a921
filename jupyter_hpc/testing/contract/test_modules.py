"""Local modules travel as source, frozen at submission."""

from __future__ import annotations

from jupyter_hpc.testing.notebook import Notebook


def test_a_module_beside_the_notebook_travels(notebook: Notebook) -> None:
    notebook.write("mod_beside.py", "def f(): return 'from beside'")
    notebook.run("import mod_beside")
    notebook.remote("x = mod_beside.f()")
    assert notebook.value("x") == "from beside"


def test_a_module_says_that_it_is_where_it_was_and_finds_its_data_there(notebook: Notebook) -> None:
    notebook.write(
        "mod_place.py",
        "import os\ndef conf(): return open(os.path.join(os.path.dirname(__file__), 'mod.json')).read()",
    )
    notebook.write("mod.json", "{}")
    notebook.write("proj/__init__.py", "")
    notebook.write(
        "proj/config.py",
        "from pathlib import Path\nROOT = Path(__file__).resolve().parents[1]\nRAW = (ROOT / 'data' / 'raw.csv').read_text()",
    )
    notebook.write("data/raw.csv", "a,b")
    notebook.remote("import mod_place\nfrom proj.config import ROOT, RAW\nx = (mod_place.conf(), RAW)")
    assert notebook.value("x") == ("{}", "a,b")


def test_a_function_of_a_local_module_used_by_a_notebook_function_travels(notebook: Notebook) -> None:
    notebook.write("mod_inner.py", "def g(): return 3")
    notebook.run("from mod_inner import g\ndef f(): return g() + 1")
    notebook.remote("x = f()")
    assert notebook.value("x") == 4


def test_a_module_that_a_local_module_imports_travels(notebook: Notebook) -> None:
    notebook.write("mod_low.py", "V = 5")
    notebook.write("mod_high.py", "import mod_low\ndef f(): return mod_low.V")
    notebook.remote("import mod_high\nx = mod_high.f()")
    assert notebook.value("x") == 5


def test_a_package_with_relative_imports_and_data_travels(notebook: Notebook) -> None:
    notebook.write("pkg_rel/__init__.py", "from .core import f")
    notebook.write("pkg_rel/core.py", "from . import deep\nfrom .sub.leaf import LEAF\ndef f(): return deep.D + LEAF")
    notebook.write("pkg_rel/deep.py", "D = 1")
    notebook.write("pkg_rel/sub/__init__.py", "")
    notebook.write("pkg_rel/sub/leaf.py", "LEAF = 10")
    notebook.write("pkg_rel/data.txt", "some data")
    notebook.run("import pkg_rel")
    notebook.remote(
        "import importlib.resources\nx = pkg_rel.f()\nd = importlib.resources.files('pkg_rel').joinpath('data.txt').read_text()"
    )
    assert notebook.value("(x, d)") == (11, "some data")


def test_a_module_imported_only_inside_a_function_travels(notebook: Notebook) -> None:
    notebook.write("mod_late.py", "V = 'late'")
    notebook.run("def f():\n    import mod_late\n    return mod_late.V")
    notebook.remote("x = f()")
    assert notebook.value("x") == "late"


def test_a_module_of_a_folder_on_the_path_travels(notebook: Notebook) -> None:
    notebook.write("lib/mod_onpath.py", "V = 'path'")
    notebook.run(f"import sys; sys.path.insert(0, {str(notebook.folder / 'lib')!r})")
    notebook.remote("from mod_onpath import V as x")
    assert notebook.value("x") == "path"


def test_an_edit_while_the_job_waits_changes_nothing(notebook: Notebook) -> None:
    path = notebook.write("mod_edit.py", "V = 'as submitted'")
    notebook.run("import mod_edit")
    notebook.remote("import time\ntime.sleep(0.5)\nimport mod_edit\nx = mod_edit.V", "--detach")
    path.write_text("V = 'edited'")
    assert notebook.value("_hpc.result()['x']") == "as submitted"


def test_a_module_travels_as_the_kernel_has_it_and_an_edit_with_a_reload(notebook: Notebook) -> None:
    path = notebook.write("mod_again.py", "V = 1")
    notebook.run("import mod_again")
    path.write_text("V = 2")
    executed = notebook.remote("x = mod_again.V")
    assert "was edited after it was imported" in executed.text
    notebook.run("import importlib; importlib.reload(mod_again)")
    notebook.remote("import mod_again\ny = mod_again.V")
    path.write_text("V = 33")
    notebook.remote("import importlib, mod_again\nz = importlib.reload(mod_again).V")
    assert notebook.value("(x, y, z)") == (1, 2, 33)


def test_what_is_imported_by_name_only_and_how_else_modules_are_made(notebook: Notebook) -> None:
    notebook.write("added/plug_a.py", "def val(): return 3")
    notebook.write("added/models.py", "class M:\n    v = 4")
    notebook.write("lib/func.py", "K = 10\ndef func(x): return x * K")
    notebook.run("import sys, zipfile, importlib.util; sys.path.append('added')")
    notebook.run("import models, pickle; pickle.dump(models.M(), open('m.pkl', 'wb'))")
    notebook.run(
        "spec = importlib.util.spec_from_file_location('my_dyn', 'lib/func.py')\n"
        "my_dyn = importlib.util.module_from_spec(spec); sys.modules['my_dyn'] = my_dyn\n"
        "spec.loader.exec_module(my_dyn); func = my_dyn.func"
    )
    notebook.run(
        "with zipfile.ZipFile('lib.zip', 'w') as z: z.writestr('zmod.py', 'def f(): return 9')\n"
        "sys.path.insert(0, 'lib.zip'); import zmod"
    )
    notebook.write("gone.py", "def g(): return 5")
    notebook.run("import gone, os; os.remove('gone.py'); sys.modules['nick'] = models")
    notebook.remote(
        "import importlib, nick\nw = (gone.g(), nick.M.v)\nname = 'plug_a'\np = importlib.import_module(name).val()\nq = func(2) + my_dyn.K\nr = zmod.f()"
    )
    assert notebook.value("(p, q, r, w)") == (3, 30, 9, (5, 4))
    if notebook.target == "local":  # elsewhere the file itself may not be seen
        notebook.remote("import pickle\nv = pickle.load(open('m.pkl', 'rb')).v")
        assert notebook.value("v") == 4


def test_a_file_with_the_name_of_a_standard_module_kills_nothing(notebook: Notebook) -> None:
    for name in (
        "json",
        "logging",
        "threading",
        "token",
        "signal",
        "typing",
        "cloudpickle",
        "numpy",
        "resource",
        "shutil",
    ):
        notebook.write(f"{name}.py", f"raise RuntimeError('the {name}.py of the user')")
    notebook.remote("import json\nx = json.loads('1')")
    # as in the kernel, the notebook's folder comes before site-packages
    executed = notebook.remote("import sys\nsys.modules.pop('numpy', None)\nimport numpy", fails=True)
    assert executed.error.value == "the numpy.py of the user"
    notebook.remote("import sys\nsys.path.insert(0, '.')\nimport shutil, traceback, token\ny = shutil.which('sh')")
    assert notebook.value("(x, bool(y))") == (1, True)


def test_an_instance_of_a_local_modules_class_is_an_instance_of_it_here(notebook: Notebook) -> None:
    notebook.write("mod_class.py", "class A:\n    pass")
    notebook.run("import mod_class")
    notebook.remote("a = mod_class.A()")
    assert notebook.value("type(a) is mod_class.A") is True


def test_an_exception_class_of_a_local_module_arrives_as_itself(notebook: Notebook) -> None:
    notebook.write("mod_error.py", "class Odd(Exception): pass\ndef f(): raise Odd('from the module')")
    notebook.run("import mod_error")
    executed = notebook.remote("mod_error.f()", fails=True)
    assert executed.error.name == "Odd"
    assert notebook.value("type(__import__('sys').last_value) is mod_error.Odd") is True
    assert "def f(): raise Odd('from the module')" in executed.error.traceback


def test_a_local_module_travels_with_a_workdir_elsewhere(notebook: Notebook) -> None:
    notebook.write("mod_far.py", "V = 'far'")
    (notebook.folder / "else").mkdir()
    notebook.remote("import mod_far, os\nx = (mod_far.V, os.path.basename(os.getcwd()))", "--workdir else")
    assert notebook.value("x") == ("far", "else")
