"""Which backends there are: the built-in ones, and those that others register."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from ..model.exceptions import TargetError
from .base import Backend

_BUILT_IN = {  # no entry points: to find those, every installed package is looked at
    "local": "jupyter_hpc.backends.local:LocalBackend",
    "kubernetes": "jupyter_hpc.backends.kubernetes:KubernetesBackend",
    "slurm": "jupyter_hpc.backends.slurm:SlurmBackend",
}


def backend_class(name: str) -> type[Backend]:
    """Return a backend: a built-in one, one of the entry-point group ``jupyter_hpc.backends``, or ``module:Class``.

    Raises
    ------
    TargetError
        If there is none, naming those that are.
    """
    reference = name if ":" in name else _BUILT_IN.get(name) or _registered(name)
    module, _, attribute = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
        if not issubclass(found, Backend):
            raise TypeError(f"{attribute} is no subclass of jupyter_hpc.backends.base.Backend")
    except (ImportError, AttributeError, TypeError) as error:
        hint = "Its module must be importable here: on PYTHONPATH, or installed."
        raise TargetError(f"The backend {reference} can't be used: {error}.", hint=hint) from error
    return cast("type[Backend]", found)


def backend_of(record: Mapping[str, Any]) -> type[Backend]:
    """Return the backend that has a run, by its record; of one that isn't installed here nothing is known."""
    try:
        return backend_class(str((record.get("target") or {}).get("backend") or ""))
    except TargetError:
        return Backend


@lru_cache(maxsize=32)
def _registered(name: str) -> str:
    """Return what another package registers; every installed package's metadata is read for that."""
    from importlib.metadata import entry_points

    others = {e.name: e.value for e in entry_points(group="jupyter_hpc.backends")}
    if name not in others:
        known = ", ".join(sorted({*_BUILT_IN, *others}))
        raise TargetError(f"There is no backend {name!r}.", hint=f"Installed: {known}.")
    return others[name]
