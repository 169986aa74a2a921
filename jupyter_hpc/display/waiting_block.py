"""Why a job waits, in its panel: its place, when it is to start, and chips that submit what would start now."""

from __future__ import annotations

import threading
from typing import Any

from ..jobs.job import Job
from ..jobs.submit import replace_waiting
from ..model.exceptions import HPCError
from ..model.observation import Suggestion, Waiting
from ..model.resubmission import asked_again, read_line
from ..views.style import BUTTON, QUIET, SMALL, SOFT, STEP_PX, escaped, plain
from ..views.waiting import waiting_html, why_words
from .blocks import block, change, put
from .clicks import let_subshell_answer


class WaitingBlock:
    """A box that is empty until somebody knows something. What it says is shown from the thread of the cell.

    A click submits the job again with other options, in its place: the cell goes on with that, and so does the panel.
    """

    def __init__(self, job: Job) -> None:
        import ipywidgets

        self._job = job
        self._shown: Waiting | None = None
        self._facts, self._said = block(), block()
        self._chips: list[Any] = []
        self.widget = ipywidgets.VBox([], layout={"margin": "0", "overflow": "visible", "display": "none"})

    def show(self, waiting: Waiting | None) -> None:
        """Show what the scheduler said last; None: it doesn't wait, or nobody asked yet."""
        if waiting == self._shown:
            return
        self._shown = waiting
        rows = [] if waiting is None else self._rows(waiting)
        put(self._facts, "" if waiting is None else waiting_html(waiting))
        self.widget.children = [self._facts, *rows, self._said] if waiting is not None else []
        change(self.widget.layout, display="none" if waiting is None else None)
        for chip in self._chips:
            let_subshell_answer(chip)

    def _rows(self, waiting: Waiting) -> list[Any]:
        import ipywidgets

        self._chips = []
        rows = []
        for title, confirmed in (("Would start now", True), ("May help", False)):
            some = [self._chip(each) for each in waiting.suggestions if each.confirmed is confirmed]
            if some:
                label = ipywidgets.HTML(f'<span style="{QUIET}">{title}</span>', layout={"min_width": "8em"})
                rows.append(ipywidgets.HBox([label, *some], layout={"flex_flow": "row wrap", "overflow": "visible"}))
                self._chips += some
        return rows

    def _chip(self, suggestion: Suggestion) -> Any:
        import ipywidgets

        chip = ipywidgets.Button(
            description=plain(f"{suggestion.options} · {why_words(suggestion)}", 120),
            tooltip=f"Submit the cell with {plain(suggestion.options)}, in place of this job",
            layout={
                "width": "auto",
                "max_width": "100%",
                "height": BUTTON,
                "margin": f"0 {STEP_PX}px {STEP_PX}px 0",
                "padding": f"0 {2 * STEP_PX}px",
            },
            style={"font_size": SMALL} if suggestion.confirmed else {"font_size": SMALL, "text_color": SOFT},
        )
        chip.on_click(lambda _: self._start(suggestion.options))
        return chip

    def _start(self, options: str) -> None:
        """Any thread: a scheduler may be slow to answer."""
        self._enable(False)
        put(self._said, f'<span style="{QUIET}">submitting it with {escaped(options)} …</span>')
        threading.Thread(target=self._submit, args=[options], name="jupyter_hpc instead", daemon=True).start()

    def _submit(self, options: str) -> None:
        try:
            replace_waiting(self._job, **asked_again(*read_line(options)).changes)
        except (HPCError, OSError) as error:  # a border: what went wrong belongs beside the chip
            put(self._said, f'<span style="{QUIET}">{escaped(error)}</span>')
            self._enable(True)

    def _enable(self, is_enabled: bool) -> None:
        for chip in self._chips:
            change(chip, disabled=not is_enabled)
