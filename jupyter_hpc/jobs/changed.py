"""A result that goes on where its payload ended: what its numbers mean here, and its changes put into what is here.

In the kernel that sent the cell, the numbers are the very objects that were sent. Anywhere else (a new kernel, or
``job.result()``, which must not touch what is here) they are copies, loaded from the payload of the run.
"""

from __future__ import annotations

import gc
import pickle
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from cloudpickle import cloudpickle as _cp

from ..capture import memo, sent
from ..capture.reach import reached_names
from ..model.exceptions import ResultError
from ..rundir import checked
from ..rundir.checked import Checked
from ..rundir.run import Run
from ..worker import classes
from ..worker.changes import put
from ..worker.continuation import Hole, numbered_there
from ..worker.looking import is_a
from ..worker.pickling import Resolving

# what makes classes in a stream, and what gives them their attributes
_MAKE = (_cp._make_skeleton_class, classes.class_or_bare, classes.bare_class)
_FILL = (_cp._class_setstate, classes.set_class)


class _OwnClasses(Resolving):
    """A class that this process has is never given the attributes that another one has for it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._own = {id(cls): cls for cls in _cp._DYNAMIC_CLASS_TRACKER_BY_CLASS}

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        return partial(self._fill_class, found) if any(found is each for each in _FILL) else found

    def _fill_class(self, fill: Any, cls: type, state: Any) -> Any:
        return cls if id(cls) in self._own else fill(cls, state)


class _PayloadUnpickler(_OwnClasses, pickle.Unpickler):
    """Loads what another kernel sent; classes that are defined here under their names are these."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.reached: dict[str, Any] = {}  # names in the notebook that functions reach

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if found is _cp._function_setstate:
            return self._fill_function
        return partial(self._make_class, found) if any(found is each for each in _MAKE) else found

    def _fill_function(self, function: Any, state: Any) -> Any:
        """Keep what a function reaches apart: what is bound here stays as it is, whoever works with it meanwhile."""
        if function.__globals__ is sys.modules["__main__"].__dict__:
            self.reached.update(state[1]["__globals__"])
            state[1]["__globals__"] = {}
        return _cp._function_setstate(function, state)

    def _make_class(
        self, make: Any, kind: Any, name: str, bases: Any, options: Any, tracker: str | None, *more: Any
    ) -> Any:
        here = sys.modules["__main__"].__dict__.get(name)
        is_known = tracker is None or tracker in _cp._DYNAMIC_CLASS_TRACKER_BY_ID
        if not is_known and isinstance(here, type) and here.__module__ == "__main__" and type(here) is kind:
            self._own[id(here)] = here
            return _cp._lookup_class_or_track(tracker, here)
        return make(kind, name, bases, options, tracker, *more)


class ResultUnpickler(_OwnClasses, pickle.Unpickler):
    """Loads a result."""

    def __init__(self, file: Any, run: Run, **options: Any) -> None:
        super().__init__(file, **options)
        self._run = run

    def resolve_known(self, qualname: str, tracker_id: str | None) -> Any:
        """Find what results of earlier versions name; in a new kernel it is in the payload."""
        try:
            found = super().resolve_known(qualname, tracker_id)
            if (tracker_id is not None) == isinstance(found, type):
                return found
        except pickle.UnpicklingError:
            pass
        load_payload(self._run, keep=None, is_foreign=True)
        return super().resolve_known(qualname, tracker_id)


def load_payload(run: Run, keep: Iterable[str] | None, *, is_foreign: bool) -> tuple[list[Any], dict[str, Any], str]:
    """Load a run's payload as a copy; return its objects by number, its values by name, and why some are not there.

    Parameters
    ----------
    keep : iterable of str or None
        Names of it that ``__main__`` gets where it has none, with what they reach; None for all.
    is_foreign : bool
        Another kernel sent it: this one may lack its classes and functions and what they reach, and gets these, too.
    """
    main = sys.modules["__main__"].__dict__
    with checked.payload(run) as found:
        for path in reversed(found.manifest["cell"]["module_paths"]):
            if path not in sys.path:
                sys.path.append(path)
        names, lost = [record["name"] for record in found.manifest["names"]], ""
        values, objects, reached, error = _loaded(found, names)
        if error is not None:  # what it had begun has its number already: once more without it
            bad = names[len(values)]
            lost = f"it holds a part of {bad}, which can't be loaded here: {type(error).__name__}: {error}"
            values, objects, reached, _ = _loaded(found, names[: len(values)])
    kept = {**reached, **values}
    if is_foreign and keep is not None:
        code = [name for name, value in values.items() if is_a(value, (type, types.FunctionType))]
        keep = [*keep, *reached, *code]
    for name in kept if keep is None else (*keep, *reached_names(keep, kept)):
        if name in kept:
            main.setdefault(name, kept[name])
    return objects, values, lost


def _loaded(found: Checked, names: list[str]) -> tuple[dict[str, Any], list[Any], dict[str, Any], Exception | None]:
    """Return values by name, objects by number, what functions reach by name, and what kept the next from loading."""
    values: dict[str, Any] = {}
    failed = None
    unpickler = _PayloadUnpickler(found.pickle(), buffers=iter(found.buffers()))
    try:
        for name in names:
            values[name] = unpickler.load()
    except Exception as error:  # the user's own code may raise anything
        failed = error
    objects = numbered_there(unpickler.memo.copy())
    unpickler.memo = {}
    return values, objects, unpickler.reached, failed


class Base:
    """What the numbers of a result mean here.

    Attributes
    ----------
    objects : list
        By number.
    values : mapping
        What was sent, by name.
    here : bool
        They are the kernel's own, not copies.
    lost : str
        Why some objects are not there (``Hole``); else empty.
    """

    def __init__(self, run: Run, manifest: Mapping[str, Any], *, here: bool) -> None:
        told = manifest.get("continues") or {}
        count, numbers = told.get("count") or 0, told.get("numbers")
        self.sent = sent.to((run.whole or run).id)
        self.objects: list[Any] = []
        self.values: Mapping[str, Any] = {}
        self.lost = ""
        self.here = here and not count
        main = sys.modules["__main__"].__dict__
        needs = [name for name in manifest.get("needs") or () if name not in main]
        own = self.sent.objects() if here and self.sent is not None and numbers is None else None
        if count and own is not None and self.sent is not None:
            self.objects, self.values, self.here = own, self.sent.values, True
        elif count or needs:
            self._copy(run, needs, count, numbers)
        if told.get("short"):  # the node could not load the last names, which only might have been needed
            self.objects = self.objects[:count]
        if len(self.objects) != count:
            raise ResultError(f"The result of {run.id} doesn't fit what was sent to it.", hint="Run the cell again.")

    def _copy(self, run: Run, needs: list[str], count: int, numbers: list[int] | None) -> None:
        itself = self.sent.itself() if self.sent is not None else {}
        if numbers is not None and not needs and all(n in itself for n in numbers):
            self.objects = [itself[n] for n in numbers]
            return
        copies, self.values, self.lost = load_payload(run, needs, is_foreign=self.sent is None)
        wanted = range(count) if numbers is None else numbers
        copies += [Hole] * (max(wanted, default=-1) + 1 - len(copies) if self.lost else 0)
        if count and len(copies) > max(wanted, default=-1):
            self.objects = [itself.get(number, copies[number]) for number in wanted]


class Changes:
    """What a cell changed in place, to be changed here too.

    Attributes
    ----------
    names : list of str
        Under which it is known.
    kept : list of str
        Names that were changed here meanwhile, and are left as they are.
    """

    def __init__(self) -> None:
        self._states: dict[str, list[Any]] = {}
        self._base: Base | None = None
        self._run = ""
        self._said: list[str] = []
        self.kept: list[str] = []
        self._known_by: Sequence[str] = ()  # all names, where ``names`` has one for each change

    @property
    def names(self) -> list[str]:
        return list(self._states)

    def add(self, name: str, states: list[Any]) -> None:
        self._states[name] = states

    def of(self, base: Base, run: str, known_by: Sequence[str]) -> None:
        """Say whose objects change, and all names from which they are reached."""
        self._base, self._run, self._known_by = base, run, known_by

    def made(self) -> dict[str, Any]:
        """Change the copies, and return the names with their values."""
        if self._base is None or not self._states:
            return {}
        base = self._base
        anew = self._put(self.names)
        values = {name: base.values[name] for name in self._known_by if name in base.values}
        by_id = {id(base.objects[number]): new for number, new in anew.items()}
        return {name: by_id.get(id(value), value) for name, value in values.items()}

    def bring(self, namespace: dict[str, Any], *, check: bool, force: Iterable[str] = ()) -> list[str]:
        """Change the kernel's objects and return the names whose changes are here.

        Parameters
        ----------
        check : bool
            Other cells may have run meanwhile: what was changed here since it was sent is left alone.
        force : iterable of str
            Names that are changed all the same.
        """
        if self._base is None or not self._base.here or not self._states:
            return []
        self.kept = [n for n in self._states if check and n not in force and self._moved_on(n, namespace)]
        brought = [name for name in self._states if name not in self.kept]
        for number, new in self._put(brought).items():
            self._rebind(namespace, self._base.objects[number], new)
        return brought

    def _put(self, names: list[str]) -> dict[int, Any]:
        assert self._base is not None  # noqa: S101 who puts has a base
        anew, failed = put(self._base.objects, [state for name in names for state in self._states[name]])
        of_number = {number: name for name in names for number, _ in self._states[name]}
        self._said += [f"{of_number[number]} could not be changed here: {why}" for number, why in failed.items()]
        return anew

    def _moved_on(self, name: str, namespace: Mapping[str, Any]) -> bool:
        """Tell whether a name has another value here, or its value another content, than what was sent."""
        assert self._base is not None  # noqa: S101 who brings has a base
        assert self._base.sent is not None  # noqa: S101 it is here
        value = namespace.get(name, self)
        if value is not self._base.values.get(name):
            return True
        then, now = self._base.sent.digests.get(name), memo.digest_of(value)
        return then is not None and now is not None and then != now

    def _rebind(self, namespace: dict[str, Any], old: Any, new: Any) -> None:
        """Bind names anew whose object can't be changed to what it is there; say if something else still holds it."""
        names = [name for name, value in namespace.items() if value is old]
        for name in names:
            namespace[name] = new
        held = [
            each
            for each in gc.get_referrers(old)
            if each is not namespace
            and (self._base is None or each is not self._base.objects)
            and isinstance(each, (list, dict, tuple, set))
            and each is not names
        ]
        what = ",".join(names) or f"A {type(old).__name__}"
        more = "; something else here still holds the old one" if held else ""
        self._said.append(f"{what} could not be changed in place and is another object now{more}.")

    def notes(self) -> list[str]:
        """Return what the user should know, a line each."""
        lines = list(self._said)
        if self.kept:
            listed = ",".join(self.kept)
            lines.append(
                f"{listed} changed there, but here too meanwhile, and stays as it is here; `%hpc result {self._run} "
                f"--force {listed}` takes the job's, `job.result()` has it."
            )
        return lines
