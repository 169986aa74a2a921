"""Run one cell's code in ``__main__`` as the kernel would: body, then the last expression's value."""

from __future__ import annotations

import os
import sys
from _ast import Expr, Expression, PyCF_ALLOW_TOP_LEVEL_AWAIT, PyCF_ONLY_AST  # as ast has them

TYPE_CHECKING = False  # a start without asyncio, inspect, subprocess and typing is twice as fast
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

_sources: Dict[str, Any] = {}
_loops: List[Any] = []  # of the cell, at most one
_BODIES = ("<timed exec>", "<timed eval>", "<magic-timeit>")  # as IPython calls what its magics run
_FUTURE = 0x1FE0000  # the bits of __future__'s features in code flags
_ASYNC = "async"  # in the text of all that may use a loop
_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE


class Stopped(BaseException):
    """Raised in the cell when the scheduler asks the job to end; ``signal`` is its number."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal

    def __str__(self) -> str:
        import signal

        return f"{signal.Signals(self.signal).name} asked the job to end"


Stopped.__module__ = "builtins"  # a traceback names it without our own modules


def run_code(code: str, namespace: Dict[str, Any], *, show_value: bool, filename: str, flags: int = 0) -> Any:
    """Execute the transformed text of a cell and return the value to show (or None).

    Parameters
    ----------
    flags : int
        Compiler flags of the notebook's own ``from __future__`` lines; those of this module stay its own.
    """
    remember_source(filename, code)
    tree: Any = compile(code, filename, "exec", PyCF_ONLY_AST | flags, dont_inherit=True)
    flags |= PyCF_ALLOW_TOP_LEVEL_AWAIT
    last: Optional[Expr] = None
    if tree.body and isinstance(tree.body[-1], Expr) and show_value:
        last = tree.body.pop()
    if any(_ASYNC in line for _, _, lines, _ in _sources.values() for line in lines):
        _loop()
    body = compile(tree, filename, "exec", flags, dont_inherit=True)
    _evaluate(body, namespace)
    if last is None:
        return None
    expression: Any = Expression(last.value)
    flags |= body.co_flags & _FUTURE  # of the cell's own `from __future__`
    return _evaluate(compile(expression, filename, "eval", flags, dont_inherit=True), namespace)


def _evaluate(code: Any, namespace: Dict[str, Any]) -> Any:
    value = eval(code, namespace)
    return _loop().run_until_complete(value) if code.co_flags & _CO_COROUTINE else value


def _loop() -> Any:
    """Return the cell's event loop, made for the first who needs it."""
    if not _loops:
        from . import asynchronous

        _loops.append(asynchronous.begin())
    return _loops[0]


def current_loop() -> Any:
    """Return the cell's event loop, or None where it has none."""
    return _loops[0] if _loops else None


def close_loop() -> None:
    """End the cell's event loop, if it has one."""
    if _loops:
        from . import asynchronous

        asynchronous.close(_loops.pop())


def run_call(call: Dict[str, str], namespace: Dict[str, Any]) -> Any:
    """Call a submitted function; a coroutine is awaited."""
    function, args, kwargs = (namespace.pop(call[part]) for part in ("function", "args", "kwargs"))
    value = function(*args, **kwargs)
    import inspect

    if not inspect.isawaitable(value):
        return value
    import asyncio

    return asyncio.run(_awaited(value))


async def _awaited(value: Any) -> Any:
    return await value


def run_script(text: str, directory: str) -> None:
    """Run a cell that starts with ``#!`` as that script.

    Raises
    ------
    subprocess.CalledProcessError
        If it ends with another status than 0.
    """
    import shlex
    import subprocess

    path = os.path.join(directory, "script")
    with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o700)) as file:
        file.write(text)
    interpreter = shlex.split(text.splitlines()[0][2:])
    if not interpreter:
        raise ValueError("the cell starts with #! but names no interpreter, as in #!/bin/bash")
    subprocess.run([*interpreter, path], check=True, stdin=subprocess.DEVNULL)


def remember_source(filename: str, text: str) -> None:
    """Let tracebacks and ``inspect.getsource`` find the source of code that has no file."""
    _sources[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    linecache = sys.modules.get("linecache")
    if linecache is not None:
        linecache.cache.update(_sources)


def remember_body(cell: Dict[str, Any], labels: Dict[str, str]) -> None:
    """Let what ``%%time`` and its like run show the notebook's lines, which its line numbers are."""
    lines = cell["text"].split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("%%")), 0)
    above = cell.get("lines_above", 0) + start
    if start:
        for name in _BODIES:
            remember_source(name, "\n" * above + "\n".join(lines[start:]) + "\n")
            labels[name] = cell["label"]


def serve_linecache(after_import: Any) -> None:
    """Give linecache the sources that were remembered; it is imported only when somebody needs it."""
    if "linecache" not in sys.modules:
        sys.meta_path.insert(0, after_import("linecache", lambda module: module.cache.update(_sources)))


def format_traceback(error: BaseException, labels: Dict[str, str]) -> str:
    """Format a traceback as Python does, without this package's frames and with cells named as such."""
    import traceback

    shown = traceback.TracebackException(type(error), error, error.__traceback__, capture_locals=False)
    ours = _own_folders()
    seen = set()
    pending: List[Any] = [shown]
    while pending:
        part = pending.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        kept = _without_way([f for f in part.stack if not _is_between(f.filename, ours)])
        for frame in kept:
            line = frame.line  # read the source under its real name before renaming
            if line or frame.filename not in _BODIES:  # a line magic's code has a number of its own
                frame.filename = labels.get(frame.filename, frame.filename)
        part.stack[:] = kept
        if hasattr(part, "filename"):  # of a syntax error; to ask for its type is deprecated, and may be an error
            part.filename = labels.get(part.filename, part.filename)
        pending += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]
    return "".join(shown.format())


def format_inner(error: BaseException, label: str) -> str:
    """Format what a magic's body raised where IPython ran that as a cell of its own."""
    trace = error.__traceback__
    while trace is not None and not _is_inner(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    inner = error.with_traceback(trace or error.__traceback__)
    names = []
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    return format_traceback(inner, {name: label for name in (*names, *_filename(error)) if _is_inner(name)})


def _is_inner(filename: str) -> bool:
    return filename.startswith("<ipython-input-") or "ipykernel_" in filename


def _filename(error: BaseException) -> List[str]:
    return [error.filename] if isinstance(error, SyntaxError) and error.filename else []


def _without_way(frames: List[Any]) -> List[Any]:
    """Leave out how IPython came from a magic to the code that this runs; where that is the cell's, the magic, too."""
    first = next((i for i, f in enumerate(frames) if "get_ipython().run_" in (f.line or "")), len(frames))
    body = next((i for i in range(first, len(frames)) if frames[i].filename in _BODIES), None)
    if body is None:
        return frames
    return [*frames[: first if frames[body].line else first + 1], *frames[body:]]


def _own_folders() -> Tuple[str, ...]:
    """Return the folders of this package, and of the whole one where the cell imported that, as frames name them."""
    # bytecode that was shipped names the folder in which it was compiled
    files = [format_traceback.__code__.co_filename]
    whole = getattr(sys.modules.get("jupyter_hpc"), "__file__", None)
    files += [whole] if whole else []
    return tuple(os.path.join(os.path.dirname(os.path.abspath(file)), "") for file in files)


def _is_between(filename: str, ours: Tuple[str, ...]) -> bool:
    """Whether a frame is this package's, or the import system's, which Python leaves out where nobody is in between."""
    return filename.startswith("<frozen importlib") or os.path.abspath(filename).startswith(ours)


def install_exit_guard() -> None:
    """``exit()`` and ``quit()`` in a cell raise SystemExit, also where site didn't define them."""
    import builtins

    for name in ("exit", "quit"):
        if not hasattr(builtins, name):
            setattr(builtins, name, sys.exit)
