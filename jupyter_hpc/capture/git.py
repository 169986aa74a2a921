"""The state of the repository around a folder, as git itself tells it."""

from __future__ import annotations

import asyncio
from typing import Any

from .. import process
from ..worker.digest import digest_bytes

DIFF_BYTES = 1 << 20


async def state(folder: str) -> dict[str, Any] | None:
    """Return commit, branch, remote, dirty and the diff of the work tree, or None outside a repository."""

    async def git(*args: str) -> str | None:
        try:
            done = await process.run(["git", "-C", folder, *args], timeout_s=10)
        except (process.CommandMissing, process.CommandTimeout):
            return None
        return done.out.strip("\n") if done.status == 0 else None

    top = await git("rev-parse", "--show-toplevel")
    if not top:
        return None
    commit, status, diff, remote = await asyncio.gather(
        git("rev-parse", "HEAD"),
        git("status", "--porcelain=v2", "--branch"),
        git("diff", "HEAD"),
        git("remote", "get-url", "origin"),
    )
    lines = (status or "").splitlines()
    branch = next((x.split(" ", 2)[2] for x in lines if x.startswith("# branch.head ")), None)
    untracked = [x[2:] for x in lines if x.startswith("? ")]
    return {
        "top": top,
        "commit": commit,
        "branch": branch,
        "remote": _without_credentials(remote),
        "dirty": any(not x.startswith("#") for x in lines),
        "diff": (diff or "")[:DIFF_BYTES],
        "diff_digest": digest_bytes((diff or "").encode()),
        "untracked": [x for x in untracked if x.endswith(".py")][:200],
    }


def _without_credentials(remote: str | None) -> str | None:
    """``https://user:token@host/x`` → ``https://host/x``."""
    if remote and "://" in remote and "@" in remote:
        scheme, _, rest = remote.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"
    return remote
