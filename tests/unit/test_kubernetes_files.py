"""What a pod tells of its files, and what comes of it in the run directory."""

from __future__ import annotations

import base64
import errno
import json
import os
import pickle
from pathlib import Path

import pytest

from jupyter_hpc.backends.kubernetes.carry.tree import LocalFiles, ResultFiles
from jupyter_hpc.rundir.reader import RunReader
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.worker import container, relay
from jupyter_hpc.worker.events import EVENTS, LOG


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Run:
    run = Run(tmp_path / "here")
    run.path.mkdir()
    return run


def carry(there: Path, files: LocalFiles, known: relay.Relay) -> list[tuple[str, int]]:
    """Bring all that is new over, as lines; return (name, size here) after each."""
    seen = []
    for name, begin, end in known.ranges():
        for line in relay.lines(str(there), name, begin, end):
            assert len(line) < 16 << 10
            frame = json.loads(line)
            data = frame["d"].encode() if "d" in frame else base64.b64decode(frame["b"])
            assert files.place(frame["f"], frame["o"], data)
        seen.append((name, files.size(name)))
    return seen


def test_text_comes_after_its_stream_and_before_what_follows_it(there: Path, here: Run):
    (there / LOG).write_bytes(b"one\ntwo\nthree\n")
    events = [{"e": "stream", "name": "stderr", "at": 4}, {"e": "display", "at": 8}, {"e": "beat"}]
    (there / EVENTS).write_text("".join(json.dumps(e) + "\n" for e in events))
    files = LocalFiles(here)
    sizes = carry(there, files, relay.Relay(str(there)))
    assert [size for name, size in sizes if name == LOG] == [4, 8, 14]
    assert next(name for name, _ in sizes) == LOG
    assert (here.path / LOG).read_bytes() == (there / LOG).read_bytes()
    assert (here.path / EVENTS).read_bytes() == (there / EVENTS).read_bytes()


def test_an_event_that_is_still_being_written_waits(there: Path):
    (there / EVENTS).write_bytes(b'{"e": "a"}\n{"e": ')
    known = relay.Relay(str(there))
    assert list(known.ranges()) == [(EVENTS, 0, 11)]
    (there / EVENTS).write_bytes(b'{"e": "a"}\n{"e": "b"}\n')
    assert list(known.ranges()) == [(EVENTS, 11, 22)]


@pytest.mark.parametrize(
    "data", [b"\r\x1b[31mred\x1b[0m\x00\x7f", "ü\u2028😀".encode(), b"\xff\xfe" * 9000, b"\x1b" * 20000]
)
def test_all_bytes_survive(there: Path, here: Run, data: bytes):
    (there / LOG).write_bytes(data)
    carry(there, LocalFiles(here), relay.Relay(str(there)))
    assert (here.path / LOG).read_bytes() == data


def test_a_piece_that_comes_twice_changes_nothing(here: Run):
    files = LocalFiles(here)
    for offset, data in ((0, b"abc"), (3, b"def"), (0, b"abc"), (2, b"cde")):
        assert files.place(LOG, offset, data)
    assert (here.path / LOG).read_bytes() == b"abcdef"


def test_a_piece_after_a_gap_is_refused_until_the_gap_is_marked(here: Run):
    files = LocalFiles(here)
    files.place(LOG, 0, b"abc")
    assert not files.place(LOG, 500, b"def")
    files.mark_lost(LOG, 500)
    assert files.place(LOG, 500, b"def")
    text = (here.path / LOG).read_bytes()
    assert (len(text), b"497 bytes of the log are lost" in text) == (503, True)


def test_files_are_private(here: Run):
    files = LocalFiles(here)
    files.place(LOG, 0, b"x")
    assert (here.path / LOG).stat().st_mode & 0o777 == 0o600


def test_a_second_pods_files_follow_the_firsts(there: Path, here: Run):
    (there / LOG).write_bytes(b"first\n")
    (there / EVENTS).write_text('{"e": "started", "t": 1}\n')
    files = LocalFiles(here)
    files.adopt("pod-1")
    carry(there, files, relay.Relay(str(there)))
    reader = RunReader(here)
    assert [o.text for o in reader.poll()] == ["first\n"]
    (there / LOG).write_bytes(b"second\nred")
    (there / EVENTS).write_text('{"e": "started", "t": 2}\n{"e": "stream", "name": "stderr", "at": 7}\n')
    again = LocalFiles(here)  # as in another process
    again.adopt("pod-2")
    carry(there, again, relay.Relay(str(there)))
    assert [(o.kind, o.text) for o in reader.poll()] == [("stdout", "second\n"), ("stderr", "red")]
    assert reader.started == {"e": "started", "t": 2}


def test_every_process_puts_a_second_pods_files_at_the_same_place(here: Run):
    first, second = LocalFiles(here), LocalFiles(here)
    first.adopt("pod-1")
    first.place(LOG, 0, b"abc")
    first.adopt("pod-2")
    first.place(LOG, 0, b"def")
    second.adopt("pod-2")
    second.place(LOG, 0, b"defg")
    assert (here.path / LOG).read_bytes() == b"abcdefg"


@pytest.mark.parametrize("name", ["result/../../x", "x", "/etc/passwd", "result/a/b/c", "result"])
def test_a_pod_can_write_nowhere_else(here: Run, name: str):
    with pytest.raises(ValueError):
        ResultFiles(here).place(name, 0, b"x")


def test_a_result_with_an_empty_file_is_whole(there: Path, here: Run):
    (there / "result").mkdir()
    container.write(str(there / "result"), [], lambda _: {}, lambda *_, **__: None)
    result = ResultFiles(here)
    for name, size in relay.result_files(str(there)).items():
        for line in relay.lines(str(there), name, 0, size):
            frame = json.loads(line)
            result.place(frame["f"], frame["o"], frame["d"].encode())
    assert result.commit(relay.result_files(str(there)))
    assert sorted(path.name for path in here.result.iterdir()) == ["manifest.json", "payload.pkl"]


def test_a_result_that_is_not_whole_is_not_put_in_place(here: Run):
    result = ResultFiles(here)
    result.place("result/manifest.json", 0, b"{}")
    assert not result.commit({"result/manifest.json": 3})
    assert not result.commit({"result/manifest.json": 2})  # whole, and no manifest
    assert not here.result.exists()


def test_a_result_that_a_full_disk_does_not_take_is_kept_for_the_next_try(
    there: Path, here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it is not in its place doesn't mean that another process put it there."""
    container.write(str(there), [], lambda _: {}, lambda file, **_: pickle.Pickler(file))
    result = ResultFiles(here)
    expected = {f"result/{path.name}": path.stat().st_size for path in there.iterdir()}
    for path in there.iterdir():
        result.place(f"result/{path.name}", 0, path.read_bytes())

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        with pytest.raises(OSError, match="No space"):
            result.commit(expected)
    assert result.commit(expected)
    assert here.result.is_dir()
