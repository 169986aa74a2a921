"""``%hpc`` in a kernel and ``jupyter hpc`` in a shell: the same commands on the same runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox


def shell(sandbox: Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jupyter_hpc.commands.cli", *words],
        env=sandbox.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_jobs_lists_the_newest_first_with_its_name(notebook: Notebook) -> None:
    notebook.remote("a = 1", "--name older")
    notebook.remote("b = 1", "--name newer")

    text = notebook.run("%hpc jobs -n 2").text

    assert text.index("newer") < text.index("older")
    assert "completed" in text


def test_jobs_are_a_table_with_links_and_can_be_used(notebook: Notebook) -> None:
    notebook.remote("rate = 0.5\nprint('loss=0.25')", "--name '<b>used</b>'")

    done = notebook.run("%hpc jobs completed used -n 1")

    assert done.result is not None
    html = done.result["text/html"]
    assert "&lt;b&gt;used" in html and "<b>" not in html
    assert 'data-commandlinker-command="jupyter-hpc:open-job"' in html
    assert "rate=0.5" in html and "loss 0.25" in html
    assert "completed" in done.result["text/plain"]
    notebook.run("found = _")
    assert notebook.value("[len(found), found[0].id == _hpc.id, found.rows[0]['parameters']['rate']]") == [
        1,
        True,
        "0.5",
    ]


def test_the_shell_prints_json(notebook: Notebook, sandbox: Sandbox) -> None:
    notebook.remote("rate = 0.5", "--name as-json")

    done = shell(sandbox, "jobs", "as-json", "--json")

    (row,) = json.loads(done.stdout)
    assert (row["name"], row["state"], row["parameters"]) == ("as-json", "COMPLETED", {"rate": "0.5"})
    assert all(field in shell(sandbox, "jobs", "--help").stdout for field in row)
    assert json.loads(shell(sandbox, "jobs", "nothing-like-it", "--json").stdout) == []


def test_the_shell_lists_what_the_kernel_ran(notebook: Notebook, sandbox: Sandbox) -> None:
    notebook.remote("a = 1", "--name seen-from-outside")

    done = shell(sandbox, "jobs", "-n", "1")

    assert done.returncode == 0
    assert "seen-from-outside" in done.stdout


def test_show_tells_what_was_asked_sent_and_run(notebook: Notebook) -> None:
    notebook.run("x = 3")
    notebook.remote("y = x + 1", "--time 5m --name shown")

    text = notebook.run("%hpc show shown").stdout

    assert "asked for: 5 min, name shown" in text
    assert "sent: x" in text
    assert "y = x + 1" in text


def test_logs_give_the_whole_text(notebook: Notebook, sandbox: Sandbox) -> None:
    notebook.remote("for i in range(3000): print('line', i)", "--name long-log")

    assert "line 0\n" in notebook.run("%hpc logs long-log").stdout
    assert "line 2999" in shell(sandbox, "logs", "long-log").stdout


def test_following_a_log_ends_with_the_job(notebook: Notebook, sandbox: Sandbox) -> None:
    notebook.remote("print('followed')", "--detach --name followed")

    assert "followed" in shell(sandbox, "logs", "-f", "followed").stdout


def test_result_brings_the_names_of_an_earlier_job(notebook: Notebook) -> None:
    notebook.remote("brought = [1, 2]", "--detach --name earlier")

    text = notebook.run("%hpc result earlier").stdout

    assert "received brought" in text
    assert notebook.value("brought") == [1, 2]


def test_attach_returns_the_job(notebook: Notebook) -> None:
    notebook.remote("n = 5", "--detach --name picked-up")

    notebook.run("job = %hpc attach picked-up")

    assert notebook.value("job.result()") == {"n": 5}


def test_cancel_ends_a_job_and_says_so_twice(notebook: Notebook) -> None:
    notebook.remote("import time; time.sleep(300)", "--detach --name endless")

    assert "Asked local to cancel" in notebook.run("%hpc cancel endless").stdout
    notebook.run("_hpc.wait(120)")
    assert "has ended already (cancelled)" in notebook.run("%hpc cancel endless").stdout


def test_targets_and_doctor_say_what_is_there(notebook: Notebook) -> None:
    text = notebook.run("%hpc targets").stdout
    assert "partitions debug, gpu" in text
    assert "practice cluster" in text

    text = notebook.run("%hpc doctor").stdout
    assert "✓ run directories in" in text
    assert "✗" not in text


def test_config_names_the_source_of_each_value(notebook: Notebook, sandbox: Sandbox) -> None:
    text = notebook.run("%hpc config").stdout
    row = next(line for line in text.splitlines() if line.startswith("root"))
    assert sandbox.environment["JUPYTER_HPC_ROOT"] in row
    assert row.endswith("JUPYTER_HPC_ROOT")


def test_clean_only_says_what_would_go(notebook: Notebook) -> None:
    notebook.remote("kept = 1", "--name to-clean")

    text = notebook.run("%hpc clean --older-than 0").stdout

    assert "Add --yes to remove them" in text
    assert notebook.run("job = %hpc attach to-clean").error is None


def test_clean_removes_ended_runs_and_leaves_live_ones(notebook: Notebook) -> None:
    notebook.remote("import time; time.sleep(300)", "--detach --name alive")
    live = notebook.value("_hpc.id")
    notebook.remote("gone = 1", "--name ended")

    notebook.run("%hpc clean --older-than 0 --yes")

    text = notebook.run("%hpc jobs").text
    assert live in text
    assert "ended" not in text
    notebook.run("%hpc cancel alive")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%hpc jbos", "Did you mean jobs?"),
        ("%hpc show nosuchrun", "No run is called 'nosuchrun'"),
        ("%hpc jobs -n many", "invalid int value"),
    ],
)
def test_a_wrong_command_is_one_sentence(notebook: Notebook, line: str, expected: str) -> None:
    error = notebook.run(line, fails=True).error

    assert error is not None
    assert expected in error.traceback
    assert len(error.traceback.splitlines()) <= 4


def test_the_shell_ends_with_status_1_and_a_sentence(sandbox: Sandbox) -> None:
    done = shell(sandbox, "show", "nosuchrun")

    assert done.returncode == 1
    assert "No run is called 'nosuchrun'" in done.stderr


@pytest.mark.parametrize("line", ["%hpc", "%hpc --help"])
def test_hpc_alone_is_a_map(notebook: Notebook, line: str) -> None:
    text = notebook.run(line).stdout
    for word in ("jobs", "attach", "doctor", "%%slurm"):
        assert word in text


def test_practice_env_can_be_evaluated_by_a_shell(sandbox: Sandbox, practice_slurm: object) -> None:
    done = shell(sandbox, "practice", "env")
    assert done.stdout.startswith("export SLURM_CONF=")


def test_clean_keeps_the_modules_that_a_kept_run_needs(notebook: Notebook) -> None:
    notebook.run("open('helper_one.py', 'w').write('A = 1')\nopen('helper_two.py', 'w').write('B = 2')")
    notebook.remote("import helper_one", "--name removed")
    first = notebook.value("_hpc.run.payload.joinpath('manifest.json').read_text()")
    notebook.remote("import helper_two, time; time.sleep(300)", "--detach --name kept")
    second = notebook.value("_hpc.run.payload.joinpath('manifest.json').read_text()")

    gone, kept = (json.loads(m)["cell"]["module_paths"] for m in (first, second))
    for path in gone + kept:
        os.utime(path, (0, 0))  # long ago: no submission that is under way may need it

    notebook.run("%hpc clean --older-than 0 --yes")

    assert [Path(p).exists() for p in gone + kept] == [False, True]
    notebook.run("%hpc cancel kept")


def test_runs_are_drawn_over_each_other_in_a_notebook_and_are_a_table_in_a_shell(
    notebook: Notebook, sandbox: Sandbox
) -> None:
    cell = "for epoch in (1, 2):\n    print(f'epoch {epoch}/2 - loss: {rate / epoch}')"
    notebook.remote(f"rate = 1.0\n{cell}", "--name fast")
    notebook.remote(f"rate = 0.5\n{cell}", "--name slow")
    table = [
        "metric  run   last  min   max  values",
        "loss    fast  0.5   0.5   1    2",
        "loss    slow  0.25  0.25  0.5  2",
    ]

    done = notebook.run("%hpc plot fast slow")

    assert done.result is not None
    assert done.result["text/plain"].splitlines() == table
    html = done.result["text/html"]
    assert html.count("<svg role=") == 1 and "fast 0.5" in html and "slow 0.25" in html
    assert shell(sandbox, "plot", "fast", "slow").stdout.splitlines() == table
    assert "There are loss." in shell(sandbox, "plot", "fast", "--metric", "<b>").stderr
