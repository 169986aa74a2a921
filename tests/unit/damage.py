"""What can become of a file in a run directory: a list of ways to damage one, the same for the same seed."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEEP = 100_000
SOMEBODY = 12_345  # a user id that nobody here has
VALUES = (  # in place of what should be there, as JSON
    *(
        "null",
        "true",
        "-1",
        "7",
        "1.5",
        "1" + "0" * 400,
        "1e999",
        "NaN",
        '""',
        '"x"',
        '"\\udcff"',
        '"\\ud800\\u001b[2J"',
    ),
    *("[]", "[1]", '["x"]', '[{"name": 3}]', "[[[]]]", "{}", '{"x": {"x": 1}}', '{"1": null}'),
    "[" * 5000 + "]" * 5000,
)
KINDS = ("cut", "flipped", "replaced", "typed", "lines")


@dataclass(frozen=True)
class Damage:
    """One way: what it does, in a word, and the act."""

    name: str
    do: Callable[[Path], None]


def ways(path: Path, kind: str, seed: str) -> Iterator[Damage]:
    """Yield the ways of a kind to damage a file that is there now."""
    chance, data = random.Random(f"{seed} {path.name} {kind}"), path.read_bytes()
    if kind == "cut":
        for size in sorted({0, 1, len(data) // 3, len(data) // 2, max(0, len(data) - 2)}):
            yield Damage(f"cut to {size}", lambda p, size=size: _write(p, data[:size]))  # type: ignore[misc]
    elif kind == "flipped" and data:
        for number in range(12):
            changed = bytearray(data)
            for _ in range(1 + number // 4):
                changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            yield Damage(f"flip {number}", lambda p, new=bytes(changed): _write(p, new))  # type: ignore[misc]
    elif kind == "replaced":
        yield from _REPLACED
    elif kind == "typed":
        for text, name in _typed(data, chance):
            yield Damage(name, lambda p, text=text: _write(p, text.encode()))  # type: ignore[misc]
    elif kind == "lines" and path.suffix == ".jsonl":
        yield from _lines(data, chance)


def _write(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def _instead(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        path.unlink()
        make(path)

    return do


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


_REPLACED = (
    Damage("gone", lambda p: p.unlink()),
    Damage("a pipe", _instead(os.mkfifo)),
    Damage("a folder", _instead(lambda p: p.mkdir())),
    Damage("a link to itself", _instead(_loop)),
    Damage("a link to nothing", _instead(lambda p: p.symlink_to("/nowhere/at/all"))),
    Damage("a link to a device", _instead(lambda p: p.symlink_to("/dev/zero"))),
    Damage("somebody else's", lambda p: os.chown(p, SOMEBODY, SOMEBODY) if os.getuid() == 0 else p.chmod(0o666)),
    Damage("writable by all", lambda p: p.chmod(0o666)),
    Damage("not readable", lambda p: p.chmod(0)),
    Damage("deep lists", lambda p: _write(p, b"[" * DEEP)),
    Damage("deep objects", lambda p: _write(p, b'{"e":' * DEEP)),
    Damage("no UTF-8", lambda p: _write(p, b'{"id": "\xff\xfe"}')),
    Damage("zeros", lambda p: _write(p, bytes(4096))),
)


def _typed(data: bytes, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield JSON with another value at one of its keys, for each key."""
    lines = data.splitlines()
    for number, line in enumerate(lines):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        for place in _places(found):
            for value in chance.sample(VALUES, 1):
                mark = "@@another value@@"
                text = json.dumps(_with(found, place, mark)).replace(f'"{mark}"', value)
                whole = [*(x.decode() for x in lines[:number]), text, *(x.decode() for x in lines[number + 1 :])]
                yield "\n".join(whole) + "\n" * data.endswith(b"\n"), f"{list(place)} is {value[:20]}"


def _places(found: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(found, dict):
        for key, value in list(found.items())[:60]:
            yield from _places(value, (*place, key))
    elif isinstance(found, list):
        for index, value in enumerate(found[:2]):
            yield from _places(value, (*place, index))


def _with(found: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = list(found) if isinstance(found, list) else dict(found)
    changed[place[0]] = _with(found[place[0]], place[1:], value)
    return changed


def _lines(data: bytes, chance: random.Random) -> Iterator[Damage]:
    lines = data.splitlines(keepends=True)
    shuffled = chance.sample(lines, len(lines))
    variants = {
        "half a line at its end": data + lines[-1][: len(lines[-1]) // 2],
        "half a line in its middle": b"".join([*lines[:1], lines[0][:20] + b"\n", *lines[1:]]),
        "each line twice": b"".join(line * 2 for line in lines),
        "in another order": b"".join(shuffled),
        "only its first line": lines[0],
    }
    for name, new in variants.items():
        yield Damage(name, lambda p, new=new: _write(p, new))  # type: ignore[misc]


def copied(source: Path, target: Path) -> None:
    """Copy a run directory under another id: nothing that is remembered of one is taken for the other."""
    shutil.copytree(source, target, symlinks=True)
    for path in [*target.rglob("record.json"), *target.glob("tasks/*")]:
        if path.is_dir():
            path.rename(path.with_name(path.name.replace(source.name, target.name)))
        else:
            path.write_text(path.read_text().replace(source.name, target.name))
