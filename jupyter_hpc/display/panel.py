"""What a cell shows while its job is live: a widget where there are widgets, else lines of text.

The log goes into the panel, displays appear under it in order; at the end the panel becomes a static card.
"""

from __future__ import annotations

import html
import sys
import time
from typing import Any, Protocol

from ..jobs import Job, Status
from ..reader import Output
from .card import _BOX, _PRE, card_html, card_text, headline, icon
from .text import LogTail

REFRESH_S = 0.25


class View(Protocol):
    """What the magics show a job with."""

    def update(self, status: Status, outputs: list[Output]) -> None: ...
    def finish(self) -> None: ...
    def say(self, text: str) -> None: ...


def make_view(job: Job, *, quiet: bool) -> View:
    """Return the widget panel in a notebook with ipywidgets, else plain text."""
    if quiet or not _in_notebook():
        return TextView(job, quiet=quiet)
    try:
        return Panel(job)
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

    def say(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def _let_subshell_answer(widget: Any) -> None:
    """Let a click be handled while this cell runs.

    ipykernel 7.4 routes what the front end says to a widget to the loop that last sent the widget's state: the main
    one, which our cell blocks. Without that note the front end's own choice holds, a subshell (JupyterLab ≥ 4.4).
    """
    getattr(widget.comm, "__dict__", {}).pop("_reply_subshell_id", None)


class Panel:
    """The widget: state, why it waits, the log's tail, Cancel."""

    def __init__(self, job: Job) -> None:
        import ipywidgets
        from IPython.display import display

        self._job = job
        self._tail = LogTail()
        self._note = ""
        self._shown = ("", "")
        self._last = 0.0
        self._head = ipywidgets.HTML(layout={"flex": "1 1 auto"})
        self._log = ipywidgets.HTML()
        layout = {"width": "90px", "margin": "4px 2px 0 6px"}
        self._cancel = ipywidgets.Button(
            description="Cancel", icon="stop", layout=layout, tooltip="Cancel the job"
        )
        self._cancel.on_click(self._on_cancel)
        row = ipywidgets.HBox([self._head, self._cancel])
        self._box = ipywidgets.VBox([row, self._log])
        self._refresh(job.status)
        self._handle = display(self._box, display_id=True)
        _let_subshell_answer(self._cancel)

    def update(self, status: Status, outputs: list[Output]) -> None:
        self._tail.add(outputs)
        show(outputs, text=False)
        if time.monotonic() - self._last >= REFRESH_S:
            self._refresh(status)

    def _refresh(self, status: Status) -> None:
        self._last = time.monotonic()
        rows = [headline(self._job, status)]
        rows += [html.escape(x) for x in (status.reason, self._note) if x]
        head = f'<div style="{_BOX}">{"<br>".join(rows)}</div>'
        log = f'<pre style="{_PRE}">{self._tail.html()}</pre>' if self._tail.pieces else ""
        if head != self._shown[0]:
            self._head.value = head
        if log != self._shown[1]:
            self._log.value = log
        self._shown = (head, log)

    def say(self, text: str) -> None:
        self._note = text
        self._refresh(self._job.status)

    def _on_cancel(self, _: Any) -> None:
        """Any thread: hand the work to the portal and return."""
        from .. import portal
        from ..watcher import cancel

        self._cancel.disabled = True
        self._note = "cancelling …"
        portal.start(cancel(self._job)).add_done_callback(self._cancelled)

    def _cancelled(self, future: Any) -> None:
        error = future.exception()
        if error is not None:
            self._note = f"could not cancel: {error}"
            self._cancel.disabled = False

    def finish(self) -> None:
        """Replace the widget by the card; the widget shows it too, for a page that was reloaded meanwhile."""
        markup, text = card_html(self._job, self._tail), card_text(self._job, self._tail)
        self._head.value, self._log.value = markup, ""
        self._cancel.layout.display = "none"
        self._handle.update({"text/html": markup, "text/plain": text}, raw=True)
