"""Whatever a cell raises: nobody sees a frame of ours, in the cell, on the card, in the log or on the page."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_hpc.commands import catalogue
from jupyter_hpc.follow.glance import look
from jupyter_hpc.jobs.job import Job
from jupyter_hpc.server.detail import detail
from jupyter_hpc.views.ansi import strip
from jupyter_hpc.views.card import card_html, card_text

OURS = re.compile(r"jupyter_hpc[\w.]*[/.]|run_attached|_run_code|raise outcome|<frozen importlib")
CASES = {
    "slots": "class Slotted(Exception):\n    __slots__ = ('code',)\nraise Slotted('no')",
    "refuses attributes": (
        "class Fixed(Exception):\n    def __setattr__(self, name, value):\n        raise AttributeError(name)\n"
        "raise Fixed('no')"
    ),
    "frozen": (
        "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass Frozen(Exception):\n    code: int\n"
        "def fails():\n    raise Frozen(3)\nfails()"
    ),
    "job is a property": (
        "class Busy(Exception):\n    @property\n    def job(self):\n        return 'mine'\nraise Busy('no')"
    ),
    "from": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('no') from e",
    "from, frozen": (
        "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass Frozen(Exception):\n    code: int\n"
        "try:\n    {}['a']\nexcept KeyError as e:\n    raise Frozen(3) from e"
    ),
    "can't be sent": (
        "class Lock(Exception):\n    def __init__(self):\n        self.lock = __import__('threading').Lock()\nraise Lock()"
    ),
    "can't be loaded": (
        "class Closed(Exception):\n    def __reduce__(self):\n        return (int, ('x',))\nraise Closed('no')"
    ),
    "no text": "class Mute(Exception):\n    def __str__(self):\n        raise ValueError('mute')\nraise Mute()",
    "exec": "exec('x = = 1')",
    "parse": "import ast\nast.parse('x = = 1')",
    "import": "import bad_module_of_mine",
    "exit": "import sys\nsys.exit('the reason')",
    "interrupt": "raise KeyboardInterrupt",
    "warning": "import warnings\nwarnings.simplefilter('error')\nwarnings.warn('careful')",
    "warning, deprecated": (
        "import warnings\nwarnings.simplefilter('error')\nwarnings.warn('careful', DeprecationWarning)"
    ),
    "recursion": "def again():\n    return again()\nagain()",
    "of the notebook": "brought()",
    "nothing there": "import no_such_module_at_all",
    "its own rendering": (
        "class Own(Exception):\n    def _render_traceback_(self):\n        return ['my own words']\nraise Own('no')"
    ),
    "magic": "%time 1 / 0",
    "no such magic": "%no_such_magic_at_all",
    "our own": "from jupyter_hpc import artifact\nartifact(3)",
}
if sys.version_info >= (3, 11):
    CASES["group"] = "raise ExceptionGroup('g', [ValueError(1), ExceptionGroup('h', [KeyError(2)])])"
    CASES["after a group"] = (
        "try:\n    raise ExceptionGroup('g', [KeyError(2)])\nexcept* KeyError:\n    raise ValueError(1)"
    )
    CASES["with a note"] = "e = ValueError(1)\ne.add_note('look')\nraise e"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    folder = tmp_path_factory.mktemp("frames")
    (folder / "bad_module_of_mine.py").write_text("def f(:\n    pass\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_HPC_ROOT", str(folder / "root"))
        patch.syspath_prepend(str(folder))
        made = InteractiveShell.instance()
        made.run_line_magic("load_ext", "jupyter_hpc")
        made.run_cell("def brought():\n    return [][1]", store_history=True)
        yield made
        made.run_line_magic("unload_ext", "jupyter_hpc")
        InteractiveShell.clear_instance()


def answer(*words: str) -> str:
    name, arguments = catalogue.parse(list(words), "hpc")
    return str(catalogue.COMMANDS[name].answer(arguments))


@pytest.mark.parametrize("case", CASES)
def test_no_frame_of_ours_is_shown(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], case: str) -> None:
    capsys.readouterr()
    result = shell.run_cell(f"%%local\n{CASES[case]}", store_history=True)
    shown = strip("".join(capsys.readouterr()))
    assert result.error_in_exec is not None
    job = Job(shell.user_ns["_hpc"].run)
    picture = look(job.run)
    texts = {
        "cell": shown,
        "log": job.logs(),
        "card": card_text(picture),
        "html": card_html(picture),
        "logs": answer("logs", job.id),
        "show": answer("show", job.id).replace(str(job.run.path), "DIRECTORY"),
        "why": answer("why", job.id),
        "page": detail(job)["traceback"],
    }
    for place, text in texts.items():
        assert not OURS.search(text), (place, text)


@pytest.mark.parametrize(
    ("case", "kind"),
    [("refuses attributes", "Fixed"), ("frozen", "Frozen"), ("from, frozen", "Frozen"), ("job is a property", "Busy")],
)
def test_what_forbids_attributes_comes_as_itself(shell: InteractiveShell, case: str, kind: str) -> None:
    result = shell.run_cell(f"%%local\n{CASES[case]}", store_history=True)
    error = result.error_in_exec
    assert type(error).__name__ == kind and "Traceback" in str(error.__cause__)
    assert getattr(error, "code", 3) == 3


def test_an_error_that_came_can_be_sent(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell(f"%%local\n{CASES['of the notebook']}", store_history=True)
    shell.user_ns["caught"] = sys.last_value
    result = shell.run_cell("%%local\nprint(type(caught).__name__, caught.args)", store_history=True)
    assert result.error_in_exec is None
    assert "IndexError ('list index out of range',)" in "".join(capsys.readouterr())
