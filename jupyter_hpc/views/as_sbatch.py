"""A run as a batch script of its own, for whoever goes on without a notebook."""

from __future__ import annotations

import ast
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..backends.slurm.sbatch import sbatch_arguments
from ..lineage.ask.details import environment_of
from ..model.printable import printable
from ..model.redaction_of_code import MARK
from ..model.spec import JobSpec
from ..rundir.blobs import store_of
from ..rundir.run import Run

_OURS = ("--comment", "--output", "--open-mode", "--export")  # what only our own jobs need
_ELSEWHERE = ("--dependency", "--kill-on-invalid-dep", "--signal")  # of other jobs; for a worker that hears it
_OF_IPYTHON = ("display", "get_ipython")
_END = "END_OF_CELL"


def as_sbatch(run: Run, record: Mapping[str, Any]) -> str:
    """Return a script for sbatch with a run's options, its environment and its code.

    Names that the cell was sent are not in it; a comment lists them.

    Raises
    ------
    OptionError
        If the run has an option that sbatch can't be given.
    """
    spec = JobSpec.from_record(record["spec"])
    text = str(record["code"].get("text") or "")
    is_script = text.startswith("#!")
    suffix = "" if is_script else ".py" if _is_python(text) else ".ipy"
    lines = [
        "#!/bin/bash",
        *_directives(sbatch_arguments(run, replace(spec, array=None))),
        *([f"#SBATCH --array={spec.array}"] if spec.array else []),
        *(f"# {line}" for line in _words(record, spec, is_python=not is_script)),
        "",
        *_environment(spec),
        f"cell=$(mktemp --suffix={suffix or '.cell'}) || exit 1",
        "trap 'rm -f \"$cell\"' EXIT",
        *_heredoc(text),
        _start(run, record, spec, suffix),
    ]
    return "\n".join(lines) + "\n"


def _directives(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        name = argument.partition("=")[0]
        if name in _OURS:
            continue
        if name in _ELSEWHERE or MARK in argument or not argument.isprintable():
            yield f"# left out: {name}"
        else:
            yield f"#SBATCH {_quoted(argument)}"


def _quoted(argument: str) -> str:
    """Return an option as sbatch reads it in a script: its quotes are a shell's, but nothing is expanded."""
    return shlex.quote(argument).replace("'\"'\"'", "'\\''")


def _words(record: Mapping[str, Any], spec: JobSpec, *, is_python: bool) -> Iterator[str]:
    yield f"from the run {record['id']} of jupyter_hpc"
    sent = [str(entry.get("name")) for entry in record.get("inputs") or ()]
    if sent and is_python:
        yield f"the cell was sent these names, which are not here: {_line(', '.join(sent))}"
    if spec.env:
        yield f"set these variables, whose values are kept nowhere: {_line(', '.join(spec.env))}"
    if spec.requirements:
        yield "its environment was built from --requirements; the interpreter below is the one that ran it"


def _line(text: str) -> str:
    return " ".join(printable(text).split())


def _environment(spec: JobSpec) -> Iterator[str]:
    yield from spec.prologue.splitlines()
    for name in spec.modules:
        yield f"module load {shlex.quote(name)}"
    if spec.conda:
        yield 'source "$(conda info --base)/etc/profile.d/conda.sh"'
        yield f"conda activate {shlex.quote(spec.conda)}"
    if spec.venv:
        yield f"source {shlex.quote(spec.venv.rstrip('/') + '/bin/activate')}"


def _start(run: Run, record: Mapping[str, Any], spec: JobSpec, suffix: str) -> str:
    if not suffix:
        return 'chmod +x "$cell" && "$cell"'
    own = spec.python or ("" if spec.conda or spec.venv or spec.modules else _recorded(run, record))
    python = shlex.quote(own or "python3")
    return f'{python} -m IPython "$cell"' if suffix == ".ipy" else f'{python} "$cell"'


def _recorded(run: Run, record: Mapping[str, Any]) -> str:
    """The interpreter that ran the cell, or will: of one that hasn't begun, and of an array, the kernel's."""
    return str(environment_of(store_of(run), record).get("executable") or "")


def _heredoc(text: str) -> Iterator[str]:
    """The code as it is, whatever it holds: nothing in it is expanded, and no line of it ends it."""
    lines, end = text.split("\n"), _END
    while end in lines:
        end += "_"
    yield f"cat > \"$cell\" <<'{end}'"
    yield from lines
    yield end


def _is_python(text: str) -> bool:
    """Whether plain Python runs it; else it has syntax or names of IPython, or awaits outside a function."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            compile(tree, "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return not any(isinstance(node, ast.Name) and node.id in _OF_IPYTHON for node in ast.walk(tree))
