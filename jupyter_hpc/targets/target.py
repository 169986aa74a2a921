"""A named place to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..backends.base import Backend
from ..backends.registry import backend_class
from ..model.declaration import declared, is_set
from ..model.exceptions import TargetError
from ..model.given import given
from ..model.resources import Resources
from ..model.spec import JobSpec

_NO_DEFAULT = {"env", "passthrough"}
_INTERPRETERS = {"python", "venv", "conda", "requirements"}


@dataclass(frozen=True)
class Target:
    """A named place to run: a backend, its settings, default resources."""

    name: str
    backend: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    source: str = "built in"

    @property
    def kind(self) -> type[Backend]:
        """The class of its backend."""
        return backend_class(self.backend)

    def make_backend(self) -> Backend:
        return self.kind(self.settings)

    def complete(self, spec: JobSpec) -> JobSpec:
        """Return the spec with this target's defaults where it says nothing.

        Raises
        ------
        OptionError
            If a default is no resource and no option.
        """
        from dataclasses import replace

        plain = {option.dest: option for option in declared(JobSpec) if option.dest not in _NO_DEFAULT}
        resources = Resources.parse(**{k: v for k, v in self.defaults.items() if k not in plain})
        if any(getattr(spec, k) for k in _INTERPRETERS):  # the cell chose one: the target's is no second choice
            plain = {k: option for k, option in plain.items() if k not in _INTERPRETERS}
        changes: dict[str, Any] = {
            k: given(option, self.defaults[k])
            for k, option in plain.items()
            if is_set(self.defaults.get(k)) and not is_set(getattr(spec, k))
        }
        changes["prologue"] = self.prologue()
        return replace(spec, resources=spec.resources.merged(resources), **changes)

    def prologue(self) -> str:
        """Return the setting ``prologue``: lines of shell that run on the node before the worker.

        Raises
        ------
        TargetError
            If it is neither text nor a list of lines.
        """
        lines = self.settings.get("prologue") or ""
        lines = [lines] if isinstance(lines, str) else lines
        if not isinstance(lines, list) or any(not isinstance(x, str) or "\0" in x for x in lines):
            raise TargetError(
                f"The setting prologue of target {self.name} ({self.source}) is neither text nor a list of lines.",
                hint='Write it as "prologue": ["module use /opt/site", "ulimit -c 0"].',
            )
        return "".join(line.rstrip("\n") + "\n" for line in lines if line)
