"""The tasks of an array in the panel: a row each, and whose log is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..follow.glance import refresh
from ..rundir.reader import PartsReader, RunReader, reader_of
from ..rundir.run import Run
from ..views.log import LogTail
from ..views.parts_table import chosen, tasks_html
from ..views.picture import Part
from .blocks import block, put
from .clicks import let_subshell_answer

ALL_TASKS = "all tasks"


class TasksBox:
    """Nothing at all for a job that has no tasks."""

    def __init__(self, run: Run, tasks: Sequence[Run], chose: Callable[[], None]) -> None:
        self._run, self._tasks, self._chose = run, tasks, chose
        self._task: tuple[RunReader | PartsReader, LogTail] | None = None
        self._rows = block()
        self._choice = self._make_choice() if tasks else None
        self.widgets = [self._rows] if self._choice is None else [self._rows, self._choice]

    def _make_choice(self) -> Any:
        import ipywidgets

        choice = ipywidgets.Dropdown(
            options=[ALL_TASKS],
            description="Log of",
            style={"description_width": "initial"},
            layout={"width": "auto", "max_width": "16em", "margin": "0"},
        )
        choice.observe(self._on_choice, "value")
        return choice

    @property
    def are_some(self) -> bool:
        return self._choice is not None

    def refresh(self) -> int:
        """Ask how the tasks stand; return how many bytes went."""
        if self._choice is None:
            return 0
        parts = list(zip(self._tasks, refresh(self._tasks)))
        sent = put(self._rows, tasks_html(parts))
        self._offer(self._choice, parts)
        return sent

    def _offer(self, choice: Any, parts: Sequence[Part]) -> None:
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
            self._task = (reader_of(self._run.part(index)), LogTail())
        self._chose()

    def log(self, of_all: LogTail) -> LogTail:
        """Return the log of the chosen task, or of all."""
        task = self._task
        if task is None:
            return of_all
        reader, tail = task
        tail.add(reader.poll())
        return tail

    def close(self) -> None:
        put(self._rows, "")
        if self._choice is not None:
            self._choice.layout.display = "none"
