"""A run's options as a magic's line: read again, it asks for the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from jupyter_hpc.magics.parse import parse
from jupyter_hpc.magics.tokens import expand, split_line
from jupyter_hpc.model.cell_arguments import CellArguments
from jupyter_hpc.model.options import CELL_OPTIONS
from jupyter_hpc.model.resources import Resources
from jupyter_hpc.model.spec import JobSpec
from jupyter_hpc.rundir.run import Run, write_json
from jupyter_hpc.server.page_handlers import _cell
from jupyter_hpc.targets.magic_line import magic_line
from jupyter_hpc.targets.target import Target
from tests.lineage import records

SLURM = Target("slurm", "slurm")
SHELL = InteractiveShell.instance()


def read(line: str) -> CellArguments:
    """Read a line as the magic does, variables expanded."""
    magic, _, rest = line.partition(" ")
    assert magic == "%%slurm"
    return parse(expand(split_line(rest), lambda token: SHELL.var_expand(token, depth=0)), prog=magic)


def there_and_back(spec: JobSpec, **cell: Any) -> CellArguments:
    line, left_out = magic_line(SLURM, JobSpec.from_record(spec.to_record()), {"kind": "cell", **cell}, None)
    assert left_out == [] and "\n" not in line
    return read(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--gpus 1 --time 30m",
        "--gpus a100:2 --mem 1536M --cpus 4 --exclusive",
        "--gpus-per-task a100:1 --nodes 2 --tasks 4 --tasks-per-node 2",
        "--mem 12345B --time 3661s",
        "--gpus 0",
        "--nice=-5 --name 'two words' --partition gpu --requeue --signal TERM@60",
        "--array 1-6%3 --dependency afterok:7",
        "--module a/1 --module 'b c' --workdir '/my files/x'",
        "--name \"it's {here} and $HOME, 100 $\" --constraint 'a&b|c'",
        "--name=-x --python /opt/python",
        "--time 2d -- --begin=now+1hour --mail-user 'a b'",
    ],
)
def test_a_line_comes_back(line: str) -> None:
    spec = parse(split_line(line), prog="%%slurm").spec
    assert there_and_back(spec).spec == spec


texts = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" {}$'\"\\#~"), min_size=1, max_size=20)
counts = st.none() | st.integers(1, 999_999)
RESOURCES = st.builds(
    Resources,
    nodes=counts,
    cpus=counts,
    memory=st.none() | st.integers(1, 2**60),
    time=st.none() | st.integers(60, 3650 * 86_400),
    gpus=st.none() | st.integers(0, 1000),
    exclusive=st.booleans(),
)


@settings(deadline=None)
@given(st.builds(JobSpec, resources=RESOURCES, name=texts, workdir=texts, modules=st.tuples(texts), nice=counts))
def test_whatever_it_holds(spec: JobSpec) -> None:
    if spec.name.strip() and (spec.workdir or "").strip() and spec.modules[0].strip():
        assert there_and_back(spec).spec == spec


@pytest.mark.parametrize("line", ["-o a,b", "-O", "--reads x --reads 'y z' --writes out"])
def test_names_and_files(line: str) -> None:
    asked = parse(split_line(line), prog="%%slurm")
    found = there_and_back(
        JobSpec(),
        explicit_outputs=list(asked.outputs or ()),
        all_new=asked.outputs is None and not asked.no_outputs,
        reads=list(asked.reads),
        writes=list(asked.writes),
    )
    assert (found.outputs, found.no_outputs) == (asked.outputs, asked.no_outputs)
    assert (found.reads, found.writes) == (asked.reads, asked.writes)


def test_a_targets_defaults_are_left_to_it() -> None:
    where = replace(SLURM, defaults={"partition": "gpu", "time": "1h", "gpus": "a100:1"})
    asked = JobSpec(resources=Resources.parse(time="2h"))
    line, _ = magic_line(where, where.complete(asked), {}, None)
    assert line == "%%slurm --time 2h"


def test_what_a_line_cannot_have_is_named() -> None:
    spec = JobSpec(env={"TOKEN": ""}, patch="a:\n  b", name="n", workdir="/here")
    line, left_out = magic_line(Target("mine", "slurm"), spec, {}, "/here")
    assert line == "%%hpc --on mine --name n"
    assert left_out == ["--env TOKEN", "--patch"]


def test_sbatch_lines_of_the_cell_are_not_said_twice() -> None:
    spec = JobSpec(passthrough=("--begin=now", "--reboot"))
    line, _ = magic_line(SLURM, spec, {"text": "#SBATCH --begin=now\nx = 1"}, None)
    assert line == "%%slurm -- --reboot"


SAMPLES = {  # of options whose values have a form of their own
    "gpus": "a100:2",
    "gpus_per_task": "v100:1",
    "memory": "1536M",
    "time": "90m",
    "signal": "TERM@60",
    "array": "1-6%3",
    "dependency": "afterok:7",
    "nice": "-5",
    "outputs": "a,b",
    "inputs": "b,c",
}
ALONE = {"gpus_per_task": "--tasks 2", "tasks_per_node": "--tasks 2 --nodes 2"}  # what an option needs beside it


def asked_line(option: Any) -> str:
    """Return a line that gives one option, twice where it may be repeated."""
    flag = option.flags[-1]
    if option.kind == "flag":
        return str(flag)
    value = SAMPLES.get(option.dest) or ("3" if option.metavar == "N" else "'some words'")
    written = f"{flag}={value}"
    return f"{written} {flag}=more" if option.kind == "append" else f"{written} {ALONE.get(option.dest, '')}".rstrip()


REPEATED = [o for o in CELL_OPTIONS if o.dest not in ("on", "env", "help", "dry_run")]


@pytest.mark.parametrize("option", REPEATED, ids=lambda option: option.dest)
def test_every_option_is_in_the_line_again(option: Any, tmp_path: Path) -> None:
    asked = parse(split_line(asked_line(option)), prog="%%slurm")
    assert asked != parse([], prog="%%slurm")
    kept = {**records.record(1), "spec": asked.spec.to_record(), "asked": asked.to_record()}
    write_json(tmp_path / "record.json", kept)  # as it comes from the disk
    record = Run(tmp_path).record()
    line, left_out = magic_line(SLURM, JobSpec.from_record(record["spec"]), {}, None, record["asked"])
    assert left_out == [] and read(line) == asked


def test_a_cell_s_own_line_is_in_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path))
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "jupyter_hpc")
    shell.user_ns.update(left=1, right=2)
    options = "--name again -i left,right -o total --no-auto --reads a.csv --quiet --detach --reuse"
    shell.run_cell(f"%%local {options}\ntotal = left + right")
    job = shell.user_ns["_hpc"]
    shell.run_line_magic("unload_ext", "jupyter_hpc")
    assert job.result(60) == {"total": 3}
    source = _cell(job)["source"].splitlines()
    assert source[1] == "total = left + right"
    found = parse(split_line(source[0].partition(" ")[2]), prog="%%local")
    assert found.spec.workdir  # no front end tells of a notebook, so nobody knows where it would run
    assert replace(found, spec=replace(found.spec, workdir=None)) == parse(split_line(options), prog="%%local")
