"""A notebook without a front end: a real kernel, and what a front end would get from it."""

from __future__ import annotations

import ast
import html
import os
import queue
import re
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

TIMEOUT_S = 180.0
_OUTPUTS = {"stream", "display_data", "update_display_data", "execute_result", "clear_output", "error"}
_CLEAN = """
def clean(root, folder):
    import gc, importlib, linecache, os, sys
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(root):
            del sys.modules[name]
    sys.path[:] = [p for p in sys.path if not p.startswith(root)]
    os.chdir(folder)
    importlib.invalidate_caches()
    get_ipython().compile.reset_compiler_flags()  # `from __future__ import …` holds for all cells after
    linecache.checkcache()
    gc.freeze()  # else each %reset looks for cycles in all that was ever imported
clean({root!r}, {folder!r})
del clean
"""


@dataclass(frozen=True)
class Error:
    """The error with which a cell ended, as the front end gets it."""

    name: str
    value: str
    traceback: str
    shown: str = ""  # all that stands in the cell's output, the card above it too


@dataclass
class Executed:
    """What one cell gave."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    error: Error | None = None

    def data(self, mime: str) -> list[Any]:
        """Every value of one MIME type that was shown, updates included, in order."""
        return [o["data"][mime] for o in self.outputs if mime in o.get("data", {})]

    @property
    def result(self) -> dict[str, Any] | None:
        """What stands after ``Out[n]:``."""
        return next((o["data"] for o in self.outputs if o["type"] == "execute_result"), None)

    @property
    def stdout(self) -> str:
        return "".join(o["text"] for o in self.outputs if o.get("name") == "stdout")

    @property
    def stderr(self) -> str:
        return "".join(o["text"] for o in self.outputs if o.get("name") == "stderr")

    @property
    def text(self) -> str:
        """All that a person could read: streams, the cards' HTML without its tags, and the error."""
        parts = [self.stdout, self.stderr, *map(str, self.data("text/plain"))]
        parts += [html.unescape(re.sub(r"<[^>]*>", "", x)) for x in self.data("text/html")]
        return "\n".join([*parts, self.error.traceback if self.error else ""])


class Notebook:
    """A kernel for one target, shared by many tests.

    Parameters
    ----------
    target : str
        Where ``remote`` cells run.
    environment : dict
        The kernel's whole environment.
    directory : Path
        A short path; the sockets and each test's own folder lie there.
    around : sequence of str
        Words before the kernel's command that make it another user's, who must own the directory.
    """

    def __init__(self, target: str, environment: dict[str, str], directory: Path, around: Sequence[str] = ()) -> None:
        self.target = target
        self.magic = f"%%{target}" if target in ("local", "slurm", "k8s") else f"%%hpc --on {target}"
        self.directory = directory
        self.folder = directory
        self._environment = environment
        self._around = list(around)
        self._starts = 0
        self._tests = 0
        self.start()

    # -- its life --------------------------------------------------------------------------------

    def start(self) -> None:
        self._starts += 1
        connection = self.directory / f"k{self._starts}"
        self.manager = KernelManager(
            transport="ipc", ip=str(connection), connection_file=f"{connection}.json", kernel_name="python3"
        )
        kernel_spec = self.manager.kernel_spec
        assert kernel_spec is not None
        argv = kernel_spec.argv  # an installed spec says "python" and means ours
        argv[:] = [*self._around, sys.executable, *argv[1:]]
        self.manager.write_connection_file()
        self._give(Path(f"{connection}.json"))
        self.manager.start_kernel(env=self._environment, cwd=str(self.directory))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_S)
        self.run("%load_ext jupyter_hpc")

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
        self.manager.context.destroy()

    def restart(self) -> None:
        """A new kernel, as after Kernel → Restart."""
        self.stop()
        self.start()

    def reset(self) -> None:
        """Give the next test an empty namespace in an empty folder of its own."""
        if not self.manager.is_alive():
            self.restart()
        self._tests += 1
        self.folder = self.directory / f"t{self._tests}"
        self.folder.mkdir()
        self._give(self.folder)
        self.run("%reset -f")
        self.run(_CLEAN.format(root=str(self.directory), folder=str(self.folder)))

    # -- cells -----------------------------------------------------------------------------------

    def run(self, code: str, *, fails: bool | None = False) -> Executed:
        """Run a cell in the kernel; it must end well, or badly if ``fails``; None: it may end either way."""
        return self.finish(self.begin(code), fails=fails)

    def remote(self, body: str, options: str = "", *, fails: bool | None = False) -> Executed:
        """Run a cell on the target."""
        return self.run(self.cell(body, options), fails=fails)

    def cell(self, body: str, options: str = "") -> str:
        return f"{self.magic} {options}".rstrip() + "\n" + textwrap.dedent(body).strip("\n") + "\n"

    def begin(self, code: str, cell_id: str = "") -> str:
        """Send a cell, a new one if it has no id, as a notebook's page does; return at once."""
        content = {
            "code": textwrap.dedent(code).strip("\n"),
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        metadata = {"cellId": cell_id or str(uuid.uuid4())}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def finish(self, request: str, *, fails: bool | None = False) -> Executed:
        """Wait for a cell that was begun; ``fails=None``: it may end either way."""
        executed = Executed()
        self._until(request, executed, _is_idle)
        reply = self._reply(request)
        if reply["status"] == "error" and executed.error is None:  # IPython prints some errors as text only
            executed.error = Error(reply["ename"], reply["evalue"], executed.text)
        if executed.error is not None:
            executed.error = replace(executed.error, shown=executed.text)
        if executed.error is not None and fails is False:
            raise AssertionError(f"the cell failed:\n{executed.error.traceback}\n{executed.text}")
        if fails and executed.error is None:
            raise AssertionError(f"the cell should have failed, and gave:\n{executed.text}")
        return executed

    def wait_for(self, request: str, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Read a running cell's messages until one meets the condition."""
        self._until(request, Executed(), condition)

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()

    def was_aborted(self, request: str) -> bool:
        """Tell whether the kernel dropped a cell because one before it failed."""
        return bool(self._reply(request)["status"] == "aborted")

    def _until(self, request: str, executed: Executed, condition: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                assert self.manager.is_alive(), "the kernel died"
                assert time.monotonic() < deadline, f"nothing came in time; so far:\n{executed.text}"
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            _apply(message, executed)
            if condition(message):
                return

    def _reply(self, request: str) -> dict[str, Any]:
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT_S)
            if reply["parent_header"].get("msg_id") == request:
                return dict(reply["content"])

    # -- what is in the kernel -------------------------------------------------------------------

    def value(self, expression: str) -> Any:
        """Evaluate an expression in the kernel's namespace; its repr must be a literal."""
        request = self.client.execute("", store_history=False, user_expressions={"value": f"repr({expression})"})
        found = self._reply(request)["user_expressions"]["value"]
        if found["status"] != "ok":
            raise AssertionError(f"{expression}: {found['ename']}: {found['evalue']}")
        text = ast.literal_eval(found["data"]["text/plain"])
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            raise AssertionError(f"{expression} is {text}, which is no literal") from None

    def raised(self, expression: str) -> Any:
        """Evaluate an expression of ``error``, the exception with which the last cell ended."""
        return self.value(f"(lambda error: {expression})(__import__('sys').last_value)")

    def has(self, name: str) -> bool:
        return bool(self.value(f"{name!r} in globals()"))

    def shown(self) -> list[tuple[str, str]]:
        """What the last job showed, in order: (kind, text or text/plain)."""
        return list(self.value("[(o.kind, o.text or o.data.get('text/plain', '')) for o in _hpc.outputs()]"))

    @property
    def backend(self) -> str:
        """The name of the target's backend."""
        targets = "__import__('jupyter_hpc.targets.targets').targets.targets"
        return str(self.value(f"{targets}.target({self.target!r}).backend"))

    def jobs(self) -> int:
        """How many runs there are."""
        return int(self.value("len(__import__('jupyter_hpc.rundir.store').rundir.store.store().runs())"))

    def write(self, name: str, text: str) -> Path:
        """Write a file beside the notebook."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        self._give(path)
        return path

    def _give(self, path: Path) -> None:
        """Make a file of this process the user's for whom the kernel runs."""
        owner = self.directory.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _is_idle(message: dict[str, Any]) -> bool:
    return bool(message["msg_type"] == "status" and message["content"]["execution_state"] == "idle")


def _apply(message: dict[str, Any], executed: Executed) -> None:
    kind, content = message["msg_type"], message["content"]
    if kind == "error":
        text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content["traceback"]))
        executed.error = Error(content["ename"], content["evalue"], text)
    elif kind in _OUTPUTS:
        executed.outputs.append({"type": kind, **content})
