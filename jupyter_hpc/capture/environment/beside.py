"""The frozen form of local modules: their content by digest, and the data that they look for beside themselves.

A file that many runs have is kept once (``ROOT/blobs``); a frozen folder is links to these, so an edit of one file of a
large package costs that file.
"""

from __future__ import annotations

import ast
import hashlib
import os
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from ...worker.digest import Hasher, digest_file

LINKED_BYTES = 16 << 20  # larger data files are linked, not copied
MOST_DATA_FILES = 100
MOST_DATA_BYTES = 4 << 20
MOST_LOOKED_AT = 2_000
FRESH_NS = 2_000_000_000  # a file this young may change again without a new time
_LOOKS = (b"__file__", b"__path__", b"__spec__", b"getfile", b"getsourcefile")


def short(text: str) -> str:
    """Return a folder's name for a path."""
    return hashlib.sha256(os.fsencode(os.path.abspath(text))).hexdigest()[:8]


def files(modules: Mapping[str, Path]) -> dict[str, Path]:
    """Return the small files around modules that use ``__file__``, as far as these modules' strings name them.

    They lie in the frozen folder as they lie around the modules, so where the node doesn't see the modules' folder
    they are found all the same.
    """
    found: dict[str, Path] = {}
    nbytes = 0
    taken = set(modules.values())
    for kept, path in list(modules.items()):
        if path.suffix != ".py" or not path.exists():
            continue
        words = _words(str(path), path.stat().st_mtime_ns)
        if not words:
            continue
        # the folder that the frozen one stands for: a package's own parent
        root = path
        for _ in Path(kept).parts:
            root = root.parent
        for each in _named(root, words):
            name = each.relative_to(root).as_posix()
            size = each.stat().st_size
            if each in taken or name in found or name in modules:
                continue
            if len(found) >= MOST_DATA_FILES or nbytes + size > MOST_DATA_BYTES:
                return found
            found[name] = each
            nbytes += size
    return found


@lru_cache(maxsize=4096)
def _words(path: str, mtime: int) -> frozenset[str]:
    """Return the parts of paths that a source's strings could be, if it looks around itself."""
    try:
        source = Path(path).read_bytes()
        if not any(word in source for word in _LOOKS):
            return frozenset()
        tree = ast.parse(source)
    except (SyntaxError, ValueError, OSError):
        return frozenset()
    texts = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    parts = {part for text in texts if len(text) < 200 and "\n" not in text for part in text.split("/")}
    return frozenset(parts - {"", ".", "..", "rb", "r", "utf-8"})


def _named(root: Path, words: frozenset[str]) -> list[Path]:
    """Return files below a folder whose names are said, or that lie in a folder whose name is said."""
    found = []
    looked = 0
    for folder, folders, names in os.walk(root):
        inside = Path(folder).relative_to(root).parts
        folders[:] = [f for f in folders if not f.startswith(".") and f != "__pycache__" and (f in words or inside)]
        if len(inside) > 3:
            folders.clear()
        looked += len(names)
        if looked > MOST_LOOKED_AT:
            break
        for name in sorted(names):
            if name in words or (inside and not name.endswith((".py", ".pyc"))):
                path = Path(folder, name)
                if path.is_file() and path.stat().st_size <= MOST_DATA_BYTES:
                    found.append(path)
    return found


def digests(files: Mapping[str, Path], texts: Mapping[str, bytes]) -> tuple[dict[str, str], int]:
    """Return the digest of each file, and the size of all; a large file counts by its place and state."""
    each, nbytes = {}, 0
    for name in sorted(files):
        if name in texts:
            nbytes += len(texts[name])
            each[name] = f"sha256:{hashlib.sha256(texts[name]).hexdigest()}"
        else:
            info = files[name].stat()
            nbytes += info.st_size
            each[name] = _digest_of(str(files[name]), info.st_size, info.st_mtime_ns, info.st_ino)
    return each, nbytes


def total(digests: Mapping[str, str]) -> str:
    """Return the digest of all files, from that of each."""
    hasher = Hasher("sha256")
    for name in sorted(digests):
        hasher.update(f"{name}\0{digests[name]}\0".encode("utf-8", "surrogateescape"))
    return hasher.tagged()


def _digest_of(path: str, size: int, mtime: int, number: int) -> str:
    if size > LINKED_BYTES:
        return f"{path} of {size} bytes at {mtime}"
    if abs(time.time_ns() - mtime) < FRESH_NS:
        return digest_file(path, "sha256")
    return _remembered(path, size, mtime, number)


@lru_cache(maxsize=65_536)
def _remembered(path: str, size: int, mtime: int, number: int) -> str:
    return digest_file(path, "sha256")


def freeze(
    files: Mapping[str, Path],
    texts: Mapping[str, bytes],
    digests: Mapping[str, str],
    folder: Path,
    keep: Callable[[Path, bytes | Path, str], None],
) -> None:
    """Fill ``folder``; very large files are symbolic links.

    Parameters
    ----------
    keep : callable
        Puts a content (bytes, or the file that has it) at a path, given its digest.
    """
    for name, path in files.items():
        target = folder / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if name not in texts and path.stat().st_size > LINKED_BYTES:
            target.symlink_to(path)
        else:
            keep(target, texts.get(name, path), digests[name])
