"""Settings around a cell, without a kernel: what is taken for a user's, and how values travel."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import types
import warnings
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.capture.environment.declared import contradicting
from jupyter_hpc.worker import module_state, process_settings
from jupyter_hpc.worker import settings_table as settings
from jupyter_hpc.worker.pickling import ValuePickler


def encode(value: Any) -> Any:
    return settings.encode(value, lambda file: ValuePickler(file, namespace={}))


def run(code: str, **environment: str) -> Any:
    """Run code in a fresh interpreter and return what it prints as JSON."""
    code = textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TASK = """
import json, random
from jupyter_hpc.worker.surroundings import Surroundings
around = Surroundings({"seed": "a", "values": {"random": {"state": [None]}}}, follow=True)
around.prepare(), around.begin()
print(json.dumps([around.facts, random.random(), around.changed(None)]))
"""


def test_an_arrays_tasks_have_seeds_of_their_own_which_are_told():
    here = {"PYTHONPATH": str(Path(__file__).parents[2])}
    one, other, again = (run(TASK, SLURM_ARRAY_TASK_ID=task, **here) for task in ("1", "2", "1"))
    assert one == again
    assert one[1] != other[1]
    assert one[0]["seeds"].keys() == set(settings.GENERATORS)
    assert one[2] == {}


def test_values_travel_alone_and_code_of_another_python_is_not_read():
    assert settings.decode(encode({"a": [1, None, "x"]})) == {"a": [1, None, "x"]}
    assert settings.decode(encode({1: {2}})) == {1: {2}}
    function = types.FunctionType((lambda: 7).__code__, {"__name__": "__main__"})
    sent = encode(function)
    assert settings.decode(sent)() == 7
    with pytest.raises(ValueError, match="code of Python"):
        settings.decode({**sent, "python": [2, 7]})


def test_one_setting_that_cannot_be_made_costs_only_itself():
    carried = {"values": {"decimal": {"prec": [-1]}, "csv": {"field_size_limit": [77]}}}
    import csv
    import decimal

    before = csv.field_size_limit()
    found = settings.Settings(carried, follow=False)
    found.begin(early=False)
    assert csv.field_size_limit(before) == 77
    assert decimal.getcontext().prec > 0
    assert len(found.notes) == 1 and "decimal" in found.notes[0]


def test_filters_of_the_kernel_keep_their_place():
    with warnings.catch_warnings():
        own = ("error", None, type("W", (Warning,), {"__module__": "IPython.x"}), None, 0)
        warnings.filters[:] = [own, ("ignore", None, ImportWarning, None, 0)]  # type: ignore[index]
        state = process_settings.get_warnings()
        added = ["error", ["a.*", 2], ["builtins", "UserWarning"], None, 0]
        process_settings.set_warnings({"filters": [added, *state["filters"]]}, [])
        kinds = [each[2].__name__ for each in warnings.filters]
        process_settings.set_warnings(state, [])
        assert [each[2].__name__ for each in warnings.filters] == ["W", "ImportWarning"]
    assert kinds == ["UserWarning", "W", "ImportWarning"]


def test_what_a_library_does_to_itself_is_not_taken_for_a_users(tmp_path: Path):
    text = "CACHE = {}\nSEEN = 0\ndef f():\n    global SEEN\n    SEEN += 1\nclass A:\n    rate = 1\n"
    (tmp_path / "installed.py").write_text(text)
    module = types.ModuleType("installed")
    module.__file__ = str(tmp_path / "installed.py")
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    before = module_state.snapshot(module, deep=False)
    module.f()
    module.CACHE["x"] = 1
    module._private = 3
    module.late = types.FunctionType(module.f.__code__, module.__dict__)
    assert module_state.changed(module, before, deep=False) == {}
    module.flag, module.A.rate = 3, 2
    assert module_state.changed(module, before, deep=False) == {"flag": 3, "A.rate": 2}


def test_a_local_module_is_compared_with_its_source(tmp_path: Path):
    text = "A = 1\nB = {'x': [1]}\nC = len('abc')\nD: int = 4\nimport os\ndef f(): return 0\nfor i in range(2): E = i\n"
    (tmp_path / "local.py").write_text(text)
    module = types.ModuleType("local")
    module.__file__ = str(tmp_path / "local.py")
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    assert contradicting(module) == {}
    module.A, module.D, module.NEW = 2, 4, 5
    module.B["x"].append(2)
    module.f = lambda: 1
    assert contradicting(module) == {"A": 2, "B": {"x": [1, 2]}, "f": module.f, "NEW": 5}


def test_variables_of_a_place_stay_there():
    for name in (
        "SLURM_JOB_ID",
        "PATH",
        "LD_LIBRARY_PATH",
        "CUDA_VISIBLE_DEVICES",
        "MPLBACKEND",
        "JPY_PARENT_PID",
    ):
        assert process_settings.is_of_place(name)
    for name in ("OMP_NUM_THREADS", "TZ", "MY_MODE", "HF_HOME", "CUDA_LAUNCH_BLOCKING", "LC_ALL"):
        assert not process_settings.is_of_place(name)
