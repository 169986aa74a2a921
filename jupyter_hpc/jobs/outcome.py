"""What a job made, as the kernel receives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..capture.sent import Sent
from ..lineage.record.known import Known
from ..views.summary import left_words
from ..worker.apart import apart
from .changed import Changes


@dataclass
class Outcome:
    """What a job made.

    Attributes
    ----------
    names : dict
        Values by name, as far as they came back.
    unsent : dict
        Names that can't come back, each with the path to the part that can't and why.
    mutated : list of str
        Inputs that the cell changed in place there and not here.
    changes : Changes
        What it changed in place, and still has to be changed here (``bring``).
    deleted : list of str
        Names that it deleted.
    missing : list of str
        Names asked for that the cell did not assign.
    error : BaseException or None
        What to raise.
    is_call : bool
        It was ``submit(function)``; ``value`` is what that returned.
    shown : object
        The value that the cell showed, if that came back.
    known : dict
        What is remembered of the names' values, so that they are known again as inputs.
    """

    names: dict[str, Any] = field(default_factory=dict)
    unsent: dict[str, str] = field(default_factory=dict)
    mutated: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    deleted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    error: BaseException | None = None
    is_call: bool = False
    of_tasks: bool = False  # of an array's tasks, which change copies
    value: Any = None
    shown: Any = None
    known: dict[str, Known] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)  # of the process, as the cell left them
    sent: Sent | None = None
    again: dict[str, Any] = field(default_factory=dict)  # changed names that were brought before, as copies
    remember: Callable[[str, Any], Known] | None = None  # a changed value; holds none

    def bring(self, namespace: dict[str, Any], *, check: bool = True, force: Sequence[str] = ()) -> None:
        """Put what came back into a namespace: names, changes, deletions.

        Parameters
        ----------
        check : bool
            Other cells may have run since the cell was sent; what they changed is left alone.
        force : sequence of str
            Names that are changed even so.
        """
        was = dict(self.sent.values) if self.sent is not None else {}
        for name in self.changes.bring(namespace, check=check, force=force):
            if self.remember is not None and name in namespace:
                made = apart(f"the origin of {name}", self.remember, name, namespace[name])
                self.known.update({name: made} if made is not None else {})
        for name in self.deleted:
            if name in namespace and namespace[name] is was.get(name, namespace[name]):
                del namespace[name]
        namespace.update(self.names)
        namespace.update({name: self.again[name] for name in force if name in self.again})
        if self.sent is not None and not self.changes.kept:
            self.sent.let_go()

    def notes(self) -> list[str]:
        """Return what the user should know, a line each."""
        lines = [f"{name} did not come back: {why}" for name, why in self.unsent.items()]
        lines += [f"{name} was asked for, but the cell did not assign it." for name in self.missing]
        lines += self.settings.get("notes") or []
        if self.mutated:
            lines.append(left_words(self.mutated, self.of_tasks, "`"))
        return lines + self.changes.notes()
