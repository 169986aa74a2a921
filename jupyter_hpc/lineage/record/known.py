"""The values of this kernel that runs made or got: so an input can say which run it comes from.

A value is known again by its content, whatever name it has now, and by its identity where its type allows weak
references: the same object with other content was changed in place. What is trivial (``1``, ``""``) comes from a
run only if it still has the name that the run gave it.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...worker.looking import attribute, is_a, module_of

TRIVIAL_BYTES = 64  # pickled; less is no evidence of anything
_MOST = 20_000
_DEEPEST = 20  # views of views
SIMPLE = (int, float, complex, bool, str, bytes, type(None))


@dataclass(frozen=True)
class Known:
    """A value as it was when a run made it (or got it, if ``run`` is empty): its name there, and its digest."""

    run: str
    name: str
    digest: str
    here: str | None = None  # its digest as this process pickles it: a set or a notebook's class may differ


@dataclass
class Origin:
    """Where an input comes from, as far as is known: what its record says of it."""

    origin: dict[str, Any] = field(default_factory=dict)
    derived: list[dict[str, str]] = field(default_factory=list)

    def to_record(self) -> dict[str, Any]:
        return {k: v for k, v in (("origin", self.origin), ("derived", self.derived)) if v}


class Registry:
    """What this process knows of values."""

    def __init__(self) -> None:
        self._by_digest: OrderedDict[str, Known] = OrderedDict()
        self._by_id: dict[int, tuple[weakref.ref[Any], Known]] = {}
        self._owners: dict[int, tuple[weakref.ref[Any], Known]] = {}  # of the memory that values are views of

    def made(self, run: str, name: str, value: Any, digest: str, here: str | None, nbytes: int) -> Known:
        """A run made this value, and it is here now.

        Parameters
        ----------
        here : str or None
            Its digest when it is pickled by this process, if that was found out.
        """
        known = Known(run, name, digest, here)
        for each in {digest, here} - {None}:
            key = f"{each}" if nbytes >= TRIVIAL_BYTES else f"{each} {name}"
            self._by_digest[key] = known
            self._by_digest.move_to_end(key)
        while len(self._by_digest) > _MOST:
            self._by_digest.popitem(last=False)
        self._remember(value, known)
        return known

    def sent(self, name: str, value: Any, digest: str) -> None:
        """This value went to a run; if it changes, what it was is known."""
        run = self.by_digest(name, digest)
        self._remember(value, run or Known("", name, digest, digest))

    def by_digest(self, name: str, digest: str) -> Known | None:
        return self._by_digest.get(digest) or self._by_digest.get(f"{digest} {name}")

    def by_identity(self, value: Any) -> Known | None:
        """Return what was known of this very object."""
        return _alive(self._by_id, value)

    def origin(self, name: str, value: Any, digest: str) -> Origin:
        """Say where an input comes from, by its content and its identity."""
        known = self.by_digest(name, digest)
        if known is not None:
            alias = [] if known.digest == digest else [{"digest": known.digest, "how": "alias"}]
            return Origin({"run": known.run, "name": known.name, "via": "hash"}, alias)
        same = self.by_identity(value)
        if same is not None:
            return _derived(same, "mutated") if same.digest != digest else Origin()
        for base in _bases(value):
            owner = self.by_identity(base) or _alive(self._owners, base)
            if owner is not None:
                return _derived(owner, "view")
        return Origin()

    def _remember(self, value: Any, known: Known) -> None:
        if is_a(value, SIMPLE):
            return
        _put(self._by_id, value, known)
        for base in _bases(value):  # an owner of memory stands for the value that has all of it
            if _alive(self._owners, base) is None or value.nbytes == base.nbytes:
                _put(self._owners, base, known)


def _derived(known: Known, how: str) -> Origin:
    origin = {"run": known.run, "name": known.name, "via": "identity"} if known.run else {}
    may_be_same = how == "mutated" and known.here is None  # its pickle here was never seen
    return Origin(origin, [] if may_be_same else [{"digest": known.digest, "how": how}])


def _put(table: dict[int, tuple[weakref.ref[Any], Known]], value: Any, known: Known) -> None:
    key = id(value)

    def forget(reference: Any) -> None:
        if table.get(key, (None,))[0] is reference:
            del table[key]

    try:
        table[key] = (weakref.ref(value, forget), known)
    except TypeError:  # lists, dicts and the like are known by their content alone
        pass


def _alive(table: Mapping[int, tuple[weakref.ref[Any], Known]], value: Any) -> Known | None:
    reference, known = table.get(id(value), (None, None))
    return known if reference is not None and reference() is value else None


def _bases(value: Any) -> Iterator[Any]:
    """Return the arrays that an array is a view of; other types' attributes are not touched."""
    for _ in range(_DEEPEST):
        module = module_of(type(value)).partition(".")[0]
        name = {"numpy": "base", "torch": "_base"}.get(module)
        value = None if name is None else attribute(value, name)
        if value is None:
            return
        yield value


known_values = Registry()
