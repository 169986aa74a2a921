"""What is imported when: nothing is timed here (benchmarks/imports.py does), only named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
CORE = (
    *(
        "baseline",
        "settings",
        "capture.declared",
        "capture.bindings",
        "capture.cell",
        "capture.environment",
        "capture.flow",
        "capture.git",
    ),
    *("capture.imports", "capture.modules", "capture.names", "capture.reach", "capture.requirements"),
    *("capture.scope", "payload", "backends.build"),
    *("backends.base", "backends.local", "backends.script", "backends.slurm", "backends.slurm.command"),
    *("backends.slurm.pyslurm_client", "backends.slurm.pyslurm_requests", "backends.slurm.pyslurm_process"),
    *(
        "backends.slurm.options",
        "backends.slurm.states",
        "jobs",
        "rundir",
        "store",
        "reader",
        "watcher",
        "follower",
    ),
    *("notifier", "results", "submission", "postmortem", "config", "resources", "exceptions", "process"),
    *("source_lines", "worker.asynchronous", "worker.loose_ends"),
    *("portal", "commands", "cli", "practice", "worker", "worker.cell", "worker.container"),
    *("worker.culprit", "worker.digest", "worker.events", "worker.ipython", "worker.monitor"),
    *("lineage", "lineage.blobs", "lineage.cells", "lineage.inputs", "lineage.memo", "lineage.record"),
    *("lineage.redaction", "lineage.registry", "lineage.reuse", "lineage.sources", "worker.files"),
    *(
        "worker.machine",
        "worker.changes",
        "worker.library_settings",
        "worker.logging_settings",
        "worker.module_state",
        "worker.outcome",
        "worker.pickling",
        "worker.plain_text",
        "worker.process_settings",
        "worker.rich",
        "worker.run",
        "worker.settings",
        "worker.surroundings",
        "worker.versions",
    ),
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
    "run",
    "cell",
    "ipython",
    "loose_ends",
    "monitor",
    "outcome",
    "settings",
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
    assert not found & {
        f"jupyter_hpc.{m}" for m in ("payload", "submission", "watcher", "config", "jobs", "store")
    }
    assert not {m for m in found if m.startswith(("jupyter_hpc.display", "jupyter_hpc.capture"))}


def test_public_names_are_found_lazily():
    code = "import jupyter_hpc\nfor name in jupyter_hpc.__all__: getattr(jupyter_hpc, name)"
    assert "jupyter_hpc.submission" in imported(code)


def test_the_core_knows_no_jupyter():
    found = imported("\n".join(f"import jupyter_hpc.{name}" for name in CORE))
    assert not {m for m in found if m.partition(".")[0] in SHELLS}


@pytest.mark.parametrize("name", CORE)
def test_no_core_module_leans_on_a_shell_of_ours(name: str):
    found = imported(f"import jupyter_hpc.{name}")
    assert not {m for m in found if m.startswith(("jupyter_hpc.magics", "jupyter_hpc.server"))}


def test_the_worker_starts_with_little(tmp_path: Path):
    """Each of these costs milliseconds, and every cell waits for them."""
    source = Path(__file__).parents[2] / "jupyter_hpc" / "worker"
    shutil.copytree(
        source, tmp_path / "jupyter_hpc_worker"
    )  # as it is shipped: without jupyter_hpc around it
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
