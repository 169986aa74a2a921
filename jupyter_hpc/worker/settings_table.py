"""The process around the cell: settings that the kernel's user made are made here, and those of the cell go back.

A setting is a dict of keys and values that are not the library's own defaults. Each value travels by itself: one that
can't be sent, read or set costs nothing else, and only what the cell changed goes back. Nothing is imported for a
setting's sake: it waits until something imports its library.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Tuple

    State = Dict[str, Any]
    Functions = Tuple[Callable[[], State], Callable[[State, List[str]], None]]

# name → the module without which it has no meaning, and the file beside this one with its get_NAME and set_NAME
TABLE: Dict[str, Tuple[str, str]] = {
    "environment": ("os", "process_settings"),
    "path": ("sys", "process_settings"),
    "interpreter": ("sys", "process_settings"),
    "warnings": ("warnings", "process_settings"),
    "logging": ("logging", "logging_settings"),
    "random": ("random", "process_settings"),
    "decimal": ("decimal", "process_settings"),
    "csv": ("csv", "process_settings"),
    "socket": ("socket", "process_settings"),
    "numpy": ("numpy", "library_settings"),
    "numpy_random": ("numpy.random", "library_settings"),
    "matplotlib": ("matplotlib", "library_settings"),
    "pandas": ("pandas", "library_settings"),
    "xarray": ("xarray", "library_settings"),
    "sklearn": ("sklearn", "library_settings"),
    "torch": ("torch", "library_settings"),
    "torch_random": ("torch", "library_settings"),
    "jax": ("jax", "library_settings"),
    "polars": ("polars", "library_settings"),
    "plotly": ("plotly.io", "library_settings"),
    "altair": ("altair", "library_settings"),
}
EARLY = ("environment", "path", "interpreter", "warnings")  # before anything is imported for the cell's names
TWICE = ("warnings",)  # what was imported with the names put its own filters before the user's
GENERATORS = ("random", "numpy_random", "torch_random")  # an array's tasks get seeds of their own
_PLAIN = (type(None), bool, int, float, str)


def functions(name: str, own: Optional[Dict[str, Functions]] = None) -> Functions:
    """Return what reads a setting and what makes it."""
    if own and name in own:
        return own[name]
    module = _beside(TABLE[name][1])
    return getattr(module, f"get_{name}"), getattr(module, f"set_{name}")


def _beside(name: str) -> Any:
    return __import__(f"{__name__.rpartition('.')[0]}.{name}", fromlist=["get"])


# -- one value as JSON ---------------------------------------------------------------------------


def is_plain(value: Any) -> bool:
    """Tell whether JSON will do; a tuple comes as a list."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind in (list, tuple):
        return all(map(is_plain, value))
    return kind is dict and all(type(k) is str and is_plain(v) for k, v in value.items())


def encode(value: Any, make_pickler: Callable[[Any], Any]) -> Any:
    """Return a value for a manifest: ``[value]`` if it is plain, else a pickle and what is needed to read it."""
    if is_plain(value):
        return [value]
    import base64
    import io

    file = io.BytesIO()
    pickler = make_pickler(file)
    pickler.dump(value)
    data = file.getvalue()
    code = bool(pickler.has_code) or b"cloudpickle" in data or b"jupyter_hpc" in data
    return {"pickle": base64.b64encode(data).decode(), "code": code, "python": list(sys.version_info[:2])}


def decode(encoded: Any) -> Any:
    """Return the value.

    Raises
    ------
    ValueError
        If it has code of another Python: that is not even tried.
    """
    if isinstance(encoded, list):
        return encoded[0]
    import base64
    import io
    import pickle

    file = io.BytesIO(base64.b64decode(encoded["pickle"]))
    if not encoded["code"]:
        return pickle.Unpickler(file).load()
    if tuple(encoded["python"]) != sys.version_info[:2]:
        raise ValueError("it has code of Python {}.{}".format(*encoded["python"]))
    from .pickling import ValueUnpickler

    return ValueUnpickler(file).load()


# -- as soon as a library is there ---------------------------------------------------------------


class OnImport:
    """A finder that calls functions once a module has been executed."""

    def __init__(self) -> None:
        self._waiting: Dict[str, List[Callable[[Any], None]]] = {}
        self._always: List[Callable[[Any], None]] = []
        self._after: List[Callable[[Any], None]] = []
        self._asked: set[str] = set()

    def call(self, name: str, then: Callable[[Any], None]) -> None:
        """Call ``then`` with the module: now, or when something imports it."""
        module = sys.modules.get(name)
        if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
            then(module)
            return
        self._waiting.setdefault(name, []).append(then)
        self._enter()

    def always(self, then: Callable[[Any], None]) -> None:
        """Call ``then`` with each module that is imported from now on, before what waits for that one."""
        self._always.append(then)
        self._enter()

    def call_after(self, then: Callable[[Any], None]) -> None:
        """Call ``then`` with each module that is imported from now on, behind what waits for that one."""
        self._after.append(then)
        self._enter()

    def _enter(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not (name in self._waiting or self._always or self._after) or name in self._asked:
            return None
        self._asked.add(name)  # another finder may ask all finders, too
        try:
            spec = spec_of(self, name, path, target)
        finally:
            self._asked.discard(name)
        return after_execution(spec, self._run)

    def _run(self, module: Any) -> None:
        name = getattr(getattr(module, "__spec__", None), "name", module.__name__)
        for then in [*self._always, *self._waiting.pop(name, ()), *self._after]:
            then(module)


def spec_of(finder: Any, name: str, path: Any, target: Any) -> Any:
    """Return what the other finders say of a module."""
    for other in list(sys.meta_path):
        find = getattr(other, "find_spec", None)
        spec = find(name, path, target) if other is not finder and find is not None else None
        if spec is not None:
            return spec
    return None


def after_execution(spec: Any, then: Callable[[Any], None]) -> Any:
    """Let the loader of a spec call ``then`` with the module that it has executed."""
    loader: Any = getattr(spec, "loader", None)
    execute = getattr(loader, "exec_module", None)
    if execute is None or isinstance(loader, type):  # built-in and frozen modules have one loader in common
        return spec

    def exec_module(module: Any) -> None:
        vars(loader).pop("exec_module", None)
        execute(module)
        then(module)

    try:
        loader.exec_module = exec_module
    except AttributeError:  # a loader with __slots__
        pass
    return spec


on_import = OnImport()


# -- both ways -----------------------------------------------------------------------------------


class Settings:
    """Makes settings in this process, and tells afterwards what changed.

    Parameters
    ----------
    carried : dict
        ``values``: name → key → encoded value; ``gone``: name → keys; ``added``: settings that others added.
    follow : bool
        Remember what the settings are, for :meth:`changed`.
    """

    def __init__(self, carried: Dict[str, Any], *, follow: bool) -> None:
        self._values: Dict[str, Dict[str, Any]] = carried.get("values") or {}
        self._gone: Dict[str, List[str]] = carried.get("gone") or {}
        self._added: Dict[str, Dict[str, Any]] = carried.get("added") or {}
        self._seed: Optional[str] = carried.get("seed")
        self._follow = follow
        self._before: Dict[str, State] = {}
        self._own: Dict[str, Functions] = {}
        self._seeds: Dict[str, int] = {}
        self.notes: List[str] = []

    def begin(self, *, early: bool) -> None:
        """Make the early settings, or all others: now, or when their library is imported."""
        table = {n: TABLE[n][0] for n in TABLE if (n in EARLY) is early or n in TWICE}
        if not early:
            table.update({name: added["module"] for name, added in self._added.items()})
        for name, module in table.items():
            if self._follow or name in self._values or name in self._gone or name in self._seeds:
                on_import.call(module, lambda _, name=name: self._begin_one(name))  # type: ignore[misc]

    def seed_task(self, task: str) -> Dict[str, int]:
        """Let the generators of an array's task begin with seeds of their own, and return those."""
        from .digest import digest_bytes

        for name in GENERATORS:
            digest = digest_bytes(f"{self._seed}:{task}:{name}".encode()).partition(":")[2]
            self._seeds[name] = int(digest[:8], 16)  # what every generator takes
        return self._seeds

    def _begin_one(self, name: str) -> None:
        if name in self._added and name not in self._own and not self._learn(name):
            return
        get, make = functions(name, self._own)
        values = self._decoded(name)
        try:
            if name in self._seeds:
                getattr(_beside(TABLE[name][1]), f"seed_{name}")(self._seeds[name])
            elif values or self._gone.get(name):
                make(values, self._gone.get(name) or [])
        except Exception as error:  # a library of another version may refuse anything
            self.notes.append(f"{_words(name)} could not be set: {_said(error)}")
        if self._follow:
            try:
                self._before[name] = get()
            except Exception:  # it can't be read, so it can't be seen to change
                pass

    def _learn(self, name: str) -> bool:
        try:
            self._own[name] = decode(self._added[name]["functions"])
        except Exception as error:
            self.notes.append(f"{_words(name)} could not be set: {_said(error)}")
            return False
        return True

    def _decoded(self, name: str) -> State:
        found = {}
        for key, value in (self._values.get(name) or {}).items():
            try:
                found[key] = decode(value)
            except Exception as error:
                self.notes.append(f"{_words(name, key)} could not be read: {_said(error)}")
        return found

    def changed(self, make_pickler: Callable[[Any], Any]) -> Dict[str, Any]:
        """Return what changed since the settings were made, as :class:`Settings` takes it; empty if nothing did."""
        values: Dict[str, Dict[str, Any]] = {}
        gone: Dict[str, List[str]] = {}
        for name, before in self._before.items():
            try:
                now = functions(name, self._own)[0]()
            except Exception as error:
                self.notes.append(f"{_words(name)} could not be read: {_said(error)}")
                continue
            for key, value in now.items():
                if key not in before or not _same(before[key], value):
                    self._add(values, name, key, value, make_pickler)
            lost = [key for key in before if key not in now]
            if lost:
                gone[name] = lost
        added = {n: a for n, a in self._added.items() if n in values or n in gone}
        found = {"values": values, "gone": gone, "added": added}
        return {key: value for key, value in found.items() if value}

    def _add(self, values: Any, name: str, key: str, value: Any, make_pickler: Any) -> None:
        try:
            values.setdefault(name, {})[key] = encode(value, make_pickler)
        except Exception as error:
            self.notes.append(f"{_words(name, key)} did not come back: {_said(error)}")


def _same(before: Any, now: Any) -> bool:
    try:
        return before is now or bool(before == now)
    except Exception:  # a foreign __eq__: then it comes back once more
        return False


def _words(name: str, key: str = "") -> str:
    return f"The setting {name}" + (f" ({key})" if key else "")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
