"""Arrays that share memory share it when they are read again, and nothing large is sent for a small view's sake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_hpc.worker import container
from jupyter_hpc.worker.pickling import ValuePickler, ValueUnpickler


def trip(folder: Path, values: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Write and read values; return them and how many bytes were written."""

    def make(file: Any, **options: Any) -> ValuePickler:
        return ValuePickler(file, namespace={}, **options)

    assert container.write(str(folder), list(values.items()), lambda _: {}, make) == []
    manifest = container.read_manifest(str(folder))
    buffers = container.load_buffers(str(folder), manifest)
    with open(folder / container.PICKLE, "rb") as file:
        unpickler = ValueUnpickler(file, buffers=iter(buffers))
        read = {entry["name"]: unpickler.load() for entry in manifest["names"]}
    size = manifest["pickle"]["size"] + sum(b["size"] for b in manifest["buffers"])
    return read, size


A = np.arange(24.0).reshape(4, 6)
LONG = np.arange(1_000_000.0)
RECORDS = np.zeros(3, dtype=[("a", "i4"), ("b", "f8")])
SHARED = {
    "a view before its base": {"x": A[:2, ::-2], "y": A},
    "a transposed view": {"x": A, "y": A.T},
    "a view as another type": {"x": A, "y": A.view("i8")},
    "a view of an array in Fortran's order": {"x": np.asfortranarray(A), "y": None},
    "two that overlap": {"x": A.reshape(-1)[:15], "y": A.reshape(-1)[10:]},
    "a field of records": {"x": RECORDS, "y": RECORDS["b"]},
    "a small view of a large array that travels": {"x": LONG[5:9], "y": LONG},
}
SHARED["a view of an array in Fortran's order"]["y"] = SHARED["a view of an array in Fortran's order"]["x"][1:, 1:]


@pytest.mark.parametrize("case", SHARED)
def test_they_share_memory_again(tmp_path: Path, case: str) -> None:
    values = SHARED[case]
    read, _ = trip(tmp_path, values)
    assert np.shares_memory(read["x"], read["y"])
    for name, array in values.items():
        assert np.array_equal(read[name], array) and read[name].dtype == array.dtype
        assert read[name].flags.writeable


def test_views_inside_containers_share_memory_again(tmp_path: Path) -> None:
    read, _ = trip(tmp_path, {"d": {"a": A, "b": [A[0]]}})
    assert np.shares_memory(read["d"]["a"], read["d"]["b"][0])


def test_a_small_view_of_a_large_array_is_sent_alone(tmp_path: Path) -> None:
    read, size = trip(tmp_path, {"x": LONG[:20], "y": LONG[10:30]})
    assert size < 2000
    assert np.array_equal(read["y"], LONG[10:30])


@pytest.mark.parametrize("view", [LONG[::-1], LONG[::2], A[:, ::-1], A.reshape(2, 3, 4).transpose(1, 0, 2)])
def test_a_view_that_travels_alone_is_laid_out_as_it_was(tmp_path: Path, view: Any) -> None:
    read, _ = trip(tmp_path, {"x": view})
    assert read["x"].strides == view.strides and np.array_equal(read["x"], view)
    assert np.shares_memory(read["x"].ravel(), read["x"]) == np.shares_memory(view.ravel(), view)


def test_a_view_of_a_few_columns_travels_without_the_others(tmp_path: Path) -> None:
    table = LONG.reshape(1000, 1000)
    read, size = trip(tmp_path, {"x": table[:, 3]})
    assert size < 10_000 and np.array_equal(read["x"], table[:, 3])


def test_a_read_only_view_stays_one_and_objects_are_copied(tmp_path: Path) -> None:
    view = A[:]
    view.flags.writeable = False
    things = np.array([1, "x"], dtype=object)
    read, _ = trip(tmp_path, {"a": A, "view": view, "things": things, "some": things[:1]})
    assert not read["view"].flags.writeable and read["a"].flags.writeable
    assert list(read["some"]) == [1]
