"""Aspects that are content rather than children: bytes of arrays and tensors, and objects that only pickle tells of.

A large buffer of the payload is mapped copy-on-write, so that a page that was written shows in ``smaps``: it is
compared without being read. Anything else is compared by its digest.
"""

from __future__ import annotations

import pickle
import sys

from .aspects import Aspect, Immutable, parts_of
from .continuation import resume
from .digest import digest_bytes
from .memory import Memory, address_of

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, List

SHARED_WORK = 20_000_000  # objects of the stream times objects that only pickle tells of: more, and they share a memo


class Twin:
    """Is pickled as another object of the same state, whatever number the object itself has in the stream."""

    __slots__ = ("of",)

    def __init__(self, of: Any) -> None:
        self.of = of


class _Bytes(Aspect):
    """Contiguous memory; ``take`` gives its address if it is mapped, else a digest."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def same(self, taken: Any, now: Any) -> bool:
        if isinstance(taken[1], int) and taken[:2] == now[:2]:
            return not self.memory.is_written(taken[1]) and bool(taken[2:] == now[2:])
        return bool(taken == now)


class Array(_Bytes):
    """What an ndarray holds."""

    name = "array"

    def take(self, obj: Any) -> Any:
        if obj.dtype.hasobject:
            return (obj.shape, obj.dtype, obj.flags.writeable, *map(_Is, obj.reshape(-1).tolist()))
        address = obj.__array_interface__["data"][0]
        place = address if self.memory.holds(address) else digest_bytes(_flat(obj))
        return (obj.shape, place, obj.dtype, obj.flags.writeable)

    def state(self, obj: Any, taken: Any) -> Any:
        if obj.dtype.hasobject:
            return obj.shape, "C", obj.dtype, obj.reshape(-1).tolist(), obj.flags.writeable
        order = "F" if obj.flags.f_contiguous and not obj.flags.c_contiguous else "C"
        return obj.shape, order, obj.dtype, self._content(obj), obj.flags.writeable

    def _content(self, obj: Any) -> Any:
        """Return the bytes of an array; of one that is mapped and was hardly written, the written pages."""
        flat = _flat(obj)
        parts = self.memory.written_parts(flat.__array_interface__["data"][0], flat.nbytes)
        if parts is None:
            return pickle.PickleBuffer(flat)
        import numpy as np

        written: Any = np.concatenate([flat[:0], *(flat[a:b] for a, b in parts)])
        return parts, pickle.PickleBuffer(written)

    def put(self, obj: Any, state: Any) -> None:
        import numpy as np

        shape, order, dtype, content, may_write = state
        if obj.shape != shape and obj.dtype == dtype and obj.size == np.prod(shape, dtype=int):
            _reshape(obj, shape)
        if obj.shape != shape or obj.dtype != dtype:
            raise Immutable(f"it has the shape {shape} and the type {dtype} now")
        obj.setflags(write=True)
        if dtype.hasobject:
            for place, value in zip(np.ndindex(*shape), content):
                obj[place] = value
        elif isinstance(content, tuple):
            _patch(_flat(obj), *content)
        else:
            np.copyto(obj, np.frombuffer(content, dtype).reshape(shape, order=order))
        obj.setflags(write=may_write)

    @staticmethod
    def anew(obj: Any, state: Any) -> Any:
        """Return another array of the same content, where the old one can't hold it."""
        import numpy as np

        shape, order, dtype, content, _ = state
        if dtype.hasobject:
            made = np.empty(len(content), dtype)
            made[:] = content
            return made.reshape(shape)
        if isinstance(content, tuple):
            copy = np.array(obj, order=order)
            _patch(_flat(copy), *content)
            return copy
        return np.frombuffer(bytearray(content), dtype).reshape(shape, order=order)


def _patch(flat: Any, parts: Any, content: Any) -> None:
    """Put the written parts of a buffer into another that has the rest."""
    import numpy as np

    new, at = np.frombuffer(content, "u1"), 0
    for start, end in parts:
        flat[start:end] = new[at : at + end - start]
        at += end - start


def _reshape(obj: Any, shape: Any) -> None:
    """Give an array another shape in place, as far as its memory allows."""
    import warnings

    with warnings.catch_warnings():  # numpy would rather have a new array
        warnings.simplefilter("ignore")
        obj.shape = shape


class _Is:
    """Compares by identity."""

    __slots__ = ("obj",)

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Is) and other.obj is self.obj

    __hash__ = None  # type: ignore[assignment]


def _flat(obj: Any) -> Any:
    """Return the bytes of an array; a copy only where it is not contiguous."""
    import numpy as np

    flat = obj.view(np.ndarray)
    flat = flat.reshape(-1, order="F") if flat.flags.f_contiguous else np.ascontiguousarray(flat).reshape(-1)
    return flat.view("u1") if flat.size else np.empty(0, "u1")


class Tensor(_Bytes):
    """What a torch tensor holds, its gradient and whether it wants one."""

    name = "tensor"

    def take(self, obj: Any) -> Any:
        address = obj.data_ptr() if obj.device.type == "cpu" else 0
        place = address if self.memory.holds(address) else digest_bytes(_tensor_bytes(obj))
        return (tuple(obj.shape), place, str(obj.dtype), obj.requires_grad, _Is(_grad(obj)))

    def state(self, obj: Any, taken: Any) -> Any:
        content = pickle.PickleBuffer(_tensor_bytes(obj))
        return tuple(obj.shape), str(obj.dtype), content, obj.requires_grad, _grad(obj)

    def put(self, obj: Any, state: Any) -> None:
        import torch

        shape, _, _, wants_grad, grad = state
        new = self.anew(obj, state)
        with torch.no_grad():
            if tuple(obj.shape) == shape and obj.dtype == new.dtype:
                obj.copy_(new)
            else:
                obj.data = new
        if obj.is_leaf:
            obj.requires_grad_(wants_grad)
            obj.grad = grad

    @staticmethod
    def anew(_: Any, state: Any) -> Any:
        """Return another tensor of the same content."""
        import torch

        shape, dtype, content, _, _ = state
        kind = getattr(torch, dtype.partition(".")[2])
        data = bytearray(content)
        return torch.frombuffer(data, dtype=kind).reshape(shape) if data else torch.empty(shape, dtype=kind)


def _grad(tensor: Any) -> Any:
    return tensor.grad if tensor.is_leaf else None


def _tensor_bytes(tensor: Any) -> Any:
    import torch

    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def is_dense(tensor: Any) -> bool:
    """Tell whether a tensor is nothing but its numbers, in memory."""
    import torch

    return tensor.layout is torch.strided and tensor.device.type != "meta" and not tensor.is_quantized


class Whole(Aspect):
    """An object whose own pickling says what it is: compared by the digest of that, replaced by a twin of its state.

    Parameters
    ----------
    objects : list
        The stream's objects by number, which stay references.
    make_pickler : callable
        Makes a :class:`.pickling.ValuePickler`.
    """

    name = "whole"

    def __init__(self, objects: List[Any], make_pickler: Callable[..., Any], memory: Memory) -> None:
        self._objects = objects
        self._make = make_pickler
        self._memory = memory
        self._base: Any = None
        self.shared: Any = None  # one pickler for all of a pass, where each of its own would take too long
        self._sink = _Digest(memory)

    def begin(self, count: int) -> None:
        """Begin a pass over ``count`` objects."""
        self._base = self.shared = None
        if count * len(self._objects) > SHARED_WORK:
            self.shared = self._pickler(self._objects)

    def _pickler(self, objects: List[Any]) -> Any:
        return resume(self._make(self._sink, buffer_callback=self._sink.buffer), objects)

    def take(self, obj: Any) -> Any:
        pickler = self.shared
        if pickler is None:
            if self._base is None:
                self._base = self._pickler(self._objects)
            pickler = self._make(self._sink, buffer_callback=self._sink.buffer)
            pickler.memo = self._base.memo
        self._sink.begin()
        pickler.dump(Twin(obj))
        return self._sink.end()

    def same(self, taken: Any, now: Any) -> bool:
        return bool(taken == now)

    def state(self, obj: Any, taken: Any) -> Any:
        return Twin(obj)

    def put(self, obj: Any, state: Any) -> None:
        become(obj, state)


class _Digest:
    """A file that is digested only; mapped buffers count as written or not, and are not read."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.begin()

    def begin(self) -> None:
        from .digest import Hasher

        self._hasher = Hasher()

    def end(self) -> str:
        return self._hasher.tagged()

    def write(self, data: Any) -> int:
        raw = data.raw() if hasattr(data, "raw") else data  # a PickleBuffer of any shape has no len()
        self._hasher.update(raw)
        return len(raw)

    def buffer(self, buffer: Any) -> bool:
        """Tell whether a buffer goes into the pickle."""
        try:
            raw = buffer.raw()
        except BufferError:  # not contiguous
            return True
        address = address_of(raw)
        if not self._memory.holds(address):
            return True
        self._hasher.update(f"{address}:{raw.nbytes}:{self._memory.is_written(address)}".encode())
        return False


def become(old: Any, new: Any) -> None:
    """Give an object the state of another of its type.

    Raises
    ------
    Immutable
        If the type allows no change.
    """
    kind = type(old)
    has_state = type(new) is kind and hasattr(kind, "__setstate__")
    is_at_end = hasattr(kind, "__next__") and hasattr(new, "__length_hint__") and not new.__length_hint__()
    if is_at_end and not (has_state and _state_of(new)):  # else it stands before what may still be appended
        for _ in old:  # an iterator at its end has neither state nor its own type
            pass
        return
    if type(new) is not kind:
        raise Immutable(f"it is of the type {type(new).__qualname__} now")
    numpy = sys.modules.get("numpy")
    if hasattr(kind, "_mgr") or "_mgr" in getattr(old, "__dict__", ()):
        _become_frame(old, new)
    elif numpy is not None and isinstance(old, numpy.ndarray):
        if old.shape != new.shape or old.dtype != new.dtype:
            raise Immutable(f"it has the shape {new.shape} now")
        numpy.copyto(old, new)
        vars(old).update(vars(new))
    elif hasattr(kind, "__setstate__") and (state := _state_of(new)) is not None:
        old.__setstate__(state)
    else:
        _become_parts(old, new)


def _become_frame(old: Any, new: Any) -> None:
    """pandas keeps the data of a DataFrame or Series in one object, which several may share."""
    object.__setattr__(old, "_mgr", new._mgr)
    for name in ("_attrs", "_name"):
        if name in vars(new):
            object.__setattr__(old, name, vars(new)[name])
    for cache in ("_item_cache", "_cache"):
        if isinstance(vars(old).get(cache), dict):
            vars(old)[cache].clear()


def _state_of(obj: Any) -> Any:
    reduced = obj.__reduce_ex__(5)
    return reduced[2] if isinstance(reduced, tuple) and len(reduced) > 2 else None


def _become_parts(old: Any, new: Any) -> None:
    """Take over containers and attributes; what the type's own ``__getstate__`` leaves out stays as it is here."""
    kind = type(old)
    parts = parts_of(kind)
    if not parts:
        raise Immutable(f"a {kind.__qualname__} can't be changed in place")
    leaves_out = getattr(kind, "__getstate__", None) not in (None, getattr(object, "__getstate__", None))
    for part in parts:
        now = part.take(new)
        if isinstance(now, dict):
            now = (now, [] if leaves_out else [name for name in part.take(old) if name not in now])
        part.put(old, now)
