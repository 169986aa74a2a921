"""Write what the cell made: names, the exception, and what can't come back."""

from __future__ import annotations

import os
import sys
import types

from . import container
from .apart import apart
from .cell import Stopped, format_traceback
from .circumstances import describe, text_of
from .continuation import Nowhere, has_identity, prelude, resume
from .ipython import HIDDEN
from .looking import is_a
from .room import may_come
from .shown import SHOWN, goes_back
from .signing import SIGNATURE

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from .changes import Watch
    from .main import _Worker

EXCEPTION = "<exception>"
RETURN = "<return>"
CHANGE = "<changed> "  # and the name by which it is known
PLAIN_BYTES = 1 << 16  # more is worth importing cloudpickle for


class ResultWriter:
    """Collects and writes the result container of one worker."""

    def __init__(self, worker: _Worker) -> None:
        self.worker = worker
        self.cell = worker.cell
        self.namespace = worker.namespace
        self.originals = worker.originals
        self._needs: set[str] = set()
        self._brings = self.cell.get("changes") == "bring"
        # where values are copies, only what is known by being itself is referred to
        numbers = None if self._brings else [n for n, obj in enumerate(worker.objects) if has_identity(obj)]
        self._numbers = numbers
        self._elsewhere = set(self.cell.get("strided") or () if self._brings else ())
        self._objects = worker.objects if numbers is None else [worker.objects[n] for n in numbers]

    def write(
        self, value: Any, error: Optional[BaseException], watch: Optional[Watch], *, whole: bool
    ) -> Dict[str, Any]:
        """Write ``result/`` and return the summary for the ``done`` event.

        Parameters
        ----------
        whole : bool
            Raise the OSError of a name for which the disk has no room; else the others are saved without it.
        """
        values, modules, missing = self._collect(error)
        if self.cell["kind"] == "call" and error is None:
            values.append((RETURN, value))
        elif self.cell["kind"] == "cell" and error is None and goes_back(value):
            values.append((SHOWN, value))
        changes = Changes(self, watch)
        values += apart("what the cell changed in place", changes.entries, default=[])
        extra: Dict[str, Any] = {
            "modules": modules,
            "missing": missing,
            "deleted": self._deleted(),
            "host": os.uname().nodename,
            "imported": apart("what was imported", loaded_packages, default={}),
            "error": apart("the traceback", self._describe, error, default=_bare(error)),
            "changed": changes.names,
            "mutated": changes.left,
            "continues": {"count": len(self._objects), "numbers": self._numbers, "short": self.worker.short},
            "settings": apart("what settings changed", self.worker.surroundings.changed, self._plain, default={}),
        }
        if error is not None and not isinstance(error, (Stopped, SystemExit)):
            if self._survives(error):
                values.append((EXCEPTION, error))
        temporary = os.path.join(self.worker.directory, "result.tmp")
        os.makedirs(temporary, 0o700, exist_ok=True)
        make, alone = self._pickler, self._plain
        if _are_plain(values):
            make = alone = _plain_pickler if values else _no_pickler
        failures = self._write(temporary, values, changes, extra, make, alone)
        given = {**dict(values), **{CHANGE + name: self.originals[name] for name in changes.brought}}
        unsent = {
            f.name.replace(CHANGE, ""): self._explain(f.name.replace(CHANGE, ""), given[f.name], f.error)
            for f in failures
            if f.name != SHOWN
        }
        full = next((f.error for f in failures if may_come(f.error)), None)
        if full is not None and whole:
            raise full
        self._complete(temporary, unsent, self._no_room(full) if error is None else None)
        os.replace(temporary, os.path.join(self.worker.directory, "result"))
        outcome = "failed" if error is not None or full is not None else "completed"
        return {"outcome": outcome, "unsent": sorted(unsent)}

    def _write(
        self,
        directory: str,
        values: List[Tuple[str, Any]],
        changes: Changes,
        extra: Any,
        make: Any,
        alone: Any,
    ) -> List[container.Failure]:
        """Write the container; of changes that can't travel whole, what can."""
        objects = self._objects if values and make is not _no_pickler else []
        extra["continues"]["count"] = len(objects)

        def resumed(file: Any, **options: Any) -> Any:
            pickler = make(file, **options)
            if hasattr(pickler, "elsewhere"):
                pickler.elsewhere = self._elsewhere
            return resume(pickler, objects) if objects else pickler

        subjects = {CHANGE + name: self.originals[name] for name in changes.brought}
        continues = container.Continues(prelude(len(objects)), alone, subjects)
        failures = container.write(directory, values, lambda _: extra, resumed, continues=continues)
        torn = {f.name for f in failures if f.name.startswith(CHANGE)}
        if torn:
            kept = [(n, changes.possible(v, resumed) if n in torn else v) for n, v in values]
            more = container.write(directory, kept, lambda _: extra, resumed, continues=continues)
            failures += [f for f in more if f.name not in {each.name for each in failures}]
        return failures

    # -- what comes back -------------------------------------------------------------------------

    def _collect(self, error: Optional[BaseException]) -> Tuple[List[Tuple[str, Any]], Dict[str, str], List[str]]:
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
            if is_a(value, types.ModuleType):
                modules[name] = value.__name__
            else:
                values.append((name, value))
        return values, modules, missing if error is None else []

    def _output_names(self) -> List[str]:
        """The names to bring back: what the cell's text assigns, and what anything else made or bound anew."""
        names = list(self.cell["outputs"])
        if self.cell["all_new"]:
            found = {*names, *HIDDEN}
            names += [n for n in self.namespace if n not in found and not _is_pythons(n)]
        return names

    def _deleted(self) -> List[str]:
        """Names that are gone: of those that were sent, and those that the cell's text deletes."""
        if not self.cell["all_new"]:
            return []
        known = dict.fromkeys([*self.originals, *self.cell.get("deletes", ())])
        return [name for name in known if name not in self.namespace]

    # -- the exception ---------------------------------------------------------------------------

    def _describe(self, error: Optional[BaseException]) -> Optional[Dict[str, Any]]:
        if error is None:
            return None
        kind = type(error)
        record: Dict[str, Any] = {
            "type": kind.__qualname__
            if kind.__module__ in ("builtins", "__main__")
            else f"{kind.__module__}.{kind.__qualname__}",
            "message": text_of(error),
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
        message = f"{type(full).__name__}: {text_of(full)}"
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
            keep_global=self._keep_global,
            **options,
        )

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
        data = json.dumps(manifest).encode()
        with open(path, "wb") as file:
            file.write(data)
        signature = self.worker.signer.of_result(data)
        if signature:
            with open(os.path.join(directory, SIGNATURE), "w", opener=container.private) as file:
                file.write(signature)


class Changes:
    """What the cell changed in place of what was sent to it.

    Attributes
    ----------
    brought : dict
        The changes that go back, by the first name that each is known by.
    names : list of str
        All names that they are known by.
    left : list of str
        Names of which something changed that does not go back.
    """

    def __init__(self, outcome: ResultWriter, watch: Optional[Watch]) -> None:
        self.brought: Dict[str, List[Any]] = {}
        self.left: List[str] = []
        self.names: List[str] = []
        self._outcome = outcome
        changed = watch.changed() if watch is not None else []
        if changed:
            self._sort(changed)

    def _sort(self, changed: List[Any]) -> None:
        from .changes import names_of

        cell, originals, namespace = self._outcome.cell, self._outcome.originals, self._outcome.namespace
        names = names_of(changed, originals, (namespace, originals, self._outcome.worker.__dict__))
        wanted = set(cell["explicit_outputs"]) if not cell["all_new"] else set(originals)
        left: set[str] = set()
        brought: set[str] = set()
        for change in changed:
            known = names[change.number]
            carriers = known or list(originals)  # what no name is seen to hold travels with any
            carrier = next((name for name in carriers if name in wanted), None)
            if self._outcome._brings and carrier is not None:
                self.brought.setdefault(carrier, []).append(change)
                brought.update(known)
            else:
                left.update(known)
        self.names, self.left = sorted(brought), sorted(left - brought)

    def entries(self) -> List[Tuple[str, Any]]:
        """Return what travels, an entry for each name; a change that can't be read is named as one that stays."""
        found = []
        for name, changes in self.brought.items():
            states = []
            for change in changes:
                try:
                    states.append(change.state())
                except Exception:  # its type's own code may raise anything: the other changes still go
                    self.left = sorted({*self.left, name})
            found.append((CHANGE + name, states))
        return found

    @staticmethod
    def possible(states: List[Any], make: Any) -> List[Any]:
        """Return the states that can be pickled."""
        kept = []
        for state in states:
            try:
                make(Nowhere(), buffer_callback=lambda _: False).dump(state)
                kept.append(state)
            except Exception:  # named already
                continue
        return kept


def _is_pythons(name: str) -> bool:
    """Tell whether a name is one that Python or IPython itself keeps in the namespace."""
    bare = name.strip("_")
    return (
        not bare
        or (name.startswith("__") and name.endswith("__"))
        or (name.startswith("_") and (bare.lstrip("i") == "" or bare.lstrip("i").isdigit()))
        or name in ("_ih", "_oh", "_dh", "_exit_code")
    )


def _bare(error: Optional[BaseException]) -> Optional[Dict[str, Any]]:
    """Return what of an exception is certain."""
    if error is None:
        return None
    return {"type": type(error).__name__, "message": text_of(error), "traceback": "", "kind": "exception"}


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

    class Bounded:
        size = 0

        def write(self, data: Any) -> None:
            self.size += len(data)
            if self.size > PLAIN_BYTES:
                raise OverflowError

    try:
        OnlyPlain(Bounded(), 5).dump([value for _, value in values])
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
