"""Read what a worker writes, from where the last reading ended."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .store import Run, read_json
from .worker.events import EVENTS

CHUNK = 4 << 20
SCHEDULER_LOG_BYTES = 64 << 10


@dataclass(frozen=True)
class Output:
    """One thing that the cell showed, in nbformat's terms.

    Attributes
    ----------
    kind : str
        ``stdout``, ``stderr``, ``display``, ``update_display``, ``clear_output`` or ``value``.
    """

    kind: str
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    transient: dict[str, Any] = field(default_factory=dict)
    wait: bool = False


class RunReader:
    """Follows one run directory: events, text in order, and how it ended.

    Cheap to call often: it stats a few files and reads only what is new.

    Parameters
    ----------
    outputs : bool
        Read text and displays too; False for one who only wants to know how the job goes.
    """

    def __init__(self, run: Run, *, outputs: bool = True) -> None:
        self.run = run
        self._wants_outputs = outputs
        self.size = 0
        self.started: dict[str, Any] | None = None
        self.loaded = False
        self.signals: list[dict[str, Any]] = []
        self.sample: dict[str, Any] | None = None
        self.done: dict[str, Any] | None = None
        self.mismatch: dict[str, Any] | None = None
        self.beat = 0
        self._event_offset = 0
        self._text_offset = 0
        self._stream = "stdout"
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}

    # -- how it ended ----------------------------------------------------------------------------

    @property
    def has_result(self) -> bool:
        return (self.run.result / "manifest.json").exists()

    @property
    def end(self) -> dict[str, Any] | None:
        """What the batch script's shell wrote after the worker, or None."""
        record = read_json(self.run.path / "end.json")
        return record if isinstance(record, dict) else None

    def scheduler_text(self) -> str:
        """Return what the scheduler and the batch script themselves said."""
        try:
            with open(self.run.scheduler_log, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - SCHEDULER_LOG_BYTES))
                return file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    # -- what is new -----------------------------------------------------------------------------

    def poll(self, *, everything: bool = False) -> list[Output]:
        """Read what is new and return the new outputs, text and displays in order."""
        self.size = size = self._log_size()  # before the events: all text up to here has its stream marked
        found: list[Output] = []
        for event in self._events():
            found += self._apply(event)
        found += self._text(size)
        if everything:
            while self._wants_outputs and (more := self._text(size)):
                found += more
        return _joined(found)

    def _log_size(self) -> int:
        try:
            return self.run.log.stat().st_size
        except FileNotFoundError:
            return 0

    def _events(self) -> Iterator[dict[str, Any]]:
        try:
            with open(self.run.path / EVENTS, "rb") as file:
                self.beat = os.fstat(file.fileno()).st_mtime_ns
                file.seek(self._event_offset)
                data = file.read()
        except FileNotFoundError:
            return
        complete = data.rfind(b"\n") + 1
        self._event_offset += complete
        for line in data[:complete].splitlines():
            try:
                event = json.loads(line)
            except ValueError:  # a line damaged by a crash in mid-write
                continue
            if isinstance(event, dict):
                yield event

    def _apply(self, event: dict[str, Any]) -> list[Output]:
        kind = event.get("e")
        if kind == "started":
            self.started, self.done, self.mismatch, self.signals = event, None, None, []
        elif kind == "loaded":
            self.loaded = True
        elif kind == "signal":
            self.signals.append(event)
        elif kind == "sample":
            self.sample = event
        elif kind == "done":
            self.done = event
        elif kind == "mismatch":
            self.mismatch = event
        elif "at" in event and self._wants_outputs:
            before = self._text(int(event["at"]), whole=True)
            if kind == "stream":
                self._stream = "stderr" if event.get("name") == "stderr" else "stdout"
                return before
            if kind in ("display", "update_display", "clear_output", "value"):
                return [*before, _output(kind, event)]
            return before
        return []

    def _text(self, end: int, *, whole: bool = False) -> list[Output]:
        if end <= self._text_offset or not self._wants_outputs:
            return []
        stop = end if whole else min(end, self._text_offset + CHUNK)
        try:
            with open(self.run.log, "rb") as file:
                file.seek(self._text_offset)
                data = file.read(stop - self._text_offset)
        except FileNotFoundError:
            return []
        self._text_offset += len(data)
        if self._stream not in self._decoders:
            self._decoders[self._stream] = codecs.getincrementaldecoder("utf-8")("replace")
        text = self._decoders[self._stream].decode(data)
        return [Output(self._stream, text=text)] if text else []


def _output(kind: str, event: dict[str, Any]) -> Output:
    return Output(
        kind,
        data=event.get("data") or {},
        metadata=event.get("metadata") or {},
        transient=event.get("transient") or {},
        wait=bool(event.get("wait")),
    )


def _joined(outputs: list[Output]) -> list[Output]:
    """Join neighbouring pieces of the same stream."""
    found: list[Output] = []
    for output in outputs:
        if found and output.kind in ("stdout", "stderr") and found[-1].kind == output.kind:
            found[-1] = Output(output.kind, text=found[-1].text + output.text)
        else:
            found.append(output)
    return found
