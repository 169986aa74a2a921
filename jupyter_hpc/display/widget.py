"""The panel of a live job, made of ipywidgets' own controls, so that no front end needs code of ours.

The log goes into the panel, displays appear under it in order; at the end the panel becomes a static card.
"""

from __future__ import annotations

import time
from typing import Any

from ..follow.glance import look
from ..jobs.job import Job
from ..model.observation import Waiting
from ..model.resources import Resources
from ..model.states import JobState, Status
from ..rundir.parts import parts_of
from ..rundir.reader import Output, PartsReader, RunReader
from ..runtime import portal
from ..views.charts import charts_by, charts_html
from ..views.head import headline
from ..views.log import LogTail
from ..views.meters import meters_html
from ..views.outputs import card_bundle
from ..views.picture import Picture
from ..views.style import EDGE, QUIET, escaped
from ..views.summary import sent_html, stale_lines
from ..views.waiting import again_words
from .blocks import block, button, change, put
from .clicks import NO_ANSWER, can_answer, let_subshell_answer
from .log_box import LogBox
from .publish import show
from .tasks_box import TasksBox
from .waiting_block import WaitingBlock

REFRESH_S = 0.25
BYTES_PER_S = 64 << 10  # a large refresh is followed by a longer pause
ARRAY_REFRESH_S = 1.0
WHY_AFTER_S = 10.0  # what waits so long is worth a look at the queue
WHY_EVERY_S = 180.0
CLICKS_AFTER_S = 1.0  # by then a front end that has subshells has made one
HEAD = "24em"  # where there is less room, its buttons stand below it


class Panel:
    """The widget: state, place and time in one line, meters, why it waits, what was sent, the log's tail; buttons.

    Callbacks come from any thread: they leave a note and return.
    """

    has_card = True

    def __init__(self, job: Job, reader: RunReader | PartsReader, display_id: str = "", note: str = "") -> None:
        self.wants_detach = False
        self._job, self._reader = job, reader
        self._record = job.record
        self._asked = Resources.from_json(self._record["spec"].get("resources") or {})
        self._tail = LogTail()
        self._note = note
        self._why: Waiting | None = None
        self._why_at = time.monotonic() + WHY_AFTER_S
        self._next = 0.0
        self._clicks_at: float | None = time.monotonic() + CLICKS_AFTER_S
        self._clears = False
        self._build()
        self._refresh(job.status)
        self._display_id = display_id
        self._publish(update=bool(display_id))

    # -- what it is made of ----------------------------------------------------------------------

    def _build(self) -> None:
        import ipywidgets

        self._head, self._meters, self._charts, self._said, self._sent = (block() for _ in range(5))
        self._head.layout.flex = f"1 1 {HEAD}"
        self._head.layout.min_width = "0"
        self._open = button("Open log", "expand", "Show more of the log", self._on_open)
        self._open.layout.display = "none"  # until there is one
        self._detach = button("Detach", "sign-out", "Let the job go on without this cell", self._on_detach)
        self._cancel = button("Cancel", "stop", "Cancel the job", self._on_cancel)
        buttons = ipywidgets.HBox(
            [self._open, self._detach, self._cancel], layout={"flex": "0 0 auto", "overflow": "visible"}
        )
        top = ipywidgets.HBox(
            [self._head, buttons], layout={"flex_flow": "row wrap", "align_items": "center", "overflow": "visible"}
        )
        self._tasks = TasksBox(self._job.run, parts_of(self._job.run, self._record), self._look_again)
        self._waiting = WaitingBlock(self._job)
        self._log = LogBox(self._tail)
        self._box = ipywidgets.VBox(
            [
                top,
                self._meters,
                self._said,
                self._waiting.widget,
                *self._tasks.widgets,
                self._sent,
                self._charts,
                self._log.widget,
            ],
            layout={"padding": f"0 0 0 {EDGE}", "margin": "0", "overflow": "visible"},
        )
        marks = [f"<div>{escaped(line)}</div>" for line in stale_lines(self._record)]
        if sent := sent_html(self._record):
            marks.append(f'<div style="{QUIET}">{sent}</div>')
        put(self._sent, "".join(marks))

    def _publish(self, *, update: bool = False) -> None:
        """Display the panel; a front end without widgets shows the card of the moment."""
        from IPython.display import display

        data = {**self._box._repr_mimebundle_(), **card_bundle(self._look())}
        handle = display(data, raw=True, display_id=self._display_id or True, update=update)
        self._display_id = handle.display_id if handle is not None else self._display_id
        self._let_be_clicked()

    def _let_be_clicked(self) -> None:
        for widget in (self._open, self._detach, self._cancel, *self._tasks.widgets):
            let_subshell_answer(widget)

    def _look(self) -> Picture:
        return look(self._job.run, self._reader, self._tail)

    def _look_again(self) -> None:
        self._next = 0.0

    # -- what it shows ---------------------------------------------------------------------------

    def update(self, status: Status, outputs: list[Output]) -> None:
        self._tail.add(outputs)
        for output in outputs:
            self._show(output)
        if self._clicks_at is not None and time.monotonic() >= self._clicks_at:
            self._clicks_at = None
            self._note = self._note or ("" if can_answer() else NO_ANSWER)
            self._let_be_clicked()
        if time.monotonic() >= self._next:
            self._ask_why(status)
            sent = self._refresh(status)
            least = ARRAY_REFRESH_S if self._tasks.are_some else REFRESH_S
            self._next = time.monotonic() + max(least, sent / BYTES_PER_S)

    def _show(self, output: Output) -> None:
        """Publish a display; where the cell clears its output, the panel stays above it."""
        if output.kind == "clear_output":
            self._clears = True
        if self._clears and not (output.kind == "clear_output" and output.wait):
            self._clears = False
            show([Output("clear_output", wait=True)], text=False)
            self._publish()
        if output.kind != "clear_output":
            show([output], text=False)

    def _refresh(self, status: Status) -> int:
        """Send what changed, and return how much that was."""
        sent = put(self._head, headline(self._record, status))
        sent += put(self._said, "".join(f"<div>{escaped(x)}</div>" for x in (self._reason(status), self._note) if x))
        self._waiting.show(self._why)
        if status.started_at and not status.state.is_final and isinstance(self._reader, RunReader):
            sent += put(self._meters, meters_html(self._reader, self._asked))
        sent += put(self._charts, charts_html(charts_by(self._reader), self._job.id))
        sent += self._tasks.refresh()
        sent += self._log.show(self._tasks.log(self._tail))
        change(self._open.layout, display="none" if self._log.is_empty else None)
        return sent

    def _reason(self, status: Status) -> str:
        """Why it waits; when it is to start is said below, where it is known there."""
        is_below = self._why is not None and self._why.expected_start is not None
        return status.reason.partition("; expected start ")[0] if is_below else status.reason

    def say(self, text: str) -> None:
        self._note = text
        self._refresh(self._job.status)

    def _ask_why(self, status: Status) -> None:
        """Now and then ask for the place in the queue and what would start now, without waiting for the answer."""
        if status.state is not JobState.PENDING or self._tasks.are_some:
            self._why = None
        elif time.monotonic() >= self._why_at and status.native_id:
            from ..follow.explained import explained

            self._why_at = time.monotonic() + WHY_EVERY_S
            portal.start(explained(self._job.run, self._job.target, status.native_id)).add_done_callback(
                self._explained
            )

    def _explained(self, future: Any) -> None:
        if future.exception() is None:
            self._why = future.result()

    # -- what a person clicks --------------------------------------------------------------------

    def _on_open(self, _: Any) -> None:
        is_open = self._log.unfold()
        self._open.description, self._open.icon = ("Fold log", "compress") if is_open else ("Open log", "expand")
        self._note = f"%hpc logs {self._job.id} prints all of it" if is_open else ""
        self._look_again()

    def _on_detach(self, _: Any) -> None:
        self._detach.disabled = True
        self.wants_detach = True

    def _on_cancel(self, _: Any) -> None:
        from ..follow.following import cancel

        self._cancel.disabled = True
        self._note = "cancelling …"
        portal.start(cancel(self._job.run)).add_done_callback(self._cancelled)

    def _cancelled(self, future: Any) -> None:
        error = future.exception()
        if error is not None:
            self._note = f"could not cancel: {error}"
            change(self._cancel, disabled=False)

    # -- how it ends -----------------------------------------------------------------------------

    def finish(self) -> None:
        """Replace the widget by the card, with a way to try again under it."""
        picture = self._end()
        if picture.verdict.get("again") is not None:
            from .resubmit_button import offer

            offer(self._job, picture.record)

    def detach(self) -> None:
        """Leave the card of the moment, which the job's end changes: nobody refreshes the panel from now on."""
        from .at_end import become_final

        self._end()
        become_final(self._job, self._display_id)

    def go_on(self, job: Job, reader: RunReader | PartsReader) -> Panel:
        """Become the panel of the job that took the place of this one."""
        new = Panel(job, reader, self._display_id, again_words(job.record))
        self._box.close()
        return new

    def _end(self) -> Picture:
        """The widget shows the card too, for a page that was reloaded meanwhile."""
        from IPython.display import display

        picture = self._look()
        data = card_bundle(picture)
        display(data, raw=True, display_id=self._display_id, update=True)
        for piece in (self._meters, self._charts, self._said, self._sent):
            put(piece, "")
        self._waiting.show(None)
        self._tasks.close()
        self._log.close()
        for widget in (self._open, self._detach, self._cancel):
            widget.layout.display = "none"
        self._box.layout.padding = "0"  # the card has its own
        put(self._head, data["text/html"])
        return picture
