"""What this site has, read seldom: once in an hour for all kernels of a user, from a file below the store's root.

Reading never stands in a submission's way: what is known is used, what is old is read again in the background, and
a first submission waits for it only if it asks for something that could be above a limit, and not for long. The
accounting database is asked separately, so that a site where it is slow, or absent, is not worse off.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...model.exceptions import HPCError, TargetError
from ...rundir.run import read_json, write_json
from .command import SlurmCommand
from .inventory import (
    ASSOCIATION_FIELDS,
    QOS_FIELDS,
    Inventory,
    Node,
    parse_associations,
    parse_config,
    parse_nodes,
    parse_partitions,
    parse_qos,
    sinfo_format,
    take_inventory,
)

FRESH_S = 3600.0  # how long what was read is used without reading it again
LOOK_S = 1.0  # between looks at the file
RETRY_S = 60.0  # after a read that failed
COMMAND_S = 8.0  # how long one command may take
NOW_S = 5.0  # how long what is free counts as now
_FORMAT = 1


class Site:
    """One cluster's inventory, cached in this process and on disk. Its coroutines run on the portal's loop.

    Parameters
    ----------
    command : SlurmCommand
        Runs the cluster's commands.
    """

    def __init__(self, command: SlurmCommand) -> None:
        self.command = command
        self._known: Inventory | None = None
        self._stamp: tuple[str, int] | None = None  # of the file that _known came from
        self._reading: asyncio.Task[Inventory | None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._failed_at = self._looked_at = -RETRY_S
        self._nodes: tuple[float, dict[str, Node]] | None = None

    # -- what is known -----------------------------------------------------------------------------

    def path(self) -> Path:
        """Return the cache's file; another ``slurm.conf``, or a changed one, has another."""
        from ...rundir.store import store

        conf = self.command.environment().get("SLURM_CONF") or _installed_conf()
        try:
            changed = os.stat(conf).st_mtime_ns if conf else 0
        except OSError:
            changed = 0
        key = hashlib.sha256(f"{_FORMAT}\0{conf}\0{changed}\0{os.getuid()}".encode()).hexdigest()[:16]
        return store().root / "sites" / f"{key}.json"

    def cached(self) -> Inventory | None:
        """Return what this or another process has read; asks nobody."""
        if time.monotonic() - self._looked_at < LOOK_S:
            return self._known
        self._looked_at = time.monotonic()
        path = self.path()
        try:
            stamp = (str(path), path.stat().st_mtime_ns)
        except OSError:
            if self._stamp is None or self._stamp[0] != str(path):
                self._known = None  # another configuration
            return self._known
        if stamp != self._stamp:
            self._known, self._stamp = Inventory.from_json(read_json(path)), stamp
        return self._known

    def refresh(self) -> None:
        """Begin to read in the background, if what is known is old."""
        known = self.cached()
        is_fresh = known is not None and 0 <= time.time() - known.read_at < FRESH_S
        if not is_fresh and time.monotonic() - self._failed_at > RETRY_S:
            self._begin()

    async def known(self, wait_s: float) -> Inventory | None:
        """Return what is known; if that is nothing, wait for the reading a little."""
        self.refresh()
        found = self.cached()
        if found is None and self._reading is not None:
            await asyncio.wait({self._reading}, timeout=wait_s)
            found = self.cached()
        return found

    async def read(self, wait_s: float) -> Inventory | None:
        """Read anew, whatever is known, and wait for all of it; return the best there is after ``wait_s``."""
        deadline = time.monotonic() + wait_s
        if not (self._reading is not None and not self._reading.done()):
            self._begin()
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=wait_s)
        if self._asking is not None:
            await asyncio.wait({self._asking}, timeout=max(deadline - time.monotonic(), 0.0))
        return self.cached()

    # -- reading -----------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _read(self) -> Inventory | None:
        try:
            nodes, partitions, config = await self._ask_all(
                ("sinfo", "-h", "-N", "-O", sinfo_format()),
                ("scontrol", "-a", "-o", "show", "partition"),
                ("scontrol", "show", "config"),
            )
        except TargetError:
            self._failed_at = time.monotonic()
            return None
        found = await asyncio.to_thread(_take, nodes, partitions, config)
        if not found.partitions:
            self._failed_at = time.monotonic()
            return None
        before = self.cached()
        if before is not None:  # until the database answers
            found = replace(found, associations=before.associations, qos=before.qos)
        await self._keep(found)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._read_accounts())
        return found

    async def _read_accounts(self) -> None:
        """Ask the accounting database; many sites have none, and one that is down hangs for minutes."""
        user, argv = user_name(), ("sacctmgr", "-n", "-P", "show")
        try:
            associations, qos = await self._ask_all(
                (*argv, "assoc", "where", f"user={user}", f"format={','.join(ASSOCIATION_FIELDS)}"),
                (*argv, "qos", f"format={','.join(QOS_FIELDS)}"),
            )
        except TargetError:
            return
        known = self.cached()
        if known is None:
            return
        cluster = known.config.get("ClusterName", "")
        rows = parse_associations(associations, cluster)
        await self._keep(replace(known, associations=tuple(rows) or None, qos=parse_qos(qos) or None))

    async def _ask_all(self, *commands: tuple[str, ...]) -> list[str]:
        """Ask all at once, and end when all have: a failure leaves no other question behind."""
        answers = await asyncio.gather(*(self.ask(*argv) for argv in commands), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return [str(answer) for answer in answers]

    async def ask(self, *argv: str) -> str:
        """Return what a command prints.

        Raises
        ------
        TargetError
            If it fails, with its own words.
        """
        done = await self.command.run(argv, timeout_s=COMMAND_S)
        if done.status != 0:
            raise TargetError(f"{argv[0]}: {done.last_line.removeprefix(f'{argv[0]}: ')}")
        return done.out

    async def _keep(self, found: Inventory) -> None:
        path = self.path()
        self._known, self._stamp = found, (str(path), 0)
        try:
            await asyncio.to_thread(_write, path, found.to_json())
            self._known, self._stamp = found, (str(path), path.stat().st_mtime_ns)
        except (OSError, HPCError):  # this process knows it nevertheless
            pass

    async def nodes(self) -> dict[str, Node]:
        """Ask what is free now; who asks within seconds shares the answer."""
        if self._nodes is None or time.monotonic() - self._nodes[0] > NOW_S:
            text = await self.ask("sinfo", "-h", "-N", "-O", sinfo_format())
            self._nodes = (time.monotonic(), await asyncio.to_thread(parse_nodes, text))
        return self._nodes[1]


def _take(nodes: str, partitions: str, config: str) -> Inventory:
    return take_inventory(time.time(), parse_nodes(nodes), parse_partitions(partitions), parse_config(config))


def _write(path: Path, record: Any) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(path, record)


def _installed_conf() -> str:
    places = ("/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf", "/run/slurm/conf/slurm.conf")
    return next((p for p in places if os.path.exists(p)), "")


def user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a uid that has no name
        return str(os.getuid())


_sites: dict[str, Site] = {}


def site_of(command: SlurmCommand) -> Site:
    """Return this process's site of a cluster's commands; every backend of the cluster shares it."""
    key = command.environment().get("SLURM_CONF") or ""
    known = _sites.get(key)
    if known is None:
        known = _sites[key] = Site(command)
    return known


os.register_at_fork(after_in_child=_sites.clear)  # its tasks live on the parent's loop
