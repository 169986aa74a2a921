"""What a job asks for: nodes, tasks, cpus, memory, gpus and time, the same for all backends.

Sizes and times are read as people and Slurm write them (``4G``, ``1h30m``, ``2-12``) and kept as
bytes and seconds. Everything that can't be read is an :class:`OptionError` of one sentence.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from .declaration import KUBERNETES, option
from .durations import NUMBER, seconds_of
from .exceptions import OptionError

_MAX_COUNT = 1_000_000
_MAX_SIZE = 2**60  # 1 EiB
_MAX_TIME = 3650 * 86_400  # ten years
_SIZE = re.compile(rf"({NUMBER})\s*(?:([kmgtpe])(?:ib?|b)?|(b))?", re.IGNORECASE | re.ASCII)
_GPU_TYPE = re.compile(r"(?!gpu$|[0-9]+x)[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SIZE_HINT = "Write a number and a unit, such as 512M or 4G; a plain number is MiB, as in sbatch."
_TIME_HINT = "Write it as 30m, 1h30m, 2d or D-HH:MM:SS; a plain number is minutes, as in sbatch."
_GPU_HINT = "Write a number (2), a type (a100) or both (a100:2)."


@dataclass(frozen=True)
class Resources:
    """What to ask for; None leaves the choice to the target.

    Parameters
    ----------
    nodes, tasks, tasks_per_node, cpus : int, optional
        How many; cpus are per task.
    memory : int, optional
        Bytes per node.
    gpus : int, optional
        For the whole job; 0 asks for none where the target's default has some.
    gpu_type : str, optional
        The type for ``gpus`` or ``gpus_per_task``.
    gpus_per_task : int, optional
        Instead of ``gpus``.
    time : int, optional
        Seconds.
    exclusive : bool
        Whole nodes, shared with nobody.
    """

    nodes: int | None = option("--nodes", "N", "number of nodes", "resources", sbatch="-N")
    tasks: int | None = option("--tasks", "N", "tasks in the whole job", "resources", sbatch="-n --ntasks")
    tasks_per_node: int | None = option(
        "--tasks-per-node", "N", "tasks on each node", "resources", sbatch="--ntasks-per-node"
    )
    cpus: int | None = option("--cpus", "N", "cpus per task", "resources", sbatch="-c --cpus-per-task")
    memory: int | None = option("--mem", "SIZE", "per node: 512M, 4G, 1.5T; a plain number is MiB", "resources")
    gpus: int | None = option(
        "--gpus", "N|TYPE:N", "gpus for the whole job: 2, a100 or a100:2", "resources", sbatch="-G --gres"
    )
    gpu_type: str | None = None  # said with the number
    gpus_per_task: int | None = option("--gpus-per-task", "N|TYPE:N", "instead of --gpus", "resources")
    time: int | None = option(
        "--time", "TIME", "90s, 1h30m, 2d, 2-12:00; a plain number is minutes", "resources", sbatch="-t"
    )
    exclusive: bool = option(
        "--exclusive",
        None,
        "whole nodes, shared with no other job",
        "resources",
        meaningless={KUBERNETES: "Ask for as many cpus as a node has."},
    )

    @classmethod
    def parse(cls, **values: object) -> Resources:
        """Read resources as people write them.

        Parameters
        ----------
        **values : object
            By field name: strings such as ``"4G"``, numbers that mean what the string would
            (memory in MiB, time in minutes), or None for unset.

        Raises
        ------
        OptionError
            If a key is unknown or a value can't be read.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        found: dict[str, Any] = {}
        for key, value in values.items():
            if key not in names:
                raise OptionError(
                    f"{quote(key)} is not a resource; known are {', '.join(names)}.",
                    hint=did_you_mean(key, names),
                )
            if value is not None and not key.startswith("gpu"):
                found[key] = _read(key, value)
        found.update(_read_gpus(values))
        return cls(**found)

    def merged(self, defaults: Resources) -> Resources:
        """These resources, with the gaps filled from `defaults`.

        ``gpus`` and ``gpus_per_task`` are one choice: to set either leaves both defaults unused.
        """
        merged: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            own = getattr(self, field.name)
            unset = own is None or own is False
            merged[field.name] = getattr(defaults, field.name) if unset else own
        if self.gpus is not None or self.gpus_per_task is not None:
            merged.update(gpus=self.gpus, gpus_per_task=self.gpus_per_task)
            if not self.gpus and not self.gpus_per_task:
                merged["gpu_type"] = None
        return Resources(**merged)

    def to_json(self) -> dict[str, object]:
        """Only the fields that are set, in bytes and seconds."""
        pairs = dataclasses.asdict(self).items()
        return {key: value for key, value in pairs if value is not None and value is not False}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Resources:
        """The inverse of :meth:`to_json`; keys of a later version are ignored.

        Raises
        ------
        OptionError
            If a value has the wrong type.
        """
        found: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            value = data.get(field.name)
            if value is None:
                continue
            kind = {"gpu_type": str, "exclusive": bool}.get(field.name, int)
            if type(value) is not kind or (kind is int and isinstance(value, int) and value < 0):
                raise OptionError(
                    f"The recorded {_spoken(field.name)} {_shown(value)} is not valid: "
                    f"expected {'a non-negative int' if kind is int else kind.__name__}."
                )
            found[field.name] = value
        return cls(**found)

    def describe(self) -> str:
        """One line for people: ``"2 cpus, 4 GiB, 1 a100 gpu, 30 min"``."""
        per_task = " per task" if (self.tasks or self.tasks_per_node or 1) > 1 else ""
        per_node = " per node" if (self.nodes or 1) > 1 else ""
        gpu = f"{self.gpu_type} gpu" if self.gpu_type else "gpu"
        parts = [
            _counted(self.nodes, "node"),
            _counted(self.tasks, "task"),
            _counted(self.tasks_per_node, "task", " per node"),
            _counted(self.cpus, "cpu", per_task),
            "" if self.memory is None else format_size(self.memory) + per_node,
            _counted(self.gpus, gpu),
            _counted(self.gpus_per_task, gpu, " per task"),
            "" if self.time is None else format_time(self.time),
            "exclusive" if self.exclusive else "",
        ]
        if self.gpu_type and self.gpus is None and self.gpus_per_task is None:
            parts.append(f"gpu type {self.gpu_type}")
        return ", ".join(part for part in parts if part) or "default resources"


def parse_size(text: str | int) -> int:
    """Bytes from ``4G``, ``512M``, ``1.5GiB``, ``4 GB``; units are powers of 1024, as in Slurm.

    A plain number is MiB.

    Raises
    ------
    OptionError
        If it isn't a size, isn't positive, or is more than 1 EiB.
    """
    written = _text(text, "memory", _SIZE_HINT)
    match = _SIZE.fullmatch(written)
    if match is None:
        raise OptionError(
            f"Memory {quote(written)} is not a size; allowed are a number and K, M, G or T.",
            hint=_SIZE_HINT,
        )
    number, unit, only_bytes = match.groups()
    power = 0 if only_bytes else " kmgtpe".index((unit or "m").lower())
    from fractions import Fraction

    size = math.ceil(Fraction(number) * (1 << 10 * power))
    if not 0 < size <= _MAX_SIZE:
        raise OptionError(
            f"Memory {quote(written)} is out of range; allowed is more than 0 and at most 1 EiB.",
            hint=_SIZE_HINT,
        )
    return size


def parse_time(text: str | int) -> int:
    """Seconds from ``30m``, ``1h30m``, ``1:30:00``, ``30:00`` (minutes), ``2-12`` (days-hours).

    A plain number is minutes; the result is rounded up to whole seconds.

    Raises
    ------
    OptionError
        If it isn't a time, isn't positive, or is more than ten years.
    """
    written = _text(text, "time", _TIME_HINT)
    form = f"{written}m" if re.fullmatch(NUMBER, written) else written
    seconds = seconds_of(form)
    if seconds is None:
        raise OptionError(
            f"Time {quote(written)} is not a duration; allowed are forms such as 90s, 30m, 1h30m, "
            "2d, 1:30:00 and 2-12:00.",
            hint=_TIME_HINT,
        )
    if not 0 < seconds <= _MAX_TIME:
        raise OptionError(
            f"Time {quote(written)} is out of range; allowed is more than 0 and at most 3650 days.",
            hint=_TIME_HINT,
        )
    return math.ceil(seconds)


def parse_gpus(text: str | int) -> tuple[int, str | None]:
    """Count and type from ``2``, ``a100:2`` or ``a100`` (one of them).

    Raises
    ------
    OptionError
        If it is none of these.
    """
    written = _text(text, "gpus", _GPU_HINT)
    kind, colon, count = written.rpartition(":")
    if not colon and re.search("[A-Za-z]", written):
        kind, count = written, "1"
    number = int(count) if re.fullmatch("[0-9]{1,7}", count) else -1
    good_type = _GPU_TYPE.fullmatch(kind) if kind or colon else True
    if not good_type or not 0 <= number <= _MAX_COUNT:
        hint = _GPU_HINT
        if swapped := re.fullmatch(r"([0-9]+)[:x* ]([A-Za-z][\w.-]*)", written, re.ASCII):
            hint = f"Did you mean {swapped[2]}:{swapped[1]}?"
        elif gres := re.fullmatch(r"gpu:([\w.-]+(?::[0-9]+)?)", written, re.ASCII):
            hint = f"Did you mean {gres[1]}?"
        raise OptionError(
            f"Gpus {quote(written)} is not a request for gpus; allowed are N, TYPE and TYPE:N.",
            hint=hint,
        )
    return number, (kind or None) if number else None


def format_size(n: int) -> str:
    """``"512 MiB"``, ``"1.5 GiB"``, ``"12 B"``: one decimal at most."""
    tenths, power = n * 10, 0
    while power < 6 and abs(tenths) >= 10_240:
        power += 1
        from fractions import Fraction

        tenths = round(Fraction(n * 10, 1024**power))
    return f"{_decimal(tenths)} {('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[power]}"


def format_time(s: float) -> str:
    """``"30 min"``, ``"1 h 30 min"``, ``"2 d"``, ``"0.8 s"``: the two largest units."""
    if not math.isfinite(s):
        return "unknown"
    tenths = round(max(s, 0) * 10)
    if tenths < 100:
        return f"{_decimal(tenths)} s"
    grain = 3600 if s >= 86_400 else 60 if s >= 3600 else 1
    left = int(s / grain + 0.5) * grain
    parts = []
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts)


def slurm_time(s: int) -> str:
    """``D-HH:MM:SS``, the one form of a time limit that Slurm can't misread."""
    minutes, seconds = divmod(max(s, 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:{seconds:02}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"Did you mean memory?"``, or an empty string when nothing is close."""
    import difflib

    close = difflib.get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else ""


def quote(text: str) -> str:
    """`text` in quotes for a message, on one line and not longer than about 60 characters."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _spoken(key: str) -> str:
    return key.replace("_", " ")


def _shown(value: object) -> str:
    return quote(value) if isinstance(value, str) else f"(a {type(value).__name__})"


def _text(value: object, key: str, hint: str = "") -> str:
    """The string for a value: strings and numbers pass, the rest (and bool) don't."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # Python refuses to write integers of thousands of digits
            raise OptionError(f"{_spoken(key).capitalize()} is far too large.", hint=hint) from None
    raise OptionError(
        f"{_spoken(key).capitalize()} must be a string or a number, not {type(value).__name__}.",
        hint=hint,
    )


def _read(key: str, value: object) -> object:
    if key == "memory":
        return parse_size(_text(value, key, _SIZE_HINT))
    if key == "time":
        return parse_time(_text(value, key, _TIME_HINT))
    if key == "exclusive":
        if isinstance(value, bool):
            return value
        raise OptionError(f"Exclusive must be True or False, not {_shown(value)}.")
    written = _text(value, key)
    if re.fullmatch("[0-9]{1,7}", written) and 1 <= int(written) <= _MAX_COUNT:
        return int(written)
    raise OptionError(
        f"{_spoken(key).capitalize()} must be a whole number from 1 to {_MAX_COUNT}, not {quote(written)}."
    )


def _read_gpus(values: Mapping[str, object]) -> dict[str, object]:
    """gpus, gpus_per_task and gpu_type, which depend on each other."""
    found: dict[str, object] = {}
    types: list[str] = []
    if (written := values.get("gpu_type")) is not None:
        if not isinstance(written, str) or not _GPU_TYPE.fullmatch(written):
            raise OptionError(
                f"Gpu type {_shown(written)} is not a name; allowed are letters, digits, '_', '.' and '-'.",
                hint="Write it as the scheduler has it, such as a100.",
            )
        types.append(written)
    for key in ("gpus", "gpus_per_task"):
        if values.get(key) is not None:
            found[key], kind = parse_gpus(_text(values[key], key, _GPU_HINT))
            types += [kind] if kind else []
    if len(found) == 2:
        raise OptionError(
            "Gpus and gpus per task can't both be given; they are two ways to ask for one thing.",
            hint="Keep one of them.",
        )
    if len(set(types)) > 1:
        raise OptionError(
            f"Two gpu types are given, {quote(types[0])} and {quote(types[1])}; a job has one.",
            hint="Keep one of them.",
        )
    if types:
        found["gpu_type"] = types[0]
    return found


def _counted(n: int | None, noun: str, suffix: str = "") -> str:
    return "" if n is None else f"{n} {noun}{'' if n == 1 else 's'}{suffix}"


def _decimal(tenths: int) -> str:
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)
