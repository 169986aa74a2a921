"""The cell magics: parse → request → submit → show → put the names into the kernel."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from dataclasses import replace
from types import MethodType
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from ..capture.cell.magics import exposed, in_place
from ..model.printable import printable
from .help import help_text
from .lines import joined, lines_above, python
from .magic_names import ANY_TARGET, choose, opening
from .parse import parse
from .shell_options import printers, shell_options
from .tokens import expand, split_line

if TYPE_CHECKING:  # the core is imported by the first cell: loading the extension stays cheap
    from ..capture.request import Request
    from ..jobs.job import Job
    from ..model.cell_arguments import CellArguments
    from ..model.spec import JobSpec
    from ..targets.target import Target

STALE_S = 0.3  # how long a cell waits at most to know whether what it was sent is stale
_HELP = help_text("%%NAME")  # the same for all of them but for the name


def bodiless(lines: list[str]) -> list[str]:
    """Give a cell that is nothing but ``%%slurm …`` a body, since IPython refuses it without one: a comment."""
    written = [line for line in lines if line.strip()]
    magic = opening(written[0]) if len(written) == 1 else None
    if magic is None or magic["sign"] != "%%" or written[0].rstrip().endswith("?"):
        return lines
    return [*(line if line.endswith("\n") else line + "\n" for line in lines), "#\n"]


@magics_class
class HPCMagics(Magics):
    """``%%slurm``, ``%%k8s``, ``%%local`` and so on, one for each target; ``%%hpc`` and ``%hpc``."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        for name in choose(_magics_of_others(shell)):
            self.magics["cell"].setdefault(name, self._cell_magic(name))

    def _cell_magic(self, target: str) -> Any:
        @no_var_expand
        def run(self: HPCMagics, line: str, cell: str) -> Job | None:
            return self._run(target, line, cell)

        run.__name__, run.__doc__ = target, _HELP.replace("%%NAME", f"%%{target}")
        return MethodType(run, self)

    @no_var_expand
    @line_cell_magic
    def hpc(self, line: str, cell: str | None = None) -> Any:
        if cell is not None:
            return self._run(None, line, cell)
        from .line import run_line

        return run_line(self.shell, expand(split_line(line), self._expand))

    def _run(self, target: str | None, line: str, cell: str) -> Job | None:
        prog = f"%%{target or ANY_TARGET}"
        line, cell = joined(line, cell)
        arguments = parse(expand(split_line(line), self._expand), prog=prog)
        if arguments.help or cell.strip() in ("", "#"):
            print(help_text(prog))  # noqa: T201 a magic's help is printed
            return None
        from ..display.shell import keep_future_imports
        from ..jobs.submit import submit_request
        from ..runtime.settings import setting
        from ..targets.targets import target as find_target

        target = arguments.on or target or str(setting("default_target"))
        spec, request = _spec(arguments, cell, find_target(target)), self._request(arguments, cell)
        if arguments.dry_run:
            from ..submission.preflight import preflight

            self._show_preflight(preflight(request, target, spec))
            return None
        job = submit_request(request, target, spec, _say, reuse=arguments.reuse)
        self.shell.user_ns["_hpc"] = job
        keep_future_imports(self.shell, request.code)
        for line in _mark_stale(job, self.shell.user_ns):
            if setting("warn_stale"):
                _say(f"! {line}")
        for line in (job.record.get("names") or ()) if arguments.quiet else ():
            _say(f"! {line}")  # else the panel says it
        if arguments.detach:
            from ..display.at_end import show_detached

            show_detached(self.shell, job)
            return job
        from ..display.attached import run_attached

        run_attached(self.shell, job, quiet=arguments.quiet, submitted=True)
        return None  # the cell's own value has been shown, and is what _ is

    def _expand(self, token: str) -> object:
        """Expand one token of the line: a value is never split again, whatever it holds."""
        single = re.fullmatch(r"\{(\w+)\}|\$(\w+)", token)
        if single:
            value = self.shell.user_ns.get(single[1] or single[2])
            if isinstance(value, (list, tuple)):
                return [str(v) for v in value]
        return self.shell.var_expand(token, depth=0)

    def _request(self, arguments: CellArguments, cell: str) -> Request:
        common: dict[str, Any] = {
            "namespace": self.shell.user_ns,
            "inputs": arguments.inputs,
            "outputs": arguments.outputs,
            "auto": arguments.auto,
            "no_outputs": arguments.no_outputs,
            "reads": arguments.reads,
            "writes": arguments.writes,
            "label": f"Cell In[{self.shell.displayhook.prompt_count}]",
            "find_label": self._label,
            "lines_above": lines_above(self.shell, cell),
            "asked": arguments.to_record(),
            "notebook": notebook_of(self.shell),
            "ipythons": self.shell.user_ns_hidden,
            "shell": shell_options(self.shell),
            "printers": printers(self.shell),
        }
        from ..capture.request import Request

        if cell.startswith("#!"):
            return Request(text=cell, code="", names=None, kind="script", **common)
        from ..capture.cell.analysis import analyze
        from ..display.shell import future_flags, lazy_annotations
        from .tracebacks import name_cell

        flags = future_flags(self.shell)
        lazy = lazy_annotations(flags)
        above = common["lines_above"]
        code, original = python(self.shell, in_place(cell, above), above), "\n" * above + cell
        try:
            names = analyze(code, original, lazy_annotations=lazy)
            if names.ipython:
                opened = analyze(python(self.shell, exposed(cell), above), original, lazy_annotations=lazy)
                names = replace(opened, ipython=names.ipython)
        except SyntaxError as error:
            name_cell(error, common["label"], original)
            raise
        filename = self.shell.compile.cache(code, self.shell.displayhook.prompt_count)
        request = Request(text=cell, code=code, names=names, filename=filename, future_flags=flags, **common)
        return self._with_magics(request) if names.ipython or "_magic" in code else request

    def _with_magics(self, request: Request) -> Request:
        """Add what the magics in the cell need."""
        from collections import ChainMap

        from ..capture.cell.magics import inside
        from .carried import carried

        found = inside(request.code, self.shell.transform_cell)
        own = carried(self.shell, found.magics)
        return replace(
            request,
            namespace=ChainMap(own.values, self.shell.user_ns) if own.values else request.namespace,
            shared=self.shell.user_ns,
            inputs=(*request.inputs, *own.values),
            hints=frozenset(found.hints),
            guesses=frozenset(found.guesses),
            sees_all=tuple(found.sees_all),
            inner=tuple(found.codes),
            magics=tuple(own.magics),
            extensions=tuple(own.extensions),
        )

    def _label(self, filename: str) -> str | None:
        name = getattr(self.shell.compile, "format_code_name", lambda _: None)(filename)
        return " ".join(name) if name else None

    def _show_preflight(self, found: Any) -> None:
        from .preflight_card import preflight_html, preflight_text

        data = {"text/html": preflight_html(found), "text/plain": preflight_text(found)}
        self.shell.display_pub.publish(data)


def _mark_stale(job: Job, namespace: dict[str, Any]) -> list[str]:
    """Record which of the values that were sent are no longer what the notebook would make, a line each.

    The job is on its way meanwhile. In a large store the index may need longer than somebody should wait.
    An earlier run, whose result is taken instead (``--reuse``), was sent nothing now.
    """
    record = job.record
    if record.get("verdict") or not any(item.get("origin") for item in record.get("inputs") or ()):
        return []
    import threading

    from ..lineage.ask import stale
    from ..lineage.index.index import Index
    from ..rundir import blobs

    lines: list[str] = []

    def look() -> None:
        with suppress(Exception):  # a mark must not stop a job
            lines.extend(stale.of_inputs(Index(blobs.store_of(job.run)), record, namespace))
            if lines:
                job.run.update(stale=lines)

    thread = threading.Thread(target=look, name="jupyter_hpc stale", daemon=True)
    thread.start()
    thread.join(STALE_S)
    return lines


def _say(text: str) -> None:
    """Show what a cell waits for before there is a job to show."""
    print(printable(text), file=sys.stderr, flush=True)  # noqa: T201


def _spec(arguments: CellArguments, cell: str, target: Target) -> JobSpec:
    """Return what the line asks for, and what the cell's first lines ask of the scheduler itself."""
    spec = arguments.spec
    return replace(spec, passthrough=(*target.kind.own_options(cell), *spec.passthrough))


def notebook_of(shell: Any) -> dict[str, Any]:
    """Return what the front end tells of notebook and cell: Jupyter a variable and metadata, VS Code a name."""
    parent = getattr(shell, "parent_header", None)
    metadata = parent.get("metadata", {}) if isinstance(parent, dict) else {}
    path = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return {
        "path": path if isinstance(path, str) else None,
        "cell_id": metadata.get("cellId"),
        "execution_count": shell.displayhook.prompt_count,
    }


def _magics_of_others(shell: Any) -> set[str]:
    manager = shell.magics_manager
    found = {name for kind in manager.magics.values() for name, magic in kind.items() if not _is_ours(magic)}
    return found | set(getattr(manager, "lazy_magics", ()))


def _is_ours(magic: Any) -> bool:
    return isinstance(magic, MethodType) and isinstance(magic.__self__, HPCMagics)


def remove_magics(shell: Any) -> None:
    """Take away what registering :class:`HPCMagics` gave to a shell."""
    for kind in shell.magics_manager.magics.values():
        for name in [name for name, magic in kind.items() if _is_ours(magic)]:
            del kind[name]


HPCMagics.hpc.__doc__ = _HELP.replace("%%NAME", f"%%{ANY_TARGET}")
