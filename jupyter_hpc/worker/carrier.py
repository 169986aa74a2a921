"""The first process of a pod: takes the payload, runs the worker, and tells of its files on stdout.

``request.zip`` is on ``sys.path``, and holds this package, ``request.json`` and what of the payload is small. The
container's log carries events, text and a small result as lines of JSON, each with the file and the offset it
belongs to, so that they can be read twice and in pieces; what is large goes through an object store, or is
fetched through ``get``. Where the run directory itself is on a volume of this pod, nothing needs to be carried.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from . import relay
from .claim import claimed
from .environment import ANOTHER_BUILT, Environment
from .room import PATIENCE
from .signing import KEY

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

ROOT = "/jupyter-hpc"
SMALL_RESULT = 256 << 10  # a result up to this size is in the container's log, which outlives the container
LARGE_PIECE = 1 << 20  # more than this at once is left to ``get``
ROTATED = 8 << 20  # a kubelet may have rotated away a log of this size
BEAT_S = 5.0
TICK_S = 0.02
KILL_S = 24.0  # from the signal to the end of a worker that doesn't end: less than the pod's grace period
SAVED_FAILURE = 70  # the worker failed, and its result says how
REFUSED = 78


def main() -> None:
    os.umask(0o077)
    directory = os.path.join(ROOT, "run")
    action = sys.argv[1] if len(sys.argv) > 1 else "run"
    if action == "get":
        relay.get(directory)
    elif action == "put":
        relay.put(directory)
    elif action == "shared":
        with open(os.path.join(sys.argv[2], "request.json"), encoding="utf-8") as file:
            os._exit(_Carrier(sys.argv[2], sys.path[0], json.load(file), is_shared=True).run())
    else:
        os.makedirs(directory, 0o700, exist_ok=True)
        archive = next(path for path in sys.path if path.endswith("request.zip"))
        os._exit(_Carrier(directory, archive, json.loads(_member(archive, "request.json"))).run())


def _member(archive: str, name: str) -> bytes:
    from zipimport import zipimporter

    return zipimporter(archive).get_data(os.path.join(archive, name))


class _Carrier:
    def __init__(self, directory: str, archive: str, request: Dict[str, Any], *, is_shared: bool = False) -> None:
        self.directory = directory
        self.archive = archive
        self.request = request
        self.is_shared = is_shared
        self.relay = relay.Relay(directory)
        self.written = 0
        self.skipped = False
        self.pid = 0
        self.status: Optional[int] = None
        self.signalled = 0
        self.kill_at = 0.0
        self.next_beat = 0.0
        self.limit_at = 0.0
        self.oom_kills = _oom_kills()
        wanted = request["environment"]
        self.environment = Environment(directory, wanted) if wanted else None

    def run(self) -> int:
        read, write = os.pipe()
        os.set_blocking(write, False)
        os.set_blocking(read, False)
        self.wake = read
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_term)
        if not self.is_shared:
            if self.request.get("key"):
                self._place(KEY, bytes.fromhex(self.request["key"]))
            for name in self.request["inline"]:
                self._place(name, _member(self.archive, name))
            if not self._has_payload():
                return self._end()
            self._prepare()
        elif not self._is_first():
            return REFUSED
        if self.request["limit"]:
            self.limit_at = time.monotonic() + self.request["limit"]
        if self._has_environment():
            self._start()
            self._follow()
        return self._end()

    def _is_first(self) -> bool:
        """Claim the run's one attempt: Kubernetes itself may start a pod twice, and only --retries allows that."""
        if self.request["retries"]:
            return True
        here = os.uname().nodename
        first = claimed(self.directory, f"pod {here}")
        if first:
            self._say(f"jupyter_hpc: the job was started a second time, on {here}; its first start was {first}")
        return not first

    def _place(self, name: str, data: bytes) -> None:
        path = os.path.join(self.directory, name)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)

    def _has_payload(self) -> bool:
        """Wait for the files that don't come with the request."""
        if self.request["stored"]:
            from . import depot

            for name, digest in self.request["stored"].items():
                depot.get(self.request["store"], name, os.path.join(self.directory, name), digest)
            return True
        return not self.request["streamed"] or self._receive("payload")

    def _receive(self, what: str) -> bool:
        """Wait for what is streamed in; nobody may hold a node for a kernel that is gone."""
        self._write({"wants": 1, "what": what})
        ready = os.path.join(self.directory, f"{what}.ready")
        deadline = time.monotonic() + self.request["hold"]
        while not os.path.exists(ready):
            self._wait()
            self._beat()
            if self.signalled or time.monotonic() > deadline:
                why = "it was told to end" if self.signalled else f"{self.request['hold']:g} s passed"
                self._say(f"jupyter_hpc: {what} had not arrived from the kernel when {why}")
                self.status = 128 + self.signalled if self.signalled else REFUSED
                return False
        return True

    def _has_environment(self) -> bool:
        """Build what ``--requirements`` asks for, unless it is there; False if it can't be had."""
        place = self.environment
        if place is None or place.exists():
            return True
        place.publish()
        if place.uv() is None and not self.is_shared and self.request["environment"]["has_uv"]:
            if not self._receive("uv"):
                return False
            place.take_uv()
        if self.signalled:
            self.status = 128 + self.signalled
            return False
        began = time.monotonic()
        place.event("building")
        place.event("stream", name="stderr", at=relay.size_of(place.log))
        self._fork(lambda: place.build(self.request["env"]))
        self._follow()
        if self.status in (0, ANOTHER_BUILT):
            if self.status == 0:
                place.event("built", seconds=round(time.monotonic() - began))
            place.event("stream", name="stdout", at=relay.size_of(place.log))
            self.status, self.pid = None, 0
        elif not self.kill_at:  # neither told to end nor out of time
            self._say(place.refusal())
            self.status = REFUSED
        return self.status is None

    def _prepare(self) -> None:
        """Make the payload's manifest speak of this machine's folders."""
        path = os.path.join(self.directory, "payload", "manifest.json")
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        cell = manifest["cell"]
        cell["module_paths"] = [os.path.join(self.directory, p) for p in self.request["module_paths"]]
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(manifest))

    def _workdir(self) -> str:
        """Return the folder to run in: the notebook's where it can be had, else an empty one."""
        wanted: str = self.request["workdir"]
        try:
            os.makedirs(wanted, exist_ok=True)
            if os.access(wanted, os.W_OK | os.X_OK):
                return wanted
        except OSError:  # not ours to make
            pass
        other = os.path.join(self.directory, "work")
        os.makedirs(other, exist_ok=True)
        return other

    # -- the worker ------------------------------------------------------------------------------

    def _start(self) -> None:
        if self.signalled:  # told to end before it began
            self.status = 128 + self.signalled
            return
        self._fork(self._become_worker)

    def _fork(self, become: Callable[[], None]) -> None:
        """Start a child in a session of its own."""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                signal.set_wakeup_fd(-1)
                for number in (signal.SIGCHLD, signal.SIGTERM):
                    signal.signal(number, signal.SIG_DFL)
                become()
            finally:
                os._exit(REFUSED)

    def _become_worker(self) -> None:
        """A fork saves the start of an interpreter; variables that one reads at its start need a new one."""
        log = os.open(os.path.join(self.directory, "scheduler.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ["JUPYTER_HPC_WORKDIR"] = self._workdir()
        if not self.is_shared:
            os.environ[PATIENCE] = "0"  # nobody can make room on a pod's own disk
        python = sys.executable
        if self.environment is not None:
            python = self.environment.activate()
        if self.request["env"] or python != sys.executable:
            os.environ.update(self.request["env"])
            start = (
                "import sys; sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]; "
                "from jupyter_hpc_worker.main import main; main()"
            )
            os.execv(python, [python, "-c", start, self.archive, self.directory])
        sys.argv = ["-c", self.directory]
        from .main import main as work

        work()

    def _on_term(self, *_: Any) -> None:
        self.signalled = signal.SIGTERM
        if self.pid and not self.kill_at:
            self.kill_at = time.monotonic() + KILL_S
            os.kill(self.pid, signal.SIGTERM)

    def _follow(self) -> None:
        while self.status is None:
            self._wait()
            self._relay()
            self._beat()
            self._reap()
            now = time.monotonic()
            if self.limit_at and now > self.limit_at and not self.kill_at:
                self._write({"touch": "time-limit"})
                self._touch("time-limit")
                self.kill_at = now + KILL_S
                os.kill(self.pid, signal.SIGTERM)
            if self.kill_at and now > self.kill_at:
                _kill(self.pid)
        if self.pid:
            _kill(self.pid)  # what it left behind must not keep the devices
        if _oom_kills() > self.oom_kills:
            self._say("jupyter_hpc: oom-kill event in this container: its memory limit was reached")
        self._relay()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                code = status >> 8 if not status & 0x7F else 128 + (status & 0x7F)
                self.status = code

    def _wait(self, seconds: float = TICK_S) -> None:
        if select.select([self.wake], [], [], seconds)[0]:
            os.read(self.wake, 64)

    # -- what it tells ---------------------------------------------------------------------------

    def _touch(self, name: str) -> None:
        open(os.path.join(self.directory, name), "w").close()

    def _say(self, text: str) -> None:
        with open(os.path.join(self.directory, "scheduler.log"), "a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _write(self, frame: Dict[str, Any]) -> None:
        self._out(json.dumps(frame).encode() + b"\n")

    def _out(self, line: bytes) -> None:
        view = memoryview(line)
        while view:
            view = view[os.write(1, view) :]
        self.written += len(line)
        self.next_beat = time.monotonic() + BEAT_S

    def _beat(self) -> None:
        if time.monotonic() >= self.next_beat:
            self._write({"beat": 1, "sizes": self.relay.offsets})  # a log that was rotated may lack a part

    def _relay(self) -> None:
        if self.is_shared:
            return
        for name, begin, end in self.relay.ranges():
            if end - begin > LARGE_PIECE:
                self.skipped = True
                self._write({"skip": name, "o": begin, "n": end})
                continue
            for line in relay.lines(self.directory, name, begin, end):
                self._out(line)

    # -- the end ---------------------------------------------------------------------------------

    def _end(self) -> int:
        files = relay.result_files(self.directory)
        if self.is_shared:
            draft = os.path.join(self.directory, ".end.json.draft")
            with open(draft, "w", encoding="utf-8") as file:
                file.write(json.dumps({"exit": self.status, "signalled": self.signalled}))
            os.replace(draft, os.path.join(self.directory, "end.json"))
        else:
            self._bring(files)
        if not files or (self.signalled and self.request["retries"]):
            return self.status or 0
        return SAVED_FAILURE if self.status and not self.request["retries"] else 0

    def _bring(self, files: Dict[str, int]) -> None:
        """Tell of the end, and see to it that the result is somewhere when this pod is gone."""
        self._relay()
        is_small = sum(files.values()) <= SMALL_RESULT
        if is_small:
            for name, size in files.items():
                for line in relay.lines(self.directory, name, 0, size):
                    self._out(line)
        end = {"exit": self.status, "signalled": self.signalled}
        needs_fetching = self.skipped or not is_small or self.written > ROTATED
        stored = needs_fetching and self._store(files)
        held = self.request["hold"] if needs_fetching and not stored else 0
        frame = {
            "end": end,
            "sizes": self.relay.offsets,
            "result": files or None,
            "held": held,
            "stored": stored,
        }
        self._write(frame)
        _leave_word({"exit": self.status, "result": sum(files.values()), "held": held, "stored": stored})
        if held:
            self._hold(held, frame)

    def _store(self, files: Dict[str, int]) -> bool:
        """Put what is large into the target's object store, if it has one."""
        if not self.request["store"]:
            return False
        names = [*files, *(name for name in relay.NAMES if self.skipped and self.relay.offsets[name])]
        try:
            from . import depot

            for name in names:
                depot.put(self.request["store"], name, os.path.join(self.directory, name))
        except Exception as error:  # whatever the store's library raises: the result can still be fetched
            self._say(f"jupyter_hpc: the store could not take the result: {type(error).__name__}: {error}")
            self._relay()
            return False
        return True

    def _hold(self, seconds: float, frame: Dict[str, Any]) -> None:
        fetched = os.path.join(self.directory, relay.FETCHED)
        deadline = time.monotonic() + seconds
        if self.kill_at:  # the container is being ended
            deadline = min(deadline, self.kill_at + 4)
        while not os.path.exists(fetched):
            self._wait(0.05)
            self._reap()
            if time.monotonic() >= self.next_beat:  # once more: a log that was rotated may have lost it
                self._write(frame)
            if self.signalled and not self.kill_at:
                self.kill_at = time.monotonic() + KILL_S
                deadline = min(deadline, self.kill_at)
            if time.monotonic() > deadline:
                self._write({"lost": seconds})
                _leave_word({"exit": self.status, "lost": "nobody fetched the result"})
                return


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _oom_kills() -> int:
    """Return how often the kernel has killed in this container for memory (cgroup v2, v1)."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        try:
            with open(path, encoding="ascii") as file:
                words: List[str] = file.read().split()
            return int(words[words.index("oom_kill") + 1])
        except (OSError, ValueError, IndexError):
            continue
    return 0


def _leave_word(record: Dict[str, Any]) -> None:
    """Say how it ended where Kubernetes shows it (``kubectl describe pod``)."""
    try:
        with open("/dev/termination-log", "w", encoding="utf-8") as file:
            file.write(json.dumps(record))
    except OSError:  # not there in some runtimes; the log has it all
        pass
