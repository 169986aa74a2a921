"""Heartbeats, samples of use, and what to do when the scheduler sends a signal."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time

TYPE_CHECKING = False  # a start without typing, shutil and subprocess is faster
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from .events import EventWriter, LogFile
    from .points import Points

BEAT_S = 0.5
FIRST_SAMPLES = 30  # one a second at first, then one in ten seconds
SLOW_SAMPLE_S = 10.0
_WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)
_ENDING = (signal.SIGTERM, signal.SIGINT)
_REPORTED = (*_ENDING, *_WARNINGS)
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_stop: Any = None  # what a signal raises, while the cell runs


class Monitor(threading.Thread):
    """Beats, samples, flushes text that has no line end yet, and writes how far the cell's series are."""

    def __init__(self, events: EventWriter, log: LogFile, points: Points) -> None:
        super().__init__(name="jupyter_hpc monitor", daemon=True)
        self._events = events
        self._log = log
        self._points = points
        self._nvidia_smi: Optional[str] = None
        self._looked = False
        self._stop_event = threading.Event()
        self.peak_rss = 0

    def run(self) -> None:
        taken, next_sample = 0, time.monotonic() + 1.0
        while not self._stop_event.wait(BEAT_S):
            try:
                self._events.beat()
                self._log.flush()
                self._points.beat()
            except OSError:  # a read-only disk, or a full one: the cell's own writing raises it
                continue
            if time.monotonic() >= next_sample:
                self._write_sample()
                taken += 1
                next_sample = time.monotonic() + (1.0 if taken < FIRST_SAMPLES else SLOW_SAMPLE_S)

    def _write_sample(self) -> None:
        try:
            self._events.write("sample", **self.sample())
        except OSError:  # a full disk must not stop the heart
            pass

    def stop(self) -> None:
        self._stop_event.set()

    def sample(self) -> Dict[str, Any]:
        """Return cpu seconds, resident bytes and gpu use of this process and its children."""
        rss, cpu = 0, 0.0
        for pid in _tree(os.getpid()):
            used = _process_use(pid)
            if used is not None:
                rss += used[0]
                cpu += used[1]
        self.peak_rss = max(self.peak_rss, rss)
        sample: Dict[str, Any] = {"rss": rss, "cpu_s": round(cpu, 2)}
        if not self._looked:
            import shutil

            self._nvidia_smi, self._looked = shutil.which("nvidia-smi"), True
        if self._nvidia_smi:
            sample["gpus"] = _gpu_use(self._nvidia_smi)
        return sample

    def summary(self) -> Dict[str, Any]:
        """Return what the whole run used."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "cpu_s": round(sum(u.ru_utime + u.ru_stime for u in (own, children)), 3),
            "peak_rss": max(self.peak_rss, own.ru_maxrss * 1024, children.ru_maxrss * 1024),
        }


def _tree(root: int) -> List[int]:
    found, pending = [], [root]
    while pending:
        pid = pending.pop()
        found.append(pid)
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    pending += [int(child) for child in file.read().split()]
        except (OSError, ValueError):  # it ended meanwhile, or there is no /proc
            continue
    return found


def _process_use(pid: int) -> Any:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            rss = int(file.read().split()[1]) * _PAGE
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return rss, (int(fields[11]) + int(fields[12])) / _TICK
    except (OSError, ValueError, IndexError):
        return None


def _gpu_use(nvidia_smi: str) -> Optional[List[Dict[str, Any]]]:
    import subprocess

    query = "--query-gpu=name,driver_version,utilization.gpu,memory.used,memory.total"
    try:
        done = subprocess.run(
            [nvidia_smi, query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    keys = ("name", "driver", "percent", "mib_used", "mib_total")
    return [dict(zip(keys, line.split(", "))) for line in done.stdout.splitlines()]


def report_signals(events: EventWriter) -> None:
    """Record SIGTERM, SIGUSR1, SIGUSR2 and SIGINT at once, even while the cell is inside C code.

    SIGUSR1 and SIGUSR2 are only recorded: a warning that time runs out, for which the cell may have a handler.
    The others end the process until the cell begins: nothing has run yet, and nothing is lost.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    for number in _WARNINGS:
        signal.signal(number, _on_signal)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    _spare_children(write)

    def record() -> None:
        while True:
            data = os.read(read, 16)
            for number in data:
                if number in _REPORTED:
                    events.write("signal", signal=number)

    threading.Thread(target=record, name="jupyter_hpc signals", daemon=True).start()


def raise_signals(stop: Any) -> None:
    """From here on SIGTERM and SIGINT raise ``stop(number)``, so that names that the cell has assigned come back."""
    global _stop
    _stop = stop
    for number in _ENDING:
        signal.signal(number, _on_signal)


def _on_signal(number: int, _: Any) -> None:
    """Stop the cell, once: a second signal must not break the way out."""
    global _stop
    if number in _ENDING and _stop is not None:
        stop, _stop = _stop, None
        raise stop(number)


def _spare_children(wakeup: int) -> None:
    """Let a process that the cell forks die of a signal as any other does, and not report it as the cell's.

    The signals are held back meanwhile: one that comes before the child has its own handlers would be lost.
    """
    held = threading.local()

    def before() -> None:
        held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _REPORTED)

    def after() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, held.mask)

    def in_child() -> None:
        for number in _REPORTED:
            if signal.getsignal(number) is _on_signal:  # the cell may have set one of its own
                is_interrupt = number == signal.SIGINT
                signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
        other = signal.set_wakeup_fd(-1)
        if other != wakeup:
            signal.set_wakeup_fd(other)
        after()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=in_child)


def ignore_signals() -> None:
    """From here on the result is being written: finish it."""
    for number in _REPORTED:
        signal.signal(number, signal.SIG_IGN)
