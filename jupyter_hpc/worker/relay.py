"""What a run directory holds beyond given offsets, in an order in which a reader may see it grow.

A reader takes the log's size first and the events after. So text never comes before the ``stream`` event that
marks it, and an event with a place in the text never before that text.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple

EVENTS = "events.jsonl"
LOG = "log"
NAMES = (EVENTS, LOG, "scheduler.log")
LINE_BYTES = 15000  # a container's log splits lines of 16 KiB
CHUNK = 8 << 10
PIECE = 1 << 20
FETCHED = "fetched"


def size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


class Relay:
    """Finds what is new in a run directory, again and again.

    Attributes
    ----------
    offsets : dict
        How far each file has been given out.
    """

    def __init__(self, directory: str, offsets: Optional[Dict[str, int]] = None) -> None:
        self.directory = directory
        self.offsets = {name: int((offsets or {}).get(name, 0)) for name in NAMES}

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def ranges(self) -> Iterator[Tuple[str, int, int]]:
        """Yield (file, from, to) of all that is new."""
        size = size_of(self._path(LOG))  # before the events: all text up to here has its stream marked
        begin = self.offsets[EVENTS]
        for end, at in self._events(begin):
            if at > self.offsets[LOG]:
                yield from self._range(EVENTS, begin)
                yield from self._range(LOG, at)
                begin = self.offsets[EVENTS]
            begin = end
        yield from self._range(EVENTS, begin)
        yield from self._range(LOG, size)
        yield from self._range(NAMES[2], size_of(self._path(NAMES[2])))

    def _range(self, name: str, end: int) -> Iterator[Tuple[str, int, int]]:
        begin = self.offsets[name]
        if end > begin:
            self.offsets[name] = end
            yield name, begin, end

    def _events(self, begin: int) -> List[Tuple[int, int]]:
        """Return (end, place in the text) of each whole line after ``begin``; 0 for one without a place."""
        data = read(self._path(EVENTS), begin, size_of(self._path(EVENTS)))
        found = []
        for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
            begin += len(line)
            at: Any = 0
            if b'"at"' in line:
                try:
                    at = json.loads(line).get("at", 0)
                except (ValueError, AttributeError):  # damaged by a crash in mid-write
                    at = 0
            found.append((begin, at if isinstance(at, int) else 0))
        return found


def read(path: str, begin: int, end: int) -> bytes:
    """Return a part of a file; empty if it isn't there."""
    if end <= begin:
        return b""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(begin)
            parts = []
            while begin < end:
                part = file.read(end - begin)
                if not part:
                    break
                parts.append(part)
                begin += len(part)
            return b"".join(parts)
    except OSError:
        return b""


def lines(directory: str, name: str, begin: int, end: int) -> Iterator[bytes]:
    """Yield a part of a file as lines of JSON, each short enough for a container's log."""
    while begin < end:
        data = read(os.path.join(directory, name), begin, min(end, begin + CHUNK))
        if not data:
            return
        frame: Dict[str, Any] = {"f": name, "o": begin}
        try:
            line = json.dumps({**frame, "d": data.decode()}, ensure_ascii=False).encode()
        except UnicodeDecodeError:
            line = b""
        if not line or len(line) > LINE_BYTES:
            import binascii

            line = json.dumps({**frame, "b": binascii.b2a_base64(data, newline=False).decode()}).encode()
        yield line + b"\n"
        begin += len(data)


def result_files(directory: str) -> Dict[str, int]:
    """Return the files of the result and their sizes, the manifest last."""
    top = os.path.join(directory, "result")
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, directory)] = size_of(path)
    return dict(sorted(found.items(), key=lambda item: item[0].endswith("manifest.json")))


# -- what the other side starts in the container -------------------------------------------------


def get(directory: str) -> None:
    """Write what is beyond the offsets asked for to stdout: a line of JSON before each piece.

    With ``result`` the files of the result follow, and an answer on stdin says that they have arrived.
    """
    asked = json.loads(sys.argv[2])
    out = sys.stdout.buffer
    for name, begin, end in Relay(directory, asked["offsets"]).ranges():
        _pieces(out, directory, name, begin, end)
    if asked.get("result") is not None:
        for name, size in result_files(directory).items():
            _pieces(out, directory, name, int(asked["result"].get(name, 0)), size)
    out.write(json.dumps({"done": result_files(directory)}).encode() + b"\n")
    out.flush()
    if asked.get("result") is not None and sys.stdin.buffer.readline().strip() == b"ok":
        open(os.path.join(directory, FETCHED), "w").close()
        out.write(b"ok\n")
        out.flush()


def _pieces(out: Any, directory: str, name: str, begin: int, end: int) -> None:
    while begin < end:
        data = read(os.path.join(directory, name), begin, min(end, begin + PIECE))
        if not data:
            return
        out.write(json.dumps({"f": name, "o": begin, "n": len(data)}).encode() + b"\n")
        out.write(data)
        begin += len(data)


def put(directory: str) -> None:
    """Take files from stdin, each piece after a line of JSON; go on where an earlier try ended."""
    import fcntl

    what = sys.argv[2]
    parts = os.path.join(directory, f"incoming-{what}")
    os.makedirs(parts, 0o700, exist_ok=True)
    lock = open(os.path.join(parts, "lock"), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        _say({"busy": True})
        return
    _say({"have": {name: size_of(os.path.join(parts, name)) for name in os.listdir(parts)}})
    source = sys.stdin.buffer
    while True:
        head = json.loads(source.readline() or b'{"verify": {}}')
        if "verify" in head:
            break
        with open(os.path.join(parts, head["f"]), "ab", buffering=0) as file:
            file.truncate(head["o"])
            left = head["n"]
            while left:
                data = source.read(min(left, PIECE))
                if not data:  # the connection broke
                    return
                file.write(data)
                left -= len(data)
    if head["verify"]:
        _accept(directory, parts, head["verify"], f"{what}.ready")


def _accept(directory: str, parts: str, wanted: Dict[str, Any], ready: str) -> None:
    """Check what came, put it in its place, and say so with a file."""
    from .digest import digest_file

    bad = [n for n, (_, digest) in wanted.items() if digest_file(os.path.join(parts, n), "sha256") != digest]
    for name in bad:
        os.unlink(os.path.join(parts, name))
    if not bad:
        for name, (path, _) in wanted.items():
            target = os.path.join(directory, path)
            os.makedirs(os.path.dirname(target), 0o700, exist_ok=True)
            os.replace(os.path.join(parts, name), target)
        open(os.path.join(directory, ready), "w").close()
    _say({"bad": bad})


def _say(record: Dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()
