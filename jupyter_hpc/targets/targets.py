"""All targets: the built-in ones, and those of the configuration files."""

from __future__ import annotations

from ..model.exceptions import TargetError
from ..model.resources import did_you_mean
from ..runtime.settings import BUILT_IN_TARGETS, configured_targets
from .built_in import practice_kubernetes, practice_slurm
from .target import Target


def targets() -> dict[str, Target]:
    """Return all targets: the built-in ones, and those of the configuration files."""
    found = {name: Target(name, backend) for name, backend in BUILT_IN_TARGETS.items()}
    found |= practice_slurm() | practice_kubernetes()
    for name, raw, source in configured_targets():
        base = found.get(name)
        backend = raw.pop("backend", base.backend if base else name)
        defaults = raw.pop("defaults", {})
        found[name] = Target(name, backend, {**(base.settings if base else {}), **raw}, defaults, source)
    return found


def target(name: str) -> Target:
    """Return a target by name.

    Raises
    ------
    TargetError
        If there is none, naming those that are.
    """
    known = targets()
    if name not in known:
        raise TargetError(
            f"There is no target {name[:80]!r}.",
            hint=f"{did_you_mean(name, known)} Targets: {', '.join(known)}. `%hpc targets` shows them.".lstrip(),
        )
    return known[name]
