"""Slurm, through its text commands."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...model.capacity import Capacity
from ...model.declaration import SLURM
from ...model.exceptions import SubmissionError, TargetError
from ...model.observation import Availability, ForeignJob, Observation, Waiting
from ...model.spec import JobSpec
from ...model.states import JobState
from ...rundir.parts import parts_of
from ...rundir.run import Run
from .. import script
from ..base import Backend, NoAnswer, Submission, Submitted
from .accounting import DROPPED, Accounting, alive, all_alive, dropped, held, mark_of, paired
from .availability import available
from .command import SlurmCommand, scrubbed, unreachable
from .dependents import repointed
from .foreign import act as act_on_foreign
from .foreign import parse_foreign
from .job_states import parse_queue, squeue_format, time_stamp, with_canceller
from .limits import is_checked, violation
from .pyslurm.client import pyslurm_of
from .sbatch import KILL_WAIT_S, held_limit, leading_directives, may_restart, sbatch_arguments
from .site import site_of

SBATCHES = 8  # at once
PING_S = 10.0

CHECK_S = 1.0  # how long a first submission may wait for what the site allows
REFUSED_S = 4.0  # how long a refused one may wait to be told what is valid


class SlurmBackend(Backend):
    """One cluster. Settings: ``conf`` (a slurm.conf of its own), ``pyslurm`` (auto or never)."""

    options_of = SLURM
    lists_foreign = True
    holds_jobs = True
    scheduler = "the Slurm controller"
    default_limit = "the partition's time limit"
    restarts = "`--requeue` lets Slurm start it again by itself."
    avoids_node = "`-- --exclude={node}` keeps away from that node."
    questions_a_minute = 6

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(settings)
        conf = settings.get("conf")
        conf = str(conf) if conf else None
        self.command = SlurmCommand(conf, self.budget, pyslurm_of(conf, settings.get("pyslurm", "auto")))
        self.site = site_of(self.command)
        self.accounting = Accounting(self.command)
        self._rows: dict[str, tuple[Observation, str]] = {}  # squeue's last answer
        self._dropped: set[str] = set()  # tasks that were cancelled before they began, by native id
        self._answer = ""  # the same as it came
        self._foreign: list[ForeignJob] | None = None  # the same, read for what isn't ours
        self._slots = asyncio.Semaphore(SBATCHES)

    @classmethod
    def tells_trouble(cls, text: str) -> bool:
        return "slurmstepd" in text

    @classmethod
    def hidden(cls, environment: Mapping[str, str]) -> Sequence[str]:
        return scrubbed(environment)

    @classmethod
    def own_options(cls, cell: str) -> tuple[str, ...]:
        return tuple(leading_directives(cell))

    async def check(self) -> str:
        done = await self.command.run(["sinfo", "-h", "-o", "%P %a %D %T"], timeout_s=12)
        if done.status != 0:
            raise self._unreachable(done.last_line)
        partitions = {line.split()[0].rstrip("*") for line in done.out.splitlines() if line.split()}
        return f"{self.command.where()}: partitions {', '.join(sorted(partitions))}"

    def _unreachable(self, words: str) -> TargetError:
        return unreachable(self.command.where(), words)

    def preview(self, submission: Submission) -> Submitted:
        run, spec = submission.run, submission.spec
        options = sbatch_arguments(run, spec)
        worker, executable = submission.worker, submission.executable
        limit_s, warning = held_limit(spec)
        arguments = script.arguments(
            run,
            spec,
            worker,
            executable,
            limit_s=limit_s,
            grace_s=KILL_WAIT_S,
            warning=warning,
            restarts=may_restart(options),
        )
        command = ("sbatch", "--parsable", *options, str(run.path / "job.sh"), *arguments)
        return Submitted("", command, script.SCRIPT)

    async def submit(self, submission: Submission) -> Submitted:
        planned = self.preview(submission)
        script.write(submission.run, submission.spec)
        native_id, notes = await self._sbatch(planned.command, submission.spec)
        return Submitted(native_id, planned.command, planned.script, notes)

    async def _sbatch(self, command: Sequence[str], spec: JobSpec) -> tuple[str, tuple[str, ...]]:
        """Return the new job's id and what sbatch said beside it."""
        async with self._slots:
            done = await self.command.run(command, cwd=spec.workdir)
        if done.status != 0:
            raise await self._refused(done.err or done.out, spec)
        native_id = done.out.strip().partition(";")[0]
        if not native_id.isdecimal():  # as with --test-only
            said = (done.err or done.out).strip()[:300]
            raise SubmissionError(f"sbatch submitted nothing: {said or 'it named no job'}")
        return native_id, tuple(line.removeprefix("sbatch: ") for line in done.err.splitlines() if line.strip())

    async def _refused(self, words: str, spec: JobSpec) -> TargetError | SubmissionError:
        if re.search(r"configuration source|DNS SRV|slurm.conf", words):
            return self._unreachable((words.strip().splitlines() or ["no answer"])[-1])
        from .refusals import refused

        return refused(words, spec, await self.site.read(REFUSED_S))

    async def check_request(self, spec: JobSpec) -> None:
        self.site.refresh()
        if not is_checked(spec):
            return
        known = await self.site.known(CHECK_S)
        if known is None or not (violation(known, spec) or violation(known.without_accounting(), spec)):
            return
        known = await self.site.read(REFUSED_S)  # limits change: nobody is refused for an old one
        problem = violation(known, spec) if known is not None else None
        if problem is not None:
            raise problem

    async def expected_start(self, submission: Submission) -> str:
        from .waits import expected_start

        options = sbatch_arguments(submission.run, submission.spec)
        return await expected_start(self.command, ["sbatch", *options], script.SCRIPT.encode())

    async def explain(self, run: Run, native_id: str) -> Waiting:
        from .waits import explain

        own = await self.owned(run, native_id)
        found = await explain(self.command, self.site, run, own[0]) if own else None
        return found if found is not None else await super().explain(run, native_id)

    def choices(self) -> Mapping[str, Sequence[str]]:
        known = self.site.cached()
        if known is None:
            return {}
        types = known.gpu_types()
        return {
            "partition": known.visible(),
            "account": known.accounts(),
            "qos": known.qos_names(),
            "constraint": known.features(),
            "gpus": types,
            "gpus_per_task": types,
        }

    async def find(self, run: Run) -> str | None:
        for native_id, (_, mark) in (await self._queue()).items():
            if mark == mark_of(run.id):
                return native_id.partition("_")[0]
        record = run.record_or_none() or {}
        return await self.accounting.find(run.id, float(record.get("created") or time.time()))

    async def restore(self, run: Run) -> str | None:
        """A controller that is killed forgets the jobs of its last seconds, and hands out their ids again."""
        whole = run.whole or run  # an array was submitted as one
        record = whole.record()
        submitted, command = record.get("submitted_at"), record.get("command")
        tasks = parts_of(whole, record)
        if not submitted or not command or any(r.scheduler_log.exists() for r in (whole, *tasks)):
            return None
        booted = await self._boot_time()
        if booted is None or booted + 1 < submitted or paired({run.id: ""}, self._rows):
            return None
        claim = whole.path / f"restored.{int(booted)}"  # one process does it, once for each crash
        try:
            claim.touch(0o600, exist_ok=False)
        except FileExistsError:
            return None
        try:
            native_id, _ = await self._sbatch(command, JobSpec.from_record(record["spec"]))
        except NoAnswer:  # if it was taken, the next answer of squeue has its mark; if not, try again
            claim.unlink(missing_ok=True)
            raise
        self.accounting.forget(run.id)
        if run.whole is not None:
            whole.update(native_id=native_id)
        ids = {f"{native_id}_{task.index}": task for task in tasks} or {native_id: run}
        for own in [own for own, each in ids.items() if each.was_cancelled]:  # before, or while it was submitted
            await self.end(own)
        return native_id if run.whole is None else f"{native_id}_{run.index}"

    async def _boot_time(self) -> float | None:
        done = await self.command.run(["scontrol", "show", "config"])
        match = re.search(r"^BOOT_TIME\s*=\s*(\S+)", done.out, re.MULTILINE)
        return time_stamp(match[1]) if match else None

    async def is_up(self) -> bool:
        done = await self.command.run(["scontrol", "ping"], timeout_s=PING_S)
        return " is UP" in done.out

    async def _queue(self, *, is_act: bool = False) -> dict[str, tuple[Observation, str]]:
        argv = ["squeue", "-h", "-r", "--me", "-t", "all", "-O", squeue_format()]
        done = await self.command.run(argv, is_act=is_act)
        if done.status != 0:
            raise self._unreachable(done.last_line)
        self._answer, self._foreign = done.out, None
        return parse_queue(done.out)

    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        before, self._rows = self._rows, await self._queue()
        found = paired(jobs, self._rows)
        self._dropped |= dropped(before, self._rows)
        cancelled = {r: jobs[r] for r, seen in found.items() if seen.state is JobState.CANCELLED}
        forgotten = {run_id: native for run_id, native in jobs.items() if native and run_id not in found}
        known = await self.accounting.look({**forgotten, **cancelled})  # which knows by whom, too
        for run_id, native in forgotten.items():
            if known[run_id].state is None and native in self._dropped:
                known[run_id] = replace(known[run_id], state=JobState.CANCELLED, reason=DROPPED)
        for run_id in cancelled:
            known[run_id] = with_canceller(found[run_id], known[run_id])
        return {**found, **known}

    def recall(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        return paired(jobs, self._rows)

    def held(self) -> Mapping[str, str]:
        return held(self._rows)

    def alive(self) -> Mapping[str, str]:
        return all_alive(self._rows)

    async def foreign_jobs(self) -> Sequence[ForeignJob]:
        if self._foreign is None:
            self._foreign = parse_foreign(self._answer)
        return self._foreign

    async def act_on_foreign(self, native_id: str, act: str) -> None:
        await act_on_foreign(self.command, native_id, act)

    async def owned(self, run: Run, native_id: str) -> Sequence[str]:
        return alive(run.id, await self._queue(is_act=True))

    async def end(self, native_id: str) -> None:
        done = await self.command.run(["scancel", native_id])
        if done.status != 0 and not re.search(r"invalid job id|already complet", done.err, re.IGNORECASE):
            raise TargetError(
                f"scancel {native_id} failed: {done.last_line}", hint="Try again, or scancel it in a shell."
            )

    async def repoint(self, old: str, new: str) -> Mapping[str, str]:
        return await repointed(self.command, old, new)

    async def availability(self) -> Availability:
        nodes = await self.site.nodes()
        return available(nodes.values(), self.command.where())

    async def capacity(self) -> Capacity:
        from .occupancy import capacity

        return await capacity(self.site)
