"""What is imported when: nothing is timed here (benchmarks/imports.py does), only named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from pkgutil import walk_packages

import jupyter_hpc

HEAVY = {
    *("numpy", "pandas", "matplotlib", "ipywidgets", "cloudpickle", "blake3", "kubernetes", "jupyter_client"),
    *("jupyter_server", "tornado", "zmq", "ssl", "concurrent.futures", "fractions", "inotify_simple"),
}
SHELLS = {
    "IPython",
    "ipykernel",
    "ipywidgets",
    "tornado",
    "jupyter_server",
    "jupyter_client",
    "notebook",
    "zmq",
}
SHELLS_OF_OURS = ("magics", "display", "server", "testing")
AT_THE_NODE = {"worker.ipython", "worker.rich"}


def core() -> list[str]:
    """All modules but those that talk to Jupyter, here or at the node."""
    return sorted(
        name
        for name in (m.name.partition(".")[2] for m in walk_packages(jupyter_hpc.__path__, "jupyter_hpc."))
        if not name.startswith(SHELLS_OF_OURS) and name not in AT_THE_NODE
    )


EXTENSION = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "jupyter_hpc")
assert "slurm" in shell.magics_manager.magics["cell"]
"""
STARTED = (
    "main",
    "cell",
    "ipython",
    "loose_ends",
    "monitor",
    "result_writer",
    "settings_table",
    "surroundings",
    "process_settings",
)


def imported(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after ``code``, without those of ``before``."""
    tail = "import json\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    command = [sys.executable, "-c", f"import sys\nbefore = set(sys.modules)\n{code}\n{tail}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_package_imports_nothing_heavy():
    found = imported("import jupyter_hpc")
    assert not found & (HEAVY | SHELLS | {"asyncio", "traitlets", "argparse"})
    assert {m for m in found if m.startswith("jupyter_hpc")} == {"jupyter_hpc", "jupyter_hpc._version"}


def test_loading_the_extension_adds_nothing_heavy_to_ipython():
    found = imported(EXTENSION)
    assert not found & (HEAVY | {"asyncio", "decimal", "subprocess"})
    ours = {m for m in found if m.startswith("jupyter_hpc.")}
    assert not {
        m for m in ours if m.split(".")[1] in ("backends", "display", "follow", "jobs", "runs", "submit", "targets")
    }
    assert not ours & {f"jupyter_hpc.capture.{m}" for m in ("payload", "request", "reach", "cell.analysis")}


def test_public_names_are_found_lazily():
    code = "import jupyter_hpc\nfor name in jupyter_hpc.__all__: getattr(jupyter_hpc, name)"
    assert "jupyter_hpc.jobs.submit" in imported(code)


def test_the_core_knows_no_jupyter():
    found = imported("\n".join(f"import jupyter_hpc.{name}" for name in core() if ".pyslurm.process" not in name))
    assert not {m for m in found if m.partition(".")[0] in SHELLS}
    assert not {m for m in found if m.startswith(("jupyter_hpc.magics", "jupyter_hpc.server"))}


def test_the_worker_starts_with_little(tmp_path: Path):
    """Each of these costs milliseconds, and every cell waits for them."""
    source = Path(__file__).parents[2] / "jupyter_hpc" / "worker"
    shutil.copytree(source, tmp_path / "jupyter_hpc_worker")  # as it is shipped: without jupyter_hpc around it
    names = ", ".join(f"jupyter_hpc_worker.{name}" for name in STARTED)
    found = imported(f"sys.path.insert(0, {str(tmp_path)!r})\nimport {names}")
    slow = {"asyncio", "typing", "socket", "subprocess", "ast", "inspect", "linecache", "traceback", "shutil"}
    slow |= {
        "hashlib",
        "platform",
        "cloudpickle",
        "pickle",
        "tempfile",
        "pathlib",
        "logging",
        "importlib.abc",
    }
    assert not found & slow
