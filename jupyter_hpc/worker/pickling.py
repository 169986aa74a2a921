"""One pickler and one unpickler for both directions.

Functions that the cell and the notebook share must share one namespace on either side: a function from an
earlier cell sees the names that the remote cell assigns, and a function that comes back sees the kernel's.
So the namespace itself travels as a reference to ``__main__`` (through cloudpickle's ``globals_ref``, which
is why its major version is pinned), not as the private copy that cloudpickle makes.
"""

from __future__ import annotations

import _io
import functools
import io
import pickle
import sys
import types
import typing
from typing import Any, Callable, Dict, Optional, Set, Tuple

import cloudpickle
from cloudpickle import cloudpickle as _cp

from . import classes, connected, frames, functional, late, reducers
from .apart import apart
from .content import Twin
from .continuation import Nowhere
from .looking import bound, instance_dict, module_of, mro

SHIPPED_NAME = "jupyter_hpc_worker"
INSTALLED_NAME = "jupyter_hpc.worker"
_PACKAGE = __name__.rpartition(".")[0] + "."


class Namespace(dict):  # type: ignore[type-arg]
    """Stands for ``__main__.__dict__`` in the stream."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return main_namespace, ()


def main_namespace() -> Dict[str, Any]:
    """Return the namespace that cells share here."""
    return sys.modules["__main__"].__dict__


def known_object(qualname: str, tracker_id: Optional[str]) -> Any:
    """Stand for an object that the receiver already has, in results of earlier versions (``resolve_known``)."""
    raise pickle.UnpicklingError(f"{qualname} must be resolved by the unpickler")


def by_own_name(name: str, cls: type, state: Any) -> Any:
    """Rebuild an object whose ``__reduce__`` gives its own global name (a singleton)."""
    namespace = main_namespace()
    found = namespace.get(name)
    if type(found) is cls or getattr(type(found), "__qualname__", None) == cls.__qualname__:
        return found
    obj: Any = object.__new__(cls)
    if state:
        obj.__dict__.update(state)
    namespace[name] = obj
    return obj


def cached(function: Any, parameters: Dict[str, Any]) -> Any:
    """Rebuild a function under ``functools.lru_cache``, its cache empty."""
    return functools.lru_cache(**parameters)(function)


def empty_cell() -> types.CellType:
    """Make the cell of a closure, to be filled once it is known to the stream."""
    return types.CellType()


def fill_cell(cell: types.CellType, content: Tuple[Any, ...]) -> None:
    """Fill a cell; an empty one stays so."""
    if content:
        cell.cell_contents = content[0]


def _content(cell: types.CellType) -> Tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def make_new(cls: Any, *arguments: Any) -> Any:
    """Make an instance as ``copyreg.__newobj__`` does."""
    return cls.__new__(cls, *arguments)


def make_new_ex(cls: Any, arguments: Tuple[Any, ...], options: Dict[str, Any]) -> Any:
    """Make an instance as ``copyreg.__newobj_ex__`` does."""
    return cls.__new__(cls, *arguments, **options)


def is_frame(kind: type) -> bool:
    """Tell whether a type of pandas is DataFrame, Series or an index, or derived from them."""
    return any(base.__name__ in ("NDFrame", "Index") for base in mro(kind))


def load_frame(data: bytes, buffers: Any, accessors: Any = ()) -> Any:
    """Rebuild what :meth:`ValuePickler._frame` reduced."""
    if accessors:
        frames.register(accessors)
    return ValueUnpickler(io.BytesIO(data), buffers=buffers).load()


class ValuePickler(cloudpickle.Pickler):
    """cloudpickle with a shared namespace.

    Parameters
    ----------
    file : object with ``write``
    namespace : dict
        The namespace that stands for ``__main__``.
    keep_global : callable, optional
        Called with the name of each global that a function reaches; False leaves it out.
    """

    def __init__(
        self,
        file: Any,
        *,
        namespace: Dict[str, Any],
        buffer_callback: Optional[Callable[[Any], Any]] = None,
        keep_global: Optional[Callable[[str], bool]] = None,
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffer_callback)
        self.globals_ref[id(namespace)] = Namespace(x=1)
        self._keep_global = keep_global
        self.modules: Set[str] = set()  # modules that the stream names
        self.filenames: Set[str] = set()  # where the code in the stream was compiled
        self.candidates: Set[str] = set()  # names in that code which may be modules imported inside it
        self.globals: Set[str] = set()  # names that functions in the stream reach
        self.has_code = False
        self._inside_frame = False
        self.rebuilds = False  # it needs functions of this package to be loaded
        self._namespace = namespace
        self._plans = reducers.Plans()
        self._quick: Dict[int, Tuple[type, Optional[reducers.Reduce]]] = {}
        self._is_probe = False
        self.storages: Dict[Any, Any] = {}  # of tensors
        self.strided: typing.List[Any] = []  # arrays that will be laid out otherwise at the other end
        self.elsewhere: Set[int] = set()  # the numbers of such arrays in the stream that this one goes on from
        self.shared: Dict[int, Any] = {}  # arrays that travel as views, by their id: of what

    def share(self, values: typing.List[Any]) -> None:
        """Let arrays that are written be views of each other, or of what the reader has, as they are here."""
        if "numpy" in sys.modules:
            from .ndarrays import shared

            known = [obj for number, obj in self.memo.copy().values() if number not in self.elsewhere]
            self.shared = shared(values, known)

    def reducer_override(self, obj: Any) -> Any:
        quick = self._quick.get(id(type(obj)))
        if quick is not None:
            return self._planned(obj, quick[1])
        unconnected = connected.reduce(obj)
        if unconnected is not None:
            self.rebuilds = True
            return unconnected
        kind = type(obj)
        if issubclass(kind, (type, types.FunctionType)) or kind is object:
            module = module_of(obj)
            if not module.startswith(_PACKAGE):
                self.modules.add(module)
            self.has_code |= module == "__main__" and kind is not object
        elif kind is types.CodeType:
            return _with_filename(obj)
        elif kind is types.CellType:
            self.rebuilds = True
            return empty_cell, (), _content(obj), None, None, fill_cell
        elif kind is Twin:
            return self._twin(obj.of)
        elif module_of(kind).partition(".")[0] == "pandas" and is_frame(kind) and not self._inside_frame:
            return self._frame(obj)
        elif kind is types.ModuleType:
            self.modules.add(obj.__name__)
        elif issubclass(kind, _io._IOBase):
            return self._stream(obj)
        elif module_of(kind) in late.PLACES and (found := late.reduced(obj)) is not None:
            self.rebuilds = True
            return found
        elif kind is functools._lru_cache_wrapper or kind is _NewType:
            if getattr(obj, "__module__", None) == "__main__":
                return _BY_NAME[kind](obj)
        elif module_of(kind) == "__main__":
            own = self._own_name(obj)
            if own is not None:
                return by_own_name, (own, kind, instance_dict(obj))
        return self._rebuilt(obj, kind)

    def _rebuilt(self, obj: Any, kind: type) -> Any:
        """What pickle and cloudpickle get wrong is made by functions of this package."""
        if issubclass(kind, type):
            reduced = classes.compiled(obj) or classes.adapted(obj, super().reducer_override(obj))
        elif kind is types.FunctionType:
            reduced = functional.reduce_function(obj) or super().reducer_override(obj)
        else:
            plan = self._plans.of(kind)
            if self._is_all_alike(kind):
                self._quick[id(kind)] = (kind, plan)
            return self._planned(obj, plan)
        return self._noted(reduced)

    def _planned(self, obj: Any, plan: Optional[reducers.Reduce]) -> Any:
        return NotImplemented if plan is None else self._noted(plan(obj, self))

    @staticmethod
    def _is_all_alike(kind: type) -> bool:
        """Tell whether it depends on the type alone how an object is pickled; there may be a hundred thousand."""
        return not (
            any(kind is each for each in _EACH_ITS_OWN)
            or issubclass(kind, types.ModuleType)
            or module_of(kind) in late.PLACES
            or (module_of(kind) == "__main__" and reducers.has_own_reduce(kind))
        )

    def _noted(self, reduced: Any) -> Any:
        if type(reduced) is tuple and module_of(reduced[0]).startswith(_PACKAGE):
            self.rebuilds = True
        return reduced

    def can_pickle(self, obj: Any) -> bool:
        """Tell whether a part that could be left out can be pickled; whoever asks that does not ask it again."""
        if self._is_probe:
            return True
        probe = type(self)(Nowhere(), namespace=self._namespace, buffer_callback=bool)
        probe._is_probe = True
        try:
            probe.dump(obj)
        except Exception:  # foreign code may raise anything
            return False
        return True

    def _stream(self, obj: Any) -> Any:
        """The process's own streams travel by name; cloudpickle would send an open file as a copy of its text."""
        for name in ("stdin", "stdout", "stderr"):
            if obj is getattr(sys, name):
                return getattr, (sys, name)
        if isinstance(obj, _io.TextIOWrapper):
            raise TypeError("cannot pickle an open file")
        return super().reducer_override(obj)

    @staticmethod
    def _own_name(obj: Any) -> Optional[str]:
        if reducers.has_own_reduce(type(obj)):
            reduced = bound(obj, "__reduce_ex__")(5)
            return reduced if isinstance(reduced, str) else None
        return None

    def _twin(self, obj: Any) -> Any:
        """Reduce an object as if the stream didn't have it yet."""
        reduced = self.reducer_override(obj)
        if reduced is NotImplemented:
            reduce = self.dispatch_table.get(type(obj))
            reduced = bound(obj, "__reduce_ex__")(5) if reduce is None else reduce(obj)
        if not isinstance(reduced, tuple):
            raise pickle.PicklingError(f"{reduced} is known by its name")
        made = {"__newobj__": make_new, "__newobj_ex__": make_new_ex}.get(getattr(reduced[0], "__name__", ""))
        return reduced if made is None else (made, *reduced[1:])  # pickle checks the class of what these make

    def _frame(self, obj: Any) -> Any:
        """Reduce a DataFrame to a stream of its own: its parts are nobody's business, it changes as a whole."""
        file = io.BytesIO()
        buffers: typing.List[Any] = []
        inner = type(self)(file, namespace=self._namespace, buffer_callback=buffers.append)
        inner._inside_frame = True
        inner.dump(obj)
        for mine, its in (
            (self.modules, inner.modules),
            (self.filenames, inner.filenames),
            (self.candidates, inner.candidates),
            (self.globals, inner.globals),
        ):
            mine |= its
        self.has_code |= inner.has_code
        self.rebuilds = True
        extra = apart("accessors of pandas", frames.accessors, default=[])
        return load_frame, (file.getvalue(), buffers, extra) if extra else (file.getvalue(), buffers)

    def _dynamic_function_reduce(self, func: Any) -> Any:
        """Let closures share their cells: a name that two functions have in common stays one."""
        self.has_code = True
        self._note_code(func.__code__)
        reduced = super()._dynamic_function_reduce(func)
        if func.__closure__:
            reduced = (reduced[0], (*reduced[1][:4], func.__closure__), *reduced[2:])
            reduced[2][1]["__closure__"] = None
        reached = reduced[2][1].get("__globals__", {})
        self.globals.update(reached)
        if self._keep_global is not None:
            for name in [n for n in reached if not self._keep_global(n)]:
                del reached[name]
        return reduced

    def _note_code(self, code: types.CodeType) -> None:
        self.filenames.add(code.co_filename)
        self.candidates.update(code.co_names)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._note_code(constant)


def _with_filename(code: types.CodeType) -> Any:
    """Keep where code was compiled, for the lines of tracebacks; cloudpickle 3.1.3 puts a constant there."""
    make, arguments = _cp._code_reduce(code)
    return make, tuple(code.co_filename if each == "<dynamic-code>" else each for each in arguments)


# types whose instances pickle as a name in their module, which in ``__main__`` is not enough
_BY_NAME: Dict[type, Callable[[Any], Tuple[Any, ...]]] = {
    functools._lru_cache_wrapper: lambda f: (cached, (f.__wrapped__, f.cache_parameters())),
}
_NewType: Any = typing.NewType
if isinstance(_NewType, type):  # since Python 3.10
    _BY_NAME[_NewType] = lambda t: (typing.NewType, (t.__name__, t.__supertype__))


_EACH_ITS_OWN = (types.MethodType, object, _NewType, functools._lru_cache_wrapper)


class Resolving:
    """What a reader for :class:`ValuePickler` looks up, here and on the node."""

    def find_class(self, module: str, name: str) -> Any:
        package = __name__.rpartition(".")[0]
        for other in (INSTALLED_NAME, SHIPPED_NAME):
            if module.startswith(other + "."):
                if name == "known_object":
                    return self.resolve_known
                module = package + module[len(other) :]
        return super().find_class(module, name)  # type: ignore[misc]

    def resolve_known(self, qualname: str, tracker_id: Optional[str]) -> Any:
        """Return the object that the receiver has under this name."""
        found: Any = sys.modules["__main__"]
        for part in qualname.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return found
        if tracker_id is not None:
            tracked = _cp._DYNAMIC_CLASS_TRACKER_BY_ID.get(tracker_id)
            if tracked is not None:
                return tracked
        raise pickle.UnpicklingError(f"{qualname} is not defined here")


class ValueUnpickler(Resolving, pickle.Unpickler):
    """The reader for :class:`ValuePickler`."""
