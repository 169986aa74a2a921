"""Load what can be loaded of a result when a part of it can't be rebuilt here.

All names of a result are in one pickle stream, so that objects they share stay shared: where one name fails,
the stream can't simply go on at the next. The slow, pure Python unpickler reads on past any failure, puts a
placeholder there, and knows which later names would get that placeholder.
"""

from __future__ import annotations

import pickle
import types
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from ..worker.pickling import Resolving

_HARMLESS = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, str, bytes, int, float)


class Absent:
    """Stands for something that can't be rebuilt here, so that the rest of the stream still can."""

    def __new__(cls, *_: Any, **__: Any) -> Absent:
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Absent:
        return self

    def __setstate__(self, state: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        pass

    add = extend = append

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def needed(module: str, name: str, error: BaseException) -> str:
    """Say what a part that isn't here would have needed."""
    if isinstance(error, ImportError):
        missing = getattr(error, "name", None) or module
        return f"it needs {missing.partition('.')[0]}, which isn't installed here"
    return f"{module}.{name} isn't defined here"


class SalvagingUnpickler(pickle._Unpickler):
    """Reads name after name; ``failure`` says why the last one is not whole, or is None.

    Parameters
    ----------
    finder : Resolving
        An unpickler of this kind that fails at what can't be found: it says what each name means here.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    memo: dict[int, Any]  # the base class's own
    stack: list[Any]
    read: Callable[[int], bytes]

    def __init__(self, file: Any, finder: Resolving, **options: Any) -> None:
        super().__init__(file, **options)
        self._finder = finder
        self._damaged: dict[int, str] = {}  # places in the memo that belong to a name that failed
        self.failure: str | None = None

    def damage(self, places: Iterable[int], reason: str) -> None:
        """Say of places in the memo that what belongs there is not here."""
        self._damaged.update(dict.fromkeys(places, reason))

    def load_name(self) -> Any:
        """Return the next value; it is whole only if ``failure`` is None then."""
        self.failure = None
        first = len(self.memo)
        value = self.load()
        if self.failure is not None:
            for place in range(first, len(self.memo)):
                if not isinstance(self.memo[place], _HARMLESS) or self.memo[place] is Absent:
                    self._damaged[place] = self.failure
        return value

    def _failed(self, reason: str) -> type[Absent]:
        self.failure = self.failure or reason
        return Absent

    def _tried(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ImportError as error:
            return self._failed(needed("", "", error))()
        except Exception as error:  # foreign constructors may raise anything
            return self._failed(f"{type(error).__name__}: {error}")()

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._finder.find_class(module, name)
        except Exception as error:
            return self._failed(needed(module, name, error))

    # -- the operations that run foreign code ----------------------------------------------------

    def _reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self._tried(self.stack[-1], *args)

    def _newobj(self) -> None:
        args, cls = self.stack.pop(), self.stack.pop()
        self.stack.append(self._tried(cls.__new__, cls, *args))

    def _newobj_ex(self) -> None:
        kwargs, args, cls = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self.stack.append(self._tried(cls.__new__, cls, *args, **kwargs))

    def _build(self) -> None:
        self._tried(super().load_build)  # type: ignore[misc]

    def _get(self, place: int) -> None:
        self.stack.append(self.memo[place])
        if place in self._damaged:
            self._failed(f"it shares a part with a name that did not come back ({self._damaged[place]})")

    def _binget(self) -> None:
        self._get(self.read(1)[0])

    def _long_binget(self) -> None:
        self._get(int.from_bytes(self.read(4), "little"))

    dispatch[pickle.REDUCE[0]] = _reduce
    dispatch[pickle.NEWOBJ[0]] = _newobj
    dispatch[pickle.NEWOBJ_EX[0]] = _newobj_ex
    dispatch[pickle.BUILD[0]] = _build
    dispatch[pickle.BINGET[0]] = _binget
    dispatch[pickle.LONG_BINGET[0]] = _long_binget
