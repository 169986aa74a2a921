"""The time for a second interrupt begins when the first one is told, however busy the machine was till then."""

from __future__ import annotations

import signal
import threading
from types import SimpleNamespace

import pytest

from jupyter_hpc.display import attached


def test_the_time_for_a_second_interrupt_begins_when_the_first_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(attached, "time", SimpleNamespace(monotonic=lambda: now))
    with attached._Interrupts(threading.Event()) as interrupts:
        assert not interrupts.take() and not interrupts.wants_detach()
        signal.raise_signal(signal.SIGINT)
        now += 3 * attached.SECOND_INTERRUPT_S  # in which nobody came to look
        assert interrupts.take() and not interrupts.take()
        assert not interrupts.wants_detach()
        now += attached.SECOND_INTERRUPT_S - 0.1
        assert not interrupts.wants_cancel() and not interrupts.wants_detach()
        signal.raise_signal(signal.SIGINT)
        assert interrupts.wants_cancel() and not interrupts.wants_cancel()
        now += 3 * attached.SECOND_INTERRUPT_S
        assert not interrupts.wants_detach()
        signal.raise_signal(signal.SIGINT)
        assert interrupts.wants_detach()


def test_without_a_second_one_the_cell_detaches(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(attached, "time", SimpleNamespace(monotonic=lambda: now))
    with attached._Interrupts(threading.Event()) as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.take()
        now += attached.SECOND_INTERRUPT_S + 0.1
        assert interrupts.wants_detach() and not interrupts.wants_cancel()
