"""The user's secret, and what comes of it: a key for each run, which kernel and worker sign with.

It is one file, made once, that nobody else can read, outside of all run directories: among Jupyter's own data, as the
secret that notebooks are signed with. So a new kernel of the same user knows the keys of all runs, none of them lies
about, and nothing is left to be removed when a run goes.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from hmac import compare_digest
from pathlib import Path

from ..model.exceptions import HPCError, ResultError
from ..worker import signing
from ..worker.container import MANIFEST
from .leftovers import temporary
from .run import Run

FILE = "hpc_secret"


def secret_path() -> Path:
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir(), FILE)


def user_mac(*parts: bytes) -> str:
    """Return the digest of some parts under the user's secret."""
    return signing.mac(_secret(), *parts)


def key_of(run: Run) -> bytes:
    """Return the key of a run, which its tasks share.

    Raises
    ------
    HPCError
        If the user's secret can't be read or made.
    """
    return bytes.fromhex(user_mac(b"run", (run.whole or run).id.encode()))


def place_of(run: Run) -> str:
    """Return where a run is below its whole: what a signature binds a task's result to."""
    return str(run.path.relative_to(run.whole.path)) if run.whole is not None else "."


def begin(run: Run) -> None:
    """Sign the payload of a run that is about to be submitted, and lay down the key for its worker."""
    key = key_of(run)
    _write(run.path / signing.KEY, key)
    _write_signature(key, run, signing.PAYLOAD, (run.payload / MANIFEST).read_bytes(), run.payload)


def write_signature(run: Run, what: str, manifest: bytes, folder: Path | int) -> None:
    """Sign a container's manifest; the folder is a path, or the descriptor of one that was checked."""
    _write_signature(key_of(run), run, what, manifest, folder)


def _write_signature(key: bytes, run: Run, what: str, manifest: bytes, folder: Path | int) -> None:
    found = signing.of_manifest(key, place_of(run), what, manifest).encode()
    if isinstance(folder, int):
        _write(Path(signing.SIGNATURE), found, folder)
    else:
        _write(folder / signing.SIGNATURE, found)


def check(run: Run, what: str, manifest: bytes, signature: bytes | None) -> None:
    """Refuse a container that was not signed with the run's key.

    Raises
    ------
    ResultError
        If the signature isn't there, or is of something else.
    """
    if signature is None:
        raise ResultError(
            f"The {what} of {run.id} is not signed: it was made before results were, or by somebody else.",
            hint=f"Nothing was loaded from it. If it is yours, `%hpc trust {run.id}` signs it as it is.",
        )
    expected = signing.of_manifest(key_of(run), place_of(run), what, manifest).encode()
    if not compare_digest(expected, signature):
        raise ResultError(
            f"The {what} of {run.id} has a signature of another key: it was changed, or made by another user or by "
            f"one without {secret_path()}.",
            hint=f"Nothing was loaded from it. If it is yours, `%hpc trust {run.id}` signs it as it is.",
        )


def _secret() -> bytes:
    path = secret_path()
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = temporary(path)
        try:
            _create(draft, secrets.token_bytes(signing.KEY_BYTES))
            try:
                os.link(draft, path)
            except FileExistsError:  # another process was first
                pass
            except OSError:  # a file system without hard links
                with suppress(FileExistsError):
                    _create(path, draft.read_bytes())
        finally:
            draft.unlink(missing_ok=True)
        return _read(path)
    except OSError as error:
        raise _unusable(path, error) from None


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        found = file.read(signing.KEY_BYTES + 1)
    is_ours = info.st_uid == os.geteuid() and not info.st_mode & 0o077 and stat.S_ISREG(info.st_mode)
    if not is_ours or len(found) != signing.KEY_BYTES:
        raise HPCError(
            f"{path} is not a secret of yours alone, so no run can be signed with it.",
            hint="Remove it: a new one is made. Results of before are then yours to trust anew, with `%hpc trust`.",
        )
    return found


def _write(path: Path, data: bytes, folder: int | None = None) -> None:
    """Write a private file, atomically; one that is there, perhaps linked from elsewhere too, is replaced."""
    draft = temporary(path)
    _create(draft, data, folder)
    os.replace(draft, path, src_dir_fd=folder, dst_dir_fd=folder)


def _create(path: Path, data: bytes, folder: int | None = None) -> None:
    """Create a private file with all its content, or none."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
    except OSError:  # a part of a secret would be taken for one that is damaged
        os.unlink(path, dir_fd=folder)
        raise


def _unusable(path: Path, error: OSError) -> HPCError:
    return HPCError(
        f"{path}, the secret that runs are signed with, can't be used: {error.strerror}.",
        hint="Make room in its folder, or set JUPYTER_DATA_DIR to one that you can write.",
    )
