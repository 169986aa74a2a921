"""What a job used of what it asked for, and what would have been enough."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..model.resources import Resources, format_size, format_time
from ..model.states import JobState, Status
from ..rundir.reader import PartsReader, RunReader

MEMORY_MARGIN = 1.25  # samples miss short peaks
TIME_MARGIN = 1.5
SHORTEST_TIME_S = 300
LEAST_SAMPLES = 5  # fewer say little of cpus and gpus
IDLE_GPU_MIB = 600  # what a context alone takes
IDLE_AFTER_S = 180  # a gpu may rest between epochs

Sample = Mapping[str, Any]


@dataclass(frozen=True)
class Gpu:
    """The most that one gpu was used."""

    percent: float
    mib: float
    mib_total: float


@dataclass(frozen=True)
class Measured:
    """What the worker measured of itself and the processes that it started."""

    seconds: float = 0.0
    samples: int = 0
    peak_rss: int = 0
    cpu_s: float = 0.0
    cpus_peak: float = 0.0
    gpus: tuple[Gpu, ...] = ()

    @property
    def cpus(self) -> float:
        """How many were at work on average."""
        return self.cpu_s / self.seconds if self.seconds > 0 else 0.0


def cpu_rates(samples: Sequence[Sample]) -> list[float]:
    """Return how many cpus were at work between one sample and the next."""
    return [
        max(0.0, (b["cpu_s"] - a["cpu_s"]) / (b["t"] - a["t"])) for a, b in pairwise(samples) if b["t"] - a["t"] > 0.1
    ]


def gpu_values(sample: Sample) -> list[Gpu]:
    """Return what a sample has of gpus; one that can't be read counts as idle."""
    return [
        Gpu(*(_number(each.get(key)) for key in ("percent", "mib_used", "mib_total")))
        for each in sample.get("gpus") or []
    ]


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):  # nvidia-smi: [N/A]
        return 0.0


def idle_words(samples: Sequence[Sample]) -> str:
    """Return a sentence on gpus that have done nothing for minutes; empty if there are none."""
    if not samples:
        return ""
    since: dict[int, float] = {}  # of each gpu that is idle now
    for sample in samples:
        for i, gpu in enumerate(gpu_values(sample)):
            if gpu.percent > 0:
                since.pop(i, None)
            else:
                since.setdefault(i, sample["t"])
    now = samples[-1]["t"]
    rests = {i: now - then for i, then in since.items() if now - then >= IDLE_AFTER_S}
    if not rests:
        return ""
    listed = f"gpu {next(iter(rests))} has" if len(rests) == 1 else f"gpus {', '.join(map(str, rests))} have"
    return f"{listed} done nothing for {format_time(min(rests.values()) // 60 * 60)}"


def measured(reader: RunReader | PartsReader) -> Measured | None:
    """Return what was measured, an array's largest task counting; None if nothing was."""
    if isinstance(reader, PartsReader):
        reader = reader.largest
    samples, started, use = reader.samples, reader.started, reader.use
    if started is None or not (samples or use):
        return None
    last = use.get("until") or samples[-1]["t"]
    rates, gpus = cpu_rates(samples), [gpu_values(sample) for sample in samples]
    return Measured(
        seconds=max(0.0, last - started["t"]),
        samples=len(samples),
        peak_rss=reader.peak_rss,
        cpu_s=float(use.get("cpu_s") or (samples[-1]["cpu_s"] if samples else 0.0)),
        cpus_peak=max(rates, default=0.0),
        gpus=tuple(map(_most, zip(*(g for g in gpus if g)))),
    )


def _most(values: Iterable[Gpu]) -> Gpu:
    found = list(values)
    return Gpu(max(g.percent for g in found), max(g.mib for g in found), found[0].mib_total)


@dataclass(frozen=True)
class Use:
    """One resource: how much of it was used, and the option that would do; empty if what was asked for fits."""

    words: str
    enough: str = ""


def used(record: Mapping[str, Any], status: Status, found: Measured | None) -> list[Use]:
    """Return a line for each resource, with what would have been enough where that is half or less.

    Only a job that went well tells what is enough, and only on one node: the worker sees no other.
    """
    asked = Resources.from_json(record["spec"].get("resources") or {})
    lines = []
    if found is not None:
        lines += [_memory(asked, found), _cpus(asked, found), *_gpus(asked, found)]
    if status.started_at and status.ended_at and asked.time:
        lines.append(_time(asked.time, status.ended_at - status.started_at))
    if status.state is not JobState.COMPLETED or (asked.nodes or 1) > 1:
        return [Use(line.words) for line in lines]
    return lines


def _memory(asked: Resources, found: Measured) -> Use:
    peak = format_size(found.peak_rss)
    if asked.memory is None:
        return Use(f"memory: peak {peak}")
    words = f"memory: peak {_of(peak, format_size(asked.memory))}"
    enough = enough_memory(found.peak_rss)
    return (
        Use(words, f"--mem {enough >> 10}G" if enough % 1024 == 0 else f"--mem {enough}M")
        if (enough << 20 <= asked.memory / 2)
        else Use(words)
    )


def enough_memory(peak: int) -> int:
    """Return a round number of MiB with room above a peak."""
    want = max(64.0, peak * MEMORY_MARGIN / (1 << 20))
    sizes = (int(size) for power in range(6, 42) for size in (2**power, 1.5 * 2**power))
    return next(size for size in sizes if size >= want)


def _cpus(asked: Resources, found: Measured) -> Use:
    if asked.cpus is None:
        return Use(f"cpus: {found.cpus:.1f} on average")
    count = asked.cpus * (asked.tasks or asked.tasks_per_node or 1)
    words = f"cpus: {found.cpus:.1f} of {count} on average"
    enough = max(1, math.ceil(max(found.cpus, found.cpus_peak) - 0.2))
    is_known = found.samples >= LEAST_SAMPLES and count == asked.cpus
    return Use(words, f"--cpus {enough}" if is_known and enough <= count / 2 else "")


def _gpus(asked: Resources, found: Measured) -> list[Use]:
    lines = [
        f"gpu {i}: {g.percent:.0f} % at most, {_of(format_size(int(g.mib) << 20), format_size(int(g.mib_total) << 20))}"
        for i, g in enumerate(found.gpus[:8])
    ]
    working = sum(g.percent > 0 or g.mib > IDLE_GPU_MIB for g in found.gpus)
    enough = ""
    if asked.gpus == len(found.gpus) and found.samples >= LEAST_SAMPLES and working <= len(found.gpus) / 2:
        enough = f"--gpus {f'{asked.gpu_type}:' if asked.gpu_type and working else ''}{working}"
    return [Use(line, enough if i == 0 else "") for i, line in enumerate(lines)]


def _time(limit: float, seconds: float) -> Use:
    words = f"time: {format_time(seconds)} of {format_time(limit)}"
    want = max(SHORTEST_TIME_S, seconds * TIME_MARGIN)
    steps = (
        5,
        10,
        15,
        20,
        30,
        45,
        *(60 * h for h in (1, 1.5, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 96, 168)),
    )
    minutes = next((int(m) for m in steps if m * 60 >= want), None)
    if minutes is None or minutes * 60 > limit / 2:
        return Use(words)
    return Use(words, f"--time {minutes // 60}h" if minutes % 60 == 0 else f"--time {minutes}m")


def _of(part: str, whole: str) -> str:
    """``"3.1 of 32 GiB"``: a unit that both share stands once."""
    number, _, unit = part.partition(" ")
    return f"{number if whole.endswith(f' {unit}') else part} of {whole}"


def right_size(lines: Sequence[Use]) -> str:
    """Return the options that would have been enough, in one line to copy; empty if there are none."""
    return " ".join(line.enough for line in lines if line.enough)
