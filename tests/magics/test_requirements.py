"""``--requirements``: an environment built on the node, once, from the kernel's own packages or from a file."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import jupyter_hpc
from jupyter_hpc.testing.notebook import Notebook
from tests.conftest import Sandbox
from tests.magics.nodes import UV, make_package, make_venv, run

REPOSITORY = Path(jupyter_hpc.__file__).parent.parent
Script = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    make_package(folder / "edited", "edited_here", "1.0", "def one(): return 1\n")
    make_package(folder / "copied", "copied_here", "1.0", "def two(): return 2\n")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Path:
    """A kernel's environment that is built in a second: what the core needs, six, and two packages of one's own."""
    folder = make_venv(
        tmp_path_factory.mktemp("small") / "venv", "cloudpickle", "jupyter_core", "traitlets", "six==1.16.0"
    )
    install = (UV, "pip", "install", "--quiet", "--python", str(folder / "bin/python"))
    run(*install, "--editable", str(packages / "edited"))
    run(*install, str(packages / "copied"))
    return folder


@pytest.fixture
def script(sandbox: Sandbox, practice_slurm: object, small: Path, tmp_path: Path) -> Script:
    """Run Python in that environment with a store of its own; what it puts into ``out`` comes back."""
    environment = {
        **sandbox.environment,
        "JUPYTER_HPC_ROOT": str(tmp_path / "a root"),
        "PYTHONPATH": str(REPOSITORY),
        "PATH": f"{Path(UV).parent}:{sandbox.environment['PATH']}",
    }

    def go(code: str) -> dict[str, Any]:
        text = f"import json, jupyter_hpc\nout = {{}}\n{textwrap.dedent(code)}\nprint(json.dumps(out))"
        done = subprocess.run(
            [small / "bin/python", "-c", text], env=environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    return go


BODY = """
def body():
    import six, sys
    import edited_here
    return six.__version__, edited_here.one(), sys.prefix
"""


@pytest.mark.parametrize("target", ["local", "slurm"])
def test_the_kernels_packages_are_built_once_and_used_again(script: Script, target: str) -> None:
    out = script(
        BODY
        + f"""
first = jupyter_hpc.submit(body, on={target!r}, requirements="auto")
first.result(120)
second = jupyter_hpc.submit(body, on={target!r}, requirements="auto")
out.update(first=first.result(120), second=second.result(120), log=first.logs(), log2=second.logs())
out.update(environments=[first.record["environment"], second.record["environment"]])
"""
    )

    first, second = out["environments"]
    wanted = first["requirements"]
    assert out["first"][:2] == ["1.16.0", 1]
    assert out["second"] == out["first"]
    assert out["first"][2].startswith(str(Path(first["executable"]).parent.parent))
    assert wanted["packages"] == len(wanted["lock"])
    assert "six==1.16.0" in wanted["lock"]
    assert wanted["digest"].startswith("sha256:")
    assert wanted["left_out"]["edited_here"].startswith("editable")
    assert "can't be had elsewhere" in wanted["left_out"]["copied_here"]
    assert first["installed"]["six"] == "1.16.0"
    assert "+ six==1.16.0" in out["log"]
    assert "built_seconds" in first
    assert "built_seconds" not in second, "the second job must find it built"
    assert out["log2"] == ""


@pytest.mark.parametrize("target", ["local", "slurm"])
def test_two_jobs_at_once_build_once(script: Script, target: str) -> None:
    out = script(
        BODY
        + f"""
jobs = [jupyter_hpc.submit(body, on={target!r}, requirements="auto") for _ in range(2)]
out.update(results=[job.result(120) for job in jobs], environments=[job.record["environment"] for job in jobs])
out.update(logs=[job.logs() for job in jobs])
"""
    )

    assert out["results"][0] == out["results"][1]
    assert sorted("built_seconds" in each for each in out["environments"]) == [False, True]
    assert sum("+ six==1.16.0" in log for log in out["logs"]) == 1


def test_a_package_that_is_not_reproducible_is_refused_before_submission(script: Script) -> None:
    out = script(
        """
import copied_here
from jupyter_hpc.rundir.store import store
try:
    jupyter_hpc.submit(copied_here.two, on="local", requirements="auto")
except jupyter_hpc.HPCError as error:
    out.update(error=str(error), runs=len(store().runs()))
"""
    )

    assert "The cell needs copied_here, which can't be built on the node: installed from" in out["error"]
    assert "pip install -e" in out["error"]
    assert out["runs"] == 0


def test_an_interpreter_that_the_node_does_not_see_is_replaced_by_its_minor_version(script: Script) -> None:
    out = script(
        BODY
        + """
import sys
sys.executable = "/gone/bin/python"
job = jupyter_hpc.submit(body, on="local", requirements="auto")
out.update(result=job.result(120))
"""
    )

    assert out["result"][:2] == ["1.16.0", 1]


def test_a_damaged_environment_is_built_again(script: Script) -> None:
    out = script(
        BODY
        + """
import os
first = jupyter_hpc.submit(body, on="local", requirements="auto")
first.result(120)
os.unlink(first.record["environment"]["executable"])
again = jupyter_hpc.submit(body, on="local", requirements="auto")
out.update(result=again.result(120), built="built_seconds" in again.record["environment"])
"""
    )

    assert out == {"result": out["result"], "built": True}


def test_clean_keeps_an_environment_as_long_as_a_run_used_it(script: Script) -> None:
    out = script(
        BODY
        + """
import os, shutil
from jupyter_hpc.rundir.cleaning import drop_unused
from jupyter_hpc.rundir.store import store
jobs = [jupyter_hpc.submit(body, on="local", requirements="auto") for _ in range(2)]
for job in jobs: job.result(120)
place = store().root / "environments"
def there(): return sorted("venv" if (p / "build.sh").exists() else p.name for p in place.iterdir() if p.is_dir())
def drop(job):
    shutil.rmtree(job.run.path)
    for path in place.iterdir(): os.utime(path, (0, 0))  # long ago: no submission that is under way may need it
    drop_unused(store())
drop(jobs[0]); out["one left"] = there()
drop(jobs[1]); out["none left"] = there()
"""
    )

    assert out == {"one left": ["cache", "uv", "venv"], "none left": []}


# -- from files, in a notebook -----------------------------------------------------------------------


@pytest.fixture
def listed(notebook: Notebook) -> Iterator[Path]:
    yield notebook.write("my $(touch pwned) list.txt", "# mine\nsix==1.15.0\n")
    assert not list(notebook.directory.rglob("pwned"))


def test_a_requirements_file_is_built_and_the_pins_are_recorded(notebook: Notebook, listed: Path) -> None:
    executed = notebook.remote("import six\nv = six.__version__", f"--requirements '{listed}'")

    assert notebook.value("v") == "1.15.0"
    assert "six 1.15.0 on the node" in executed.text, "it differs from the kernel's"
    found = notebook.value("_hpc.record['environment']")
    assert found["requirements"]["source"] == str(listed)
    assert found["requirements"]["lock"] == ["six==1.15.0"]
    assert found["installed"] == {"six": "1.15.0"}


def test_a_pylock_is_built(notebook: Notebook) -> None:
    pins = notebook.write("in.txt", "six==1.14.0\n")
    lock = notebook.folder / "pylock.toml"
    run(UV, "pip", "compile", "--quiet", str(pins), "--format", "pylock.toml", "-o", str(lock))
    notebook.remote("import six\nv = six.__version__", f"--requirements {lock}")

    assert notebook.value("v") == "1.14.0"
    assert notebook.value("_hpc.record['environment']['requirements']['lock']") == ["six==1.14.0"]


def test_a_failed_build_says_uvs_own_words_and_what_to_type(notebook: Notebook) -> None:
    wanted = notebook.write("wanted.txt", "six==99.99\n")
    error = notebook.remote("a = 1", f"--requirements {wanted}", fails=True).error

    assert error is not None
    assert error.name == "EnvironmentMismatch"
    assert "environment could not be built" in error.traceback
    assert "six==99.99" in error.shown
    command = notebook.raised("error.hint").partition("`bash ")[2].partition("`")[0].split()
    assert command[0].endswith("build.sh")
    assert command[1] == sys.executable
    done = subprocess.run(["bash", *command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 70
    assert "six==99.99" in done.stderr


def test_an_environment_built_by_hand_is_used(notebook: Notebook) -> None:
    """Where the nodes reach no index: here no node can run uv, which stands in the folder as a broken link."""
    wanted = notebook.write("wanted.txt", "six==1.13.0\n")
    options = f"--requirements {wanted}"
    notebook.run("import os\n_path = os.environ['PATH']\nos.environ['PATH'] = '/usr/bin:/bin'")
    try:
        notebook.remote("a = 1", f"{options} --env UV_OFFLINE=1 --dry-run")
        notebook.run("os.environ['UV_OFFLINE'] = '1'\nos.environ['UV_CACHE_DIR'] = '/nowhere/empty'")
        error = notebook.remote("a = 1", options, fails=True).error
        assert error is not None
        command = notebook.raised("error.hint").partition("`bash ")[2].partition("`")[0].split()
        run("bash", *command)
        notebook.remote("import six\nv = six.__version__", options)
    finally:
        notebook.run("os.environ['PATH'] = _path\nfor k in ('UV_OFFLINE', 'UV_CACHE_DIR'): os.environ.pop(k, None)")

    assert notebook.value("v") == "1.13.0"
    assert "built_seconds" not in notebook.value("_hpc.record['environment']")


def test_a_dry_run_names_the_environment_and_what_is_not_in_it(notebook: Notebook) -> None:
    before = notebook.jobs()
    text = notebook.remote("a = 1", "--requirements auto --dry-run").text

    assert "packages, the kernel's own, built by the first job" in text
    assert notebook.jobs() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--requirements nothing.txt", "can't be read"),
        ("--requirements auto --venv /x", "--requirements and --venv each choose"),
        ("--requirements auto --conda x", "--requirements and --conda each choose"),
        ("--requirements", "needs a value"),
    ],
)
def test_what_cant_be_is_refused_before_submission(notebook: Notebook, options: str, words: str) -> None:
    before = notebook.jobs()
    error = notebook.remote("a = 1", options, fails=True).error

    assert error is not None
    assert words in error.traceback
    assert notebook.jobs() == before
