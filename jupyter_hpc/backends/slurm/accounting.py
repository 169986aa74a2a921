"""What sacct knows of jobs that squeue has forgotten: asked for many at once, and for each at most three times."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ...model.exceptions import TargetError
from ...model.observation import Observation
from ...model.states import JobState
from ..base import NoAnswer
from .command import SlurmCommand
from .job_states import OURS, SACCT_FIELDS, parse_accounting

# the archive is up to a second behind squeue, and eight after the controller was started
ASK_AFTER_S = (0.0, 1.5, 10.0)
IDS_A_CALL = 2000  # an argument of some 20 kB
DROPPED = "it was taken from its array before it began, as scancel does"
OFF_S = 600.0  # a site without accounting doesn't get one while we wait
AWAY_S = 20.0  # one whose database doesn't answer has it again soon
_SLACK_S = 300.0  # clocks of login node and controller may differ
_MARK = re.compile(rf"{OURS}([\w-]+)")


def mark_of(run_id: str) -> str:
    """Return the comment by which a run's job is known; the tasks of an array share one."""
    return f"{OURS}{run_id.partition('_')[0]}"


# Slurm's words at the end of a reason: held after a start that failed, by a requeue, or by somebody
_HELD = re.compile(r"\((?:launch failed requeued held|job requeued in held state|JobHeld\w+|JobHoldMaxRequeue)\)")


class Accounting:
    """Slurm's archive; many sites have none."""

    def __init__(self, command: SlurmCommand) -> None:
        self._command = command
        self._asked: dict[str, list[float]] = {}  # run id → when it was asked for
        self._ended: dict[str, Observation] = {}
        self._said: dict[str, str] = {}
        self._off_until = 0.0
        self._off_words = ""
        self._marks = ["Comment", "SubmitLine"]  # where a job's mark can be; a site may not keep the comment

    async def look(self, jobs: Mapping[str, str]) -> dict[str, Observation]:
        """Return what is known of jobs (run id → native id) that squeue doesn't know.

        sacct is asked where that is worth a question.
        """
        for ids in _chunks([each for each in jobs if self._is_due(each)]):
            if not self._command.budget.has_left():
                break
            await self._ask({each: jobs[each] for each in ids})
        return {run_id: self._observation(run_id, native) for run_id, native in jobs.items()}

    def _is_due(self, run_id: str) -> bool:
        now, asked = time.monotonic(), self._asked.get(run_id, [])
        if run_id in self._ended or self._is_off or len(asked) >= len(ASK_AFTER_S):
            return False
        return not asked or now - asked[0] >= ASK_AFTER_S[len(asked)]

    @property
    def _is_off(self) -> bool:
        return time.monotonic() < self._off_until

    async def _ask(self, jobs: Mapping[str, str]) -> None:
        rows = await self._rows("-j", ",".join(sorted(set(jobs.values()))))
        if self._is_off:
            return
        found = {native: (seen, mark) for native, seen, mark in rows}
        for run_id, native in jobs.items():
            self._asked.setdefault(run_id, []).append(time.monotonic())
            seen, mark = found.get(native, (None, ""))
            if seen is None:
                continue
            if mark not in ("", run_id.partition("_")[0]):  # a controller that crashed hands out its last ids again
                self._said[run_id] = f"sacct has the job of another run ({mark}) under that id"
            elif seen.state is not None and seen.state.is_final:
                self._ended[run_id] = seen
            else:  # a controller that crashed never told the archive how it went on
                self._said[run_id] = f"sacct has it as {seen.native_state}, which it was before"

    async def _rows(self, *selection: str) -> list[tuple[str, Observation, str]]:
        """Return (native id, observation, the run id of its mark) for each job that sacct knows.

        The mark is empty where sacct keeps nothing that could have one, as of jobs that pyslurm submitted.
        """
        fields = ",".join([*SACCT_FIELDS, *self._marks])
        try:
            done = await self._command.run(["sacct", "-X", "-n", "-P", *selection, "-o", fields])
        except NoAnswer:
            return self._is_without(is_kept=True)
        except TargetError:
            return self._is_without(is_kept=False)
        if "nvalid field" in done.err and len(self._marks) > 1:
            self._marks = self._marks[:1]  # before 21.08 there was no SubmitLine
            return await self._rows(*selection)
        if done.status != 0:
            return self._is_without(is_kept="disabled" not in done.err)
        rows = []
        for line in done.out.splitlines():
            parts = line.split("|", len(SACCT_FIELDS))
            match = _MARK.search(parts[-1])
            for native, seen in parse_accounting("|".join(parts[: len(SACCT_FIELDS)])).items():
                rows.append((native, seen, match[1] if match else "none" if parts[-1].strip("|") else ""))
        return rows

    def _is_without(self, *, is_kept: bool) -> list[tuple[str, Observation, str]]:
        """Ask no more for a while: for long where there is no archive, else until its database may be back."""
        self._off_until = time.monotonic() + (AWAY_S if is_kept else OFF_S)
        self._off_words = f"accounting {'does not answer' if is_kept else 'is not kept here'} (sacct)"
        return []

    def _observation(self, run_id: str, native_id: str) -> Observation:
        ended = self._ended.get(run_id)
        if ended is not None:
            return ended
        asked = self._asked.get(run_id, [])
        words = self._said.get(run_id, f"sacct doesn't know it either (asked {len(asked)} times)")
        if self._is_off:
            words = self._off_words
        is_settled = len(asked) >= len(ASK_AFTER_S) or self._is_off
        return Observation(None, f"squeue doesn't know job {native_id}; {words}", is_settled=is_settled)

    async def find(self, run_id: str, since: float) -> str | None:
        """Return the id of the ended job that carries a run's mark."""
        if self._is_off:
            return None
        start = datetime.fromtimestamp(since - _SLACK_S).strftime("%Y-%m-%dT%H:%M:%S")  # noqa: DTZ006 sacct's is local
        for native, seen, mark in await self._rows("-S", start):
            if mark == run_id and seen.state is not None and seen.state.is_final:
                return native
        return None

    def forget(self, run_id: str) -> None:
        """Its job is another one now."""
        for known in (self._asked, self._ended, self._said):
            known.pop(run_id, None)


def _chunks(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(run_ids), IDS_A_CALL):
        yield run_ids[first : first + IDS_A_CALL]


def paired(jobs: Mapping[str, str], rows: Mapping[str, tuple[Observation, str]]) -> dict[str, Observation]:
    """Return run id → observation of the jobs among squeue's rows.

    By native id, if the job of that id carries the run's mark: a controller that crashed hands out again the ids
    that it had not yet saved, to anybody. Else by the mark.
    """
    marks = {(mark, _task(native)): native for native, (_, mark) in rows.items() if mark}
    found = {}
    for run_id, native in jobs.items():
        mark = mark_of(run_id)
        row, marked = rows.get(native), marks.get((mark, _task(run_id)))
        if row is not None and row[1] == mark:
            found[run_id] = row[0]
        elif marked is not None:
            found[run_id] = replace(rows[marked][0], native_id=marked)
    return found


def alive(run_id: str, rows: Mapping[str, tuple[Observation, str]]) -> list[str]:
    """Return the jobs among squeue's rows that carry a run's mark and have not ended; of an array its one id."""
    mark, task = mark_of(run_id), _task(run_id)
    own = [n for n, (seen, its) in rows.items() if its == mark and not (seen.state and seen.state.is_final)]
    return [n for n in own if _task(n) == task] if task else sorted({n.partition("_")[0] for n in own})


def held(rows: Mapping[str, tuple[Observation, str]]) -> dict[str, str]:
    """Return run id → native id of the jobs among squeue's rows that carry a run's mark and are held."""
    return _by_run(rows, lambda seen: seen.state is JobState.PENDING and bool(_HELD.search(seen.reason)))


def all_alive(rows: Mapping[str, tuple[Observation, str]]) -> dict[str, str]:
    """Return run id → native id of the jobs among squeue's rows that carry a run's mark and wait or run."""
    return _by_run(rows, lambda seen: seen.state in (JobState.PENDING, JobState.RUNNING))


def _by_run(rows: Mapping[str, tuple[Observation, str]], is_wanted: Callable[[Observation], bool]) -> dict[str, str]:
    return {
        "_".join(filter(None, (mark.removeprefix(OURS), _task(native)))): native
        for native, (seen, mark) in rows.items()
        if mark.startswith(OURS) and is_wanted(seen)
    }


def dropped(before: Mapping[str, tuple[Observation, str]], now: Mapping[str, tuple[Observation, str]]) -> set[str]:
    """Return the tasks that waited in an answer of squeue and are not in the next, though others of their array are.

    So ends a pending task that is scancelled: Slurm strikes it from its array and keeps no job of it.
    """
    arrays = {native.partition("_")[0] for native in now}
    waited = (n for n, (seen, _) in before.items() if seen.state is JobState.PENDING and _task(n) and n not in now)
    return {native for native in waited if native.partition("_")[0] in arrays}


def _task(identifier: str) -> str:
    """Return which task of an array an id means, ours or Slurm's; empty for any other job."""
    return identifier.partition("_")[2]
