"""The cell magics: parse → request → submit → show → put the names into the kernel."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class, no_var_expand

from . import options
from .exposed import exposed, mentioned

if TYPE_CHECKING:  # the core is imported by the first cell: loading the extension stays cheap
    from ..jobs import Job, JobSpec
    from ..payload import Request

NAMES = ("slurm", "local", "hpc")
_LONE = re.compile(r"^%%(slurm|local|hpc)\b(?!.*\?\s*$)")


def bodiless(lines: list[str]) -> list[str]:
    """Give a cell that is nothing but ``%%slurm …`` a body, since IPython refuses it without one: a comment."""
    if len([x for x in lines if x.strip()]) == 1 and _LONE.match(next(x for x in lines if x.strip())):
        return [*(line if line.endswith("\n") else line + "\n" for line in lines), "#\n"]
    return lines


@magics_class
class HPCMagics(Magics):
    """``%%slurm``, ``%%local``, ``%%hpc`` and ``%hpc``."""

    @no_var_expand
    @cell_magic
    def slurm(self, line: str, cell: str) -> Job | None:
        return self._run("slurm", "%%slurm", line, cell)

    @no_var_expand
    @cell_magic
    def local(self, line: str, cell: str) -> Job | None:
        return self._run("local", "%%local", line, cell)

    @no_var_expand
    @line_cell_magic
    def hpc(self, line: str, cell: str | None = None) -> Any:
        if cell is not None:
            return self._run(None, "%%hpc", line, cell)
        from .line import run_line

        return run_line(self.shell, options.expand(options.split_line(line), self._expand))

    def _run(self, target: str | None, prog: str, line: str, cell: str) -> Job | None:
        arguments = options.parse(options.expand(options.split_line(line), self._expand), prog=prog)
        if arguments.help or cell.strip() in ("", "#"):
            print(options.help_text(prog))  # noqa: T201 a magic's help is printed
            return None
        from .. import config, submission

        target = arguments.on or target or str(config.setting("default_target"))
        backend = config.target(target).backend
        spec, request = _spec(arguments, cell, backend), self._request(arguments, cell)
        if arguments.dry_run:
            self._show_preflight(submission.preflight(request, target, spec))
            return None
        job = submission.submit_request(request, target, spec)
        self.shell.user_ns["_hpc"] = job
        if arguments.detach:
            return job
        from .blocking import run_attached

        return run_attached(self.shell, job, quiet=arguments.quiet)

    def _expand(self, token: str) -> object:
        """Expand one token of the line: a value is never split again, whatever it holds."""
        single = re.fullmatch(r"\{(\w+)\}|\$(\w+)", token)
        if single:
            value = self.shell.user_ns.get(single[1] or single[2])
            if isinstance(value, (list, tuple)):
                return [str(v) for v in value]
        return self.shell.var_expand(token, depth=0)

    def _request(self, arguments: options.CellArguments, cell: str) -> Request:
        common = {
            "namespace": self.shell.user_ns,
            "inputs": arguments.inputs,
            "outputs": arguments.outputs,
            "auto": arguments.auto,
            "no_outputs": arguments.no_outputs,
            "label": f"Cell In[{self.shell.displayhook.prompt_count}]",
            "find_label": self._label,
            "notebook": _notebook(self.shell),
        }
        from ..payload import Request

        if cell.startswith("#!"):
            return Request(text=cell, code="", names=None, kind="script", **common)
        from ..capture.cell import analyze

        above = 1 + len(cell) - len(cell.lstrip("\n"))  # so that line numbers are the notebook's
        code = "\n" * above + self.shell.transform_cell(cell)
        names = analyze(code, "\n" + cell)
        if names.ipython:
            open_code = "\n" * above + self.shell.transform_cell(exposed(cell))
            names = replace(analyze(open_code, "\n" + cell), ipython=names.ipython)
        return Request(text=cell, code=code, names=names, hints=mentioned(cell), **common)

    def _label(self, filename: str) -> str | None:
        name = getattr(self.shell.compile, "format_code_name", lambda _: None)(filename)
        return " ".join(name) if name else None

    def _show_preflight(self, found: Any) -> None:
        from ..display.preflight import preflight_html, preflight_text

        data = {"text/html": preflight_html(found), "text/plain": preflight_text(found)}
        self.shell.display_pub.publish(data)


def _spec(arguments: options.CellArguments, cell: str, backend: str) -> JobSpec:
    passthrough = arguments.passthrough
    if backend == "slurm":
        from ..backends.slurm.options import leading_directives

        passthrough = (*leading_directives(cell), *passthrough)
    elif passthrough:
        from ..exceptions import OptionError

        raise OptionError(f"Options after -- are sbatch's own; a {backend} target has none.")
    from ..jobs import JobSpec

    return JobSpec(
        resources=arguments.resources,
        name=arguments.name,
        partition=arguments.partition,
        account=arguments.account,
        qos=arguments.qos,
        constraint=arguments.constraint,
        workdir=arguments.workdir,
        python=arguments.python,
        venv=arguments.venv,
        conda=arguments.conda,
        modules=arguments.modules,
        env=arguments.env,
        passthrough=passthrough,
    )


def _notebook(shell: Any) -> dict[str, Any]:
    """Return what the front end tells of notebook and cell."""
    parent = getattr(shell, "parent_header", None)
    metadata = parent.get("metadata", {}) if isinstance(parent, dict) else {}
    return {
        "path": os.environ.get("JPY_SESSION_NAME"),
        "cell_id": metadata.get("cellId"),
        "execution_count": shell.displayhook.prompt_count,
    }


for _name, _prog in (("slurm", "%%slurm"), ("local", "%%local"), ("hpc", "%%hpc")):
    getattr(HPCMagics, _name).__doc__ = options.help_text(_prog)
