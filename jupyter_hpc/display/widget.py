"""The panel of a live job, made of ipywidgets' own controls, so that no front end needs code of ours.

The log goes into the panel, displays appear under it in order; at the end the panel becomes a static card.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..follow.glance import look, refresh
from ..jobs.job import Job
from ..model.resources import Resources
from ..model.states import JobState, Status
from ..rundir.parts import parts_of
from ..rundir.reader import Output, PartsReader, RunReader, reader_of
from ..runtime import portal
from ..views.card import card_html, card_text
from ..views.log import LogTail
from ..views.meters import time_bar, use_meters
from ..views.mime import job_mime
from ..views.parts_table import chosen, tasks_html
from ..views.picture import Part, Picture
from ..views.style import escaped
from ..views.summary import headline, sent_html, stale_lines
from .publish import show

REFRESH_S = 0.25
BYTES_PER_S = 64 << 10  # a large refresh is followed by a longer pause
ARRAY_REFRESH_S = 1.0
WHY_AFTER_S = 10.0  # what waits so long is worth a look at the queue
WHY_EVERY_S = 180.0
MOST_WIDGETS = 24  # for blocks of the log; beyond, they are used again
SHORT, TALL = "18em", "70vh"
ALL_TASKS = "all tasks"
_BLOCK = ("<div style='font-size:13px;line-height:1.5'>", "</div>")
_LOG = (
    "<pre style='margin:0;padding:0 8px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;line-height:1.4'>",
    "</pre>",
)
_REACHED = (
    _LOG[0].replace("<pre", "<pre tabindex='0' aria-label='log'"),
    _LOG[1],
)  # so a keyboard can scroll it


def let_subshell_answer(widget: Any) -> None:
    """Let a click be handled while this cell runs.

    ipykernel 7.4 routes what the front end says to a widget to the loop that last sent the widget's state: the main
    one, which our cell blocks. Without that note the front end's own choice holds, a subshell (JupyterLab ≥ 4.4).
    """
    getattr(widget.comm, "__dict__", {}).pop("_reply_subshell_id", None)


def _block() -> Any:
    import ipywidgets

    return ipywidgets.HTML(layout={"margin": "0", "display": "none"})


class Panel:
    """The widget: state, why it waits, time and use, what was sent, the log's tail, Cancel, Detach.

    Callbacks come from any thread: they leave a note and return.
    """

    has_card = True

    def __init__(self, job: Job, reader: RunReader | PartsReader) -> None:
        self.wants_detach = False
        self._job, self._reader = job, reader
        self._record = job.record
        self._asked = Resources.from_json(self._record["spec"].get("resources") or {})
        self._tasks = parts_of(job.run, self._record)
        self._tail = LogTail()
        self._task: tuple[RunReader | PartsReader, LogTail] | None = None  # the one whose log is shown
        self._note = ""
        self._why: list[str] = []
        self._why_at = time.monotonic() + WHY_AFTER_S
        self._next = 0.0
        self._clears = False
        self._build()
        self._refresh(job.status)
        self._display_id = ""
        self._publish()

    # -- what it is made of ----------------------------------------------------------------------

    def _build(self) -> None:
        import ipywidgets

        def button(text: str, icon: str, tip: str, act: Any) -> Any:
            made = ipywidgets.Button(
                description=text, icon=icon, tooltip=tip, layout={"width": "auto", "margin": "2px 0 2px 6px"}
            )
            made.on_click(act)
            return made

        self._head, self._meters, self._rows, self._sent = (_block() for _ in range(4))
        self._head.layout.flex = "1 1 16em"
        self._open = button("Open log", "expand", "Show more of the log", self._on_open)
        self._detach = button("Detach", "sign-out", "Let the job go on without this cell", self._on_detach)
        self._cancel = button("Cancel", "stop", "Cancel the job", self._on_cancel)
        buttons = ipywidgets.HBox([self._open, self._detach, self._cancel], layout={"flex": "0 0 auto"})
        top = ipywidgets.HBox([self._head, buttons], layout={"flex_flow": "row wrap", "align_items": "flex-start"})
        self._choice = self._make_choice() if self._tasks else None
        parts = [top, self._meters, self._rows, self._sent, self._choice, self._make_log()]
        self._box = ipywidgets.VBox(
            [part for part in parts if part is not None],
            layout={"border": "1px solid rgba(128,128,128,.35)", "padding": "6px 10px", "margin": "2px 0"},
        )
        marks = [f"<div>{escaped(line)}</div>" for line in stale_lines(self._record)]
        self._put(self._sent, "".join([*marks, sent_html(self._record)]))

    def _make_log(self) -> Any:
        import ipywidgets

        self._blocks: list[Any] = []
        self._first = (self._tail, 0)  # the log that is shown, and its block that the first of ours shows
        self._lines = ipywidgets.VBox(layout={"flex": "0 0 auto", "overflow": "visible"})
        # reversed, a box stays at its end while lines come, and where somebody scrolled to
        layout = {"flex_flow": "column-reverse", "max_height": SHORT, "overflow": "auto", "display": "none"}
        self._log = ipywidgets.Box([self._lines], layout={"margin": "4px 0 0", **layout})
        self._log.add_class("jp-HPCPanel-log")
        return self._log

    def _make_choice(self) -> Any:
        import ipywidgets

        choice = ipywidgets.Dropdown(
            options=[ALL_TASKS],
            description="Log of",
            style={"description_width": "initial"},
            layout={"width": "auto", "max_width": "16em", "margin": "2px 0"},
        )
        choice.observe(self._on_choice, "value")
        return choice

    def _publish(self) -> None:
        """Display the panel; a front end without widgets shows the card of the moment."""
        from IPython.display import display

        data = {**self._box._repr_mimebundle_(), **self._static(self._look())}
        handle = display(data, raw=True, display_id=self._display_id or True)
        self._display_id = handle.display_id if handle is not None else self._display_id
        for widget in (self._open, self._detach, self._cancel, self._choice):
            if widget is not None:
                let_subshell_answer(widget)

    def _look(self) -> Picture:
        return look(self._job.run, self._reader, self._tail)

    @staticmethod
    def _static(picture: Picture) -> dict[str, Any]:
        """The card, for whatever shows no widgets."""
        card = {"text/html": card_html(picture), "text/plain": card_text(picture)}
        return {**card, **job_mime(picture.run.id, picture.status.state)}

    # -- what it shows ---------------------------------------------------------------------------

    def update(self, status: Status, outputs: list[Output]) -> None:
        self._tail.add(outputs)
        for output in outputs:
            self._show(output)
        if time.monotonic() >= self._next:
            self._ask_why(status)
            sent = self._refresh(status)
            least = ARRAY_REFRESH_S if self._tasks else REFRESH_S
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
        rows = [headline(self._record, status, took=False)]
        rows += [escaped(x) for x in (status.reason, self._note) if x]
        rows += [f'<span style="white-space:pre-wrap">{escaped(x)}</span>' for x in self._why]
        sent = self._put(self._head, "<br>".join(rows))
        if status.started_at and not status.state.is_final:
            meters = [time_bar(status.started_at, self._asked.time)]
            meters += use_meters(self._reader, self._asked) if isinstance(self._reader, RunReader) else []
            sent += self._put(self._meters, " &nbsp; ".join(meters))
        if self._choice is not None:
            parts = list(zip(self._tasks, refresh(self._tasks)))
            sent += self._put(self._rows, tasks_html(parts))
            self._offer_tasks(self._choice, parts)
        return sent + self._put_log(self._shown_log())

    def _put_log(self, tail: LogTail) -> int:
        """Show a log, a widget for each block: what somebody reads there must not be replaced under their eyes."""
        shown, first = self._first
        if shown is not tail or tail.blocks[-1].number - first >= MOST_WIDGETS:
            self._first = shown, first = tail, tail.blocks[0].number
        while len(self._blocks) <= tail.blocks[-1].number - first:
            self._blocks.append(_block())
            self._lines.children = self._blocks
        found = {block.number - first: block.html() for block in tail.blocks}
        around = {min(found): _REACHED}
        sent = sum(self._put(widget, found.get(i, ""), around.get(i, _LOG)) for i, widget in enumerate(self._blocks))
        if any(found.values()):
            self._set(self._log.layout, display="flex")
        return sent

    def _put(self, block: Any, inner: str, around: tuple[str, str] = _BLOCK) -> int:
        """Give a block its HTML, if that is new; return how many bytes went."""
        value = f"{around[0]}{inner}{around[1]}" if inner else ""
        if value == block.value:
            return 0
        block.value = value
        self._set(block.layout, display="block" if value else "none")
        return len(value)

    @staticmethod
    def _set(widget: Any, **traits: Any) -> None:
        """Set traits, and leave clicks to the subshell."""
        for name, value in traits.items():
            if getattr(widget, name) != value:
                setattr(widget, name, value)
        let_subshell_answer(widget)

    def say(self, text: str) -> None:
        self._note = text
        self._refresh(self._job.status)

    def _ask_why(self, status: Status) -> None:
        """Now and then ask for the place in the queue and what would start now, without waiting for the answer."""
        if status.state is not JobState.PENDING or self._tasks:
            self._why = []
        elif time.monotonic() >= self._why_at and status.native_id:
            from ..follow.explained import explained

            self._why_at = time.monotonic() + WHY_EVERY_S
            portal.start(explained(self._job.run, self._job.target, status.native_id)).add_done_callback(
                self._explained
            )

    def _explained(self, future: Any) -> None:
        if future.exception() is None:
            self._why = future.result()[1:]  # the reason itself stands above
            self._job.run.update(why=self._why)  # for views of other processes

    # -- the tasks of an array -------------------------------------------------------------------

    def _offer_tasks(self, choice: Any, parts: Sequence[Part]) -> None:
        names = [f"task {run.index}" for run, _ in chosen(parts)]
        kept = choice.value
        options = [ALL_TASKS, *names] if kept in (ALL_TASKS, *names) else [ALL_TASKS, kept, *names]
        if list(choice.options) != options:
            with choice.hold_trait_notifications():
                choice.options = options
                choice.value = kept
            let_subshell_answer(choice)

    def _on_choice(self, change: Any) -> None:
        if change["new"] == ALL_TASKS:
            self._task = None
        else:
            index = int(str(change["new"]).rpartition(" ")[2])
            self._task = (reader_of(self._job.run.part(index)), LogTail())
        self._next = 0.0

    def _shown_log(self) -> LogTail:
        chosen_task = self._task
        if chosen_task is None:
            return self._tail
        reader, tail = chosen_task
        tail.add(reader.poll())
        return tail

    # -- what a person clicks --------------------------------------------------------------------

    def _on_open(self, _: Any) -> None:
        is_short = self._log.layout.max_height == SHORT
        self._log.layout.max_height = TALL if is_short else SHORT
        self._open.description, self._open.icon = ("Fold log", "compress") if is_short else ("Open log", "expand")
        self._note = f"%hpc logs {self._job.id} prints all of it" if is_short else ""
        self._next = 0.0

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
            self._set(self._cancel, disabled=False)

    # -- how it ends -----------------------------------------------------------------------------

    def finish(self) -> None:
        """Replace the widget by the card, with a way to try again under it."""
        picture = self._end()
        if picture.verdict.get("again") is not None:
            from .resubmit_button import offer

            offer(self._job, picture.record)

    def detach(self) -> None:
        """Leave the card of the moment: nobody refreshes the panel from now on."""
        self._end()

    def _end(self) -> Picture:
        """The widget shows the card too, for a page that was reloaded meanwhile."""
        from IPython.display import display

        picture = self._look()
        data = self._static(picture)
        display(data, raw=True, display_id=self._display_id, update=True)
        for block in (self._meters, self._rows, self._sent, *self._blocks):
            self._put(block, "")
        self._put(self._head, data["text/html"])
        for widget in (self._open, self._detach, self._cancel, self._choice, self._log):
            if widget is not None:
                widget.layout.display = "none"
        return picture
