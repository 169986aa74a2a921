"""The form with which a job is submitted again, of ipywidgets' own controls: for front ends without our extension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..jobs.job import Job
from ..model.exceptions import HPCError
from ..model.resubmission import Resubmission
from ..submission.again_form import Field, Form, form_of
from ..views.style import BAD, QUIET, SMALL, escaped, plain
from .blocks import button

_LABEL = {"description_width": "8em"}
_WIDE = {"width": "24em", "margin": "1px 0"}


class ResubmitForm:
    """Fields, filled with what would help; what was typed stays, whatever is said to it.

    Parameters
    ----------
    submit : callable
        Gets what somebody asks for.
    """

    def __init__(self, job: Job, submit: Callable[[Resubmission], None]) -> None:
        import ipywidgets

        self._job, self._submit = job, submit
        self._form: Form = form_of(job.run)
        self._typed: dict[str, str] = {}
        self._fields: dict[str, Any] = {}
        self._target = ipywidgets.Dropdown(
            options=self._form.targets, value=self._form.target, description="Target", style=_LABEL, layout=_WIDE
        )
        self._target.observe(self._on_target, "value")
        self._line = ipywidgets.Text(description="Other options", style=_LABEL, layout=_WIDE)
        self._said = ipywidgets.HTML()
        self._button = button("Submit", "check", "Submit the job again", self._on_submit)
        self.widget = ipywidgets.VBox([], layout={"margin": "4px 0"})
        self._fill()

    def say(self, problem: str) -> None:
        """Say why it could not be submitted; it can be tried again."""
        self._said.value = f'<span role="alert" style="color:{BAD}">{escaped(problem)}</span>' if problem else ""
        self._button.disabled = False

    def _fill(self) -> None:
        import ipywidgets

        self._fields = {field.name: self._field(field) for field in self._form.fields}
        self._line.placeholder = plain(" ".join(self._form.others), 200)
        rows = [self._target]
        for field in self._form.fields:
            hint = f"suggested; it was {field.was}" if field.is_suggested and field.was else field.hint
            note = ipywidgets.HTML(f'<span style="{QUIET};font-size:{SMALL}">{escaped(hint)}</span>')
            rows.append(ipywidgets.HBox([self._fields[field.name], note], layout={"flex_flow": "row wrap"}))
        if self._form.others:
            rows.append(self._line)
        self.widget.children = [*rows, ipywidgets.HBox([self._button]), self._said]

    def _field(self, field: Field) -> Any:
        import ipywidgets

        common = {"description": field.label, "style": _LABEL, "layout": _WIDE}
        value, hint = self._typed.get(field.name, field.value), "as the target has it"
        if field.choices:
            return ipywidgets.Combobox(options=field.choices, value=value, placeholder=hint, **common)
        return ipywidgets.Text(value=value, placeholder=hint, **common)

    def _values(self) -> dict[str, str]:
        return {name: str(widget.value).strip() for name, widget in self._fields.items()}

    def _on_target(self, change: Any) -> None:
        """Another target has other fields; what was typed stays for those that both have."""
        was = {field.name: field.value for field in self._form.fields}
        self._typed.update({name: value for name, value in self._values().items() if value != was[name]})
        try:
            self._form = form_of(self._job.run, change["new"])
        except (HPCError, OSError) as error:  # a border: it is said where it was chosen
            self.say(str(error))
            return
        self._fill()

    def _on_submit(self, _: Any) -> None:
        self._button.disabled = True
        self._said.value = ""
        try:
            asked = self._form.asked(self._values(), self._line.value)
        except HPCError as error:
            self.say(f"{error.message} {error.hint}".strip())
            return
        self._submit(asked)
