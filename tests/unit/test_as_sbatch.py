"""A run as a batch script: what bash makes of it, and what it never does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.magics.parse import parse
from jupyter_hpc.magics.tokens import split_line
from jupyter_hpc.model.redaction_of_code import MARK
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.views.as_sbatch import as_sbatch


def script(line: str, text: str, **more: Any) -> str:
    spec = parse(split_line(line), prog="%%slurm").spec.to_record()
    record = {"id": "20260101-000000-abcdef", "spec": {**spec, **more.pop("spec", {})}, "code": {"text": text}}
    record["environment"] = {"executable": sys.executable}
    return as_sbatch(Run(Path("/runs/20260101-000000-abcdef")), {**record, **more})


def run(text: str, folder: Path) -> str:
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, cwd=folder, check=True)
    return done.stdout


def directives(text: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH ")]


def test_the_options_are_those_of_the_job() -> None:
    found = directives(
        script("--gpus a100:1 --time 30m --mem 4G --array 1-3 --name 'two words' -- --begin=now", "x = 1")
    )
    assert found == [
        "'--job-name=two words'",
        "--mem=4096M",
        "--time=0-00:30:00",
        "--gpus=a100:1",
        "--no-requeue",
        "--begin=now",
        "--array=1-3",
    ]


CODE = """import sys
text = '''$HOME `date` \\\\
END_OF_CELL
'''
print(repr(text), __file__.endswith('.py'))
"""


def test_the_code_runs_as_it_was_written(tmp_path: Path) -> None:
    assert run(script("", CODE), tmp_path) == "'$HOME `date` \\\\\\nEND_OF_CELL\\n' True\n"
    assert list(tmp_path.iterdir()) == []


def test_a_cell_with_ipythons_own_syntax(tmp_path: Path) -> None:
    assert "hello" in run(script("", "!echo hello"), tmp_path)


@pytest.mark.parametrize(
    "cell",
    [
        "import asyncio\nawait asyncio.sleep(0)\nprint('hello')",
        "async with __import__('contextlib').AsyncExitStack():\n    print('hello')",
        "display('hello')",
        "print('hello' if get_ipython() else '')",
    ],
)
def test_a_cell_that_only_ipython_runs(tmp_path: Path, cell: str) -> None:
    assert "hello" in run(script("", cell), tmp_path)


def test_a_cell_that_is_a_script_itself(tmp_path: Path) -> None:
    assert run(script("", "#!/bin/sh\necho $((40 + 2))"), tmp_path) == "42\n"


@pytest.mark.parametrize(
    "evil", ["x\ntouch owned", "x\n#SBATCH --uid=0", "$(touch owned)", "'; touch owned; '", "\x1b]0;x\x07`touch owned`"]
)
def test_no_value_becomes_code(tmp_path: Path, evil: str) -> None:
    text = script("", "print('ran')", spec={"name": evil, "modules": []}, inputs=[{"name": evil, "type": "int"}])
    assert run(text, tmp_path) == "ran\n"
    assert list(tmp_path.iterdir()) == []
    assert "--uid=0" not in directives(text)


def test_the_environment_comes_first(tmp_path: Path) -> None:
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "activate").write_text(
        f"python3() {{ {sys.executable} \"$@\" <<< ''; }}; echo active\n"
    )
    text = script(f"--venv '{tmp_path}/env'", "print('ran')", spec={"prologue": "echo first\n"})
    assert run(text, tmp_path) == "first\nactive\nran\n"


def test_what_is_left_out_is_said() -> None:
    text = script(
        "--dependency afterok:7 --signal TERM@60",
        "y = raw",
        spec={"passthrough": [f"--wckey={MARK}"], "env": ["TOKEN"]},
        inputs=[{"name": "raw", "type": "list"}],
    )
    for words in ("left out: --dependency", "left out: --signal", "left out: --wckey", "TOKEN", "not here: raw"):
        assert words in text
    assert MARK not in text
