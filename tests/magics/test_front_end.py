"""Help, completion, inspection, interrupt: what a front end asks the kernel for."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_hpc.testing.notebook import Notebook

SLEEP = "import time\nprint('asleep', flush=True)\ntime.sleep(300)"


def matches(notebook: Notebook, code: str) -> list[str]:
    request = notebook.client.complete(code, len(code.split("\n")[0]))
    while True:
        reply = notebook.client.get_shell_msg(timeout=120)
        if reply["parent_header"].get("msg_id") == request:
            return list(reply["content"]["matches"])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%%slurm --parti", ["--partition"]),
        ("%%slurm --gpus 1 --ti\nx = 1", ["--time"]),
        ("%%local --det", ["--detach"]),
        ("%%hpc --on loc", ["local"]),
        ("%hpc att", ["attach"]),
    ],
)
def test_options_and_commands_complete(notebook: Notebook, code: str, expected: list[str]) -> None:
    assert matches(notebook, code) == expected


@pytest.mark.parametrize("code", ["%%slurm --help", "%%slurm --help\nx = 1", "%%local -h", "%%hpc --help"])
def test_help_is_printed_with_and_without_a_body(notebook: Notebook, code: str) -> None:
    assert "--partition" in notebook.run(code).stdout


def test_question_mark_shows_the_options(notebook: Notebook) -> None:
    request = notebook.client.execute("%%slurm?")
    payload = notebook._reply(request)["payload"]

    assert "--gpus N|TYPE:N" in payload[0]["data"]["text/plain"]


def test_values_in_the_line_are_never_split(notebook: Notebook) -> None:
    notebook.run("""title = 'two words "; touch x; #'\ntimes = ["--time", "7m"]""")
    notebook.remote("a = 1", "--name {title} {times}")

    assert notebook.value("_hpc.record['name']") == 'two words "; touch x; #'
    assert notebook.value("_hpc.record['spec']['resources']['time']") == 420


def test_unloading_takes_everything_away(notebook: Notebook) -> None:
    notebook.run("%unload_ext jupyter_hpc")
    try:
        assert "`%%local` not found" in notebook.run("%%local\nx = 1", fails=True).text
        assert matches(notebook, "%%slurm --parti") == []
    finally:
        notebook.run("%load_ext jupyter_hpc")
    assert notebook.remote("x = 1").error is None


def interrupt_once_asleep(notebook: Notebook) -> str:
    """Start a long cell and interrupt it once it runs; returns the request."""
    request = notebook.begin(notebook.cell(SLEEP, "--quiet"))
    notebook.wait_for(request, lambda m: "asleep" in str(m["content"].get("text", "")))
    notebook.interrupt()
    return request


def test_one_interrupt_detaches_and_the_job_goes_on(notebook: Notebook) -> None:
    executed = notebook.finish(interrupt_once_asleep(notebook), fails=True)

    assert executed.error is not None
    assert executed.error.name == "Detached"
    assert "%hpc attach" in executed.error.traceback
    assert notebook.value("str(_hpc.state)") == "RUNNING"
    notebook.run("_hpc.cancel()")


BETWEEN = "import jupyter_hpc.display.attached\njupyter_hpc.display.attached.SECOND_INTERRUPT_S = {:g}"


def test_a_second_interrupt_cancels(notebook: Notebook) -> None:
    notebook.run(BETWEEN.format(60))  # a busy machine may take more than two seconds from the one to the other
    request = interrupt_once_asleep(notebook)
    notebook.wait_for(request, lambda m: "Interrupt again" in str(m["content"].get("text", "")))
    notebook.interrupt()
    executed = notebook.finish(request, fails=True)
    notebook.run(BETWEEN.format(2))

    assert executed.error is not None
    assert executed.error.name == "JobCancelled"
    assert notebook.value("str(_hpc.state)") == "CANCELLED"


def test_the_panel_is_bounded_whatever_the_cell_prints(notebook: Notebook) -> None:
    """10,000 lines cost the front end a bounded number of bytes."""
    request = notebook.begin(notebook.cell("for i in range(10_000): print('x' * 80)"))
    size = 0

    def count(message: dict[str, Any]) -> bool:
        nonlocal size
        size += len(str(message["content"]))
        return message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"

    notebook.wait_for(request, count)
    notebook._reply(request)

    assert 10_000 < size < 2_000_000


def test_dry_run_shows_what_travels_and_the_path_to_what_cannot(notebook: Notebook) -> None:
    notebook.run(
        "import threading\nclass Model:\n    pass\nmodel = Model()\nmodel.cache = [threading.Lock()]\nsize = 3"
    )
    before = notebook.run("%hpc jobs").text

    text = notebook.remote("y = (model, size)", "--dry-run").text

    assert "Can't travel, so this cell would be refused: model.cache[0] is a _thread.lock" in text
    assert "size" in text
    assert "read by the cell" in text
    assert notebook.run("%hpc jobs").text == before
    error = notebook.remote("y = (model, size)", fails=True).error
    assert error is not None
    assert "model.cache[0]" in error.traceback
