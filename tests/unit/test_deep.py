"""What is nested deeper than a pickler may recurse is written all the same, and shares what it shares."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jupyter_hpc.worker import container
from jupyter_hpc.worker.pickling import ValuePickler, ValueUnpickler


class Node:
    def __init__(self, rest: Any) -> None:
        self.rest = rest


def test_lists_and_objects_nested_by_thousands_are_written(tmp_path: Path) -> None:
    shared = [1]
    tuples: Any = None
    nodes: Any = None
    for _ in range(5000):
        tuples, nodes = (shared, tuples), Node(nodes)
    values = [("shared", shared), ("tuples", tuples), ("nodes", nodes)]
    limit = sys.getrecursionlimit()

    def make(file: Any, **options: Any) -> ValuePickler:
        return ValuePickler(file, namespace={}, **options)

    assert container.write(str(tmp_path), values, lambda p: {"modules": sorted(p.modules)}, make) == []
    assert sys.getrecursionlimit() == limit
    with open(tmp_path / container.PICKLE, "rb") as file:
        unpickler = ValueUnpickler(file)
        here, deep, linked = (unpickler.load() for _ in values)
    count = 0
    while deep is not None:
        assert deep[0] is here
        count, deep = count + 1, deep[1]
    while linked is not None:
        count, linked = count + 1, linked.rest
    assert count == 10_000
