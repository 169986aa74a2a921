"""The job: detached, attached, interrupted, fetched later and from another kernel; the options of a cell."""

from __future__ import annotations

from typing import Any

from jupyter_hpc.testing.notebook import Notebook


def test_detach_returns_the_job_at_once(notebook: Notebook) -> None:
    flag = notebook.folder / "go"
    notebook.remote(f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.01)\nx = 1", "--detach")
    assert notebook.value("(type(_hpc).__name__, _hpc.state.is_final)") == ("Job", False)
    flag.touch()
    assert notebook.value("_hpc.result(120)['x']") == 1


def test_a_detached_cell_leaves_the_namespace_alone_until_it_is_asked(notebook: Notebook) -> None:
    notebook.remote("x = 1", "--detach")
    notebook.run("job = _hpc; done = job.wait(120)")
    assert notebook.value("(done, 'x' in globals())") == (True, False)
    notebook.run("%hpc result {job.id}")
    assert notebook.value("x") == 1


def test_attach_by_its_id_brings_the_names(notebook: Notebook) -> None:
    flag = notebook.folder / "go"
    notebook.remote(f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.01)\nx = 7", "--detach")
    flag.touch()
    notebook.run("%hpc attach {_hpc.id}")
    assert notebook.value("x") == 7


def test_attach_to_a_job_that_has_ended_brings_its_names_and_shows_it(notebook: Notebook) -> None:
    """As its card says, in another kernel too; what one that failed raised stands on the card."""
    notebook.remote("print('its line')\nx = 7\nx + 1")
    notebook.run("kept = _hpc\ndel x")
    shown = notebook.run("job = %hpc attach {kept.id}")
    assert notebook.value("(x, job == kept)") == (7, True)
    assert "its line" in shown.text and "received x" in shown.text
    notebook.remote("raise KeyError('k')", fails=True)
    assert "KeyError: &#x27;k&#x27;" in notebook.run("%hpc attach {_hpc.id}").data("text/html")[-1]


def test_attach_gives_the_job_as_its_value(notebook: Notebook) -> None:
    notebook.remote("x = 7")
    notebook.run("first = _hpc\njob = %hpc attach {first.id}")
    assert notebook.value("job == first") is True


def test_the_value_is_the_underscore_and_the_job_is_hpc(notebook: Notebook) -> None:
    shown = notebook.remote("41 + 1")
    assert [o["data"] for o in shown.outputs if o["type"] == "execute_result"] == [{"text/plain": "42"}]
    assert notebook.value("(_, Out[max(Out)], type(_hpc).__name__)") == (42, 42, "Job")
    notebook.remote("_ + 1")
    assert notebook.value("(_, __)") == (43, 42)
    notebook.remote("x = _ + __; x;")
    notebook.remote("import threading\nthreading.Lock()")  # it is shown, and can't come back
    assert notebook.value("(x, _)") == (85, 43)
    notebook.remote("import matplotlib.pyplot as plt\nplt.plot([1, 2])")
    assert notebook.value("_") == 43
    notebook.remote("class A: pass\na = A()\na")
    assert notebook.value("(_ is a, type(a) is A)") == (True, True)
    notebook.run("%%capture out\n" + notebook.cell("print('kept')\n40 + 2"))
    assert notebook.value("[o.data['text/plain'] for o in out.outputs][-1]") == "42"
    notebook.remote("1", "--detach")
    assert notebook.value("_ is _hpc") is True


def test_the_job_has_state_ids_and_a_readable_repr(notebook: Notebook) -> None:
    notebook.remote("x = 1")
    assert notebook.value("(str(_hpc.state), bool(_hpc.native_id), _hpc.id in repr(_hpc))") == (
        "COMPLETED",
        True,
        True,
    )
    assert notebook.value("'<' in _hpc._repr_mimebundle_()['text/html']") is True


def test_result_is_the_names_and_exception_is_none(notebook: Notebook) -> None:
    notebook.remote("x = 1; y = [2]")
    assert notebook.value("(_hpc.result(), _hpc.exception())") == ({"x": 1, "y": [2]}, None)


def test_logs_are_the_text_that_the_cell_wrote(notebook: Notebook) -> None:
    notebook.remote("print('one')\nprint('two')")
    assert notebook.value("_hpc.logs()") == "one\ntwo\n"


def test_a_job_can_be_awaited(notebook: Notebook) -> None:
    notebook.remote("x = 3", "--detach")
    notebook.run("found = await _hpc")
    assert notebook.value("found") == {"x": 3}


def test_awaiting_a_failed_job_raises_its_exception(notebook: Notebook) -> None:
    notebook.remote("raise KeyError('k')", "--detach")
    executed = notebook.run("await _hpc", fails=True)
    assert executed.error.name == "KeyError"


def test_result_of_a_failed_job_raises_its_exception(notebook: Notebook) -> None:
    notebook.remote("raise KeyError('k')", "--detach")
    executed = notebook.run("_hpc.result()", fails=True)
    assert executed.error.name == "KeyError"


def test_waiting_with_a_timeout_gives_up_and_the_job_goes_on(notebook: Notebook) -> None:
    flag = notebook.folder / "go"
    notebook.remote(f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.01)\nx = 1", "--detach")
    assert notebook.value("_hpc.wait(0.05)") is False
    flag.touch()
    assert notebook.value("_hpc.wait(120)") is True


def test_a_job_can_be_pickled_and_found_again(notebook: Notebook) -> None:
    notebook.remote("x = 9")
    notebook.run("import pickle; again = pickle.loads(pickle.dumps(_hpc))")
    assert notebook.value("(again == _hpc, again.result())") == (True, {"x": 9})


def test_jobs_run_side_by_side_and_keep_their_own_results(notebook: Notebook) -> None:
    notebook.run("jobs = []")
    for i in range(3):
        notebook.remote(f"x = {i}", "--detach")
        notebook.run("jobs.append(_hpc)")
    assert notebook.value("[j.result()['x'] for j in jobs]") == [0, 1, 2]


def test_hpc_jobs_lists_the_newest_first(notebook: Notebook) -> None:
    notebook.remote("x = 1", "--name earlier-one")
    notebook.remote("x = 1", "--name later-one")
    text = notebook.run("%hpc jobs -n 2").text
    assert 0 < text.index("later-one") < text.index("earlier-one")


def test_hpc_show_and_logs_tell_of_a_job(notebook: Notebook) -> None:
    notebook.remote("print('its text')\nx = 1")
    assert "x = 1" in notebook.run("%hpc show {_hpc.id}").stdout
    assert "its text" in notebook.run("%hpc logs {_hpc.id}").stdout


def test_an_unknown_job_is_an_error(notebook: Notebook) -> None:
    assert notebook.run("%hpc result 19700101-no-such", fails=True).error.name == "JobNotFound"


def test_a_result_is_fetched_from_a_fresh_kernel(notebook: Notebook) -> None:
    notebook.run("class A:\n    def __init__(self, v): self.v = v\nK = 5\ndef helper(): return K")
    notebook.remote("a = A(3)\ndef f(): return helper() + 1\nx = f()\nimport json", "--detach")
    notebook.run("done = _hpc.wait(120)")
    run = notebook.value("_hpc.id")
    notebook.restart()
    notebook.run(f"%hpc result {run}")
    assert notebook.value("(x, a.v, type(a).__name__, f(), json.dumps(1))") == (6, 3, "A", 6, "1")


def test_an_exception_is_fetched_from_a_fresh_kernel(notebook: Notebook) -> None:
    notebook.run("class Odd(Exception): pass")
    notebook.remote("e = Odd('o'); e.n = 2; raise e", "--detach")
    notebook.run("done = _hpc.wait(120)")
    run = notebook.value("_hpc.id")
    notebook.restart()
    executed = notebook.run(f"%hpc result {run}", fails=True)
    assert executed.error.name == "Odd"
    assert notebook.raised("error.n") == 2


def test_a_job_that_runs_on_without_its_kernel_is_fetched_from_the_next(notebook: Notebook) -> None:
    flag = notebook.folder / "go"
    notebook.remote(
        f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.01)\nx = 'survived'",
        "--detach",
    )
    run = notebook.value("_hpc.id")
    notebook.restart()
    flag.touch()
    notebook.run(f"%hpc result {run}")
    assert notebook.value("x") == "survived"


BETWEEN = "import jupyter_hpc.display.attached\njupyter_hpc.display.attached.SECOND_INTERRUPT_S = {:g}"


def _says_interrupted(message: dict[str, Any]) -> bool:
    return "Interrupt again" in str(message["content"])


def _began(notebook: Notebook) -> str:
    request = notebook.begin(notebook.cell("import time\ndisplay('up')\ntime.sleep(300)\nx = 1"))
    notebook.wait_for(request, lambda m: m["content"].get("data", {}).get("text/plain") == "'up'")
    return request


def test_an_interrupt_detaches_and_says_how_to_come_back(notebook: Notebook) -> None:
    request = _began(notebook)
    notebook.interrupt()
    executed = notebook.finish(request, fails=True)
    assert executed.error.name == "Detached"
    assert "%hpc attach" in executed.error.traceback
    assert notebook.value("_hpc.state.is_final") is False
    notebook.run("_hpc.cancel()")


def test_a_second_interrupt_cancels(notebook: Notebook) -> None:
    notebook.run(BETWEEN.format(60))  # a busy machine may take more than two seconds from the one to the other
    request = _began(notebook)
    notebook.interrupt()
    notebook.wait_for(request, _says_interrupted)
    notebook.interrupt()
    executed = notebook.finish(request, fails=True)
    notebook.run(BETWEEN.format(2))
    assert executed.error.name == "JobCancelled"


def test_a_cancel_never_ends_another_run_s_job(notebook: Notebook) -> None:
    """A scheduler may hand out an id again: what the record says may be somebody else's job by now."""
    flag = notebook.folder / "go"
    waits = f"import os, time\nprint('up')\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.01)\nx = 'whole'"
    notebook.remote(waits, "--detach")
    notebook.run("import time\nmine = _hpc")
    notebook.remote(waits, "--detach")
    notebook.run("other = _hpc\nwhile 'up' not in other.logs(): time.sleep(0.05)")
    notebook.run("mine.run.update(native_id=other.native_id, native_uid='')\nmine.cancel()")
    flag.touch()
    assert notebook.value("other.result(120)['x']") == "whole"
    notebook.run("done = mine.wait(120)")


# -- options -------------------------------------------------------------------------------------


def test_env_sets_a_variable_literally(notebook: Notebook) -> None:
    notebook.remote("import os\nx = os.environ['GREETING']", "--env GREETING='a b; $HOME \"q\" ü'")
    assert notebook.value("x") == 'a b; $HOME "q" ü'


def test_names_in_the_magic_line_expand(notebook: Notebook) -> None:
    notebook.run("value = 'two words'")
    notebook.remote("import os\nx = os.environ['A'], os.environ['B']", "--env A={value} --env B=$value")
    assert notebook.value("x") == ("two words", "two words")


def test_the_cell_runs_in_the_notebooks_folder(notebook: Notebook) -> None:
    notebook.remote("import os\nhere = os.getcwd()")
    assert notebook.value("here") == str(notebook.folder)


def test_workdir_is_where_the_cell_runs(notebook: Notebook) -> None:
    (notebook.folder / "über dort").mkdir()
    notebook.remote("import os\nhere = os.path.basename(os.getcwd())", "--workdir 'über dort'")
    assert notebook.value("here") == "über dort"


def test_a_workdir_that_is_missing_is_refused_before_submission(notebook: Notebook) -> None:
    before = notebook.jobs()
    executed = notebook.remote("x = 1", "--workdir nowhere", fails=True)
    assert executed.error.name == "OptionError"
    assert notebook.jobs() == before


def test_name_is_the_jobs_name(notebook: Notebook) -> None:
    notebook.remote("x = 1", "--name 'mein Lauf ü'")
    assert notebook.value("_hpc.record['name']") == "mein Lauf ü"


def test_dry_run_shows_what_would_travel_and_submits_nothing(notebook: Notebook) -> None:
    notebook.run("data = [1, 2, 3]\ndef f(v): return v")
    before = notebook.jobs()
    executed = notebook.remote("x = f(data)", "--dry-run")
    assert "data" in executed.text
    assert "read by the cell" in executed.text
    assert (notebook.jobs(), notebook.has("x")) == (before, False)


def test_dry_run_names_what_cannot_travel(notebook: Notebook) -> None:
    notebook.run("import threading; lock = threading.Lock()")
    executed = notebook.remote("lock.acquire()", "--dry-run")
    assert "lock" in executed.text
    assert "a lock belongs to one process" in executed.text


def test_quiet_shows_no_panel_and_no_card(notebook: Notebook) -> None:
    executed = notebook.remote("x = 1", "--quiet")
    assert executed.outputs == []


def test_quiet_still_shows_what_the_cell_shows(notebook: Notebook) -> None:
    executed = notebook.remote("print('text')\ndisplay(5)\n6", "--quiet")
    assert executed.stdout == "text\n"
    assert executed.data("text/plain") == ["5", "6"]


def test_help_shows_the_options_and_submits_nothing(notebook: Notebook) -> None:
    before = notebook.jobs()
    assert "--workdir" in notebook.remote("", "--help").stdout
    assert notebook.jobs() == before


def test_a_misspelt_option_suggests_the_right_one(notebook: Notebook) -> None:
    executed = notebook.remote("x = 1", "--detahc", fails=True)
    assert executed.error.name == "OptionError"
    assert "--detach" in executed.error.traceback


# -- the Python API ------------------------------------------------------------------------------


def submit(notebook: Notebook, call: str) -> str:
    notebook.run("import jupyter_hpc")
    return f"jupyter_hpc.submit({call}, on={notebook.target!r})"


def test_submit_runs_a_function_and_returns_its_value(notebook: Notebook) -> None:
    notebook.run("K = 10\ndef f(x, *, y): return x + y + K")
    assert notebook.value(submit(notebook, "f, 1, y=2") + ".result()") == 13


def test_submit_takes_a_builtin(notebook: Notebook) -> None:
    assert notebook.value(submit(notebook, "pow, 2, 10") + ".result()") == 1024


def test_submit_awaits_an_async_function(notebook: Notebook) -> None:
    notebook.run("import asyncio\nasync def f(x): await asyncio.sleep(0); return x * 2")
    assert notebook.value(submit(notebook, "f, 21") + ".result()") == 42


def test_submit_raises_what_the_function_raised(notebook: Notebook) -> None:
    notebook.run("def f(): raise LookupError('from f')")
    notebook.run(f"job = {submit(notebook, 'f')}")
    assert notebook.value("(type(job.exception()).__name__, job.exception().args)") == (
        "LookupError",
        ("from f",),
    )


def test_submit_of_a_bound_method_and_a_partial_work(notebook: Notebook) -> None:
    notebook.run(
        "import functools\nclass A:\n    def __init__(self): self.v = 4\n    def get(self, n): return self.v + n\n"
        "p = functools.partial(max, 3)"
    )
    assert notebook.value(submit(notebook, "A().get, 1") + ".result()") == 5
    assert notebook.value(submit(notebook, "p, 9") + ".result()") == 9


def test_the_job_says_what_it_used(notebook: Notebook) -> None:
    notebook.remote("held = len(bytearray(b'1') * 200_000_000)")
    assert notebook.value("_hpc.use.peak_rss") > 200_000_000
    assert notebook.value("0 <= _hpc.use.cpu_s <= 60 and 0 < _hpc.use.seconds < 60") is True
