"""A failure of ours at one step or one name leaves every other name loaded, and says what is missing and why."""

from __future__ import annotations

import pytest

from jupyter_hpc.testing.notebook import Notebook

HERE = [
    "jupyter_hpc.lineage.record.known.Registry.made",
    "jupyter_hpc.lineage.record.known.Registry.sent",
    "jupyter_hpc.lineage.record.known.Registry.origin",
    "jupyter_hpc.capture.memo.digest_here",
    "jupyter_hpc.capture.memo.remember_loaded",
    "jupyter_hpc.lineage.record.session.Session.bound",
    "jupyter_hpc.lineage.record.session.Session.begin",
    "jupyter_hpc.lineage.ask.stale.of_inputs",
    "jupyter_hpc.lineage.record.end.ended",
    "jupyter_hpc.worker.container.describe",
    "jupyter_hpc.views.card.facts",
    "jupyter_hpc.views.card.sent_html",
    "jupyter_hpc.jobs.results._salvage",
]
THERE = [
    "container.describe",
    "container.digest_alone",
    "result_writer.loaded_packages",
    "result_writer.Changes.entries",
]
BREAK = """
def broken(*args, **options): raise RuntimeError("broken on purpose")
def break_it(place):
    import importlib
    names = place.split(".")
    for n in range(len(names) - 1, 0, -1):
        try: owner = importlib.import_module(".".join(names[:n])); break
        except ImportError: continue
    for name in names[n:-1]: owner = getattr(owner, name)
    kept = getattr(owner, names[-1])
    setattr(owner, names[-1], broken)
    return lambda: setattr(owner, names[-1], kept)
"""


def test_a_step_that_fails_here_costs_no_name(notebook: Notebook) -> None:
    notebook.run(
        BREAK + "import jupyter_hpc.display.attached, jupyter_hpc.lineage.ask.stale, jupyter_hpc.views.card\nx = [1]"
    )
    for place in HERE:
        notebook.run(f"mend = break_it({place!r})")
        try:
            notebook.remote(f"y = {place!r}\nz = [*x, 2]; w = lambda: z")
        finally:
            notebook.run("mend()")
        assert notebook.value("(y, z, w())") == (place, [1, 2], [1, 2]), place


def test_a_step_that_fails_there_costs_no_name(notebook: Notebook) -> None:
    notebook.run(BREAK + "x = [1]")
    for place in THERE:
        notebook.remote(
            f"import sys\nbreak_it('jupyter_hpc_worker.' + {place!r})\ny = {place!r}; z = [*x, 2]; w = lambda: z",
            fails=None,
        )
        assert notebook.value("(y, z, w())") == (place, [1, 2], [1, 2]), place


def test_an_error_that_can_not_be_described_is_an_error_all_the_same(notebook: Notebook) -> None:
    notebook.run(BREAK)
    executed = notebook.remote(
        "break_it('jupyter_hpc_worker.result_writer.format_traceback')\ny = 1\nraise KeyError('mine')",
        fails=True,
    )
    assert executed.error.name == "KeyError"
    assert notebook.value("y") == 1


def test_a_name_that_does_not_load_here_is_not_received_and_says_why(notebook: Notebook) -> None:
    notebook.run(
        """
        import os
        here = os.getpid()
        class Z:
            def __getstate__(self): return {"p": 1}
            def __setstate__(self, state):
                if os.getpid() == here: raise ValueError("not here")
        """
    )
    executed = notebook.remote("z = Z()\nok = 5")
    assert notebook.value("(ok, 'z' in globals())") == (5, False)
    card = executed.data("text/plain")[-1]  # the one that stays: a quick job's first one was before anything was loaded
    assert "z did not come back: ValueError: not here" in card
    assert "received ok" in card
    assert "received z" not in card


def test_a_name_that_does_not_load_there_is_named(notebook: Notebook) -> None:
    notebook.run(
        """
        import os
        here = os.getpid()
        class Z:
            def __getstate__(self): return {"p": 1}
            def __setstate__(self, state):
                if os.getpid() != here: raise ValueError("not there")
        fine = 1; net = Z()
        """
    )
    executed = notebook.remote("r = (fine, net)", fails=True)
    assert "could not load net: ValueError: not there" in executed.text


@pytest.mark.parametrize("value", ["threading.Lock()", "[(x for x in ())]"])
def test_a_call_whose_value_can_not_travel_raises(notebook: Notebook, value: str) -> None:
    notebook.run(f"import jupyter_hpc, threading\ndef f(): return {value}\ndef g(): pass")
    executed = notebook.run(f"jupyter_hpc.submit(f, on={notebook.target!r}).result()", fails=True)
    assert executed.error.name == "ResultError"
    assert "the value" in executed.text
    assert notebook.value(f"jupyter_hpc.submit(g, on={notebook.target!r}).result() is None") is True
