"""Tensors of torch: their memory travels as buffers, shared where it was shared, and gradients with it.

torch writes each storage into the pickle as a file of its own, once for every tensor that looks at it. Here a storage
is one object of the stream. A tensor of a device that isn't there is made on the CPU. Scripted functions and modules,
which refuse to be pickled, are saved as torch saves them.
"""

from __future__ import annotations

import io
import pickle
import sys
import warnings
from typing import Any, Dict

from . import looking


def plan(kind: type) -> Any:
    """Return how objects of a type of torch are to be pickled; None leaves them to torch."""
    torch: Any = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "UntypedStorage"):  # before torch 2
        return None
    if kind is torch.Tensor:
        return _reduce_tensor
    if kind is torch.nn.Parameter:
        return _reduce_parameter
    if any(each is torch.jit.ScriptFunction or each is torch.jit.ScriptModule for each in looking.mro(kind)):
        return _reduce_script
    return None


class Storage:
    """One piece of memory that tensors look at; loaded, it is torch's own."""

    def __init__(self, storage: Any) -> None:
        self.storage = storage  # kept, so that no other gets its place meanwhile
        self.memory = storage.cpu()

    def __reduce_ex__(self, protocol: Any) -> Any:
        import ctypes

        size = self.memory.nbytes()
        if not size:
            return storage_of, (b"",)
        raw = (ctypes.c_char * size).from_address(self.memory.data_ptr())
        return storage_of, (pickle.PickleBuffer(raw),)


def storage_of(data: Any) -> Any:
    """Return a storage of the memory that was read."""
    import torch

    if not len(memoryview(data)):
        return torch.UntypedStorage(0)
    if memoryview(data).readonly:
        data = bytearray(data)
    return torch.frombuffer(data, dtype=torch.uint8).untyped_storage()


def _is_simple(tensor: Any) -> bool:
    """Tell whether a tensor is a view of plain memory."""
    torch: Any = sys.modules["torch"]
    return bool(
        tensor.layout is torch.strided
        and tensor.device.type in ("cpu", "cuda")
        and not tensor.is_quantized
        and not tensor.is_conj()
        and not tensor.is_neg()
        and not torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    )


def _storage(tensor: Any, pickler: Any) -> Storage:
    storage = tensor.untyped_storage()
    key = (storage.data_ptr(), storage.nbytes(), str(storage.device)) if storage.nbytes() else id(tensor)
    known: Dict[Any, Storage] = pickler.storages
    if key not in known:
        known[key] = Storage(storage)
    return known[key]


def _reduce_tensor(tensor: Any, pickler: Any) -> Any:
    if not _is_simple(tensor):
        return NotImplemented
    place = (tensor.storage_offset(), tuple(tensor.size()), tensor.stride(), tensor.dtype, str(tensor.device))
    made = (_storage(tensor, pickler), *place, tensor.requires_grad)
    grad = tensor.grad if tensor.is_leaf else None
    attributes = looking.instance_dict(tensor) or None
    if grad is None and not attributes:
        return tensor_of, made
    return tensor_of, made, (grad, attributes), None, None, restore_tensor


def tensor_of(storage: Any, offset: int, size: Any, stride: Any, dtype: Any, device: str, needs_grad: bool) -> Any:
    """Make a tensor of a storage, on its device where that is there."""
    import torch

    tensor = torch.empty(0, dtype=dtype).set_(storage, offset, size, stride)
    if device != "cpu" and torch.cuda.is_available():
        index = torch.device(device).index or 0
        tensor = tensor.to(device if index < torch.cuda.device_count() else "cuda:0")
    if needs_grad:
        tensor.requires_grad_()
    return tensor


def restore_tensor(tensor: Any, state: Any) -> None:
    """Give a tensor its gradient and attributes."""
    grad, attributes = state
    if grad is not None:
        tensor.grad = grad
    for name, value in (attributes or {}).items():
        object.__setattr__(tensor, name, value)


def _reduce_parameter(parameter: Any, pickler: Any) -> Any:
    data = parameter.data
    if not _is_simple(data):
        return NotImplemented
    state = (parameter.grad, looking.instance_dict(parameter) or None)
    made = (data, parameter.requires_grad)
    return (parameter_of, made) if state == (None, None) else (parameter_of, made, state, None, None, restore_tensor)


def parameter_of(data: Any, needs_grad: bool) -> Any:
    """Make a parameter of a module."""
    import torch

    return torch.nn.Parameter(data, requires_grad=needs_grad)


def _reduce_script(script: Any, pickler: Any) -> Any:
    import torch

    file = io.BytesIO()
    with warnings.catch_warnings():  # newer releases call it deprecated, and have no other way
        warnings.simplefilter("ignore")
        torch.jit.save(script, file)
    return script_of, (file.getvalue(),)


def script_of(data: bytes) -> Any:
    """Load what torch saved; a function that was scripted is a module's ``forward``."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.load(io.BytesIO(data))
