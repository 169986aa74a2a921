"""The buttons under a failed job's card: submit it again with what its verdict suggests, or with something else."""

from __future__ import annotations

import threading
from typing import Any

from ..explain.again import suggested_resources, suggestion
from ..jobs.job import Job
from ..jobs.submit import resubmit
from ..model.exceptions import HPCError
from ..model.resubmission import Resubmission
from ..views.mime import again_mime
from ..views.style import QUIET, escaped
from .blocks import button
from .resubmit_form import ResubmitForm


def offer(job: Job, record: dict[str, Any]) -> None:
    """Show the buttons, if submitting again is of use."""
    line = suggestion(record)
    if line is not None:
        _Offer(job, record, line)


class _Offer:
    """The widget goes when the next cell runs: saved with the notebook, it would show as an error in another kernel.

    The card has the line to copy. JupyterLab with our extension shows buttons of its own, which need no kernel.
    """

    def __init__(self, job: Job, record: dict[str, Any], line: str) -> None:
        import ipywidgets
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        self._job, self._record = job, record
        self._form: ResubmitForm | None = None
        words = str(record["verdict"].get("again") or "")
        self._button = button(
            f"Resubmit with {words}" if words else "Resubmit", "repeat", line, lambda _: self._start(self._suggested())
        )
        self._other = button("Other options …", "edit", "Say what to ask for instead", self._on_other)
        self._said = ipywidgets.HTML()
        self._row = ipywidgets.VBox([ipywidgets.HBox([self._button, self._other, self._said])])
        data = {**self._row._repr_mimebundle_(), "text/plain": "", **again_mime(record)}
        self._handle = display(data, raw=True, display_id=True)
        self._events = get_ipython().events
        self._events.register("pre_run_cell", self._go)

    def _go(self, *_: Any) -> None:
        self._events.unregister("pre_run_cell", self._go)
        self._handle.update({"text/plain": "", **again_mime(self._record)}, raw=True)
        self._row.close()

    def _suggested(self) -> Resubmission:
        return Resubmission(resources=suggested_resources(self._record))

    def _on_other(self, _: Any) -> None:
        """Unfold the form, or fold it; what was typed stays in it."""
        try:
            self._form = self._form or ResubmitForm(self._job, self._start)
        except (HPCError, OSError) as error:  # a border: its target may be gone from the configuration
            self._say(error)
            return
        head, *form = self._row.children
        self._row.children = [head] if form else [head, self._form.widget]

    def _start(self, asked: Resubmission) -> None:
        """Any thread: a scheduler may be slow to answer."""
        self._button.disabled = True
        threading.Thread(target=self._submit, args=[asked], name="jupyter_hpc resubmit", daemon=True).start()

    def _submit(self, asked: Resubmission) -> None:
        try:
            new = resubmit(self._job, **asked.changes)
        except (HPCError, OSError) as error:  # a border: what went wrong belongs beside the button
            self._say(error)
            self._button.disabled = False
            return
        self._handle.update(new._repr_mimebundle_(), raw=True)

    def _say(self, error: Exception) -> None:
        if self._form is not None and len(self._row.children) > 1:
            self._form.say(str(error))
        else:
            self._said.value = f'<span style="{QUIET}">{escaped(error)}</span>'
