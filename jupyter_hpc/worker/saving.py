"""After the cell: save what it made, say how it ended, and see to it that log and events are written."""

from __future__ import annotations

import os

from . import recording
from .apart import apart
from .cell import Stopped, format_traceback
from .circumstances import describe, text_of
from .result_writer import ResultWriter
from .room import Room, may_come

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from .changes import Watch
    from .main import _Worker

FAILED = 1


def finish(worker: _Worker, value: Any, error: Optional[BaseException], watch: Optional[Watch]) -> int:
    """Save the result of a cell that has ended; return the process's exit code."""
    room = Room(worker.events)
    apart("what the cell printed in numbers", worker.points.end)
    _write_log(worker, error)
    _say(worker, "saving", use=worker.monitor.summary())  # here before the result is, as it must be shown
    _record_files(worker, hurry=isinstance(error, Stopped))
    try:
        record = _saved(worker, value, error, watch, room)
    except Exception as failure:  # a full disk, most often
        _unsaved(worker, failure, error, room.ended_by)
        status = 128 + error.signal if isinstance(error, Stopped) else FAILED  # that ended it, whatever it lost
    else:
        worker.monitor.stop()
        _say(worker, "done", use=worker.monitor.summary(), **record)
        status = _exit_code(record, error)
    _deliver(worker, error, room)
    return status


def _say(worker: _Worker, event: str, **fields: Any) -> None:
    """Write an event; one for which there is no room may not keep the names from being saved."""
    try:
        worker.events.write(event, **fields)
    except OSError:  # more waits for room than may
        pass


def _write_log(worker: _Worker, error: Optional[BaseException]) -> None:
    """The last of the log; that it has no room may not keep the names from being saved."""
    try:
        worker.log.flush()
        is_failure = isinstance(error, (Exception, KeyboardInterrupt))
        if isinstance(error, SystemExit):
            is_failure = bool(error.code)
        if error is not None and is_failure and worker.cell["kind"] != "script":
            worker.log.write_traceback(format_traceback(error, worker.labels))
    except OSError:  # more waits for room than may
        pass


def _record_files(worker: _Worker, *, hurry: bool) -> None:
    """Say what the cell wrote; nothing in that may keep its names from being saved."""
    try:
        if worker._files is not None or worker.cell.get("writes"):
            worker.files().end(worker.cell.get("writes") or [], hurry=hurry)
        recording.tell(worker.files, hurry=hurry)
    except Exception:  # a full disk: what it keeps from being saved is told below
        pass


def _saved(
    worker: _Worker, value: Any, error: Optional[BaseException], watch: Optional[Watch], room: Room
) -> Dict[str, Any]:
    """Write the result, whole; without those names for which there is still no room when we may not wait any more."""
    whole = not isinstance(error, Stopped)  # who was told to end has no time to wait
    while True:
        try:
            return ResultWriter(worker).write(value, error, watch, whole=whole)
        except OSError as failure:
            if not whole or not may_come(failure):
                raise
            _make_room(worker)
            whole = room.wait(failure)


def _make_room(worker: _Worker) -> None:
    import shutil

    shutil.rmtree(os.path.join(worker.directory, "result.tmp"), ignore_errors=True)


def _exit_code(record: Dict[str, Any], error: Optional[BaseException]) -> int:
    if record["outcome"] == "completed" or (isinstance(error, SystemExit) and error.code is None):
        return 0
    code = error.code if isinstance(error, SystemExit) else FAILED
    return code if isinstance(code, int) and 0 <= code < 256 else FAILED


def _unsaved(worker: _Worker, failure: Exception, error: Optional[BaseException], ended_by: int) -> None:
    """Make room for a word on why there is no result."""
    import traceback

    where = describe(failure, worker.directory)
    _make_room(worker)
    message = f"{type(failure).__name__}: {text_of(failure)}"
    if error is not None:
        message += f" (the cell itself had raised {type(error).__name__}: {text_of(error)})"
    stopped = error.signal if isinstance(error, Stopped) else ended_by
    if stopped:
        where["stopped"] = stopped
    _say(worker, "unsaved", message=message[:500], **where)
    text = "".join(traceback.format_exception(type(failure), failure, failure.__traceback__))
    try:
        worker.log.write("stderr", text.encode("utf-8", "backslashreplace"))
    except OSError:  # there was no room for it
        pass


def _deliver(worker: _Worker, error: Optional[BaseException], room: Room) -> None:
    """What of log and events waits for room dies with this process."""
    while True:
        why = worker.log.why_waiting() or worker.events.why_waiting()
        if why is None or isinstance(error, Stopped) or not room.wait(why):
            break
        try:
            worker.events.beat()
        except OSError:  # the disk is read-only
            pass
