"""Folders and files that are this user's alone, judged by what is open.

A name can come to mean something else between a look at it and its use; a descriptor can't. So the root is opened
once, from ``/`` down, each folder on the way checked as sshd's StrictModes does (whoever may write in one may put
a folder of his own in the place of ours), and what is below it is reached from the descriptor, links never followed.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from ..model.exceptions import NotOurs

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC  # also one with x alone
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO must not keep us waiting
_MOST_LINKS = 40  # as the kernel allows
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Folder:
    """An open folder; a context manager.

    Attributes
    ----------
    path : str
        What it was called when it was opened, for messages.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        os.close(self.descriptor)

    def folder(self, name: str, *, make: bool = False) -> Folder:
        """Open a folder in this one.

        Parameters
        ----------
        make : bool
            Make it if it isn't there.

        Raises
        ------
        NotOurs
            If it isn't this user's alone, or is a link.
        OSError
            If it isn't there.
        """
        path = os.path.join(self.path, name)
        _look(name, self.descriptor, make=make)
        found = Folder(_open(name, _FOLDER, self.descriptor, path), path)
        try:
            _check_alone(os.fstat(found.descriptor), path)
        except BaseException:
            os.close(found.descriptor)
            raise
        return found

    def file(self, name: str) -> BinaryIO:
        """Open a file in this folder for reading; the errors are those of `folder`."""
        path = os.path.join(self.path, name)
        descriptor = _open(name, _FILE, self.descriptor, path)
        try:
            info = os.fstat(descriptor)
            _check_alone(info, path)
            if not stat.S_ISREG(info.st_mode):
                raise NotOurs(f"{path} is no file, so nothing is loaded from it.")
        except BaseException:
            os.close(descriptor)
            raise
        return open(descriptor, "rb")

    def __contains__(self, name: str) -> bool:
        try:
            os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def files(self) -> Iterator[tuple[str, Folder, str]]:
        """Yield all below this folder that is no folder, links too: its path, the open folder that it is in, its name.

        What is removed meanwhile is passed over.

        Raises
        ------
        NotOurs
            If one isn't this user's alone.
        """
        for name in self.names():
            try:
                info = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(info.st_mode):
                with self.folder(name) as below:
                    yield from ((f"{name}/{path}", inside, last) for path, inside, last in below.files())
                continue
            if stat.S_ISLNK(info.st_mode):  # whose modes say nothing
                info = os.stat_result((stat.S_IFLNK, *info[1:]))
            _check_alone(info, os.path.join(self.path, name))
            yield name, self, name

    def names(self) -> list[str]:
        """Return what is in this folder."""
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.descriptor)
        try:
            return sorted(os.listdir(descriptor))
        finally:
            os.close(descriptor)


def open_root(path: Path, *, make: bool = False) -> Folder:
    """Open the root of a store.

    Parameters
    ----------
    make : bool
        Make it, and the folders above it, if they aren't there.

    Raises
    ------
    NotOurs
        If others may write in it or in a folder on the way, or it belongs to another user.
    OSError
        If it isn't there.
    """
    here = _open("/", _FOLDER, None, "/")
    try:
        where, ahead, links = "/", list(reversed(path.parts[1:])), 0
        info = os.fstat(here)
        while ahead:
            _check_way(info, where, path)
            name = ahead.pop()
            if name in ("", "."):
                continue
            info = _look(name, here, make=make)
            below = os.path.join(where, name)
            if stat.S_ISLNK(info.st_mode):
                _check_link(info, below, path)
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), below)
                target = os.readlink(name, dir_fd=here)
                ahead += reversed(target.split("/"))
                name, below = ("/", "/") if target.startswith("/") else (".", where)
            # else what is opened now is what the name meant: in a folder that was checked nobody else can change that
            there = _open(name, _FOLDER, here, below)
            os.close(here)
            here, where, info = there, below, os.fstat(there)
        _check_root(info, where)
    except BaseException:
        os.close(here)
        raise
    return Folder(here, str(path))


def open_below(root: Path, names: Sequence[str], *, make: bool = False) -> Folder:
    """Open a folder some levels below a root; the errors are those of `open_root` and `Folder.folder`."""
    here = open_root(root, make=make)
    for name in names:
        with here:
            here = here.folder(name, make=make)
    return here


def is_ours(path: Path) -> bool:
    """Whether a file of a checked folder is this user's alone, and no link."""
    try:
        info = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & _OTHERS


def _open(name: str, flags: int, folder: int | None, path: str) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP or (flags == _FOLDER and _is_link(name, folder)):
            raise NotOurs(f"{path} is a link, so nothing is loaded from it.") from None
        raise OSError(error.errno, error.strerror, path) from None


def _is_link(name: str, folder: int | None) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _look(name: str, folder: int, *, make: bool) -> os.stat_result:
    """Look at a name, which becomes a folder of ours if it is nothing yet."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):  # made by another process meanwhile
        os.mkdir(name, 0o700, dir_fd=folder)
    return os.stat(name, dir_fd=folder, follow_symlinks=False)


def _check_alone(info: os.stat_result, path: str) -> None:
    """Everything below the root is made by us, for us alone."""
    if info.st_uid != os.geteuid() or info.st_mode & _OTHERS:
        raise NotOurs(
            f"{path} is not yours alone, so nothing is loaded from it.",
            hint="Results are unpickled only from files that you own and nobody else can write.",
        )


def _check_root(info: os.stat_result, path: str) -> None:
    if info.st_uid != os.geteuid():
        raise NotOurs(
            f"The run directory {path} belongs to {_name(info.st_uid)}.",
            hint="Set JUPYTER_HPC_ROOT to a folder of yours.",
        )
    if writers := _writers(info):
        raise NotOurs(
            f"The run directory {path} can be written by {writers}, who could put code of theirs into your jobs.",
            hint=f"Set JUPYTER_HPC_ROOT to a folder of yours alone, such as {os.path.join(path, _own_name())}, which "
            f"is made if it isn't there; or `chmod go-w {path}`.",
        )


def _check_way(info: os.stat_result, path: str, root: Path) -> None:
    if info.st_uid not in _trusted(os.geteuid()):
        raise NotOurs(
            f"{path}, in which the run directory {root} lies, belongs to {_name(info.st_uid)}, who could put a folder "
            "with other code in its place.",
            hint="Set JUPYTER_HPC_ROOT to a folder of yours below folders of yours or of root.",
        )
    if not info.st_mode & stat.S_ISVTX and (writers := _writers(info)):
        raise NotOurs(
            f"{path}, in which the run directory {root} lies, can be written by {writers}, who could put a folder "
            "with other code in its place.",
            hint=f"`chmod go-w {path}` (or `chmod +t`, so that each may only remove what is his own) makes it safe; "
            "or set JUPYTER_HPC_ROOT to a folder of yours elsewhere.",
        )


def _check_link(info: os.stat_result, path: str, root: Path) -> None:
    """A link in a folder for all, like ``/tmp``, leads where its owner wants."""
    if info.st_uid not in _trusted(os.geteuid()):
        raise NotOurs(
            f"{path}, a link on the way to the run directory {root}, belongs to {_name(info.st_uid)}.",
            hint="Set JUPYTER_HPC_ROOT to a folder of yours.",
        )


def _writers(info: os.stat_result) -> str:
    """Return who else may write there, in words; empty if nobody may."""
    if info.st_mode & stat.S_IWOTH:
        return "everybody"
    if info.st_mode & stat.S_IWGRP and not _is_private(info.st_gid, os.geteuid()):
        return f"the group {_group_name(info.st_gid)}"
    return ""


@lru_cache(maxsize=4)
def _trusted(me: int) -> frozenset[int]:
    """Return whose folders may lie on the way: root's, this user's; in a user namespace root may have no number."""
    found = {0, me}
    try:
        with open("/proc/self/uid_map") as file:
            is_whole = file.read().split() == ["0", "0", "4294967295"]
        if not is_whole:
            with open("/proc/sys/kernel/overflowuid") as file:
                found.add(int(file.read()))
    except (OSError, ValueError):  # no Linux
        pass
    return frozenset(found)


@lru_cache(maxsize=64)
def _is_private(group: int, me: int) -> bool:
    """Whether nobody but this user and root is in a group, as where each user has one; where nobody can say, not."""
    if me == 0:
        return False
    try:
        users = pwd.getpwall()
        members = set(_group(group).gr_mem) if _group(group) else set()
    except OSError:
        return False
    inside = {user.pw_uid for user in users if user.pw_gid == group or user.pw_name in members}
    is_listed = group == 0 or me in {user.pw_uid for user in users}  # a directory service may not list its users
    return is_listed and members <= {user.pw_name for user in users} and inside <= {0, me}


def _group(number: int) -> Any:
    import grp

    try:
        return grp.getgrgid(number)
    except KeyError:
        return None


def _group_name(number: int) -> str:
    found = _group(number)
    return str(found.gr_name) if found else str(number)


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"the user {user}"


def _own_name() -> str:
    return f"jupyter_hpc-{_name(os.geteuid()).rpartition(' ')[2]}"
