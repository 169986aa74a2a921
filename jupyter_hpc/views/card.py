"""The static card: how a job went, readable without kernel, script or style sheet."""

from __future__ import annotations

import html
from dataclasses import dataclass

from ..explain.again import suggestion
from ..explain.use import right_size
from ..jobs.job import Job
from ..model.states import Status
from ..rundir.reader import ArrayReader, RunReader, reader_of
from ..worker.apart import apart
from .icons import icon
from .log import LogTail
from .style import BOX, PRE, QUIET, command, escaped, folded, plain, with_code
from .summary import facts, headline, sent_html, uses
from .tasks import tasks_html, tasks_text

OPEN_LINES = 40  # a log of so many lines needs no unfolding
MOST_EVIDENCE = 8


@dataclass(frozen=True)
class Sources:
    """What a card is made from, besides the job: what was read of its files."""

    reader: RunReader | ArrayReader
    tail: LogTail

    @classmethod
    def read(cls, job: Job) -> Sources:
        """Read a job's files."""
        reader, tail = reader_of(job.run), LogTail(traceback=True)
        tail.add(reader.poll(everything=True))
        return cls(reader, tail)


def card_html(job: Job, sources: Sources | None = None) -> str:
    """Return the card as HTML without scripts."""
    status, sources = job.status, sources or Sources.read(job)
    rows = [f"<div>{headline(job.record, status)}</div>", *_cause(job, status)]
    if tasks := job.tasks:
        rows.append(tasks_html(tasks))
    lines = apart("what the job used", uses, job, sources.reader, status, default=[])
    if lines:
        rows.append(_quiet(" · ".join(html.escape(line.words) for line in lines)))
    if enough := right_size(lines):
        rows.append(_quiet(f"{command(enough)} would do"))
    rows += [_quiet(html.escape(line)) for line in apart("what came back", facts, job, default=[])]
    rows += [_quiet(sent) for sent in (apart("what was sent", sent_html, job.record),) if sent]
    if sources.tail.lines or sources.tail.blocks[-1].pieces:
        rows.append(_quiet(_log(job, sources.tail)))
    rows.append(_quiet(_way_back(job, status)))
    return f'<div class="jp-HPCCard" style="{BOX}">{"".join(rows)}</div>'


def _quiet(inner: str) -> str:
    return f'<div style="{QUIET}">{inner}</div>'


def _cause(job: Job, status: Status) -> list[str]:
    """Why it ended or waits, what shows that, and what to do."""
    rows = [f"<div>{escaped(status.reason)}</div>"] if status.reason else []
    verdict = job.verdict
    evidence = [escaped(line) for line in verdict.get("evidence") or []]
    if evidence:
        listed = "".join(f"<li>{line}</li>" for line in evidence[:MOST_EVIDENCE])
        rows.append(f'<ul style="margin:2px 0;{QUIET}">{listed}</ul>')
    if hint := verdict.get("hint"):
        rows.append(f"<div>→ {with_code(hint)}</div>")
    if line := suggestion(job):
        rows.append(f"<div>Resubmit with {command(line)}</div>")
    return rows


def _log(job: Job, tail: LogTail) -> str:
    count = f"{tail.lines} line{'s' if tail.lines != 1 else ''}"
    more = f"; the last are shown, {command(f'%hpc logs {job.id}')} has all" if tail.dropped else ""
    text = f'<pre style="{PRE}" tabindex="0" aria-label="log">{tail.html()}</pre>'
    return folded(f"log ({count}{more})", text, is_open=tail.lines <= OPEN_LINES)


def _way_back(job: Job, status: Status) -> str:
    """The run's id, and the command that brings back what it made."""
    if not status.state.is_final:
        return f"run {job.id} · {command(f'%hpc attach {job.id}')} watches it, and its names come back"
    if status.state.value == "COMPLETED":
        return f"run {job.id} · {command(f'%hpc result {job.id}')} brings its names, also into another kernel"
    return f"run {job.id} · {command(f'%hpc show {job.id}')}"


def card_text(job: Job, sources: Sources | None = None) -> str:
    """Return the card as plain text."""
    status, sources = job.status, sources or Sources.read(job)
    lines = [f"{icon(status.state)[0]} {plain(job.describe(), 2000)}", *tasks_text(job.tasks)]
    if line := suggestion(job):
        lines.append(f"Resubmit with {line}")
    found = apart("what the job used", uses, job, sources.reader, status, default=[])
    lines += [" · ".join(line.words for line in found)] if found else []
    if enough := right_size(found):
        lines.append(f"{enough} would do")
    lines += apart("what came back", facts, job, default=[])
    text = sources.tail.plain().rstrip("\n")
    if text:
        lines.append(text)
    return "\n".join(lines)
