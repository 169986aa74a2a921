"""Large arrays are hashed once while they don't change, and always again when they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jupyter_hpc.capture import memo
from jupyter_hpc.capture.cell.analysis import analyze
from jupyter_hpc.capture.payload import Payload, build
from jupyter_hpc.capture.request import Request
from jupyter_hpc.worker.digest import Hasher, digest_bytes

MIB = 1 << 20


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return how many MiB were hashed since the last call."""
    seen = [0]
    original = Hasher.update

    def update(self: Hasher, data: Any) -> None:
        seen[0] += memoryview(data).nbytes
        original(self, data)

    monkeypatch.setattr(Hasher, "update", update)

    def since() -> int:
        found, seen[0] = seen[0] // MIB, 0
        return found

    return since


def payload(folder: Path, **names: Any) -> Payload:
    text = f"x = ({','.join(names)},)"
    folder.mkdir()
    request = Request(text=text, code=text, names=analyze(text), namespace=names)
    return build(folder, request, lambda *_: None, lambda _: [])


def test_an_unchanged_array_is_hashed_once_in_whatever_company(tmp_path: Path, hashed: Callable[[], int]) -> None:
    array = np.random.default_rng(0).random(2 * MIB)
    first = payload(tmp_path / "1", a=array, alias=array, inside=[array])
    assert hashed() == 16
    again = payload(tmp_path / "2", before={"k": 1}, a=array)
    assert hashed() == 0
    digests = [{i.name: i.digest for i in found.items} for found in (first, again)]
    assert digests[0]["a"] == digests[0]["alias"] == digests[1]["a"] != digests[0]["inside"]
    array[-1] += 1
    changed = payload(tmp_path / "3", a=array)
    assert hashed() == 16
    assert changed.items[0].digest != digests[0]["a"]
    assert changed.manifest["buffers"][0]["digest"] == digest_bytes(memoryview(array).cast("B"))


def test_without_xxhash_every_array_is_hashed_in_full(
    tmp_path: Path, hashed: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memo, "_fingerprint", lambda raw: None)
    array = np.random.default_rng(1).random(2 * MIB)
    digests = {payload(tmp_path / str(n), a=array).items[0].digest for n in range(2)}
    assert hashed() == 32 and len(digests) == 1


def test_small_values_have_one_digest_wherever_they_stand(tmp_path: Path) -> None:
    values: dict[str, Any] = {"a": {"k": [1, 2]}, "b": "text" * 20, "c": np.arange(5), "d": np.arange(5) + 1}
    alone = {n: payload(tmp_path / n, **{n: v}).items[0].digest for n, v in values.items()}
    together = {i.name: i.digest for i in payload(tmp_path / "all", **values).items}
    assert together == alone
    assert len(set(alone.values())) == 4
