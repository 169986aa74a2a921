"""The traceback of a cell is the cell's: no frame of ours, of IPython or of the import system."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_hpc.views.ansi import strip
from jupyter_hpc.worker.cell import format_traceback, run_code

HAS_GROUPS = pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are newer")


def raised(code: str) -> BaseException:
    try:
        run_code(code, {}, show_value=False, filename="<the-cell>")
    except BaseException as error:
        return error
    raise AssertionError("it raised nothing")


def formatted(code: str) -> str:
    error = raised(code)
    error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None  # this test's own frame
    text = format_traceback(error, {"<the-cell>": "Cell In[3]"})
    assert "<the-cell>" not in text and "jupyter_hpc" not in text and "importlib" not in text, text
    return text


@HAS_GROUPS
def test_of_a_group_each_part_names_the_cell() -> None:
    text = formatted("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ExceptionGroup('g', [e])")
    assert text.count('"Cell In[3]", line 2') == 2 and '"Cell In[3]", line 4' in text


@pytest.mark.parametrize("code", ["x = = 1", "if 1:\nx = 1", "exec('x = = 1')", "compile('a b', '<s>', 'exec')"])
def test_of_a_syntax_error_only_the_cell(code: str) -> None:
    assert "SyntaxError" in formatted(code) or "IndentationError" in formatted(code)


def test_of_a_module_that_has_one_its_own_line(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad_module_of_mine.py").write_text("def f(:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    text = formatted("import bad_module_of_mine")
    assert 'bad_module_of_mine.py", line 1' in text and '"Cell In[3]", line 1' in text


@pytest.fixture
def shell(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "jupyter_hpc")
    yield made
    made.run_line_magic("unload_ext", "jupyter_hpc")
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    ("cell", "line"),
    [("x = = 1", 2), ("\nif 1:\nx = 1", 4), ("return 1", 2), ("%time x = = 1", 2)],
)
def test_a_syntax_error_before_anything_ran_is_as_python_says_it(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str, line: int
) -> None:
    result = shell.run_cell(f"%%local\n{cell}", store_history=True)
    assert isinstance(result.error_in_exec, SyntaxError)
    shown = strip("".join(capsys.readouterr())).strip().splitlines()
    assert shown[0].startswith('File "Cell In[') and shown[0].endswith(f", line {line}"), shown
    assert "Error: " in shown[-1] and len(shown) <= 4


@pytest.mark.parametrize("cell", ["return 1", "yield 1", "break", "def f(a, a): pass", "def f():\n    await x"])
def test_what_only_the_compiler_finds_shows_its_line(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str
) -> None:
    shell.run_cell(f"%%local\n{cell}", store_history=True)
    assert strip("".join(capsys.readouterr())).splitlines()[1].strip() == cell.splitlines()[-1].strip()


@HAS_GROUPS
def test_groups_and_syntax_errors_of_a_job_are_shown_in_their_words(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in (SyntaxError("s"), ExceptionGroup("g", [ValueError(1)])):  # noqa: F821 skipped where it isn't
        kind._render_traceback_ = lambda: ["the words of the node"]  # type: ignore[attr-defined]
        shell.user_ns["error"] = kind
        shell.run_cell("raise error")
        assert "".join(capsys.readouterr()).strip() == "the words of the node"
        assert sys.last_value is kind
    shell.run_cell("raise ExceptionGroup('own', [ValueError(1)])\n")
    assert "ipython-input" in "".join(capsys.readouterr())  # others are shown as ever
