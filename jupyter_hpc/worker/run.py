"""The worker: check the manifest, load the payload, run the cell, write the result.

Started as ``python -c "…; from jupyter_hpc_worker.run import main; main()" RUN_DIRECTORY``, so that ``__main__``
is clean.
"""

from __future__ import annotations

import os
import sys
import time
import types

from . import container
from .events import EventWriter, LogFile
from .rich import Publisher

TYPE_CHECKING = False  # importing typing takes longer than a small cell
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

_publisher: Optional[Publisher] = None
FAILED = 1
MISMATCH = 3


def current_publisher() -> Publisher:
    """Return the publisher of the running cell."""
    if _publisher is None:
        raise RuntimeError("no cell is running here")
    return _publisher


def main() -> None:
    """Run the job of the directory named on the command line and end the process."""
    global _publisher
    directory = sys.argv[1]
    try:
        events = EventWriter(directory)
        manifest = container.read_manifest(os.path.join(directory, "payload"))
    except OSError as error:
        # most often: the notebook's disk is not this node's
        sys.stderr.write(f"jupyter_hpc: {os.uname().nodename} can't read {directory}: {error}\n")
        sys.exit(MISMATCH)
    log = LogFile(directory, events)
    _publisher = Publisher(log)
    status = _Worker(directory, manifest, events, log).run()
    log.flush()
    _leave(status)


def _leave(status: int) -> None:
    """End now: exit handlers run, but a forgotten thread can't keep the allocation."""
    import atexit

    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status)


class _Worker:
    def __init__(self, directory: str, manifest: Dict[str, Any], events: EventWriter, log: LogFile) -> None:
        self.directory = directory
        self.manifest = manifest
        self.cell: Dict[str, Any] = manifest["cell"]
        self.events = events
        self.log = log
        self.publisher = current_publisher()
        self.labels: Dict[str, str] = {}
        self.module = types.ModuleType("__main__")
        self.namespace = self.module.__dict__
        self.originals: Dict[str, Any] = {}

    def run(self) -> int:
        started = time.monotonic()
        self.events.write("started", **_where())
        problem = self._mismatch()
        if problem:
            self.events.write("mismatch", message=problem[0], hint=problem[1])
            return MISMATCH
        self._prepare_process()
        try:
            if self.cell["workdir"]:
                os.chdir(self.cell["workdir"])
            buffers = self._load()
        except BaseException as failure:
            self._load_failed(failure)
            return MISMATCH
        fingerprints = self._fingerprints(buffers)
        self.events.write("loaded", seconds=round(time.monotonic() - started, 4))
        value, error = self._execute()
        return self._finish(value, error, fingerprints)

    # -- before the cell -------------------------------------------------------------------------

    def _mismatch(self) -> Optional[Tuple[str, str]]:
        sent, here = self.manifest, sys.version_info
        minor = tuple(sent["python"][:2])
        if sent["has_code"] and (minor != here[:2] or sent["implementation"] != container.implementation()):
            return (
                f"The notebook runs Python {minor[0]}.{minor[1]}, {os.uname().nodename} has Python "
                f"{here[0]}.{here[1]} ({sys.executable}): functions and classes can't travel between them.",
                f"Choose a Python {minor[0]}.{minor[1]} there with --python, --venv, --conda or --module.",
            )
        if sent.get("numpy"):
            from .versions import installed_version

            found = installed_version("numpy")
            if found is None or found.split(".")[0] != sent["numpy"].split(".")[0]:
                have = f"numpy {found}" if found else "no numpy"
                return (
                    f"The notebook uses numpy {sent['numpy']}, {sys.executable} on "
                    f"{os.uname().nodename} has {have}: arrays can't travel between them.",
                    "Install the same numpy there, or choose another Python with --python or --venv.",
                )
        return None

    def _prepare_process(self) -> None:
        import faulthandler

        from . import cell as running
        from . import ipython, monitor

        faulthandler.enable(file=2, all_threads=False)
        sys.stdout, sys.stderr = self.log.streams["stdout"], self.log.streams["stderr"]
        monitor.report_signals(self.events, running.Stopped)
        self.monitor = monitor.Monitor(self.events, self.log)
        self.monitor.start()
        sys.modules["__main__"] = self.module
        self.namespace["__builtins__"] = __builtins__
        self.namespace["__name__"] = "__main__"
        sys.argv = [""]
        for path in reversed(self.cell["module_paths"]):
            sys.path.insert(0, path)
        import builtins

        builtins.display = self.publisher.display  # type: ignore[attr-defined]
        running.install_exit_guard()
        package = __name__.rpartition(".")[0]
        os.environ["MPLBACKEND"] = f"module://{package}.matplotlib_backend"
        ipython.install(self.publisher, self.namespace)
        running.serve_linecache(ipython.AfterImport)
        for filename, source in self.cell["sources"].items():
            self.labels[filename] = source["label"]
            running.remember_source(filename, source["text"])

    def _load(self) -> List[Any]:
        if not self.manifest["names"]:
            return []
        directory = os.path.join(self.directory, "payload")
        buffers = container.load_buffers(directory, self.manifest)
        with open(os.path.join(directory, container.PICKLE), "rb") as file:
            unpickler = self._unpickler(file, iter(buffers))
            for record in self.manifest["names"]:
                value = unpickler.load()
                self.namespace[record["name"]] = self.originals[record["name"]] = value
        for name in self.cell["reached"]:  # globals that a function brought along
            if name in self.namespace:
                self.originals.setdefault(name, self.namespace[name])
        return buffers

    def _unpickler(self, file: Any, buffers: Any) -> Any:
        if self.manifest["has_code"]:
            from .pickling import ValueUnpickler

            return ValueUnpickler(file, buffers=buffers)
        import pickle  # plain data: don't pay for importing cloudpickle

        return pickle.Unpickler(file, buffers=buffers)

    def _load_failed(self, error: BaseException) -> None:
        import traceback

        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self.log.write("stderr", text.encode("utf-8", "backslashreplace"))
        hint = "Compare the environments: `%hpc doctor` here, and the worker's log."
        if isinstance(error, ModuleNotFoundError):
            hint = f"Install {error.name} for {sys.executable}, or choose another Python with --python or --venv."
        message = (
            f"{os.uname().nodename} could not load what the cell needs: {type(error).__name__}: {error}."
        )
        self.events.write("mismatch", message=message, hint=hint)

    def _fingerprints(self, buffers: List[Any]) -> Any:
        names = [n for n in self.cell["may_mutate"] if n in self.originals]
        if not names:
            return None
        from .mutation import Fingerprints

        found = Fingerprints(self._plain_pickler, buffers)
        found.take(names, self.originals)
        return found

    def _plain_pickler(self, file: Any, **options: Any) -> Any:
        from .pickling import ValuePickler

        return ValuePickler(file, namespace=self.namespace, **options)

    # -- the cell --------------------------------------------------------------------------------

    def _execute(self) -> Tuple[Any, Optional[BaseException]]:
        from . import cell as running

        value: Any = None
        error: Optional[BaseException] = None
        try:
            if self.cell["kind"] == "script":
                running.run_script(self.cell["text"], self.directory)
            elif self.cell["kind"] == "call":
                value = running.run_call(self.cell["call"], self.namespace)
            else:
                if self.cell["ipython"]:
                    from . import ipython

                    ipython.shell()
                label = self.cell["label"]
                self.labels[label] = label
                show = self.cell["show_value"]
                value = running.run_code(self.cell["code"], self.namespace, show_value=show, label=label)
                self.publisher.value(value)
            self.publisher.flush_figures()
        except BaseException as raised:
            error = raised
            self._figures_of_failed_cell()
        return value, error

    def _figures_of_failed_cell(self) -> None:
        try:
            self.publisher.flush_figures()
        except Exception:  # the cell's own error is the one to report
            pass

    # -- after the cell --------------------------------------------------------------------------

    def _finish(self, value: Any, error: Optional[BaseException], fingerprints: Any) -> int:
        from . import monitor
        from .outcome import Outcome

        monitor.ignore_signals()
        self.log.flush()
        self.events.write("saving")
        outcome = Outcome(self)
        record = outcome.write(value, error, fingerprints)
        self.monitor.stop()
        self.events.write("done", use=self.monitor.summary(), **record)
        if error is None:
            return 0
        code = getattr(error, "code", FAILED) if isinstance(error, SystemExit) else FAILED
        return code if isinstance(code, int) and 0 <= code < 256 else FAILED


def _where() -> Dict[str, Any]:
    keys = ("SLURM_JOB_ID", "SLURM_JOB_NODELIST", "SLURM_RESTART_COUNT", "CUDA_VISIBLE_DEVICES")
    return {
        "host": os.uname().nodename,
        "node": os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
        "pid": os.getpid(),
        "python": list(sys.version_info[:3]),
        "executable": sys.executable,
        "platform": sys.platform,
        "environment": {k: os.environ[k] for k in keys if k in os.environ},
    }
