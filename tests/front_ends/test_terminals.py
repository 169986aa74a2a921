"""What prints lines: `ipython`, `jupyter console`, `jupyter run`. Each is the real program, at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.front_ends.terminal import Terminal

PROGRAMS = {
    "ipython": ("-m", "IPython", "--no-banner", "--no-confirm-exit"),
    "jupyter console": (
        *("-m", "jupyter_console", "--kernel", "python3"),
        # a kernel that is slow to say that a line is complete is not asked again, and its late answer is taken for
        # the cell's: the next prompt then never gets its number
        "--ZMQTerminalInteractiveShell.kernel_is_complete_timeout=120",
    ),
}
Opens = Callable[[str], Terminal]
WAITS = "import os, time\nwhile not os.path.exists('gate'): time.sleep(0.05)\n"


@pytest.fixture
def open_terminal(here: Path) -> Iterator[Opens]:
    """Open a program at a terminal, our extension loaded in it."""
    opened: list[Terminal] = []

    def opens(program: str) -> Terminal:
        terminal = Terminal([sys.executable, *PROGRAMS[program]], dict(os.environ), here)
        opened.append(terminal)
        terminal.until("In [1]:")
        terminal.type("%load_ext jupyter_hpc\r")
        terminal.until("In [2]:")
        return terminal

    yield opens
    for terminal in opened:
        terminal.close()


def paste(terminal: Terminal, cell: str) -> None:
    """Give it a cell of several lines as a person pastes it; an empty line ends it."""
    terminal.type(f"\x1b[200~{cell}\x1b[201~")
    for _ in range(2):
        terminal.until("...:")
        terminal.type("\r")
    terminal.until("...:")
    terminal.type("\r")


@pytest.mark.parametrize("program", PROGRAMS)
def test_lines_come_and_the_end(open_terminal: Opens, here: Path, program: str) -> None:
    terminal = open_terminal(program)
    paste(terminal, f"%%local\n{WAITS}\nprint('a', 'line')\ny = 6 * 7\ny")
    terminal.until(": running")
    (here / "gate").touch()
    shown = terminal.until("In [3]:")
    assert "a line" in shown and "42" in shown
    assert shown.count("completed") == 1 and "HTML" not in shown and "VBox" not in shown
    terminal.type("y + 1\r")
    assert "43" in terminal.until("In [4]:")


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_job_prints_does_nothing_to_the_terminal(open_terminal: Opens, program: str) -> None:
    terminal = open_terminal(program)
    paste(terminal, "%%local\nprint('\\x1b]52;c;aGVsbG8=\\x07\\x1b[31mred\\x1b[0m', 'text')")
    terminal.until("red text")
    terminal.until("completed")
    assert "\x1b]52;c;aGVsbG8=\x07" not in terminal.raw
    assert "\x1b[31mred" in terminal.raw


@pytest.mark.parametrize("program", PROGRAMS)
def test_interrupted_once_it_goes_on_and_is_watched_again_and_twice_it_ends(
    open_terminal: Opens, here: Path, program: str
) -> None:
    terminal = open_terminal(program)
    paste(terminal, f"%%local\nprint('it be' + 'gins', flush=True)\n{WAITS}\nprint('it en' + 'ds')\ny = 7")
    terminal.until("it begins")
    terminal.type("\x03")
    terminal.until("Detached: the job goes on")
    terminal.until("In [3]:")
    (here / "gate").touch()
    terminal.type("%hpc attach {_hpc.id}\r")
    terminal.until("it ends")
    assert terminal.until("In [4]:").count("completed") == 1
    terminal.type("y\r")
    assert "7" in terminal.until("In [5]:").partition("Out")[2]
    (here / "gate").unlink()
    paste(terminal, f"%%local\nprint('it be' + 'gins', flush=True)\n{WAITS}")
    terminal.until("it begins")
    terminal.type("\x03")
    terminal.until("Interrupt again within")
    terminal.type("\x03")
    terminal.until("Cancelling")
    terminal.until("cancelled")
    terminal.until("In [6]:")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_cell_that_fails_says_so_once(open_terminal: Opens, program: str) -> None:
    terminal = open_terminal(program)
    paste(terminal, "%%local\nprint('be' + 'fore ☃')\n1 / 0")
    shown = terminal.until("In [3]:")
    assert "before ☃" in shown
    assert (shown.count("Traceback (most recent call last)"), shown.count("failed")) == (1, 1)
    assert 'File "Cell In[2]", line 3' in shown and "jupyter_hpc" not in shown


def test_a_file_that_is_run(here: Path) -> None:
    code = "%load_ext jupyter_hpc\nget_ipython().run_cell_magic('local', '', 'print(\"a\", \"line\")')\n"
    (here / "job.ipy").write_text(code)
    command = [sys.executable, "-m", "jupyter_client.runapp", "--kernel", "python3", "job.ipy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL)
    assert done.stdout.splitlines()[0] == "a line"
    assert "completed" in done.stdout.splitlines()[1]
    assert "VBox" not in done.stdout
