"""What this kernel sent, by run: the objects of each payload by their number, so that results go on with them.

Until a cell's result is here, what was sent stays in memory, since changes are put into it. Afterwards only what is
known by being itself (classes, functions, sentinels) is remembered, as long as the kernel has it.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..worker.continuation import Hole, has_identity, numbered
from ..worker.pickling import Namespace

_MOST = 1000
_sent: OrderedDict[str, Sent] = OrderedDict()


class Sent:
    """One payload, as this kernel has it.

    Parameters
    ----------
    pickler : ValuePickler or None
        That wrote it; None if it was empty.
    values : mapping
        The values by name.
    digests : mapping
        Their digests, as they were sent.
    changes : str
        What becomes of changes in place: "bring" where they come back.
    """

    def __init__(
        self,
        pickler: Any,
        namespace: dict[str, Any],
        values: Mapping[str, Any],
        digests: Mapping[str, str],
        changes: str,
    ) -> None:
        self._pickler = pickler
        self._namespace = namespace
        self.values = dict(values)
        self.digests = digests
        self._itself: dict[int, Any] | None = None
        if changes != "bring":
            self.let_go()

    def objects(self) -> list[Any] | None:
        """Return all objects by number; None if they were let go."""
        if self._itself is not None:
            return None
        if self._pickler is None:
            return []
        found = numbered(self._pickler.memo.copy())
        return [self._namespace if type(obj) is Namespace else obj for obj in found]

    def itself(self) -> dict[int, Any]:
        """Return what is known by being itself, as far as it still is."""
        if self._itself is None:
            return {n: obj for n, obj in enumerate(self.objects() or ()) if has_identity(obj)}
        found = {n: obj() if isinstance(obj, weakref.ref) else obj for n, obj in self._itself.items()}
        return {n: obj for n, obj in found.items() if obj is not None}

    def let_go(self) -> None:
        """Forget values: their changes are here, or nobody will bring them."""
        itself = self.itself()
        self._itself = {n: _reference(obj) for n, obj in itself.items() if obj is not Hole}
        self._pickler = None
        self.values = {}


def _reference(obj: Any) -> Any:
    return obj if type(obj) is object else weakref.ref(obj)


def remember(run_id: str, what: Sent) -> None:
    """Remember what was sent to a run."""
    _sent[run_id] = what
    while len(_sent) > _MOST:
        _sent.popitem(last=False)


def also_to(run_id: str, earlier: str) -> None:
    """A run was submitted in an earlier one's place, with what that was sent."""
    if (what := _sent.get(earlier)) is not None and run_id not in _sent:
        remember(run_id, what)


def to(run_id: str) -> Sent | None:
    """Return what this kernel sent to a run; a task's is its array's."""
    return _sent.get(run_id)
