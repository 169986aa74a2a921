"""What a cell shows while its job is live: a widget on a page, else lines of text."""

from __future__ import annotations

import sys
from typing import Protocol

from ..jobs.job import Job
from ..model.printable import printable
from ..model.states import Status
from ..rundir.reader import Output, PartsReader, RunReader
from ..views.ansi import Colours
from ..views.icons import icon
from ..views.waiting import again_words
from .front_end import has_kernel, is_page
from .publish import show


class View(Protocol):
    """What the magics show a job with.

    Attributes
    ----------
    wants_detach : bool
        Somebody asked the cell to stop waiting for its job.
    has_card : bool
        What it leaves says why the job ended, and what helps.
    """

    wants_detach: bool

    @property
    def has_card(self) -> bool: ...

    def update(self, status: Status, outputs: list[Output]) -> None: ...
    def finish(self) -> None: ...
    def detach(self) -> None: ...
    def go_on(self, job: Job, reader: RunReader | PartsReader) -> View: ...
    def say(self, text: str) -> None: ...


def make_view(job: Job, reader: RunReader | PartsReader, *, quiet: bool) -> View:
    """Return the widget panel for a notebook's page, else lines of text."""
    from IPython.core.getipython import get_ipython

    if quiet or not is_page(get_ipython()):
        return TextView(job, quiet=quiet)
    try:
        from .widget import Panel

        return Panel(job, reader)
    except ImportError:
        return TextView(job, quiet=quiet)


class TextView:
    """Lines of text: the state when it changes, and the cell's own text as it comes."""

    wants_detach = False

    def __init__(self, job: Job, *, quiet: bool) -> None:
        self._job = job
        self._quiet = quiet
        self._last = ""
        from IPython.core.getipython import get_ipython

        self._shell = get_ipython()
        self._colours = None if is_page(self._shell) else {"stdout": Colours(), "stderr": Colours()}

    @property
    def has_card(self) -> bool:
        return not self._quiet and is_page(self._shell)

    def update(self, status: Status, outputs: list[Output]) -> None:
        where = f"{self._job.target} {status.native_id.partition('.')[0]}"
        words = f"{icon(status.state)[0]} {where}: {status.state.words} {status.reason}"
        if not self._quiet and words != self._last and not status.state.is_final:
            self._last = words
            self.say(words.rstrip())
        show(outputs, text=True, colours=self._colours)

    def finish(self) -> None:
        for kind, colours in (self._colours or {}).items():
            (sys.stdout if kind == "stdout" else sys.stderr).write(colours.end())
        if not self._quiet:
            self._show_end(f"{icon(self._job.status.state)[0]} {self._job.describe()}")

    def _show_end(self, words: str) -> None:
        """Say how it ended; a front end that shows more than text, and doesn't say so, has the card."""
        if not has_kernel(self._shell):
            self.say(words)
            return
        bundle = self._job._repr_mimebundle_()
        self._shell.display_pub.publish({**bundle, "text/plain": printable(words)})

    def detach(self) -> None:
        """The error that ends the cell says how to come back."""

    def go_on(self, job: Job, reader: RunReader | PartsReader) -> View:
        """Go on with the job that took the place of this one."""
        if not self._quiet:
            self.say(again_words(job.record))
        return TextView(job, quiet=self._quiet)

    def say(self, text: str) -> None:
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()
