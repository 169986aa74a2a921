"""Classes that are named in annotations as text are found; data of that name, and other modules' classes, are not."""

from __future__ import annotations

import typing
from typing import Any

from jupyter_hpc.capture.cell.annotations import annotated_names
from jupyter_hpc.capture.reach import reached_names

SETUP = """
class B: pass
class C: pass
D = [1]
class A:
    b: 'B'
    many: typing.List['C']
    d: 'D'
    n: int
class Sub(A): pass
a = Sub()
"""


def test_classes_named_as_text_are_found_through_instances_and_bases() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__", "typing": typing}
    exec(compile(SETUP, "<cell>", "exec", dont_inherit=True), namespace)
    assert set(annotated_names(namespace["A"], namespace)) == {"B", "C"}
    assert set(annotated_names(namespace["a"], namespace)) == {"B", "C"}
    assert reached_names(["a"], namespace)["C"] == "a"
    assert list(annotated_names(typing, namespace)) == []
