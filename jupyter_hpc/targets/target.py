"""A named place to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..backends.base import Backend
from ..backends.registry import backend_class
from ..model.exceptions import TargetError
from ..model.resources import Resources
from ..model.spec import JobSpec

_INTERPRETERS = {"python", "venv", "conda", "requirements"}


@dataclass(frozen=True)
class Target:
    """A named place to run: a backend, its settings, default resources."""

    name: str
    backend: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    source: str = "built in"

    def make_backend(self) -> Backend:
        return backend_class(self.backend)(self.settings)

    def complete(self, spec: JobSpec) -> JobSpec:
        """Return the spec with this target's defaults where it says nothing.

        Raises
        ------
        OptionError
            If a default is no resource and no option.
        """
        from dataclasses import fields, replace

        plain = {f.name for f in fields(JobSpec)} - {"resources", "env", "modules", "passthrough", "prologue"}
        resources = Resources.parse(
            **{k: v for k, v in self.defaults.items() if k not in plain | {"modules"}}
        )
        if any(
            getattr(spec, k) for k in _INTERPRETERS
        ):  # the cell chose one: the target's is no second choice
            plain -= _INTERPRETERS
        changes: dict[str, Any] = {
            k: self.defaults[k] for k in plain if self.defaults.get(k) and getattr(spec, k) is None
        }
        changes["prologue"] = self.prologue()
        if not spec.modules and self.defaults.get("modules"):
            changes["modules"] = tuple(self.defaults["modules"])
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
