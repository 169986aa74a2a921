"""Look at other people's objects without running their code, where that is possible.

``getattr``, ``isinstance``, ``hasattr`` and ``==`` ask the object, and an object may answer with anything: a
dictionary whose ``__getattr__`` is ``dict.__getitem__`` raises ``KeyError``, a proxy connects to its server, a mock has
every attribute. What pickling, lineage and display want to know is nearly always a fact of the object's *type*.
"""

from __future__ import annotations

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Iterator, Tuple, Union

ABSENT: Any = object()
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a type that a class statement made, or might have


def is_a(value: Any, kinds: Union[type, Tuple[type, ...]]) -> bool:
    """``isinstance`` by the type alone: a value's ``__class__`` may be a property that raises, or lies."""
    return issubclass(type(value), kinds)


def mro(kind: type) -> Tuple[type, ...]:
    """Return a class's own order of bases, whatever its metaclass makes of ``__mro__``."""
    found: Tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return found


def own(kind: type) -> Any:
    """Return the ``__dict__`` of one class."""
    return type.__dict__["__dict__"].__get__(kind)


def owner(kind: type, name: str) -> Any:
    """Return the class that gives ``kind`` an attribute, or None."""
    return next((each for each in mro(kind) if name in own(each)), None)


def lookup(kind: type, name: str) -> Any:
    """Return what a class or its bases have under a name, unbound; ``ABSENT`` if nothing."""
    found = owner(kind, name)
    return ABSENT if found is None else own(found)[name]


def bound(value: Any, name: str) -> Any:
    """Return a method as the interpreter would find a special one, by the type; ``ABSENT`` if there is none."""
    found = lookup(type(value), name)
    if found is ABSENT:
        return ABSENT
    get = lookup(type(found), "__get__")
    return found if get is ABSENT else get(found, value, type(value))


def instance_dict(value: Any) -> Any:
    """Return the attributes that an instance has itself; None for one that can't have any."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return None
    return found if type(found) is dict else None


def slots(value: Any) -> Iterator[Tuple[str, Any]]:
    """Yield what is in an instance's slots, by the slot's descriptor."""
    for kind in mro(type(value)):
        names = own(kind).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else tuple(names):
            slot = own(kind).get(mangled(kind, name))
            if type(slot).__name__ == "member_descriptor":
                try:
                    yield mangled(kind, name), slot.__get__(value)
                except AttributeError:  # empty
                    continue


def mangled(kind: type, name: str) -> str:
    """Return the name under which a class keeps a slot."""
    if name.startswith("__") and not name.endswith("__"):
        bare = type.__dict__["__name__"].__get__(kind).lstrip("_")
        return f"_{bare}{name}" if bare else name
    return name


def module_of(value: Any) -> str:
    """Return the module that a class or a function says it is of; an empty text if it says nothing."""
    try:
        if is_a(value, type):
            found = type.__getattribute__(value, "__module__")
        else:
            found = object.__getattribute__(value, "__module__")
    except Exception:  # whatever a descriptor of that name raises
        return ""
    return found if isinstance(found, str) else ""


def type_name(kind: type) -> str:
    """Return a type's name with its module, unless that is the notebook or the language."""
    name: str = type.__dict__["__qualname__"].__get__(kind)
    module = module_of(kind)
    return name if module in ("builtins", "__main__", "") else f"{module}.{name}"


def attribute(value: Any, name: str, default: Any = None) -> Any:
    """Return an attribute that the value's type has; nothing is asked that would go to ``__getattr__``.

    The descriptor behind it is run, and whatever that raises means the default.
    """
    try:
        if lookup(type(value), name) is ABSENT:
            return default
        return getattr(value, name, default)
    except Exception:
        return default


def safe_repr(value: Any, most: int = 60) -> str:
    """Return a short ``repr``, or the type's name where that raises."""
    try:
        text = repr(value)
    except Exception:
        return f"<{type_name(type(value))}>"
    return text[:most]
