"""What of the kernel's process is made here before the cell, and what the cell changed in it."""

from __future__ import annotations

import os
import sys

from .settings_table import Settings, on_import

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

MOST_BYTES = 8 << 20  # of one value, as it stands in a manifest
ARRAY_TASK = "SLURM_ARRAY_TASK_ID"


class Surroundings:
    """Settings and the state of modules, around one cell.

    Parameters
    ----------
    carried : dict
        What the manifest has of them.
    follow : bool
        What changes goes back: a cell that somebody waits for, not a call and not an array's task.
    """

    def __init__(self, carried: Dict[str, Any], *, follow: bool) -> None:
        task = os.environ.get(ARRAY_TASK, "") if carried.get("seed") else ""
        self._carried = carried
        self._follow = follow and not task
        self._settings = Settings(carried, follow=self._follow)
        self._attributes: Dict[str, Dict[str, Any]] = carried.get("attributes") or {}
        self._seen: Dict[str, Any] = {}
        self._tops = frozenset(carried.get("modules") or ()) | frozenset(carried.get("touched") or ())
        self._notes: List[str] = []
        self.facts: Dict[str, Any] = {}
        if task:
            self.facts["seeds"] = self._settings.seed_task(task)

    def prepare(self) -> None:
        """Before anything is loaded: variables, path, limits, filters."""
        self._settings.begin(early=True)

    def begin(self) -> None:
        """When the cell's names are there: all other settings, and what was assigned to modules."""
        self._settings.begin(early=False)
        if self._attributes:
            from .module_state import apply

            apply(self._attributes, self._notes)
        for mime, encoded in (self._carried.get("printers") or {}).items():
            self._show_types(mime, encoded)
        for name in self._carried.get("submodules") or ():
            on_import.call(name.partition(".")[0], lambda _, name=name: _import(name))  # type: ignore[misc]
        if self._follow and self._tops:
            for module in list(sys.modules.values()):
                self._look(module)
            on_import.call_after(self._look)

    def _look(self, module: Any) -> None:
        """Remember a module in which the cell may assign something."""
        name = getattr(module, "__name__", None)
        if isinstance(name, str) and name.partition(".")[0] in self._tops:
            from .module_state import snapshot

            self._seen[name] = snapshot(module, deep=self._is_local(name))

    def _show_types(self, mime: str, encoded: Any) -> None:
        """Show types as the notebook does; this needs IPython, which is imported for it."""
        try:
            from . import ipython
            from .settings_table import decode

            formatter = ipython.shell().display_formatter.formatters[mime]
            for kind, function in decode(encoded):
                formatter.for_type(kind, function)
        except Exception as error:  # no IPython here
            self._notes.append(f"{mime} is not made as in the notebook: {type(error).__name__}: {error}"[:200])

    def _is_local(self, name: str) -> bool:
        return name.partition(".")[0] in (self._carried.get("modules") or ())

    def changed(self, make_pickler: Callable[[Any], Any]) -> Dict[str, Any]:
        """Return what goes back, for the result's manifest; nothing in that may cost the cell its names."""
        try:
            found = self._settings.changed(make_pickler) if self._follow else {}
            self._drop_secrets(found)
            attributes = self._assigned(make_pickler)
        except Exception as error:
            found, attributes = {}, {}
            self._notes.append(f"Settings did not come back: {type(error).__name__}: {error}"[:200])
        if attributes:
            found["attributes"] = attributes
        notes = [*(self._carried.get("notes") or ()), *self._settings.notes, *self._notes]
        return {**found, "notes": notes} if notes else found

    def _drop_secrets(self, found: Dict[str, Any]) -> None:
        variables = (found.get("values") or {}).get("environment")
        if not variables:
            return
        import re

        secret = re.compile(self._carried.get("secret") or "(?!)", re.IGNORECASE)
        for name in [n for n in variables if secret.search(n)]:
            del variables[name]
            self._notes.append(f"The variable {name} did not come back: its name says that it is a secret.")

    def _assigned(self, make_pickler: Callable[[Any], Any]) -> Dict[str, Dict[str, Any]]:
        if not self._seen:
            return {}
        from .module_state import changed
        from .settings_table import encode

        found: Dict[str, Dict[str, Any]] = {}
        for name, before in self._seen.items():
            module = sys.modules.get(name)
            for attribute, value in changed(module, before, deep=self._is_local(name)).items():
                try:
                    encoded = encode(value, make_pickler)
                    if len(str(encoded)) > MOST_BYTES:
                        raise OverflowError(f"it has more than {MOST_BYTES >> 20} MiB")
                    found.setdefault(name, {})[attribute] = encoded
                except Exception as error:
                    self._notes.append(f"{name}.{attribute} did not come back: {type(error).__name__}: {error}"[:200])
        return found


def _import(name: str) -> None:
    """Import a submodule that the kernel had loaded, and that the cell names without importing it."""
    import importlib

    try:
        importlib.import_module(name)
    except Exception:  # where it is missing here, the cell says so where it needs it
        pass
