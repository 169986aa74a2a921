"""What can't travel is explained by its type, also where the value answers every question with an exception."""

from __future__ import annotations

import weakref
from typing import Any

from jupyter_hpc.worker.culprit import explain
from jupyter_hpc.worker.pickling import ValuePickler


class Loud:
    def __init__(self, part: Any) -> None:
        vars(self)["part"] = part

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")


def make(file: Any, **options: Any) -> ValuePickler:
    return ValuePickler(file, namespace={}, **options)


def test_a_weak_reference_is_found_inside_an_object_that_answers_nothing() -> None:
    target = {1}
    value = {"x": Loud([weakref.ref(target)])}
    found = explain("v", value, TypeError("no"), make)
    assert found == (
        "v['x'].part[0] is a weakref.ReferenceType: a weak reference belongs to one process; send what it refers to"
    )


def test_an_error_that_can_not_be_read_is_named_by_its_type() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert explain("v", Loud(1), Mute(), make).endswith(": Mute")
