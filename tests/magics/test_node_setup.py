"""What a site does before the worker starts: the prologue, modules, conda, and which Python is taken then.

The module command is a real one (Debian's environment-modules, or Lmod). The conda is a stand-in: it prints what the
real one's ``shell.bash hook`` does, a function that evaluates ``conda shell.posix activate``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest

from jupyter_hpc.testing.notebook import Error, Notebook
from tests.conftest import Sandbox
from tests.magics.nodes import configuration, make_venv

MODULE_SETUPS = ("/etc/profile.d/modules.sh", "/etc/profile.d/lmod.sh")
CONDA = r"""#!/bin/bash
# a stand-in: its environments are virtual ones
root=$(cd "$(dirname "$0")/.." && pwd)
case "$1 $2" in
  "shell.bash hook")
    printf 'export CONDA_EXE=%q\n' "$root/bin/conda"
    cat << 'END'
conda() {
  case "$1" in
    activate) local asked; asked="$("$CONDA_EXE" shell.posix "$@")" || return; eval "$asked"; hash -r ;;
    *) "$CONDA_EXE" "$@" ;;
  esac
}
END
    ;;
  "shell.posix activate")
    case $3 in */*) prefix=$3 ;; *) prefix=$root/envs/$3 ;; esac
    [ -d "$prefix" ] || { echo "EnvironmentNameNotFound: Could not find conda environment: $3" >&2; exit 1; }
    printf 'export PATH=%q:"$PATH"\nexport CONDA_PREFIX=%q\nexport CONDA_DEFAULT_ENV=%q\n' \
      "$prefix/bin" "$prefix" "$3"
    ;;
  *) echo "CondaError: Run 'conda init' before 'conda activate'" >&2; exit 1 ;;
esac
"""


class Configure(Protocol):
    def __call__(self, **settings: Any) -> AbstractContextManager[Path]: ...


@pytest.fixture(params=["local", "slurm"])
def target(request: pytest.FixtureRequest, kernel: Notebook) -> Iterator[str]:
    """Both ways to a node; the kernel of the magics' tests has a practice Slurm."""
    kernel.magic = f"%%{request.param}"
    yield str(request.param)
    kernel.magic = "%%local"


@pytest.fixture
def configure(sandbox: Sandbox, target: str) -> Configure:
    folder = Path(sandbox.environment["JUPYTER_CONFIG_DIR"])
    return lambda **settings: configuration(folder, {target: settings})


@pytest.fixture
def variables(notebook: Notebook) -> Iterator[dict[str, str | None]]:
    """Variables of the kernel, set by the test and taken back."""
    changed: dict[str, str | None] = {}
    yield changed
    code = f"import os\nfor k in {list(changed)!r}: os.environ.pop(k, None)\nos.environ.update({{k: v for k, v in _before.items() if v is not None}})"
    if changed:
        notebook.run(code)


def set_variables(notebook: Notebook, changed: dict[str, str | None], **values: str) -> None:
    changed.update(dict.fromkeys(values))
    notebook.run(
        f"import os\n_before = {{k: os.environ.get(k) for k in {list(values)!r}}}\nos.environ.update({values!r})"
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_venv(tmp_path_factory.mktemp("bare") / "venv")


def node(target: str) -> str:
    return "c1" if target == "slurm" else os.uname().nodename


def refused(notebook: Notebook, body: str, options: str = "") -> Error:
    error = notebook.remote(body, options, fails=True).error
    assert error is not None
    assert error.name == "EnvironmentMismatch"
    assert notebook.value("_hpc.logs()") == "", "the cell did not run"
    return error


# -- the prologue -----------------------------------------------------------------------------------


def test_a_prologue_sets_up_the_node_and_leaves_the_script_alone(notebook: Notebook, configure: Configure) -> None:
    lines = [
        "set -euo pipefail; IFS=/",
        "set -- -x not ours",
        "export SITE='a b' run=1 python=2",
        "limit=7; signalled=9; pid=1; worker=/nope; venv=/nope; conda=/nope",
        "if false; then :; fi; [ -d /nope ] && echo no",
        "refused() { return 3; }; refused || true",
        "umask 027",
    ]
    with configure(prologue=lines):
        notebook.remote("import os, sys\nsite = os.environ['SITE']\nmask = os.umask(0)\nexe = sys.executable")

    assert notebook.value("(site, mask, exe)") == ("a b", 0o027, sys.executable)
    assert notebook.value("_hpc.record['spec']['prologue']").splitlines() == lines
    assert "SITE=" not in notebook.value("(_hpc.run.path / 'job.sh').read_text()")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("export A=1\n\ncd /nope\nexport B=2\n", "in line 3: cd /nope"),
        (["broken() { false; }", "broken"], "in line 2: broken"),
        (
            ["exit 4"],
            "ended itself",
        ),
        (["if true"], "is no shell: line 2: syntax error"),
        (["nosuchcommand --now"], "in line 1: nosuchcommand --now"),
    ],
    ids=["a command", "a function", "exit", "syntax", "unknown"],
)
def test_a_failing_prologue_is_an_error_with_its_line(
    notebook: Notebook, configure: Configure, lines: Any, said: str
) -> None:
    with configure(prologue=lines):
        error = refused(notebook, "a = 1")

    assert f"the prologue {said}" in error.traceback or said in error.traceback
    assert "%hpc config" in error.shown


def test_a_prologue_that_is_no_text_is_refused_before_submission(notebook: Notebook, configure: Configure) -> None:
    before = notebook.jobs()
    with configure(prologue={"a": 1}) as path:
        error = notebook.remote("a = 1", fails=True).error

    assert error is not None
    assert "prologue" in error.shown
    assert str(path) in error.traceback.replace("\n", "")
    assert notebook.jobs() == before


def test_no_cell_can_set_a_prologue(notebook: Notebook, target: str) -> None:
    error = notebook.remote("a = 1", "--prologue 'touch /tmp/x'", fails=True).error

    assert error is not None
    assert "not an option" in error.traceback
    notebook.run("import jupyter_hpc\njob = jupyter_hpc.submit(dict, on='local', prologue='exit 1')")
    assert notebook.value("job.result()") == {"prologue": "exit 1"}, "it went to the function"


# -- which Python -----------------------------------------------------------------------------------


def test_a_kernel_that_the_node_does_not_see_is_named_with_what_to_do(
    notebook: Notebook, target: str, tmp_path: Path
) -> None:
    (tmp_path / "python").symlink_to("/gone/bin/python3.11")
    for path, words in (
        (tmp_path / "python", "is a link to /gone/bin/python3.11"),
        ("/gone/python", "/gone/python"),
    ):
        notebook.run(f"import sys\n_kept = sys.executable\nsys.executable = {str(path)!r}")
        try:
            error = refused(notebook, "a = 1")
        finally:
            notebook.run("sys.executable = _kept")

        assert f"{node(target)} doesn't see the kernel's own Python, {path}" in error.traceback
        assert words in error.traceback
        for option in ("--python", "--venv", "--conda", "--module", "--requirements auto"):
            assert option in error.shown


def test_an_interpreter_is_found_on_the_nodes_path(
    notebook: Notebook, configure: Configure, bare: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a bin"
    folder.mkdir()
    (folder / "mypython").write_text(f'#!/bin/sh\nexec {bare}/bin/python "$@"\n')
    (folder / "mypython").chmod(0o755)
    with configure(prologue=[f"PATH='{folder}':$PATH"]):
        notebook.remote("import sys\nprefix = sys.prefix", "--python mypython")
    assert notebook.value("prefix") == str(bare)

    error = refused(notebook, "a = 1", "--python nosuchpython")
    assert "no Python at nosuchpython" in error.traceback


def test_the_targets_own_choice_gives_way_to_the_cells(notebook: Notebook, configure: Configure, bare: Path) -> None:
    with configure(defaults={"venv": "/nowhere"}):
        error = refused(notebook, "a = 1")
        assert "/nowhere has no bin/python" in error.traceback
        notebook.remote("import sys\nprefix = sys.prefix", f"--python {bare}/bin/python")

    assert notebook.value("prefix") == str(bare)


def test_a_python_that_is_too_old_is_named(notebook: Notebook, target: str, tmp_path: Path) -> None:
    """Stands for an old interpreter: the worker's first line asks ``sys.version_info``."""
    script = tmp_path / "python"
    code = "import sys; sys.version_info = (3, 8, 1); sys.argv = ['-c', *sys.argv[3:]]; exec(sys.stdin.read())"
    script.write_text(f'#!/bin/bash\nprintf %s "$2" | exec {sys.executable} -c "{code}" "$@"\n')
    script.chmod(0o755)
    error = refused(notebook, "a = 1", f"--python {script}")

    assert "Python 3.8, and the worker needs 3.9 or newer" in error.traceback


# -- modules ----------------------------------------------------------------------------------------


@pytest.fixture
def modulefiles(notebook: Notebook, variables: dict[str, str | None], bare: Path, tmp_path: Path) -> Path:
    """A folder of modules: ``tool`` sets a variable, ``snake/1`` brings a Python, ``a b`` has a space."""
    if not any(map(os.path.exists, MODULE_SETUPS)):
        reason = "no module command here: apt-get install -y --no-install-recommends environment-modules"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    (tmp_path / "snake").mkdir()
    (tmp_path / "tool").write_text("#%Module1.0\nsetenv TOOL_HOME /opt/tool\n")
    (tmp_path / "a b").write_text("#%Module1.0\nsetenv SPACED yes\n")
    (tmp_path / "snake/1").write_text(f"#%Module1.0\nprepend-path PATH {bare}/bin\n")
    set_variables(notebook, variables, MODULEPATH=str(tmp_path))
    return tmp_path


def test_a_module_that_brings_no_python_leaves_the_kernels_own(
    notebook: Notebook, target: str, modulefiles: Path
) -> None:
    body = "import os, sys\nhome = os.environ['TOOL_HOME'], os.environ['SPACED']\nexe = sys.executable"
    notebook.remote(body, "--module tool --module 'a b'")

    assert notebook.value("(home, exe)") == (("/opt/tool", "yes"), sys.executable)


def test_a_module_that_brings_a_python_is_what_the_cell_runs_in(
    notebook: Notebook, target: str, modulefiles: Path, bare: Path
) -> None:
    notebook.remote("import sys\nprefix = sys.prefix", "--module snake/1")

    assert notebook.value("prefix") == str(bare)


@pytest.mark.parametrize("name", ["nosuch/9", "$(touch pwned)", "`touch pwned`; touch pwned"])
def test_a_module_that_is_not_there_is_named(notebook: Notebook, target: str, modulefiles: Path, name: str) -> None:
    error = refused(notebook, "a = 1", f"--module '{name}'")

    assert f"module load {name} failed on {node(target)}" in error.traceback
    assert not list(notebook.folder.rglob("pwned"))


def test_a_node_without_modules_says_so(notebook: Notebook, configure: Configure, target: str) -> None:
    """The prologue hides the module command of this machine: what is looked for is then nowhere."""
    hide = ["source() { :; }; .() { :; }; unset -f module", "enable -n ."]
    with configure(prologue=hide):
        error = refused(notebook, "a = 1", "--module tool")

    assert f"{node(target)} has no module command" in error.traceback
    assert "prologue" in error.shown


# -- conda ------------------------------------------------------------------------------------------


@pytest.fixture
def conda(notebook: Notebook, variables: dict[str, str | None], tmp_path: Path) -> Path:
    root = tmp_path / "conda"
    (root / "bin").mkdir(parents=True)
    (root / "bin/conda").write_text(CONDA)
    (root / "bin/conda").chmod(0o755)
    make_venv(root / "envs/my env")
    (root / "envs/empty").mkdir()
    path = notebook.value("__import__('os').environ['PATH']")
    set_variables(notebook, variables, PATH=f"{root}/bin:{path}")
    return root


@pytest.mark.parametrize("by_path", [False, True], ids=["name", "folder"])
def test_a_conda_environment_is_activated(notebook: Notebook, target: str, conda: Path, by_path: bool) -> None:
    name = str(conda / "envs/my env") if by_path else "my env"
    body = "import os, sys\nfound = sys.prefix, os.environ['CONDA_DEFAULT_ENV']"
    notebook.remote(body, f"--conda '{name}'")

    assert notebook.value("found") == (str(conda / "envs/my env"), name)


def test_conda_is_found_where_its_activation_says(
    notebook: Notebook, target: str, conda: Path, variables: dict[str, str | None]
) -> None:
    path = notebook.value("__import__('os').environ['PATH']").partition(":")[2]
    notebook.run(f"import os\nos.environ.update(PATH={path!r}, CONDA_EXE={str(conda / 'bin/conda')!r})")
    variables["CONDA_EXE"] = None
    notebook.remote("import sys\nprefix = sys.prefix", "--conda 'my env'")

    assert notebook.value("prefix") == str(conda / "envs/my env")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nosuch", "conda activate nosuch failed"),
        ("empty", "the conda environment empty has no Python"),
        ("$(touch pwned)", "conda activate $(touch pwned) failed"),
    ],
)
def test_a_conda_environment_that_cant_be_used_is_named(
    notebook: Notebook, target: str, conda: Path, name: str, words: str
) -> None:
    error = refused(notebook, "a = 1", f"--conda '{name}'")

    assert words in error.traceback
    assert not list(notebook.folder.rglob("pwned"))


def test_a_node_without_conda_says_so(notebook: Notebook, target: str) -> None:
    error = refused(notebook, "a = 1", "--conda any")

    assert "no conda on PATH" in error.traceback
    assert "--python DIR/bin/python" in error.shown
