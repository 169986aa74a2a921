"""Write what the cell made: names, the exception, and what can't come back."""

from __future__ import annotations

import os
import sys
import types

from . import container
from .cell import Stopped, format_traceback
from .circumstances import describe, is_space

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from .run import _Worker

EXCEPTION = "<exception>"
RETURN = "<return>"
PLAIN_BYTES = 1 << 16  # more is worth importing cloudpickle for


class Outcome:
    """Collects and writes the result container of one worker."""

    def __init__(self, worker: _Worker) -> None:
        self.worker = worker
        self.cell = worker.cell
        self.namespace = worker.namespace
        self.originals = worker.originals
        self._known_ids: Dict[int, str] = {}
        self._payload_classes: Any = frozenset()
        self._needs: set[str] = set()

    def write(self, value: Any, error: Optional[BaseException], fingerprints: Any) -> Dict[str, Any]:
        """Write ``result/`` and return the summary for the ``done`` event."""
        values, modules, missing = self._collect(error)
        if self.cell["kind"] == "call" and error is None:
            values.append((RETURN, value))
        extra: Dict[str, Any] = {
            "modules": modules,
            "missing": missing,
            "host": os.uname().nodename,
            "imported": loaded_packages(),
            "error": self._describe(error),
            "mutated": self._mutated(fingerprints, [n for n, _ in values]),
        }
        if error is not None and not isinstance(error, (Stopped, SystemExit)):
            if self._survives(error):
                values.append((EXCEPTION, error))
        temporary = os.path.join(self.worker.directory, "result.tmp")
        os.makedirs(temporary, 0o700, exist_ok=True)
        self._remember_known()
        make = self._pickler
        if _are_plain(values):
            make = _plain_pickler if values else _no_pickler
        failures = container.write(temporary, values, lambda _: extra, make)
        unsent = {f.name: self._explain(f.name, dict(values)[f.name], f.error) for f in failures}
        full = next((f.error for f in failures if is_space(f.error)), None)
        self._complete(temporary, unsent, self._no_room(full) if error is None else None)
        os.replace(temporary, os.path.join(self.worker.directory, "result"))
        outcome = "failed" if error is not None or full is not None else "completed"
        return {"outcome": outcome, "unsent": sorted(unsent)}

    # -- what comes back -------------------------------------------------------------------------

    def _collect(
        self, error: Optional[BaseException]
    ) -> Tuple[List[Tuple[str, Any]], Dict[str, str], List[str]]:
        values: List[Tuple[str, Any]] = []
        modules: Dict[str, str] = {}
        missing: List[str] = []
        for name in self._output_names():
            if name not in self.namespace:
                missing.append(name)
                continue
            value = self.namespace[name]
            untouched = name in self.originals and value is self.originals[name]
            if untouched and name not in self.cell["explicit_outputs"]:
                continue
            if isinstance(value, types.ModuleType):
                modules[name] = value.__name__
            else:
                values.append((name, value))
        return values, modules, missing if error is None else []

    def _output_names(self) -> List[str]:
        """The names to bring back; what magics and star imports assigned shows only now."""
        names = list(self.cell["outputs"])
        if self.cell["all_new"]:
            from .ipython import HIDDEN

            found = set(names) | HIDDEN
            names += [n for n in self.namespace if n not in found and not n.startswith("_")]
        return names

    def _mutated(self, fingerprints: Any, returned: List[str]) -> List[str]:
        if fingerprints is None:
            return []
        changed = fingerprints.changed(self.namespace, self.originals)
        return [name for name in changed if name not in returned]

    # -- the exception ---------------------------------------------------------------------------

    def _describe(self, error: Optional[BaseException]) -> Optional[Dict[str, Any]]:
        if error is None:
            return None
        kind = type(error)
        record: Dict[str, Any] = {
            "type": kind.__qualname__
            if kind.__module__ in ("builtins", "__main__")
            else f"{kind.__module__}.{kind.__qualname__}",
            "message": _text(error),
            "traceback": format_traceback(error, self.worker.labels),
            "kind": "exception",
            **describe(error, self.worker.directory),
        }
        if isinstance(error, Stopped):
            record.update(kind="signal", signal=error.signal)
        elif isinstance(error, SystemExit):
            code: Any = error.code
            code = code if isinstance(code, (int, str, type(None))) else repr(code)
            record.update(kind="exit", exit_code=code)
        elif isinstance(error, KeyboardInterrupt):
            record.update(kind="interrupt")
        return record

    def _no_room(self, full: Optional[BaseException]) -> Optional[Dict[str, Any]]:
        """A name is lost to a full disk: the cell may not look as if it had ended well."""
        if full is None:
            return None
        full.filename = os.path.join(self.worker.directory, "result")  # type: ignore[attr-defined]
        message = f"{type(full).__name__}: {full}"
        return {"kind": "unsaved", "message": message, **describe(full, self.worker.directory)}

    def _survives(self, error: BaseException) -> bool:
        """Try the whole way: exceptions often pickle and then fail to load."""
        import io

        from .pickling import ValueUnpickler

        try:
            file = io.BytesIO()
            self._plain(file).dump(error)
            again = ValueUnpickler(io.BytesIO(file.getvalue())).load()
        except BaseException:  # user-written constructors may raise anything
            return False
        return type(again) is type(error) or type(again).__qualname__ == type(error).__qualname__

    # -- pickling --------------------------------------------------------------------------------

    def _plain(self, file: Any, **options: Any) -> Any:
        return self.worker._plain_pickler(file, **options)

    def _pickler(self, file: Any, **options: Any) -> Any:
        from .pickling import ValuePickler

        return ValuePickler(
            file,
            namespace=self.namespace,
            known=self._known if self.originals else None,
            keep_global=self._keep_global,
            **options,
        )

    def _remember_known(self) -> None:
        explicit = set(self.cell["explicit_outputs"])
        for name, value in self.originals.items():
            if name in explicit:
                continue
            if isinstance(value, (type, types.FunctionType)) or type(value) is object:
                self._known_ids[id(value)] = name
        if self.originals and self.worker.manifest["has_code"]:
            from .pickling import tracked_classes

            made_here = set(self.cell["outputs"])
            self._payload_classes = {
                c for c in tracked_classes()
                if c.__qualname__.split(".")[0] not in made_here | explicit
            }  # fmt: skip

    def _known(self, obj: Any) -> Optional[Tuple[str, Optional[str]]]:
        name = self._known_ids.get(id(obj))
        if isinstance(obj, type) and (name is not None or obj in self._payload_classes):
            from .pickling import tracker_id

            if obj.__module__ != "__main__":
                return None  # importable, or cloudpickle's own business
            identifier = tracker_id(obj)
            return (name or obj.__qualname__, identifier) if identifier else None
        if name is None or (isinstance(obj, types.FunctionType) and obj.__module__ != "__main__"):
            return None
        self._needs.add(name)
        return name, None

    def _keep_global(self, name: str) -> bool:
        """A function that comes back finds unchanged inputs in the kernel: they don't travel twice."""
        if name in self.originals and self.namespace.get(name) is self.originals[name]:
            self._needs.add(name)
            return False
        return True

    def _explain(self, name: str, value: Any, error: BaseException) -> str:
        from .culprit import explain

        return explain(name, value, error, self._plain)

    def _complete(self, directory: str, unsent: Dict[str, str], no_room: Optional[Dict[str, Any]]) -> None:
        import json

        path = os.path.join(directory, container.MANIFEST)
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        manifest["unsent"] = unsent
        if no_room is not None:
            manifest["error"] = no_room
        manifest["needs"] = sorted(self._needs)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(manifest, file)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:
        return f"<str() of it raised {type(broken).__name__}>"


def _no_pickler(file: Any, **options: Any) -> Any:
    """Nothing to pickle: don't pay for importing cloudpickle."""
    return None


def _are_plain(values: List[Tuple[str, Any]]) -> bool:
    """Tell whether these are small numbers, texts and containers of them: then pickle alone will do."""
    if not values:
        return True
    if "cloudpickle" in sys.modules:
        return False
    import pickle

    class OnlyPlain(pickle.Pickler):
        def reducer_override(self, obj: Any) -> Any:
            raise pickle.PicklingError  # called for all that is no exact built-in type

    class Nowhere:
        size = 0

        def write(self, data: Any) -> None:
            self.size += len(data)
            if self.size > PLAIN_BYTES:
                raise OverflowError

    try:
        OnlyPlain(Nowhere(), 5).dump([value for _, value in values])
    except Exception:  # the real pickler will say what is wrong
        return False
    return True


def _plain_pickler(file: Any, **options: Any) -> Any:
    import pickle

    return pickle.Pickler(file, 5, **options)


def loaded_packages() -> Dict[str, str]:
    """Return the versions of the top-level packages that this process really imported."""
    found = {}
    for name, module in list(sys.modules.items()):
        version = getattr(module, "__version__", None)
        if "." not in name and isinstance(version, str):
            found[name] = version
    return found
