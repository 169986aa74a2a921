"""What the scheduler gave this process, in words that no scheduler has for itself."""

from __future__ import annotations

TYPE_CHECKING = False  # a start without typing is faster
if TYPE_CHECKING:
    from typing import Any, Dict, Mapping, Optional

_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_NO_LIMIT = 1 << 60  # what cgroups of version 1 say where there is none


def described(told: Mapping[str, str]) -> Dict[str, Any]:
    """Return what a scheduler's variables say; what they don't is left out.

    Returns
    -------
    dict
        ``job_id`` (as the scheduler has it), ``attempt`` (from 1), ``nodes`` (their names, in the scheduler's way to
        list them), ``rank`` (from 0), ``cpus`` and ``memory_limit`` (bytes) on this node.
    """
    restarts = _number(told.get("SLURM_RESTART_COUNT"))
    found = {
        "job_id": told.get("SLURM_JOB_ID"),
        "attempt": None if restarts is None else restarts + 1,
        "nodes": told.get("SLURM_JOB_NODELIST"),
        "rank": _number(told.get("SLURM_PROCID")),
        "cpus": _number(told.get("SLURM_CPUS_ON_NODE")),
        "memory_limit": _memory(told),
    }
    return {key: value for key, value in found.items() if value is not None}


def _memory(told: Mapping[str, str]) -> Optional[int]:
    whole, per_cpu = _number(told.get("SLURM_MEM_PER_NODE")), _number(told.get("SLURM_MEM_PER_CPU"))
    if not whole and per_cpu:
        whole = per_cpu * (_number(told.get("SLURM_CPUS_ON_NODE")) or 0)
    return whole << 20 if whole else None


def container_memory() -> Optional[int]:
    """Return the memory limit of the container that this process is in; None where it has none."""
    for path in _CGROUP_LIMITS:
        try:
            with open(path, encoding="ascii") as file:
                limit = _number(file.read().strip())
        except OSError:
            continue
        return limit if limit and limit < _NO_LIMIT else None
    return None


def _number(text: Optional[str]) -> Optional[int]:
    return int(text) if text and text.isdecimal() and text.isascii() and len(text) < 16 else None
