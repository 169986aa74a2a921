"""Tensors share memory, gradients and identity where they did; what torch refuses to pickle is saved as torch saves it."""

from __future__ import annotations

import io
from typing import Any

import pytest

from jupyter_hpc.worker.pickling import ValuePickler, ValueUnpickler

torch = pytest.importorskip("torch")


def trip(*values: Any) -> list[Any]:
    file = io.BytesIO()
    pickler = ValuePickler(file, namespace={})
    for value in values:
        pickler.dump(value)
    unpickler = ValueUnpickler(io.BytesIO(file.getvalue()))
    return [unpickler.load() for _ in values]


def test_views_share_their_memory() -> None:
    a = torch.arange(12.0).reshape(3, 4)
    b, whole, turned, empty = trip(a[1:], a, a.t(), torch.empty(0))
    b[0, 0] = 9
    assert whole[1, 0] == 9 and turned[0, 1] == 9 and empty.numel() == 0


def test_an_optimizer_has_the_networks_parameters_and_gradients_come_along() -> None:
    net = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.ones(5, 3)).sum().backward()
    there, its_optimizer = trip(net, optimizer)
    assert its_optimizer.param_groups[0]["params"][0] is there.weight
    assert torch.equal(there.weight.grad, net.weight.grad)


def test_scripted_functions_and_modules_are_saved_as_torch_saves_them() -> None:
    @torch.jit.script
    def twice(x):  # type: ignore[no-untyped-def]
        return x * 2

    function, module = trip(twice, torch.jit.script(torch.nn.Linear(2, 2)))
    assert function(torch.ones(1)).item() == 2.0
    assert module(torch.ones(1, 2)).shape == (1, 2)
