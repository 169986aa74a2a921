"""REST for the page of one job: its files, what it displayed, and how its cell would be written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..jobs.final_outputs import ended
from ..jobs.job import Job
from ..model.exceptions import HPCError
from ..model.spec import JobSpec
from ..rundir.displays import displays
from ..targets.magic_line import magic_line
from ..targets.targets import target
from ..views.as_sbatch import as_sbatch
from .downloads import attachment, listed, opened
from .handlers import HPCHandler

FILE = r"(?P<name>[\w.-]{1,40})"
_PIECE = 1 << 20


class FilesHandler(HPCHandler):
    """What of a run can be downloaded."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        job = self.job(run_id)
        files = await asyncio.to_thread(listed, job, self.folders)
        self.finish({"files": files, "folder": _below(job.run.path, self.root)})

    @property
    def root(self) -> Path | None:
        """What the server shows."""
        root = self.settings.get("server_root_dir")
        return Path(root).expanduser() if root else None

    @property
    def folders(self) -> list[Path]:
        """The user's own: the home directory, and what the server shows."""
        return [Path.home(), *([self.root] if self.root else [])]


def _below(path: Path, root: Path | None) -> str | None:
    """Return a path as the file browser has it; None if that doesn't reach it."""
    if root is None:
        return None
    place, top = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else None


class FileHandler(FilesHandler):
    """One of them, in pieces; a browser keeps it and never shows it as a page of this server."""

    also: ClassVar[Mapping[str, str]] = {"name": FILE}

    @web.authenticated
    @authorized
    async def get(self, run_id: str, name: str) -> None:
        kept, file = await asyncio.to_thread(opened, self.job(run_id), name, self.folders)
        await self.send(kept, file)

    async def send(self, kept: str, file: BinaryIO) -> None:
        kind = "application/octet-stream"
        self.set_header("Content-Type", kind)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Disposition", attachment(kept))
        with file:
            while data := await asyncio.to_thread(file.read, _PIECE):
                self.write(data)
                await self.flush()
        self.finish(set_content_type=kind)


class DisplaysHandler(HPCHandler):
    """Plots and values that a run displayed; whoever shows them trusts none of them."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        self.finish(await asyncio.to_thread(_displays, self.job(run_id)))


def _displays(job: Job) -> dict[str, Any]:
    found, more = displays(job.run, job.record)
    return {"displays": [vars(each) for each in found], "left_out": more}


class OutputsHandler(HPCHandler):
    """What a notebook's cell shows of a job that has ended, for a page that was closed meanwhile."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        self.finish(await asyncio.to_thread(_outputs, self.job(run_id)))


def _outputs(job: Job) -> dict[str, Any]:
    found = ended(job.run)
    if found is None:
        return {"is_final": False, "card": {}, "shown": [], "earlier": []}
    shown = [{"data": each.data, "metadata": each.metadata, "is_value": each.kind == "value"} for each in found.shown]
    return {"is_final": True, "card": found.card, "shown": shown, "earlier": found.earlier}


class CellHandler(HPCHandler):
    """The cell as somebody would write it again: the magic's line, and the code."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        self.finish(await asyncio.to_thread(_cell, self.job(run_id)))


def _cell(job: Job) -> dict[str, Any]:
    run, record = job.run.whole or job.run, job.record
    text = str(record["code"].get("text") or "")
    if record.get("kind") == "call" or not text:
        raise HPCError(f"{job.id} ran no cell.", hint="It was submitted by a call of a function: change that call.")
    folder = os.path.dirname(str((record.get("notebook") or {}).get("path") or "")) or None
    where, told = target(record["target"]["name"]), run.sent().get("cell") or {}
    spec = JobSpec.from_record(record["spec"])
    line, left_out = magic_line(where, spec, {**told, "text": text}, folder, record.get("asked"))
    return {"source": f"{line}\n{text}", "left_out": left_out}


class SbatchHandler(HPCHandler):
    """The run as a batch script of its own."""

    @web.authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        job = self.job(run_id)
        self.finish({"script": await asyncio.to_thread(as_sbatch, job.run.whole or job.run, job.record)})


_RUN, _FILE = "(?P<run_id>[^/]{1,2000})", "(?P<name>[^/]{1,1000})"
ROUTES: list[tuple[str, type[HPCHandler]]] = [
    (f"/jobs/{_RUN}/files", FilesHandler),
    (f"/jobs/{_RUN}/files/{_FILE}", FileHandler),
    (f"/jobs/{_RUN}/displays", DisplaysHandler),
    (f"/jobs/{_RUN}/outputs", OutputsHandler),
    (f"/jobs/{_RUN}/cell", CellHandler),
    (f"/jobs/{_RUN}/sbatch", SbatchHandler),
]
