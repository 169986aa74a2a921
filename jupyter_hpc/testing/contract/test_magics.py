"""Magics, shell lines, await and scripts run on the node."""

from __future__ import annotations

import IPython
import pytest

from jupyter_hpc.testing.notebook import Notebook


def test_the_time_line_magic_binds_and_reports(notebook: Notebook) -> None:
    notebook.run("n = 20")
    notebook.remote("%time x = n + 1")
    assert notebook.value("x") == 21
    assert "Wall time" in notebook.value("_hpc.logs()")


def test_the_time_cell_magic_binds_and_reports(notebook: Notebook) -> None:
    notebook.run("n = 20")
    notebook.remote("%%time\nx = n + 2\ny = x")
    assert notebook.value("(x, y)") == (22, 22)
    assert "Wall time" in notebook.value("_hpc.logs()")


def test_timeit_sees_the_notebooks_names(notebook: Notebook) -> None:
    notebook.run("def f(): return 1")
    notebook.remote("%timeit -n 2 -r 1 f()")
    assert "loop" in notebook.value("_hpc.logs()")


def test_capture_binds_its_variable(notebook: Notebook) -> None:
    notebook.remote("%%capture out\nprint('kept')\nx = 1", "-o x")
    assert notebook.value("(x, _hpc.logs())") == (1, "")


def test_a_shell_line_runs_on_the_node(notebook: Notebook) -> None:
    notebook.remote("!echo from the shell")
    assert notebook.value("_hpc.logs()").strip() == "from the shell"


def test_a_shell_line_expands_names(notebook: Notebook) -> None:
    notebook.run("who = 'you'; d = {'k': 'v'}")
    notebook.remote("!echo {who} $who {d['k']}")
    assert notebook.value("_hpc.logs()").strip() == "you you v"


def test_a_shell_line_can_be_assigned(notebook: Notebook) -> None:
    notebook.remote("lines = !printf 'a\\nb\\n'\nn = len(lines)")
    assert notebook.value("(list(lines), n)") == (["a", "b"], 2)


def test_magics_and_prints_stay_in_order(notebook: Notebook) -> None:
    notebook.remote("print('a')\n!echo b\nprint('c')")
    assert notebook.value("_hpc.logs().split()") == ["a", "b", "c"]


def test_the_value_of_a_cell_with_a_magic_is_shown(notebook: Notebook) -> None:
    assert notebook.remote("!true\n40 + 2").result["text/plain"] == "42"


@pytest.mark.skipif(IPython.version_info < (9,), reason="%%time of IPython 8 shows the exception and goes on")
def test_an_exception_in_a_timed_cell_arrives_as_itself(notebook: Notebook) -> None:
    executed = notebook.remote("%%time\nx = 1\nraise KeyError('k')", fails=True)
    assert executed.error.name == "KeyError"


def test_an_unknown_magic_is_an_error(notebook: Notebook) -> None:
    executed = notebook.remote("%no_such_magic", fails=True)
    assert "no_such_magic" in executed.text


def test_top_level_await_works(notebook: Notebook) -> None:
    notebook.run("import asyncio\nasync def f(x): await asyncio.sleep(0); return x + 1")
    notebook.remote("x = await f(1)\ny = await asyncio.gather(f(1), f(2))")
    assert notebook.value("(x, y)") == (2, [2, 3])


def test_the_value_of_an_await_is_shown(notebook: Notebook) -> None:
    assert notebook.remote("import asyncio\nawait asyncio.sleep(0, 'done')").result["text/plain"] == "'done'"


def test_top_level_async_for_and_with_work(notebook: Notebook) -> None:
    notebook.remote(
        """
        import contextlib
        async def numbers():
            for i in range(3): yield i
        @contextlib.asynccontextmanager
        async def opened():
            yield 'open'
        async with opened() as state:
            found = [i async for i in numbers()]
        """
    )
    assert notebook.value("(state, found)") == ("open", [0, 1, 2])


def test_asyncio_run_works_in_the_cell(notebook: Notebook) -> None:
    notebook.remote("import asyncio\nasync def f(): return 5\nx = asyncio.run(f())")
    assert notebook.value("x") == 5


def test_a_script_cell_runs_with_its_interpreter(notebook: Notebook) -> None:
    notebook.remote('#!/bin/bash\nfor i in 1 2; do echo "n=$i"; done')
    assert notebook.value("_hpc.logs()") == "n=1\nn=2\n"


def test_a_script_cell_sees_its_environment(notebook: Notebook) -> None:
    notebook.remote('#!/usr/bin/env bash\necho "$GREETING"', "--env GREETING=hi")
    assert notebook.value("_hpc.logs()") == "hi\n"


def test_a_script_that_fails_is_an_error_with_its_status(notebook: Notebook) -> None:
    executed = notebook.remote("#!/bin/bash\necho before\nexit 7", fails=True)
    assert "exit status 7" in executed.error.traceback
    assert notebook.value("(_hpc.logs(), str(_hpc.state))") == ("before\n", "FAILED")


def test_a_script_of_an_interpreter_that_is_missing_is_an_error(notebook: Notebook) -> None:
    executed = notebook.remote("#!/no/such/interpreter\nx", fails=True)
    assert "/no/such/interpreter" in executed.error.traceback


def test_a_leading_sbatch_line_is_honoured_on_slurm_and_a_comment_elsewhere(notebook: Notebook) -> None:
    notebook.remote("#SBATCH --job-name=of-the-cell\nimport os\nname = os.environ.get('SLURM_JOB_NAME', '')")
    assert notebook.value("name") == ("of-the-cell" if notebook.backend == "slurm" else "")


def test_a_leading_sbatch_line_asks_for_resources(notebook: Notebook) -> None:
    notebook.remote("#SBATCH --cpus-per-task=2\nimport os\ncpus = os.environ.get('SLURM_CPUS_PER_TASK', '')")
    assert notebook.value("cpus") == ("2" if notebook.backend == "slurm" else "")


def test_the_cell_runs_in_main(notebook: Notebook) -> None:
    notebook.remote("x = __name__")
    assert notebook.value("x") == "__main__"


def test_the_cell_can_start_processes_by_fork(notebook: Notebook) -> None:
    notebook.run("def sq(x): return x * x")
    notebook.remote(
        "import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as pool: xs = pool.map(sq, [1, 2])",
        "-o xs",
    )
    assert notebook.value("xs") == [1, 4]


def test_a_forked_process_dies_of_its_own_signals(notebook: Notebook) -> None:
    """As in the kernel; and what it gets is no signal to the job, which goes on."""
    notebook.remote(
        "import multiprocessing as mp, time\ncodes = []\nfor _ in range(20):\n"
        "    child = mp.get_context('fork').Process(target=time.sleep, args=(60,))\n"
        "    child.start()\n    child.terminate()\n    child.join()\n    codes.append(child.exitcode)",
        "-o codes",
    )
    assert notebook.value("codes") == [-15] * 20
    notebook.run(
        "from jupyter_hpc.rundir.store import store\nlatest = max(store().runs(), key=lambda run: run.record()['created'])\n"
        "signals = [line for line in open(latest.path / 'events.jsonl') if '\"signal\"' in line]"
    )
    assert notebook.value("signals") == []
