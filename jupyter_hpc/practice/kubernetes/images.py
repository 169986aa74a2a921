"""Images without a registry: made from this machine's own Python, in an archive that containerd imports.

It imports them once, into a folder in the cache; a node's containerd starts with hard links to that.

``localhost/python:3.X`` has the interpreter that runs here and nothing else, so that code objects fit;
``localhost/python-packages:3.X`` has numpy and the like beside it, as they are installed here. A layer
is a tar archive, and an image a list of layers.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
# libraries of the system that uv and compiled packages use without bringing them along
_TAKEN_FOR_GRANTED = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libgcc_s.so.1",
    "libstdc++.so.6",
)
PAUSE, BUSYBOX = "localhost/pause:1", "localhost/busybox:1"
PYTHON, PACKAGES = f"localhost/python:{_MINOR}", f"localhost/python-packages:{_MINOR}"
# what an image for notebooks' cells would have; with what these need, where they are installed here
_ROOTS = (
    "cloudpickle",
    "ipython",
    "ipywidgets",
    "numpy",
    "pandas",
    "matplotlib",
    "matplotlib-inline",
    "tqdm",
    "psutil",
    "pydantic",
    "blake3",
    "fsspec",
    "s3fs",
)
_PREFIX = "usr/local"
_LEFT_OUT = re.compile(r"(^|/)(test|tests|idlelib|tkinter|turtledemo|config-[^/]*|site-packages|dist-packages)(/|$)")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}


@dataclass(frozen=True)
class _Layer:
    """A tar archive on disk, and its digest."""

    path: Path
    digest: str


def containerd_root(cache: Path, load: Callable[[Path, Path], None]) -> Path:
    """A root folder of containerd's with all images in it, made unless it is in the cache.

    Parameters
    ----------
    cache : Path
        The folder that keeps it.
    load : callable
        Given the archive with the images and an empty folder, makes it such a root.
    """
    packages = sorted(_closure(_ROOTS))
    what = [sys.version, sys.base_prefix, *(f"{name} {metadata.version(name)}" for name in packages)]
    key = hashlib.sha256("\n".join([*what, Path(__file__).read_text(encoding="utf-8")]).encode()).hexdigest()[:16]
    found = cache / f"images-{key}"
    if found.exists():
        return found
    work = cache / f"images-{key}.draft"
    shutil.rmtree(work, ignore_errors=True)  # of one that was killed
    (work / "root").mkdir(parents=True)
    try:
        _write_archive(work / "all.tar", work, packages)
        load(work / "all.tar", work / "root")
        (work / "root").rename(found)
    finally:
        shutil.rmtree(work)
    return found


def clone(root: Path, target: Path) -> None:
    """Give a node its own containerd root: what never changes as hard links, the databases as copies."""
    for links in (["--link"], []):  # another file system takes copies
        done = subprocess.run(["cp", "-a", *links, f"{root}/.", str(target)], capture_output=True, check=False)
        if done.returncode == 0:
            break
    for path in target.glob("*/*.db"):
        copy = path.with_suffix(".copy")
        shutil.copyfile(path, copy)
        copy.rename(path)


def _write_archive(path: Path, work: Path, packages: list[str]) -> None:
    base = _write_layer(work / "base.tar", _busybox())
    python = _write_layer(work / "python.tar", _python())
    installed = _write_layer(work / "packages.tar", _installed(packages, work / "compiled"))
    images = [
        (PAUSE, [base], ["/bin/busybox", "sleep", "2000000000"]),
        (BUSYBOX, [base], []),
        (PYTHON, [base, python], []),
        (PACKAGES, [base, python, installed], []),
    ]
    manifest, seen = [], set()
    with tarfile.open(path, "w") as tar:
        for name, layers, entrypoint in images:
            config = json.dumps(_configuration(layers, entrypoint)).encode()
            file = f"{hashlib.sha256(config).hexdigest()}.json"
            _add_bytes(tar, file, config)
            for layer in layers:
                if layer.digest not in seen:
                    seen.add(layer.digest)
                    tar.add(layer.path, f"{layer.digest}.tar")
            manifest.append({"Config": file, "RepoTags": [name], "Layers": [f"{layer.digest}.tar" for layer in layers]})
        _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())


def _configuration(layers: list[_Layer], entrypoint: list[str]) -> dict[str, object]:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    paths = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "architecture": machine,
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Env": [f"PATH={paths}", "LANG=C.UTF-8"], "Entrypoint": entrypoint, "WorkingDir": "/root"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
    }


def _write_layer(path: Path, entries: Iterable[tuple[str, Path | str]]) -> _Layer:
    """Write a layer of (name, source): a file of this machine's, or the target of a link."""
    names: set[str] = set()
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, source in entries:
            if name in names:
                continue
            names.add(name)
            info = tarfile.TarInfo(name)
            if isinstance(source, str):
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, source, 0o777
                tar.addfile(info)
                continue
            stat = source.stat()
            info.size, info.mtime, info.mode = stat.st_size, int(stat.st_mtime), stat.st_mode & 0o755
            with source.open("rb") as handle:
                tar.addfile(info, handle)
        if not any(name.startswith(f"{_PREFIX}/") for name in names):
            for name, text in _FILES.items():
                _add_bytes(tar, name, text.encode())
            for name, mode in (
                ("tmp", 0o1777),
                ("root", 0o700),
                ("proc", 0o755),
                ("sys", 0o755),
                ("dev", 0o755),
            ):
                info = tarfile.TarInfo(name)
                info.type, info.mode = tarfile.DIRTYPE, mode
                tar.addfile(info)
    with path.open("rb") as handle:
        digest = hashlib.sha256()
        while block := handle.read(1 << 20):
            digest.update(block)
    return _Layer(path, digest.hexdigest())


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))


def _busybox() -> Iterator[tuple[str, Path | str]]:
    found = Path(shutil.which("busybox") or "/bin/busybox").resolve()
    yield "bin/busybox", found
    listed = subprocess.run([str(found), "--list"], capture_output=True, text=True, check=True).stdout
    for applet in listed.split():
        if applet != "busybox":
            yield f"bin/{applet}", "busybox"
    yield "usr/bin/env", "../../bin/busybox"  # where scripts look for it


def _python() -> Iterator[tuple[str, Path | str]]:
    """The interpreter below /usr/local, with its library and whatever both are linked to."""
    executable = Path(sys.base_prefix, "bin", f"python{_MINOR}")
    executable = executable if executable.exists() else Path(sys.executable).resolve()
    yield f"{_PREFIX}/bin/python{_MINOR}", executable
    for name in ("python3", "python"):
        yield f"{_PREFIX}/bin/{name}", f"python{_MINOR}"
    library = Path(os.__file__).parent
    shared = [executable]
    if bash := shutil.which("bash"):  # as in the images that people use
        yield "bin/bash", Path(bash).resolve()
        shared.append(Path(bash).resolve())
    for path in _files_below(library):
        name = f"{_PREFIX}/lib/python{_MINOR}/{path.relative_to(library)}"
        if path.suffix == ".so":
            shared.append(path)
        yield name, path
    yield f"{_PREFIX}/lib/python{_MINOR}/dist-packages", "site-packages"  # where Debian's Python looks
    yield from _linked(shared)
    for name in _TAKEN_FOR_GRANTED:
        for path in (path for place in ("/lib", "/lib64") for path in Path(place).glob(f"*/{name}")):
            yield str(path).lstrip("/"), path.resolve()
    yield "etc/ld.so.cache", Path("/etc/ld.so.cache")


def _installed(packages: list[str], compiled: Path) -> Iterator[tuple[str, Path | str]]:
    """The packages and, below ``compiled``, what Python makes of each module, as pip does where it installs one."""
    shared, folder = [], f"{_PREFIX}/lib/python{_MINOR}/site-packages"
    for package in packages:
        distribution = metadata.distribution(package)
        for file in distribution.files or ():
            path = Path(str(distribution.locate_file(file)))
            if ".." in file.parts or not path.is_file() or "tests" in file.parts:
                continue
            if ".so" in path.name:
                shared.append(path)
            yield f"{folder}/{file}", path.resolve()
            if path.suffix == ".py":
                cached = importlib.util.cache_from_source(str(file))
                if _compile(path, compiled / cached, name=f"/{folder}/{file}"):
                    yield f"{folder}/{cached}", compiled / cached
    yield from _linked(shared)


def _compile(path: Path, into: Path, *, name: str) -> bool:
    """Compile a module that is called as it is there; it holds whatever time its source has."""
    into.parent.mkdir(parents=True, exist_ok=True)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    try:
        py_compile.compile(str(path), str(into), name, doraise=True, invalidation_mode=mode)
    except (py_compile.PyCompileError, ValueError):  # for another Python, or a template
        return False
    return True


def _files_below(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not _LEFT_OUT.search(str(Path(path, name).relative_to(folder)))]
        yield from (Path(path, name) for name in sorted(files))


def _linked(programs: list[Path]) -> Iterator[tuple[str, Path | str]]:
    """What the loader takes from this machine for these programs and libraries."""
    found: set[str] = set()
    for start in range(0, len(programs), 50):
        argv = ["ldd", *map(str, programs[start : start + 50])]
        text = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        found.update(re.findall(r"(?:=> )?(/\S+) \(0x", text))
    prefix = Path(sys.base_prefix)
    for path in map(Path, sorted(found)):
        if {"site-packages", "dist-packages"} & set(path.parts):
            continue  # a package brings it along
        moved = prefix != Path("/usr") and prefix in path.parents
        yield f"usr/lib/{path.name}" if moved else str(path).lstrip("/"), path.resolve()


def _closure(roots: Iterable[str]) -> set[str]:
    """These distributions and all that they need, where they are installed."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [re.split(r"[^\w.-]", need, maxsplit=1)[0] for need in needs if "extra ==" not in need]
    return found
