"""Read what a worker writes, from where the last reading ended."""

from __future__ import annotations

import codecs
import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..model.encodable import all_encodable
from ..worker import allocation
from ..worker.container import MANIFEST
from ..worker.events import EVENTS
from ..worker.regular import open_regular
from ..worker.versions import words
from . import shapes
from .fitting import parsed
from .parts import indices_of
from .run import Run, read_json
from .series import SeriesOfRun

CHUNK = 4 << 20
SCHEDULER_LOG_BYTES = 64 << 10
MOST_SAMPLES = 120
_UP_OR_DOWN = re.compile(r"\x1b\[[0-9;?]*[ABEFHJSTdf]")  # to lines that may be another task's
_BEGINS_LINE = re.compile(r"\r|\x1b\[1?G|(?P<erases>\x1b\[[12]K)")
TEXT = ("stdout", "stderr", "traceback")  # what is in the log


@dataclass(frozen=True)
class Output:
    """One thing that the cell showed, in nbformat's terms.

    Attributes
    ----------
    kind : str
        ``stdout``, ``stderr``, ``display``, ``update_display``, ``clear_output`` or ``value``; ``traceback``, the
        text of the exception that ended the cell; ``attempt`` where the scheduler started the job anew: displays
        and value before it are no result.
    """

    kind: str
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    transient: dict[str, Any] = field(default_factory=dict)
    wait: bool = False


class RunReader:
    """Follows one run directory: events, text in order, and how it ended.

    Cheap to call often: it stats a few files and reads only what is new, and no file twice until the next `poll`.

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
        self.starts: list[dict[str, Any]] = []  # of all attempts
        self.loaded = False
        self.signals: list[dict[str, Any]] = []
        self.samples: list[dict[str, Any]] = []  # of this attempt, thinned as they grow
        self.peak_rss = 0  # bytes, of this attempt
        self.unsaved: dict[str, Any] | None = None
        self.done: dict[str, Any] | None = None
        self.use: dict[str, Any] = {}  # of the whole attempt, measured at its end
        self.mismatch: dict[str, Any] | None = None
        self.environment: dict[str, Any] | None = None  # only where it isn't the kernel's own
        self.building: dict[str, Any] | None = None
        self.built: dict[str, Any] | None = None
        self.waits: dict[str, Any] | None = None  # for room, to save the result
        self.files: list[dict[str, Any]] = []  # that the cell declared
        self.series = SeriesOfRun()  # the numbers that this attempt told of itself
        self.beat = 0
        self._event_offset = 0
        self._text_base = 0  # where the text of this attempt begins
        self._text_offset = 0
        self._stream = "stdout"
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}
        self._seen: dict[str, Any] = {}  # small files, as they were when they were first asked for after a poll

    # -- how it ended ----------------------------------------------------------------------------

    @property
    def has_result(self) -> bool:
        return os.path.exists(self.run.result / MANIFEST)

    @property
    def end(self) -> dict[str, Any] | None:
        """What the batch script's shell wrote after the worker, or None."""
        if "end" not in self._seen:
            self._seen["end"] = read_json(self.run.path / "end.json", shapes.END)
        found: dict[str, Any] | None = self._seen["end"]
        return found

    def scheduler_text(self) -> str:
        """Return what the scheduler and the batch script themselves said."""
        if "scheduler" not in self._seen:
            self._seen["scheduler"] = _end_of(self.run.scheduler_log)
        found: str = self._seen["scheduler"]
        return found

    def drift(self) -> list[str]:
        """Return in words how the node's packages differ from the kernel's."""
        rows = (self.environment or {}).get("drift") or []
        return [words(row) for row in rows]

    # -- what is new -----------------------------------------------------------------------------

    def poll(self, *, everything: bool = False) -> list[Output]:
        """Read what is new and return the new outputs, text and displays in order."""
        self._seen.clear()
        self.size = size = self._log_size()  # before the events: all text up to here has its stream marked
        found: list[Output] = []
        for event in self._events():
            found += self._apply(event)
        found += self._text(size)
        if everything:
            while self._wants_outputs and (more := self._text(size)):
                found += more
        return _joined(_of_last_attempt(found))

    def _log_size(self) -> int:
        try:
            return self.run.log.stat().st_size
        except OSError:
            return 0

    def _events(self) -> Iterator[dict[str, Any]]:
        try:
            with open_regular(self.run.path / EVENTS) as file:
                self.beat = os.fstat(file.fileno()).st_mtime_ns
                file.seek(self._event_offset)
                data = file.read()
        except OSError:
            return
        complete = data.rfind(b"\n") + 1
        self._event_offset += complete
        for line in data[:complete].splitlines():
            try:
                event = shapes.event(parsed(line))
            except ValueError:  # a line damaged by a crash in mid-write
                continue
            if event is not None:
                yield event

    def _apply(self, event: dict[str, Any]) -> list[Output]:
        kind = event.get("e")
        if kind == "started":
            event = _in_neutral_words(event)
            self.started, self.done, self.mismatch, self.signals = event, None, None, []
            self.environment, self.files, self.samples, self.series = None, [], [], SeriesOfRun()
            self.peak_rss, self.use, self.unsaved, self.waits = 0, {}, None, None
            self.starts.append(event)
        elif kind == "loaded":
            self.loaded = True
        elif kind == "signal" and event.get("signal") in (signal.SIGTERM, signal.SIGINT):  # others only warn
            self.signals.append(event)
        elif kind == "sample":
            self._take_sample(event)
        elif kind in ("saving", "done"):
            self._take_use(event)
            self.done = event if kind == "done" else None
        elif kind == "unsaved":
            self.unsaved = event
        elif kind == "mismatch":
            self.mismatch = event
        elif kind in ("environment", "building", "built", "waits"):
            setattr(self, kind, event)
        elif kind == "file":
            self.files.append(event)
        elif kind in ("point", "series"):
            self.series.take(event)
        elif kind == "attempt" and "base" in event:
            self._text_base = event["base"]
        elif "at" in event and self._wants_outputs:
            before = self._text(self._text_base + event["at"], whole=True)
            if kind == "attempt":
                self._stream, self._decoders = "stdout", {}
                return [*before, Output("attempt", text=f"attempt {event.get('number')}")]
            if kind == "stream":
                self._stream = event["name"] if event["name"] in TEXT else "stdout"
                return before
            if kind in ("display", "update_display", "clear_output", "value"):
                return [*before, _output(kind, event)]
            return before
        return []

    def _take_sample(self, event: dict[str, Any]) -> None:
        self.peak_rss = max(self.peak_rss, event["rss"])
        self.samples.append(event)
        if len(self.samples) > MOST_SAMPLES:
            del self.samples[1:-1:2]

    def _take_use(self, event: dict[str, Any]) -> None:
        self.use = {"until": event.get("t"), **(event.get("use") or {})}
        self.peak_rss = max(self.peak_rss, self.use.get("peak_rss") or 0)  # samples miss short peaks

    def _text(self, end: int, *, whole: bool = False) -> list[Output]:
        if end <= self._text_offset or not self._wants_outputs:
            return []
        stop = end if whole else min(end, self._text_offset + CHUNK)
        try:
            with open_regular(self.run.log) as file:
                file.seek(self._text_offset)
                data = file.read(stop - self._text_offset)
        except OSError:
            return []
        self._text_offset += len(data)
        if self._stream not in self._decoders:
            self._decoders[self._stream] = codecs.getincrementaldecoder("utf-8")("replace")
        text = self._decoders[self._stream].decode(data)
        return [Output(self._stream, text=text)] if text else []


class PartsReader:
    """Reads all tasks of an array: text by whole lines with the task before each, displays as they come."""

    def __init__(self, run: Run, indices: Sequence[int], *, outputs: bool = True) -> None:
        self.readers = {index: RunReader(run.part(index), outputs=outputs) for index in indices}
        self._unfinished: dict[tuple[int, str], str] = {}

    @property
    def largest(self) -> RunReader:
        """The task that took the most memory so far: what it used stands for all."""
        return max(self.readers.values(), key=lambda task: task.peak_rss)

    def poll(self, *, everything: bool = False) -> list[Output]:
        """Read what is new; with ``everything`` also last lines without an end."""
        found: list[Output] = []
        for index, reader in self.readers.items():
            for output in reader.poll(everything=everything):
                found += self._marked(index, output)
        if everything:
            for (index, kind), rest in self._unfinished.items():
                found += [Output(kind, text=_named(index, rest))] if rest else []
            self._unfinished.clear()
        return _joined(found)

    def _marked(self, index: int, output: Output) -> list[Output]:
        if output.kind == "value":  # one Out[n] can't show them all
            return [replace(output, kind="display")]
        if output.kind not in TEXT:
            return [] if output.kind == "clear_output" else [output]  # it would clear the others' too
        text = self._unfinished.pop((index, output.kind), "") + output.text
        whole, newline, rest = text.rpartition("\n")
        if rest:
            self._unfinished[index, output.kind] = rest
        return [Output(output.kind, text=_named(index, whole))] if newline else []


def _named(index: int, text: str) -> str:
    """Return a task's lines, each with the task before it, also where a bar begins it anew, and none over another's."""
    head = f"[{index}] "

    def anew(found: re.Match[str]) -> str:
        return f"{found['erases'] or ''}\r{head}"

    lines = (line.rstrip("\r") for line in _UP_OR_DOWN.sub("", text).split("\n"))
    return "".join(f"{head}{_BEGINS_LINE.sub(anew, line)}\n" for line in lines)


def reader_of(run: Run, record: Mapping[str, Any] | None = None, *, outputs: bool = True) -> RunReader | PartsReader:
    """Return what reads a run, or all tasks of an array; without ``outputs`` only what it says of itself."""
    indices = indices_of(record or run.record_or_none() or {})
    if indices:
        return PartsReader(run, indices, outputs=outputs)
    return RunReader(run, outputs=outputs)


def _end_of(path: Path) -> str:
    try:
        with open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - SCHEDULER_LOG_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _in_neutral_words(start: dict[str, Any]) -> dict[str, Any]:
    """Return a worker's start; workers of earlier versions told their scheduler's own variables."""
    told = start.get("environment")
    return {**allocation.described(told), **start} if isinstance(told, dict) else start


def _output(kind: str, event: dict[str, Any]) -> Output:
    return Output(
        kind,
        data=all_encodable(event.get("data") or {}),  # a notebook with anything else could not be saved
        metadata=all_encodable(event.get("metadata") or {}),
        transient=all_encodable(event.get("transient") or {}),
        wait=bool(event.get("wait")),
    )


def _of_last_attempt(outputs: list[Output]) -> list[Output]:
    """Leave out what attempts that were taken back displayed; their text stays, as in the log."""
    last = max((i for i, output in enumerate(outputs) if output.kind == "attempt"), default=0)
    return [o for i, o in enumerate(outputs) if i >= last or o.kind in TEXT]


def _joined(outputs: list[Output]) -> list[Output]:
    """Join neighbouring pieces of the same stream."""
    found: list[Output] = []
    for output in outputs:
        if found and output.kind in TEXT and found[-1].kind == output.kind:
            found[-1] = Output(output.kind, text=found[-1].text + output.text)
        else:
            found.append(output)
    return found
