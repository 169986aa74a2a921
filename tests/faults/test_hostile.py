"""Hostile strings in every option, name, path and value: taken literally or refused with a sentence.

Nothing may ever run them: after each test the canary must not be there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.slurm.sbatch import leading_directives
from jupyter_hpc.model.exceptions import HPCError, OptionError, SubmissionError
from tests.faults.road import preview, run_directories, submit

pytestmark = pytest.mark.campaign
TEXTS = {
    "semicolon": '"; touch CANARY; #',
    "single": "'; touch CANARY; '",
    "dollar": "$(touch CANARY)",
    "backticks": "`touch CANARY`",
    "newline": "a\ntouch CANARY\nb",
    "pipe": "a|touch CANARY&&touch CANARY",
    "redirect": "x > CANARY",
    "quotes": 'it\'s "quoted"',
    "backslash": "back\\slash \\n",
    "unicode": "ünï 漢字 🚀",
    "dashes": "--wrap=touch CANARY",
    "dash": "-x",
    "long": "x" * 10_000,
    "nul": "a\0b",
    "percent": "%j %u %% %A",
    "glob": "*?[a]{b,c}~",
    "spaces": " a  b ",
    "comma": "a,b=c:d",
    "variable": "$HOME ${PATH}",
    "escape": "\x1b]0;x\x07",
}


@pytest.fixture
def canary(cluster: Path) -> Iterator[str]:
    path = cluster / "canary"
    yield str(path)
    assert not path.exists(), "a hostile string was executed"


@pytest.fixture(params=TEXTS.values(), ids=list(TEXTS))
def text(request: pytest.FixtureRequest, canary: str) -> str:
    return str(request.param).replace("CANARY", canary)


def literally_or_refused(cell: str, expected: str, **options: Any) -> str:
    """Run the cell, which assigns ``seen``; return how it went."""
    before = run_directories()
    try:
        job = submit(cell, **options)
    except HPCError as error:
        assert re.match(r"[A-Z-].*", error.message), error.message
        assert run_directories() == before
        return f"refused: {error.message[:100]}"
    assert job.result(120)["seen"] == expected
    return "literal"


@pytest.mark.parametrize("on", ["slurm", "local"])
def test_environment_value(text: str, on: str) -> None:
    how = literally_or_refused("import os\nseen = os.environ['HOSTILE']", text, on=on, env={"HOSTILE": text})
    assert how == "literal" or "\0" in text


@pytest.mark.parametrize("on", ["slurm", "local"])
@pytest.mark.parametrize(
    "name", ["run", "pid", "python", "PATH", "IFS", "SBATCH_PARTITION", "SLURM_CONF", "BASH_ENV", "pair"]
)
def test_environment_names_that_mean_something(canary: str, name: str, on: str) -> None:
    """They are the cell's, not the batch script's nor sbatch's."""
    value = f"$(touch {canary})"
    how = literally_or_refused(f"import os\nseen = os.environ[{name!r}]", value, on=on, env={name: value})
    assert how == "literal"


@pytest.mark.parametrize("name", [*TEXTS.values(), "", "1A", "A B", "UID", "ü"])
def test_environment_name(canary: str, name: str) -> None:
    with pytest.raises(OptionError):
        submit("x = 1", env={name.replace("CANARY", canary): "v"})


def test_job_name(text: str) -> None:
    how = literally_or_refused("import os\nseen = os.environ['SLURM_JOB_NAME']", text, name=text)
    assert how == "literal" or len(text) > 1000 or "\0" in text, how


@pytest.mark.parametrize("on", ["slurm", "local"])
def test_working_directory(text: str, cluster: Path, on: str) -> None:
    folder = cluster / "work" / text.replace("/", "_")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):
        with pytest.raises(HPCError):
            submit("x = 1", on=on, workdir=str(folder))
        return
    how = literally_or_refused("import os\nseen = os.getcwd()", str(folder), on=on, workdir=str(folder))
    assert how == "literal", how


def test_the_notebooks_directory(text: str, cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cluster / "notebooks" / text.replace("/", "_")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):
        return  # no such directory can be
    monkeypatch.chdir(folder)
    assert literally_or_refused("import os\nseen = os.getcwd()", str(folder)) == "literal"


@pytest.mark.parametrize("on", ["slurm", "local"])
def test_run_directory(text: str, cluster: Path, monkeypatch: pytest.MonkeyPatch, on: str) -> None:
    root = cluster / "roots" / text.replace("/", "_")
    try:
        root.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv("JUPYTER_HPC_ROOT", str(root))
    except (OSError, ValueError):
        return
    how = literally_or_refused("seen = 'here'", "here", on=on)
    assert how == "literal" or (on == "slurm" and set(text) & set("\\\n\x1b")), how


@pytest.mark.parametrize("option", ["partition", "account", "qos", "constraint"])
def test_words_of_slurm(text: str, option: str) -> None:
    """No such thing exists here: Slurm or we refuse it, or (without accounting) it is passed over."""
    try:
        found = preview("x = 1", **{option: text})
    except OptionError:
        return
    assert f"--{option}={text}" in found.submitted.command
    try:
        job = submit("x = 1", **{option: text})
    except SubmissionError:
        return
    job.cancel()
    assert option in ("account", "qos")


@pytest.mark.parametrize("on", ["slurm", "local"])
@pytest.mark.parametrize("option", ["python", "venv", "conda", "modules"])
def test_interpreters_that_are_not_there(text: str, option: str, on: str) -> None:
    with pytest.raises(HPCError) as caught:
        submit("x = 1", on=on, **{option: (text,) if option == "modules" else text}).result(30)
    assert "\n" not in caught.value.message or "\n" in text


@pytest.mark.parametrize("option", ["python", "venv"])
def test_interpreters_with_odd_names(text: str, option: str, cluster: Path) -> None:
    folder = cluster / option / text.replace("/", "_")
    try:
        (folder / "bin").mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError):
        return
    python = folder / "bin" / "python"
    if not python.exists():
        python.symlink_to(sys.executable)
    if option == "python":
        assert literally_or_refused("import sys\nseen = sys.executable", str(python), python=str(python)) == "literal"
    else:
        cell = "import os\nseen = os.environ['VIRTUAL_ENV']"
        assert literally_or_refused(cell, str(folder), venv=str(folder)) == "literal"


@pytest.mark.parametrize(
    "make",
    [
        lambda t: (t,),
        lambda t: ("--mail-user", t),
        lambda t: (f"--mail-user={t}",),
        lambda t: ("--exclusive", t),
    ],
)
def test_passed_on(text: str, make: Callable[[str], tuple[str, ...]]) -> None:
    before = run_directories()
    try:
        job = submit("seen = 1", passthrough=make(text))
    except HPCError:
        assert run_directories() == before
        return
    assert job.result(120) == {"seen": 1}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--wrap=touch CANARY",),
        ("--wra=touch CANARY",),
        ("--output=CANARY",),
        ("--outp=CANARY",),
        ("-oCANARY",),
        ("-o", "CANARY"),
        ("--error=CANARY",),
        ("--array=1-3",),
        ("-a1-3",),
        ("--comment=x",),
        ("--",),
        ("-",),
        ("--exclusive", "CANARY"),
        ("-H", "CANARY"),
        ("--wait",),
        ("--parsable",),
        ("CANARY",),
    ],
)
def test_options_that_are_ours(canary: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(OptionError):
        preview("x = 1", passthrough=tuple(a.replace("CANARY", canary) for a in arguments))


@pytest.mark.parametrize("argument", ["--test-only", "--help", "--version", "--usage"])
def test_options_with_which_nothing_is_submitted(canary: str, argument: str) -> None:
    before = run_directories()
    with pytest.raises(SubmissionError, match="submitted nothing"):
        submit("x = 1", passthrough=(argument,))
    assert run_directories() == before


def test_directives(text: str) -> None:
    cell = f"#SBATCH --job-name={text}\nseen = 1"
    try:
        found = leading_directives(cell)
        job = submit(cell, passthrough=found)
    except HPCError:
        return
    except SyntaxError:
        assert set(text) & {"\n", "\0"}
        return
    if "\n" in text:
        return
    assert job.result(120) == {"seen": 1}


def test_the_script_holds_none_of_it(text: str) -> None:
    """The script is one constant text; what varies is in argv and in files."""
    from jupyter_hpc.backends.script import SCRIPT

    try:
        found = preview("x = 1", name=text, env={"A": text}, venv=text)
    except OptionError:
        return
    assert found.submitted.script == SCRIPT
    assert os.fsencode(text) not in SCRIPT.encode() or len(text) < 3


@pytest.mark.parametrize("where", ["value", "name"])
def test_inputs(text: str, where: str) -> None:
    names = {"given": text if where == "value" else {text: text}}
    assert (
        submit(
            "seen = given",
            "local",
            names,
        ).result(30)["seen"]
        == names["given"]
    )
