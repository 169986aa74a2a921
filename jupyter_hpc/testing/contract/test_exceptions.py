"""An exception arrives as its own type with the remote traceback; other ends are named for their cause."""

from __future__ import annotations

import sys

import pytest

from jupyter_hpc.testing.notebook import Notebook


def test_a_builtin_exception_arrives_as_itself(notebook: Notebook) -> None:
    executed = notebook.remote("{}['missing']", fails=True)
    assert executed.error.name == "KeyError"
    assert notebook.raised("(type(error) is KeyError, error.args)") == (True, ("missing",))


def test_the_traceback_shows_the_cells_label_and_the_real_line(notebook: Notebook) -> None:
    executed = notebook.remote("x = 0\n1 / x  # the very line", fails=True)
    assert "Cell In[" in executed.error.traceback
    assert "line 3" in executed.error.traceback
    assert "1 / x  # the very line" in executed.error.traceback


def test_the_traceback_shows_the_lines_of_an_earlier_cell(notebook: Notebook) -> None:
    notebook.run("def fails_here():\n    raise ValueError('deep')  # written earlier")
    executed = notebook.remote("fails_here()", fails=True)
    assert "raise ValueError('deep')  # written earlier" in executed.error.traceback
    assert executed.error.traceback.count("Cell In[") == 2


def test_the_traceback_has_no_frames_of_the_worker(notebook: Notebook) -> None:
    executed = notebook.remote("1 / 0", fails=True)
    assert "jupyter_hpc_worker" not in executed.error.traceback


def test_the_cause_is_the_remote_traceback(notebook: Notebook) -> None:
    notebook.remote("1 / 0  # there", fails=True)
    assert notebook.raised("'1 / 0  # there' in str(error.__cause__)") is True


def test_the_job_is_attached_to_the_exception(notebook: Notebook) -> None:
    notebook.remote("1 / 0", fails=True)
    assert notebook.raised("error.job == _hpc and str(error.job.state)") == "FAILED"


def test_an_exception_class_defined_here_arrives_as_itself_with_its_attributes(notebook: Notebook) -> None:
    notebook.run("class Odd(Exception):\n    def __init__(self, a, b=0): super().__init__(a); self.b = b")
    notebook.remote("e = Odd('why', 5); e.extra = [1]; raise e", fails=True)
    assert notebook.raised("(type(error) is Odd, error.args, error.b, error.extra)") == (
        True,
        ("why",),
        5,
        [1],
    )


def test_an_exception_class_defined_in_the_cell_arrives_with_its_attributes(notebook: Notebook) -> None:
    executed = notebook.remote("class New(ValueError): pass\ne = New('x'); e.n = 3; raise e", fails=True)
    assert executed.error.name == "New"
    assert notebook.raised("(type(error) is New, isinstance(error, ValueError), error.n)") == (True, True, 3)


def test_an_os_error_keeps_its_errno_and_file(notebook: Notebook) -> None:
    notebook.remote("open('/no/such/file')", fails=True)
    assert notebook.raised("(type(error).__name__, error.errno, error.filename)") == (
        "FileNotFoundError",
        2,
        "/no/such/file",
    )


def test_an_exception_whose_constructor_takes_more_than_it_keeps_arrives_as_itself(
    notebook: Notebook,
) -> None:
    executed = notebook.remote(
        "class Two(Exception):\n    def __init__(self, a, b): super().__init__(f'{a}-{b}')\nraise Two(1, 2)",
        fails=True,
    )
    assert executed.error.name == "Two"
    assert notebook.raised("error.args") == ("1-2",)


def test_an_exception_that_cannot_be_rebuilt_arrives_as_remote_error(notebook: Notebook) -> None:
    executed = notebook.remote(
        "class Two(Exception):\n    def __init__(self, a, b): super().__init__(f'{a}-{b}')\n"
        "    def __reduce__(self): return Two, self.args\nraise Two(1, 2)",
        fails=True,
    )
    assert executed.error.name == "RemoteError"
    assert "Two: 1-2" in executed.error.traceback
    assert notebook.raised("(error.type_name, 'raise Two(1, 2)' in error.traceback)") == ("Two", True)


def test_an_exception_that_holds_a_lock_arrives_as_remote_error(notebook: Notebook) -> None:
    executed = notebook.remote(
        "import threading\ne = ValueError('held'); e.lock = threading.Lock(); raise e", fails=True
    )
    assert executed.error.name == "RemoteError"
    assert "ValueError: held" in executed.error.traceback


def test_names_assigned_before_the_exception_come_back(notebook: Notebook) -> None:
    notebook.remote("before = 1\n1 / 0\nafter = 2", fails=True)
    assert notebook.value("(before, 'after' in globals())") == (1, False)


def test_text_printed_before_the_exception_is_shown(notebook: Notebook) -> None:
    executed = notebook.remote("print('last words')\n1 / 0", fails=True)
    assert "last words" in executed.text


def test_chained_exceptions_show_both_tracebacks(notebook: Notebook) -> None:
    executed = notebook.remote(
        "try:\n    {}['k']\nexcept KeyError as e:\n    raise RuntimeError('outer') from e", fails=True
    )
    assert "KeyError: 'k'" in executed.error.traceback
    assert "direct cause" in executed.error.traceback
    assert executed.error.name == "RuntimeError"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups and notes are newer")
def test_an_exception_group_arrives_with_its_parts(notebook: Notebook) -> None:
    notebook.remote("raise ExceptionGroup('g', [ValueError(1), TypeError(2)])", fails=True)
    assert notebook.raised("[type(e).__name__ for e in error.exceptions]") == ["ValueError", "TypeError"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups and notes are newer")
def test_an_exception_with_a_note_shows_it(notebook: Notebook) -> None:
    executed = notebook.remote("e = ValueError('v'); e.add_note('look here'); raise e", fails=True)
    assert "look here" in executed.error.traceback


def test_a_failed_assertion_shows_its_line(notebook: Notebook) -> None:
    executed = notebook.remote("x = 1\nassert x == 2, 'not two'", fails=True)
    assert executed.error.name == "AssertionError"
    assert "assert x == 2" in executed.error.traceback


def test_a_syntax_error_is_reported_before_submission(notebook: Notebook) -> None:
    before = notebook.jobs()
    executed = notebook.remote("x = = 1", fails=True)
    assert executed.error.name == "SyntaxError"
    assert notebook.jobs() == before


def test_a_return_outside_a_function_is_reported_before_submission(notebook: Notebook) -> None:
    before = notebook.jobs()
    executed = notebook.remote("return 1", fails=True)
    assert executed.error.name == "SyntaxError"
    assert notebook.jobs() == before


def test_an_exception_of_an_import_that_fails_arrives(notebook: Notebook) -> None:
    executed = notebook.remote("import no_such_module_anywhere", fails=True)
    assert executed.error.name == "ModuleNotFoundError"


def test_an_exception_with_a_known_cause_shows_what_to_do_once(notebook: Notebook) -> None:
    executed = notebook.remote("import no_such_package", fails=True)
    assert executed.error is not None and executed.error.name == "ModuleNotFoundError"
    shown = executed.data("text/html")[-1] + executed.error.traceback
    assert shown.count("%pip install no_such_package") == 1
    if sys.version_info >= (3, 11):
        assert "%pip install no_such_package" in str(notebook.raised("error.__notes__"))


def test_recursion_without_end_arrives_as_recursion_error(notebook: Notebook) -> None:
    executed = notebook.remote("def f(): return f()\nf()", fails=True)
    assert executed.error.name == "RecursionError"


@pytest.mark.parametrize("code", ["raise SystemExit(4)", "import sys; sys.exit(4)", "exit(4)", "quit(4)"])
def test_exit_is_a_cell_exit_with_its_code(notebook: Notebook, code: str) -> None:
    executed = notebook.remote(f"x = 1\n{code}", fails=True)
    assert executed.error.name == "CellExit"
    assert notebook.raised("error.exit_code") == 4
    assert notebook.value("x") == 1


def test_keyboard_interrupt_in_the_cell_is_cell_interrupted(notebook: Notebook) -> None:
    executed = notebook.remote("x = 1\nraise KeyboardInterrupt", fails=True)
    assert executed.error.name == "CellInterrupted"
    assert notebook.value("x") == 1


def test_os_exit_is_process_died_and_names_the_status(notebook: Notebook) -> None:
    executed = notebook.remote("import os\nprint('last words', flush=True)\nos._exit(3)", fails=True)
    assert executed.error.name == "ProcessDied"
    assert notebook.raised("error.exit_code") == 3
    assert "3" in executed.error.value
    assert "last words" in executed.text and "last words" not in executed.error.traceback  # the card has them


def test_a_segmentation_fault_is_named(notebook: Notebook) -> None:
    executed = notebook.remote("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", fails=True)
    assert executed.error.name == "SegmentationFault"


def test_a_process_that_kills_itself_is_process_died_by_signal_9(notebook: Notebook) -> None:
    executed = notebook.remote("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", fails=True)
    assert executed.error.name == "ProcessDied"
    assert notebook.raised("error.signal") == 9


def test_a_job_that_is_cancelled_is_job_cancelled(notebook: Notebook) -> None:
    notebook.remote("import time\ntime.sleep(60)", "--detach")
    notebook.run("job = _hpc; job.cancel(); done = job.wait(120)")
    assert notebook.value("(done, type(job.exception()).__name__, str(job.state))") == (
        True,
        "JobCancelled",
        "CANCELLED",
    )


def test_a_failed_cell_stops_run_all(notebook: Notebook) -> None:
    """A front end stops when the reply's status is an error; cells queued behind it are aborted."""
    failing = notebook.begin(notebook.cell("1 / 0"))
    queued = notebook.begin("ran_on = True")
    notebook.finish(failing, fails=True)
    assert notebook.was_aborted(queued)
    assert notebook.has("ran_on") is False


def test_the_next_cell_after_an_exception_runs(notebook: Notebook) -> None:
    notebook.remote("1 / 0", fails=True)
    notebook.remote("x = 5")
    assert notebook.value("x") == 5


def test_the_traceback_is_in_log_record_and_views_and_once_below_the_cell(notebook: Notebook) -> None:
    notebook.run("def helper(x):\n    return x / 0")
    executed = notebook.remote("print('before')\nhelper(1)", fails=True)
    assert "return x / 0" not in executed.text.replace(executed.error.traceback, "")
    assert notebook.shown()[0] == ("stdout", "before\n")
    for where in ("_hpc.logs()", "_hpc.record['exception']['traceback']"):
        text = notebook.value(where)
        assert "return x / 0" in text and text.count("Traceback (most recent call last)") == 1
        assert text.count('File "Cell In[') == 2 and text.endswith("ZeroDivisionError: division by zero\n")
    assert "return x / 0" in notebook.run(f"%hpc show {notebook.value('_hpc.id')}").text
    notebook.remote("secret = 'hf_' + 'a' * 30\nraise ValueError(secret)", fails=True)
    assert "hf_aaa" not in notebook.value("str(_hpc.record['exception'])")
