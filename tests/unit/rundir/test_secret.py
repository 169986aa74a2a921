"""The user's secret is made once, whole, on any file system."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.model.exceptions import HPCError
from jupyter_hpc.rundir import secret


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose file system has no hard links; no such one can be mounted everywhere."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(os, "link", refuse)
    return tmp_path


def test_a_home_without_hard_links_has_a_secret(data: Path) -> None:
    assert secret.user_mac(b"x") == secret.user_mac(b"x")
    assert [path.name for path in data.iterdir()] == [secret.FILE]
    assert (data / secret.FILE).stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_of_a_secret_that_a_full_disk_cut_off(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def on_full_disk(path: Any, *arguments: Any, **keywords: Any) -> int:
        descriptor = opened(path, *arguments, **keywords)
        if Path(path).name == secret.FILE:
            os.dup2(full := opened("/dev/full", os.O_WRONLY), descriptor)
            os.close(full)
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", on_full_disk)
        with pytest.raises(HPCError, match="No space left"):
            secret.user_mac(b"x")
    assert list(data.iterdir()) == []
    assert secret.user_mac(b"x") == secret.user_mac(b"x")
