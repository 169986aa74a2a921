"""The state of the repository around a folder, as git itself tells it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...model.redaction import without_credentials
from ...runtime import process

DIFF_BYTES = 1 << 20
_LISTED = 200  # untracked files
_SECRET_FILES = ("**/.env*", "**/*.pem", "**/*.key", "**/*credential*", "**/*secret*", "**/.netrc", "**/id_*")


@dataclass(frozen=True)
class Repository:
    """One work tree: what it is, and how it differs from its last commit.

    Attributes
    ----------
    diff : str
        Uncommitted changes of tracked files, as ``git diff HEAD`` says them; files that by their names hold secrets
        are left out.
    left_out : tuple of str
        Patterns of files that the diff lacks because it would be too long with them.
    untracked : tuple of str
        Python files that git doesn't have.
    """

    top: str
    commit: str | None
    branch: str | None
    remote: str | None
    dirty: bool
    diff: str = ""
    left_out: tuple[str, ...] = ()
    untracked: tuple[str, ...] = field(default=())

    def to_record(self) -> dict[str, Any]:
        return {
            "path": self.top,
            "remote": self.remote,
            "commit": self.commit,
            "branch": self.branch,
            "dirty": self.dirty,
            "untracked": list(self.untracked),
        }


def top_of(folder: str) -> str | None:
    """Return the work tree that a folder is in, without asking git; None if it is in none."""
    folder = os.path.realpath(folder)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


async def state(top: str) -> Repository | None:
    """Return commit, branch, remote and uncommitted changes of a work tree; None if git can't tell."""
    status, remotes = await asyncio.gather(
        _git(top, "status", "--porcelain=v2", "--branch", "-z"),
        _git(top, "config", "--get-regexp", r"^remote\..*\.url$"),
    )
    if status is None:
        return None
    lines = status.split("\0")
    head = dict(x[2:].split(" ", 1) for x in lines if x.startswith("# branch.") and " " in x[2:])
    changes = [x for x in lines if x and not x.startswith("#")]
    untracked = tuple(x[2:] for x in changes if x.startswith("? ") and x.endswith(".py"))[:_LISTED]
    commit = head.get("branch.oid")
    is_changed = any(not x.startswith("? ") for x in changes) and commit != "(initial)"
    diff, left_out = await _diff(top) if is_changed else ("", ())
    return Repository(
        top=top,
        commit=None if commit == "(initial)" else commit,
        branch=head.get("branch.head"),
        remote=without_credentials(_origin(remotes or "")),
        dirty=bool(changes),
        diff=diff,
        left_out=left_out,
        untracked=untracked,
    )


async def tracked(top: str, files: Iterable[str]) -> set[str]:
    """Return which of these paths, relative to the work tree, git has."""
    listed = await _git(top, "ls-files", "-z", "--", *files)
    return set((listed or "").split("\0")) - {""}


async def _diff(top: str) -> tuple[str, tuple[str, ...]]:
    """Return the diff; without notebooks, whose pictures are long, if it is too long with them; else its begin."""
    text = ""
    for left_out in ((), ("**/*.ipynb",)):
        excluded = [f":(exclude,glob,icase){each}" for each in (*_SECRET_FILES, *left_out)]
        text = await _git(top, "diff", "HEAD", "--no-ext-diff", "--no-textconv", "--", ".", *excluded) or ""
        if len(text.encode()) <= DIFF_BYTES:
            return text + "\n" if text else "", left_out
    cut = text.encode()[:DIFF_BYTES].decode("utf-8", "ignore")
    return f"{cut}\n[cut: the diff is longer than a MiB]\n", ("**/*.ipynb",)


def _origin(listed: str) -> str | None:
    """Return origin's address, or the first remote's."""
    found = dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)
    return found.get("remote.origin.url") or next(iter(found.values()), None)


async def _git(top: str, *args: str) -> str | None:
    try:  # without optional locks: the user's own git is never in our way, nor we in its
        done = await process.run(["git", "--no-optional-locks", "-C", top, *args], timeout_s=10)
    except (process.CommandMissing, process.CommandTimeout):
        return None
    return done.out.strip("\n") if done.status == 0 else None
