"""The worker: check the manifest, load the payload, run the cell, write the result.

Started as ``python -c "…; from jupyter_hpc_worker.main import main; main()" RUN_DIRECTORY``, so that ``__main__``
is clean.
"""

from __future__ import annotations

import os
import sys
import time
import types

from . import allocation, container, current, hardware, recording, versions
from .apart import apart
from .circumstances import remember_oom_kills
from .continuation import numbered_there
from .events import EventWriter, LogFile
from .points import Points
from .rich import Publisher
from .signing import Signer

TYPE_CHECKING = False  # importing typing takes longer than a small cell
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from .changes import Watch
    from .files import Files
    from .surroundings import Surroundings

MISMATCH = 3


def main() -> None:
    """Run the job of the directory named on the command line and end the process."""
    directory = sys.argv[1]
    try:
        events = EventWriter(directory)
        manifest = container.read_manifest(os.path.join(directory, "payload"))
    except OSError as error:
        # most often: the notebook's disk is not this node's
        sys.stderr.write(f"jupyter_hpc: {os.uname().nodename} can't read {directory}: {error}\n")
        sys.exit(MISMATCH)
    log = LogFile(directory, events)
    worker = _Worker(directory, manifest, events, log, Publisher(log))
    current.begin(worker.publisher, worker.files, worker.points)
    status = worker.run()
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
    def __init__(
        self,
        directory: str,
        manifest: Dict[str, Any],
        events: EventWriter,
        log: LogFile,
        publisher: Publisher,
    ) -> None:
        self.directory = directory
        self.manifest = manifest
        self.cell: Dict[str, Any] = manifest["cell"]
        self.events = events
        self.log = log
        self.publisher = publisher
        self.signer = Signer(directory)
        self.points = Points(events, self.cell.get("metrics") or "on", log)
        self.labels: Dict[str, str] = {}
        self.module = types.ModuleType("__main__")
        self.namespace = self.module.__dict__
        self.originals: Dict[str, Any] = {}  # the values that were sent, by name
        self.short = False  # not all of the names could be loaded
        self.objects: List[Any] = []  # everything in them, by its number in the stream
        self.loading = "what the cell needs"
        self.drift: List[Dict[str, Optional[str]]] = []
        self.began = time.time()
        self._files: Optional[Files] = None

    def run(self) -> int:
        started = time.monotonic()
        self.events.write("started", **_where())
        remember_oom_kills()
        problem = self._mismatch()
        if problem:
            self.events.write("mismatch", message=problem[0], hint=problem[1])
            return MISMATCH
        self._prepare_process()
        if not self._enter_workdir():
            return MISMATCH
        self.surroundings = self._surroundings()
        try:
            buffers = self._load()
        except BaseException as failure:
            self._load_failed(failure)
            return MISMATCH
        watch = apart("what the cell changes in place", self._watch, buffers)
        self.surroundings.begin()
        seconds = round(time.monotonic() - started, 4)
        self.events.write("loaded", seconds=seconds, **self.surroundings.facts)
        self.began = time.time()
        if self.cell.get("reads"):
            self.files().begin(self.cell["reads"])
        recording.begin(self.directory)
        value, error = self._execute()
        recording.end()
        from .saving import finish

        return finish(self, value, error, watch)

    # -- before the cell -------------------------------------------------------------------------

    def _mismatch(self) -> Optional[Tuple[str, str]]:
        """Return what makes the job certain to fail here, and what to do; note what else differs."""
        sent, here = self.manifest, sys.version_info
        node = os.uname().nodename
        minor = tuple(sent["python"][:2])
        if sent["has_code"] and (minor != here[:2] or sent["implementation"] != container.implementation()):
            kernel = f"{sent['implementation']} {minor[0]}.{minor[1]}".replace("CPython", "Python")
            own = f"{container.implementation()} {here[0]}.{here[1]}".replace("CPython", "Python")
            return (
                f"The notebook runs {kernel}, {node} has {own} ({sys.executable}): "
                "functions and classes can't travel between them.",
                f"Choose a {kernel} there with --python, --venv, --conda or --module; "
                "--requirements auto builds an environment with it.",
            )
        if sys.executable == sent["executable"] and versions.site_folders() == sent["environment"]["site"]:
            return None  # the kernel's own: nothing can differ
        packages = versions.installed()
        self.drift = versions.drift(sent, packages)
        self.events.write(
            "environment",
            drift=self.drift,
            executable=sys.executable,
            implementation=container.implementation(),
            packages=packages,
            direct=versions.direct(),
        )
        return versions.problem(self.drift, f"{sys.executable} on {node}")

    def _prepare_process(self) -> None:
        import faulthandler

        from . import areas, ipython, local_modules, monitor, questions
        from . import cell as running

        faulthandler.enable(file=2, all_threads=False)
        sys.stdout, sys.stderr = self.log.streams["stdout"], self.log.streams["stderr"]
        monitor.report_signals(self.events)
        self.monitor = monitor.Monitor(self.events, self.log, self.points)
        self.monitor.start()
        sys.modules["__main__"] = self.module
        self.namespace["__builtins__"] = __builtins__
        self.namespace["__name__"] = "__main__"
        sys.argv = [""]
        self.modules = local_modules.install(self.cell, recording.is_written)
        import builtins

        builtins.display = self.publisher.display  # type: ignore[attr-defined]
        running.install_exit_guard()
        questions.refuse(ipython.AfterImport)
        package = __name__.rpartition(".")[0]
        os.environ["MPLBACKEND"] = f"module://{package}.matplotlib_backend"
        ipython.install(self.publisher, self.namespace)
        areas.install()
        running.serve_linecache(ipython.AfterImport)
        sys.meta_path.append(_StandIn())
        for filename, source in self.cell["sources"].items():
            self.labels[filename] = source["label"]
            running.remember_source(filename, source["text"])

    def _enter_workdir(self) -> bool:
        workdir = os.environ.pop("JUPYTER_HPC_WORKDIR", None) or self.cell["workdir"]  # a pod has its own
        try:
            if workdir:
                os.chdir(workdir)
        except OSError as error:
            self.events.write("mismatch", kind="workdir", message=f"{type(error).__name__}: {error}")
            return False
        return True

    def _surroundings(self) -> Surroundings:
        """The kernel's settings, as far as they matter for loading; the cell's publisher has the shell's own."""
        from .surroundings import Surroundings

        self.publisher.shell_options = self.cell.get("shell") or {}
        found = Surroundings(self.cell.get("settings") or {}, follow=self.cell["kind"] == "cell")
        found.prepare()
        return found

    def _load(self) -> List[Any]:
        if not self.manifest["names"]:
            return []
        directory = os.path.join(self.directory, "payload")
        buffers = container.load_buffers(directory, self.manifest)
        before = set(self.namespace)
        with open(os.path.join(directory, container.PICKLE), "rb") as file:
            unpickler = self._unpickler(file, iter(buffers))
            for record in self.manifest["names"]:
                self.loading = record["name"]
                try:
                    self.namespace[self.loading] = unpickler.load()
                except Exception:
                    self.short = self.loading in (self.cell.get("unseen") or ())
                    if self.short:  # it only may be needed, as all that follows
                        break
                    raise
        self.objects = numbered_there(unpickler.memo.copy())
        unpickler.memo = {}  # what it loaded may hold it
        self.originals = {k: v for k, v in self.namespace.items() if k not in before}
        return buffers

    def _unpickler(self, file: Any, buffers: Any) -> Any:
        if self.manifest["has_code"] or self.manifest.get("rebuilds"):
            from .pickling import ValueUnpickler

            return ValueUnpickler(file, buffers=buffers)
        import pickle  # plain data: don't pay for importing cloudpickle

        return pickle.Unpickler(file, buffers=buffers)

    def _load_failed(self, error: BaseException) -> None:
        import traceback

        from .circumstances import describe, text_of

        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self.log.write("stderr", text.encode("utf-8", "backslashreplace"))
        hint = "; ".join(map(versions.words, self.drift)) or "The log has the traceback."
        if isinstance(error, ModuleNotFoundError):
            hint = f"Install {error.name} for {sys.executable}, or choose another Python with --python or --venv."
        message = f"{os.uname().nodename} could not load {self.loading}: {type(error).__name__}: {text_of(error)}."

        self.events.write("mismatch", message=message, hint=hint, **describe(error, self.directory))

    def _watch(self, buffers: List[Any]) -> Optional[Watch]:
        """Take what the cell may change; a call's arguments are copies, as in any executor."""
        if not self.objects or not self.cell.get("changes"):
            return None
        from .changes import Watch

        watch = Watch(self.objects, buffers, self._plain_pickler)
        watch.take(skipped=(self.namespace,))
        return watch

    def _plain_pickler(self, file: Any, **options: Any) -> Any:
        from .pickling import ValuePickler

        return ValuePickler(file, namespace=self.namespace, **options)

    # -- the cell --------------------------------------------------------------------------------

    def _execute(self) -> Tuple[Any, Optional[BaseException]]:
        """Run the cell; return the last line's value, and what the cell raised or a signal as it ended."""
        from . import cell as running
        from .monitor import ignore_signals, raise_signals

        try:
            raise_signals(running.Stopped)
            value, error = self._run()
            ignore_signals()
        except BaseException as late:  # raised between the cell and here: what the cell made is saved all the same
            ignore_signals()
            value, error = None, late
        return value, error

    def _run(self) -> Tuple[Any, Optional[BaseException]]:
        from . import cell as running
        from .loose_ends import LooseEnds

        value: Any = None
        error: Optional[BaseException] = None
        ends = LooseEnds(self.log, self.labels)
        try:
            value = self._run_code()
            ends.end_if_child(None)
            if self.cell["kind"] == "cell":
                self.publisher.value(value)
            self.publisher.flush_figures()
        except BaseException as raised:
            ends.end_if_child(raised)
            error = raised
            self._after_failure(raised)
        try:
            if error is None or isinstance(error, Exception):
                ends.wait(running.current_loop())
            running.close_loop()
        except BaseException as raised:  # it was cancelled meanwhile
            ends.end_if_child(raised)
            error = error or raised
        return value, error

    def _run_code(self) -> Any:
        from . import cell as running

        if self.cell["kind"] == "script":
            return running.run_script(self.cell["text"], self.directory)
        if self.cell["kind"] == "call":
            return running.run_call(self.cell["call"], self.namespace)
        if self.cell["ipython"]:
            from . import ipython, own_magics

            own_magics.register(ipython.shell(), self.cell, self.namespace)
        filename = self.cell.get("filename") or self.cell["label"]
        self.labels[filename] = self.cell["label"]
        if self.cell["ipython"]:
            running.remember_body(self.cell, self.labels)
        return running.run_code(
            self.cell["code"],
            self.namespace,
            show_value=self.cell["show_value"],
            filename=filename,
            flags=self.cell.get("future_flags", 0),
        )

    def _after_failure(self, raised: BaseException) -> None:
        try:
            words = self.modules.lost(raised)
            if words:
                self.log.flush()
                self.log.write("stderr", words.encode("utf-8", "backslashreplace"))
            self.publisher.flush_figures()
        except Exception:  # the cell's own error is the one to report
            pass

    def files(self) -> Files:
        """Return what records the cell's files; most cells declare none."""
        if self._files is None:
            from .files import Files

            self._files = Files(lambda **record: self.events.write("file", **record), self.began)
        return self._files


class _StandIn:
    """A finder, asked last: where the package isn't installed, ``import jupyter_hpc`` gives what a cell can use."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != "jupyter_hpc":
            return None
        import importlib.machinery

        return importlib.machinery.ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        from .files import artifact
        from .points import log

        module.artifact, module.log = artifact, log
        module.__doc__ = "What of jupyter_hpc a cell can use on a node that has it not installed."


def _where() -> Dict[str, Any]:
    given = allocation.described(os.environ)
    limit = allocation.container_memory() if "JUPYTER_HPC_NODE" in os.environ else None  # in a pod
    if limit:
        given["memory_limit"] = limit
    return {
        "host": os.uname().nodename,
        "node": os.environ.get("SLURMD_NODENAME") or os.environ.get("JUPYTER_HPC_NODE") or os.uname().nodename,
        "pid": os.getpid(),
        "python": list(sys.version_info[:3]),
        "executable": sys.executable,
        "platform": sys.platform,
        **given,
        **hardware.describe(),
    }
