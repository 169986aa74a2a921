"""What a disk doesn't take waits in the worker, in order and not without bound; ``/dev/full`` is such a disk."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_hpc.worker import room
from jupyter_hpc.worker.events import MOST_WAITING, EventWriter, _Appender
from jupyter_hpc.worker.room import PATIENCE, Room, may_come

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    """An open file that takes nothing, until `makes_room`."""
    found = os.open("/dev/full", os.O_WRONLY)
    yield found
    os.close(found)


def makes_room(descriptor: int, path: Path) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(file, descriptor)
    os.close(file)


def test_what_waits_is_written_in_order(descriptor: int, tmp_path: Path) -> None:
    appender = _Appender(descriptor)
    appender.append(b"one ")
    appender.append(b"two ")
    assert not appender.drained()
    makes_room(descriptor, tmp_path / "there")
    appender.append(b"three")
    assert appender.drained()
    assert (tmp_path / "there").read_bytes() == b"one two three"


def test_too_much_is_refused_and_what_waits_stays(descriptor: int) -> None:
    appender = _Appender(descriptor)
    appender.append(bytes(MOST_WAITING))
    with pytest.raises(OSError, match="No space left"):
        appender.append(b"x")
    assert len(appender.waiting) == MOST_WAITING


def test_what_never_can_be_written_is_refused_at_once() -> None:
    appender = _Appender(-1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        appender.append(b"x")
    assert appender.drained()


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_the_wait_ends_with_the_patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FIRST_S", 0.01)
    monkeypatch.setenv(PATIENCE, "0.5")
    waits, tries = Room(EventWriter(str(tmp_path))), 0
    while waits.wait(FULL):
        tries += 1
    assert 1 <= tries <= 8
    assert '"e": "waits"' in (tmp_path / "events.jsonl").read_text()


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("to", ["the process", "another thread"])
def test_a_signal_ends_the_wait(to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FIRST_S", 60.0)
    waits = Room(EventWriter(str(tmp_path)))
    begun = threading.Event()
    monkeypatch.setattr(waits._events, "write", lambda *_, **__: begun.set())

    def end() -> None:
        begun.wait()
        if to == "the process":
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    threading.Thread(target=end).start()
    assert not waits.wait(FULL)
    assert waits.ended_by == signal.SIGTERM


@pytest.mark.parametrize(("number", "may"), [(errno.ENOSPC, True), (errno.EROFS, True), (errno.EACCES, False)])
def test_only_a_disk_may_come_back(number: int, may: bool) -> None:
    assert may_come(OSError(number, "")) is may
    assert not may_come(ValueError())
