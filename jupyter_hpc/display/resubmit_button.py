"""The button under a failed job's card: submit it again with what its verdict suggests."""

from __future__ import annotations

import threading
from typing import Any

from ..explain.again import suggested_resources, suggestion
from ..jobs.job import Job
from ..jobs.submit import resubmit
from ..model.exceptions import HPCError
from ..views.mime import again_mime
from ..views.style import QUIET, escaped


def offer(job: Job, record: dict[str, Any]) -> None:
    """Show the button, if submitting again is of use."""
    line = suggestion(record)
    if line is not None:
        _Offer(job, record, line)


class _Offer:
    """The widget goes when the next cell runs: saved with the notebook, it would show as an error in another kernel.

    The card has the line to copy. JupyterLab with our extension shows a button of its own, which needs no kernel.
    """

    def __init__(self, job: Job, record: dict[str, Any], line: str) -> None:
        import ipywidgets
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        self._job, self._record = job, record
        words = str(record["verdict"].get("again") or "")
        self._button = ipywidgets.Button(
            description=f"Resubmit with {words}" if words else "Resubmit",
            icon="repeat",
            tooltip=line,
            layout={"width": "auto"},
        )
        self._button.on_click(self._on_click)
        self._said = ipywidgets.HTML()
        self._row = ipywidgets.HBox([self._button, self._said])
        data = {**self._row._repr_mimebundle_(), "text/plain": "", **again_mime(record)}
        self._handle = display(data, raw=True, display_id=True)
        self._events = get_ipython().events
        self._events.register("pre_run_cell", self._go)

    def _go(self, *_: Any) -> None:
        self._events.unregister("pre_run_cell", self._go)
        self._handle.update({"text/plain": "", **again_mime(self._record)}, raw=True)
        self._row.close()

    def _on_click(self, _: Any) -> None:
        """Any thread: a scheduler may be slow to answer."""
        self._button.disabled = True
        threading.Thread(target=self._resubmit, name="jupyter_hpc resubmit", daemon=True).start()

    def _resubmit(self) -> None:
        try:
            new = resubmit(self._job, resources=suggested_resources(self._record))
        except (HPCError, OSError) as error:  # a border: what went wrong belongs beside the button
            self._said.value = f'<span style="{QUIET}">{escaped(error)}</span>'
            self._button.disabled = False
            return
        self._handle.update(new._repr_mimebundle_(), raw=True)
