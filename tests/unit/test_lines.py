"""Errors name the line that the notebook shows, whatever stands above it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_hpc.capture.cell.magics import exposed, in_place
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.magics.lines import joined, lines_above, python
from jupyter_hpc.server.detail import detail
from jupyter_hpc.views.ansi import strip

ABOVE = {
    "nothing": "%%local\n",
    "blank lines above the magic": "\n\n%%local\n",
    "blank lines": "%%local\n\n   \n\n",
    "comments": "%%local\n# one\n\n# two\n",
    "time": "%%local\n%%time\n",
    "time, with lines around": "\n%%local\n\n%%time\n# a comment\n",
    "time after a blank line": "%%local\n\n%%time\n\ny = 1\n",
    "timed above": "%%time\n%%local\n",
    "timed, above and below": "%%time\n%%local\n%%time\n",
    "a magic that goes on": "%%local --name x \\\n  --name y\n",
    "a command": "%%local\n!true\n",
    "a command that goes on": "%%local\n!true \\\n  a \\\n  b\n",
    "a command's output": "%%local\na = !true \\\n  a\n",
    "a line magic": "%%local\n%time y = 1\n",
    "a line magic that goes on": "%%local\n%time y = \\\n  1\n",
    "a text of several lines": "%%local\ny = '''\n%time\n!true \\\n'''\n",
    "a block": "%%local\nif True:\n    !true \\\n      a\n",
    "help": "%%local\nint?\n",
}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(tmp_path_factory.mktemp("lines")))
        made = InteractiveShell.instance()
        made.run_line_magic("load_ext", "jupyter_hpc")
        yield made
        made.run_line_magic("unload_ext", "jupyter_hpc")
        InteractiveShell.clear_instance()


@pytest.mark.parametrize("above", ABOVE)
def test_a_traceback_names_the_line(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], above: str) -> None:
    cell = f"{ABOVE[above]}1 / 0"
    shell.run_cell(cell, store_history=True)
    shown = strip("".join(capsys.readouterr()))
    line = cell.count("\n") + 1
    last = re.findall(r'File "Cell In\[\d+\]", line (\d+), in <module>\n +1 / 0', shown)
    assert last == [str(line)], shown
    assert "run_cell_magic" not in shown and "site-packages" not in shown
    page = detail(Job(shell.user_ns["_hpc"].run))
    assert page["failed_line"] == line
    assert page["code"].splitlines()[page["failed_line"] - page["first_line"]] == "1 / 0"


@pytest.mark.parametrize("above", ABOVE)
def test_a_syntax_error_names_the_line(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], above: str) -> None:
    cell = f"{ABOVE[above]}x = = 1"
    shell.run_cell(cell, store_history=True)
    shown = strip("".join(capsys.readouterr()))
    assert f", line {cell.count(chr(10)) + 1}\n    x = = 1" in shown, shown


def test_a_line_magic_keeps_the_line_that_it_is_in(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("%%local\ny = 1\n%time 1 / 0", store_history=True)
    shown = strip("".join(capsys.readouterr()))
    assert "line 3, in <module>\n    get_ipython().run_line_magic" in shown and "site-packages" not in shown


@pytest.mark.parametrize(("magics", "line"), [("%%capture", 3), ("%%time\n%%capture out", 4)])
def test_what_fails_while_its_output_is_captured_is_seen(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], magics: str, line: int
) -> None:
    for code, kind in (("1 / 0", "ZeroDivisionError"), ("x = = 1", "SyntaxError")):
        shell.run_cell(f"%%local\n{magics}\n{code}", store_history=True)
        shown = strip("".join(capsys.readouterr()))
        assert f", line {line}" in shown and "Cell In[" in shown and kind in shown, shown
        assert "site-packages" not in shown and "jupyter_hpc" not in shown


def test_a_cell_that_a_program_sends_has_one_line_above(shell: InteractiveShell) -> None:
    assert lines_above(shell, "something = 'that is in no cell'") == 1


def test_the_line_of_a_magic_goes_on_after_a_backslash() -> None:
    assert joined("--a \\", "  --b \\\n--c\nx") == ("--a   --b --c", "x")
    assert joined("--a", "x\\\ny") == ("--a", "x\\\ny")
    assert joined("--a b\\\\", "x") == ("--a b\\\\", "x")  # a backslash
    assert joined("--a \\", "") == ("--a \\", "")


def test_python_is_as_long_as_the_cell(shell: InteractiveShell) -> None:
    cell = "\n \n!a \\\n b\nx = !c \\\n d\n%time y\nz = 1"
    assert python(shell, cell, 1).splitlines()[-1] == "z = 1"
    assert len(python(shell, cell, 1).splitlines()) == 1 + len(cell.splitlines())
    assert shell.transform_cell("!a \\\n b\nx").count("\n") == 2  # IPython's own is as it was


def test_what_a_magic_holds_is_where_it_stands() -> None:
    assert exposed("%%time\n\n%%capture\nx = 1") == "#\n\n#\nx = 1"
    assert in_place("%%time\n%%capture\nx = 1", 1) == "%%time\n%%capture\n#\n#\n#\nx = 1"
    assert in_place("x = 1\n%%time", 1) == "x = 1\n%%time"
    assert in_place("%%bash\nx", 1) == "%%bash\nx"
    assert in_place("%%time", 1) == "%%time"
