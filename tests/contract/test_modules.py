"""Local modules travel as source, frozen at submission."""

from __future__ import annotations

from tests.contract.notebook import Notebook


def test_a_module_beside_the_notebook_travels(notebook: Notebook) -> None:
    notebook.write("mod_beside.py", "def f(): return 'from beside'")
    notebook.run("import mod_beside")
    notebook.remote("x = mod_beside.f()")
    assert notebook.value("x") == "from beside"


def test_it_is_the_frozen_copy_that_is_imported_there(notebook: Notebook) -> None:
    notebook.write("mod_copy.py", "here = __file__")
    notebook.remote("import mod_copy\nthere = mod_copy.here")
    assert not notebook.value("there").startswith(str(notebook.folder))


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
    notebook.write(
        "pkg_rel/core.py", "from . import deep\nfrom .sub.leaf import LEAF\ndef f(): return deep.D + LEAF"
    )
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


def test_an_edit_between_two_cells_is_seen_by_the_second(notebook: Notebook) -> None:
    path = notebook.write("mod_again.py", "V = 1")
    notebook.remote("import mod_again\nx = mod_again.V")
    path.write_text("V = 22")
    notebook.remote("import mod_again\ny = mod_again.V")
    assert notebook.value("(x, y)") == (1, 22)


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
