"""What somebody assigned to modules and their classes: found by comparing them with what their import made.

A snapshot holds no object, only what identifies it. Values that can change in place are compared by their pickles, but
only those of the user's own modules: an installed library keeps caches.
"""

from __future__ import annotations

import sys
import types

from .settings_table import decode, is_plain, on_import

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Tuple

    Snapshot = Dict[str, Tuple[Dict[str, int], Dict[str, Any]]]

COMPARED_BYTES = 1 << 18  # more is not compared at each cell
_ATOMS = (type(None), bool, int, float, complex, str, bytes, types.FunctionType, types.BuiltinFunctionType)
_FUNCTIONS = (types.FunctionType, classmethod, staticmethod, property)
_MISSING: Any = object()


def snapshot(module: Any, *, deep: bool) -> Snapshot:
    """Return what identifies each value of a module (under the empty name) and of its classes.

    Parameters
    ----------
    deep : bool
        Also what is in values that can change in place.
    """
    found: Snapshot = {}
    for owner, values in _owners(module):
        contents = {name: _content(value) for name, value in values.items()} if deep else {}
        found[owner] = _ids(values), contents
    return found


def _ids(values: Any) -> Dict[str, int]:
    return dict(zip(values, map(id, values.values())))


def _owners(module: Any) -> List[Tuple[str, Any]]:
    """Return the namespaces of a module and of its own classes."""
    try:
        names = dict(types.ModuleType.__getattribute__(module, "__dict__"))
    except TypeError:  # something else stands in sys.modules
        return []
    found: List[Tuple[str, Any]] = [("", names)]
    own = names.get("__name__")
    for name, value in names.items():
        if issubclass(type(value), type) and type.__getattribute__(value, "__dict__").get("__module__") == own:
            found.append((name, dict(type.__getattribute__(value, "__dict__"))))
    return found


def _content(value: Any) -> Any:
    """Return a key of what a changeable value holds; None where it has none."""
    if issubclass(type(value), (*_ATOMS, *_FUNCTIONS, type, types.ModuleType)):
        return None
    import pickle

    from .digest import digest_bytes

    file = _Few()
    try:
        pickle.Pickler(file, 4).dump(value)
    except Exception:  # a lock, a large array, a __reduce__ that raises
        return None
    return digest_bytes(b"".join(file.parts))


class _Few:
    def __init__(self) -> None:
        self.parts: List[bytes] = []
        self._left = COMPARED_BYTES

    def write(self, data: Any) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise OverflowError
        self.parts.append(bytes(data))


def changed(module: Any, before: Snapshot, *, deep: bool) -> Dict[str, Any]:
    """Return what differs from a snapshot, by name (``LIMIT``, ``Model.rate``)."""
    found = {}
    for owner, values in _owners(module):
        if owner not in before:
            continue  # a new class travels whole
        ids, contents = before[owner]
        if not deep and _ids(values) == ids:
            continue
        for name, value in values.items():
            same = ids.get(name) == id(value) and (not deep or contents.get(name) == _content(value))
            whole = f"{owner}.{name}" if owner else name
            if not same and type(name) is str and _is_assigned(module, whole, value, deep):
                found[whole] = value
    return found


def _is_assigned(module: Any, name: str, value: Any, deep: bool) -> bool:
    """Tell whether it is likely that a person assigned this, not the library itself."""
    owner, _, attribute = name.partition(".")
    last = attribute or owner
    if issubclass(type(value), types.ModuleType) or (last[:2] == "__" and not is_users(value)):
        return False
    if is_users(value):
        return True
    if deep:
        return True
    if name.startswith("_") or attribute.startswith("_"):
        return False
    if attribute:
        return is_plain(value)
    if issubclass(type(value), (type, types.FunctionType)):
        package = str(getattr(value, "__module__", None) or "").partition(".")[0]
        if package == module.__name__.partition(".")[0]:
            return False  # loaded late
    return owner not in _own_globals(module)


def is_users(value: Any) -> bool:
    """Tell whether a function, class or instance was made in the notebook; a proxy isn't asked what it stands for."""
    kind: Any = type(value)
    if kind in (classmethod, staticmethod, types.MethodType):
        return is_users(value.__func__)
    if kind is property:
        return is_users(value.fget)
    made: Any = value if issubclass(kind, (type, types.FunctionType)) else kind
    return getattr(made, "__module__", None) == "__main__"


def _own_globals(module: Any) -> set[str]:
    """Return the names that functions of a module assign in it."""
    import re

    lines = re.findall(r"^\s+global\s+([^#\n]+)", _source(module), re.MULTILINE)
    return {name.strip() for line in lines for name in line.split(",")}


def words_of(module: Any) -> set[str]:
    """Return the words of a module's source."""
    import re

    return set(re.findall(r"\w+", _source(module)))


def _source(module: Any) -> str:
    try:
        with open(module.__file__, encoding="utf-8") as file:
            return file.read()
    except (AttributeError, TypeError, OSError, UnicodeDecodeError):
        return ""


def assigned(module: Any) -> Dict[str, Any]:
    """Return what was certainly assigned from the notebook, of a module whose import nobody saw."""
    found = {}
    for owner, values in _owners(module):
        for name, value in values.items():
            if is_users(value) and (not owner or not is_users(module.__dict__[owner])):
                found[f"{owner}.{name}" if owner else name] = value
    return found


# -- set -----------------------------------------------------------------------------------------


def apply(carried: Dict[str, Dict[str, Any]], notes: List[str]) -> None:
    """Assign what is carried: module → name → encoded value; to modules that aren't here yet when they are imported."""
    for name, values in carried.items():
        on_import.call(name, lambda module, values=values: _assign(module, values, notes))  # type: ignore[misc]


def _assign(module: Any, values: Dict[str, Any], notes: List[str]) -> None:
    for name, encoded in values.items():
        try:
            _place(module, name, decode(encoded))
        except Exception as error:
            said = f"{type(error).__name__}: {error}"[:200]
            notes.append(f"{module.__name__}.{name} could not be set: {said}")


def _place(module: Any, name: str, value: Any) -> None:
    """Assign a value; what is there and can take the content keeps its identity, since others may refer to it."""
    owner: Any = module
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    here = vars(owner).get(last, _MISSING)
    kind = type(value)
    if type(here) is not kind:
        setattr(owner, last, value)
    elif kind is list:
        here[:] = value
    elif kind in (dict, set):
        here.clear()
        here.update(value)
    elif _is_simple_instance(kind):
        vars(here).clear()
        vars(here).update(vars(value))
    else:
        setattr(owner, last, value)


def _is_simple_instance(kind: Any) -> bool:
    """Tell whether all that an instance holds is its ``__dict__``."""
    heap = getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind
    return heap and kind.__basicsize__ <= object.__basicsize__ + 16 and "__dict__" in dir(kind) and not _slots(kind)


def _slots(kind: Any) -> bool:
    return any("__slots__" in vars(base) and vars(base)["__slots__"] for base in kind.__mro__)
