"""What a cell shows while its job is live: a widget where there are widgets, else lines of text."""

from __future__ import annotations

import sys
from typing import Protocol

from ..jobs.job import Job, Status
from ..runs.reader import ArrayReader, Output, RunReader
from ..views.icons import icon


class View(Protocol):
    """What the magics show a job with.

    Attributes
    ----------
    wants_detach : bool
        Somebody asked the cell to stop waiting for its job.
    """

    wants_detach: bool

    def update(self, status: Status, outputs: list[Output]) -> None: ...
    def finish(self) -> None: ...
    def detach(self) -> None: ...
    def say(self, text: str) -> None: ...


def make_view(job: Job, reader: RunReader | ArrayReader, *, quiet: bool) -> View:
    """Return the widget panel in a notebook with ipywidgets, else plain text."""
    if quiet or not _in_notebook():
        return TextView(job, quiet=quiet)
    try:
        from .widget import Panel

        return Panel(job, reader)
    except ImportError:
        return TextView(job, quiet=quiet)


def _in_notebook() -> bool:
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


def show(outputs: list[Output], *, text: bool) -> None:
    """Publish displays as the kernel's own; with ``text`` also stdout and stderr."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    for output in outputs:
        if output.kind in ("stdout", "stderr"):
            if text:
                stream = sys.stdout if output.kind == "stdout" else sys.stderr
                stream.write(output.text)
                stream.flush()
        elif output.kind == "attempt":
            words = f"{output.text} begins: what stands above is of the one before, which was taken back"
            shell.display_pub.publish({"text/plain": words})
        elif output.kind == "clear_output":
            shell.display_pub.clear_output(wait=output.wait)
        elif output.kind in ("display", "update_display"):
            shell.display_pub.publish(
                output.data,
                output.metadata,
                transient=output.transient,
                update=output.kind == "update_display",
            )


class TextView:
    """Lines of text: the state when it changes, and the cell's own text as it comes."""

    wants_detach = False

    def __init__(self, job: Job, *, quiet: bool) -> None:
        self._job = job
        self._quiet = quiet
        self._last = ""

    def update(self, status: Status, outputs: list[Output]) -> None:
        where = f"{self._job.target} {status.native_id.partition('.')[0]}"
        words = f"{icon(status.state)[0]} {where}: {status.state.value.lower()} {status.reason}"
        if not self._quiet and words != self._last and not status.state.is_final:
            self._last = words
            self.say(words.rstrip())
        show(outputs, text=True)

    def finish(self) -> None:
        if not self._quiet:
            self.say(f"{icon(self._job.status.state)[0]} {self._job.describe()}")

    def detach(self) -> None:
        """The error that ends the cell says how to come back."""

    def say(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
