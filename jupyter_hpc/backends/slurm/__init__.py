"""Slurm, through its text commands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...exceptions import SubmissionError, TargetError
from ...store import Run
from .. import script
from ..base import Backend, Observation, Submission, Submitted
from .command import NoAnswer, SlurmCommand, unreachable
from .options import sbatch_arguments
from .states import SACCT_FIELDS, parse_accounting, parse_queue, squeue_format

_HINTS = (
    (r"invalid partition", "`sinfo -s` lists the partitions; give one with --partition."),
    (
        r"invalid account",
        "`sacctmgr show assoc user=$USER format=account,qos` lists yours; give one with --account.",
    ),
    (r"invalid qos", "`sacctmgr show assoc user=$USER format=account,qos` lists yours; give one with --qos."),
    (r"invalid feature|constraint", "`sinfo -o '%N %f'` lists the features that --constraint may name."),
    (
        r"node configuration is not available",
        "No node has that much: `sinfo -N -o '%N %c %m %G'` shows what they have. "
        "Ask for less with --cpus, --mem or --gpus.",
    ),
    (r"time limit", "`sinfo -o '%P %l'` shows the partitions' limits; ask for less with --time."),
    (
        r"unable to contact|connection refused|socket timed out",
        "`scontrol ping` says whether the controller is up.",
    ),
    (
        r"unrecognized option|invalid option",
        "The options after -- and in #SBATCH lines must be sbatch's own.",
    ),
)


class SlurmBackend(Backend):
    """One cluster. Settings: ``conf`` (a slurm.conf of its own)."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(settings)
        conf = settings.get("conf")
        self.command = SlurmCommand(str(conf) if conf else None)

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
        arguments = script.arguments(run, spec, submission.worker, submission.executable)
        options = sbatch_arguments(run, spec)
        command = ("sbatch", "--parsable", *options, str(run.path / "job.sh"), *arguments)
        return Submitted("", command, script.SCRIPT)

    async def submit(self, submission: Submission) -> Submitted:
        planned = self.preview(submission)
        script.write(submission.run, submission.spec)
        try:
            done = await self.command.run(planned.command, cwd=submission.spec.workdir)
        except NoAnswer:
            # the controller may have taken the job before the answer was lost
            earlier = await self._find(submission.run)
            if earlier is None:
                raise
            return Submitted(earlier, planned.command, planned.script)
        if done.status != 0:
            if re.search(r"timed out|contact|connection|communication", done.err, re.IGNORECASE):
                earlier = await self._find(submission.run)
                if earlier is not None:
                    return Submitted(earlier, planned.command, planned.script)
            raise self._refused(done.err or done.out)
        native_id = done.out.strip().partition(";")[0]
        if not native_id.isdecimal():  # as with --test-only
            said = (done.err or done.out).strip()[:300]
            raise SubmissionError(f"sbatch submitted nothing: {said or 'it named no job'}")
        notes = tuple(line.removeprefix("sbatch: ") for line in done.err.splitlines() if line.strip())
        return Submitted(native_id, planned.command, planned.script, notes)

    def _refused(self, words: str) -> TargetError | SubmissionError:
        lines = [re.sub(r"^sbatch: (error|fatal): ", "", x) for x in words.strip().splitlines() if x.strip()]
        if re.search(r"configuration source|DNS SRV|slurm.conf", words):
            return self._unreachable(lines[-1] if lines else "no answer")
        sentence = " ".join(lines)[:800] or "sbatch gave no reason"
        hint = next((h for pattern, h in _HINTS if re.search(pattern, words, re.IGNORECASE)), "")
        return SubmissionError(f"Slurm refused the job: {sentence.rstrip('.')}.", hint=hint)

    async def _find(self, run: Run) -> str | None:
        """Return the native id of the job that carries this run's id, if there is one."""
        try:
            rows = await self._queue()
        except TargetError:
            return None
        return next((i for i, (_, comment) in rows.items() if comment == f"jupyter_hpc:{run.id}"), None)

    async def _queue(self) -> dict[str, tuple[Observation, str]]:
        done = await self.command.run(["squeue", "-h", "--me", "-t", "all", "-O", squeue_format()])
        if done.status != 0:
            raise self._unreachable(done.last_line)
        return parse_queue(done.out)

    async def observe(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        rows = await self._queue()
        found = {run_id: rows[native][0] for run_id, native in jobs.items() if native in rows}
        forgotten = {native: run_id for run_id, native in jobs.items() if run_id not in found}
        if forgotten:
            for native, observation in (await self._accounting(sorted(forgotten))).items():
                if native in forgotten:
                    found[forgotten[native]] = observation
        return found

    async def _accounting(self, native_ids: Sequence[str]) -> dict[str, Observation]:
        """Ask sacct for what squeue has forgotten; many sites have none."""
        argv = ["sacct", "-X", "-n", "-P", "-j", ",".join(native_ids), "-o", ",".join(SACCT_FIELDS)]
        try:
            done = await self.command.run(argv)
        except TargetError:
            return {}
        return parse_accounting(done.out) if done.status == 0 else {}

    async def cancel(self, native_id: str) -> None:
        done = await self.command.run(["scancel", native_id])
        if done.status != 0 and not re.search(r"invalid job id|already completed", done.err, re.IGNORECASE):
            raise TargetError(
                f"scancel {native_id} failed: {done.last_line}", hint="Try again, or scancel it in a shell."
            )

    async def capacity(self) -> Sequence[Mapping[str, str]]:
        fields = ("partition", "available", "time_limit", "nodes", "state", "cpus", "gres")
        done = await self.command.run(["sinfo", "-h", "-o", "%P|%a|%l|%D|%T|%C|%G"])
        if done.status != 0:
            raise self._unreachable(done.last_line)
        return [dict(zip(fields, line.split("|"))) for line in done.out.splitlines() if line.count("|") == 6]
