"""What a Slurm site has, and the parsers of the commands that say so. Odd lines are passed over, never an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

SINFO_FIELDS = (
    *("NodeList", "Partition", "CPUsState", "Memory", "AllocMem"),
    *("Gres", "GresUsed", "Features", "StateLong"),
)
ASSOCIATION_FIELDS = ("Cluster", "Account", "Partition", "QOS", "DefaultQOS")
QOS_FIELDS = ("Name", "Flags", "MaxWall", "MaxTRES", "MaxTRESPU", "MaxJobsPU", "GrpTRES", "GrpJobs")
_USABLE = ("idle", "mixed", "allocated", "planned")
_UNSET = ("", "(null)", "N/A", "NONE", "UNLIMITED", "INFINITE")
_UNITS = {"": 0, "K": -1, "M": 0, "G": 1, "T": 2, "P": 3}  # powers of 1024 of a MiB


@dataclass(frozen=True)
class Partition:
    """A partition's limits; None is no limit. Times are in seconds, memory in MiB."""

    name: str
    is_default: bool = False
    is_hidden: bool = False
    state: str = "UP"
    max_time: int | None = None
    default_time: int | None = None
    max_nodes: int | None = None
    max_cpus_per_node: int | None = None
    max_memory_per_node: int | None = None
    default_memory_per_cpu: int | None = None
    total_cpus: int = 0
    total_nodes: int = 0
    groups: tuple[str, ...] = ()  # empty: all
    accounts: tuple[str, ...] = ()
    denied_accounts: tuple[str, ...] = ()
    qos: tuple[str, ...] = ()
    denied_qos: tuple[str, ...] = ()

    def takes(self, account: str | None, qos: str | None) -> bool:
        """Whether jobs of this account and QOS may come here, as far as the names tell."""
        for name, allowed, denied in (
            (account, self.accounts, self.denied_accounts),
            (qos, self.qos, self.denied_qos),
        ):
            if name and ((allowed and name not in allowed) or name in denied):
                return False
        return True


@dataclass(frozen=True)
class Node:
    """A node (or, with ``count``, several that are alike): what it has, and what of it is free. Memory in MiB."""

    name: str
    partitions: tuple[str, ...]
    cpus: int
    memory: int
    gpus: Mapping[str, int] = field(default_factory=dict)  # type ("" if it has none) → number
    features: tuple[str, ...] = ()
    state: str = ""
    free_cpus: int = 0
    free_memory: int = 0
    free_gpus: Mapping[str, int] = field(default_factory=dict)
    count: int = 1

    @property
    def is_usable(self) -> bool:
        """Whether a job could start here now: not down, draining, reserved, powered down or silent."""
        match = re.fullmatch(r"([a-z]+)(-?)", self.state.lower())
        return match is not None and match[1] in _USABLE

    @property
    def is_empty(self) -> bool:
        return self.free_cpus == self.cpus

    def shape(self) -> Node:
        """Return what doesn't change from minute to minute, without the name."""
        return Node("", self.partitions, self.cpus, self.memory, dict(self.gpus), self.features)


@dataclass(frozen=True)
class Association:
    """One account (and partition, if it is bound to one) that the user may charge."""

    account: str
    partition: str = ""
    qos: tuple[str, ...] = ()
    default_qos: str = ""


@dataclass(frozen=True)
class Qos:
    """A quality of service: its flags and limits, as sacctmgr writes them."""

    name: str
    flags: tuple[str, ...] = ()
    max_wall: int | None = None
    max_tres: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)  # for words: sacctmgr's field → value


# -- values --------------------------------------------------------------------------------------


def seconds(text: str) -> int | None:
    """Return seconds of ``D-HH:MM:SS`` and its shorter forms; None for no limit, or no time."""
    match = re.fullmatch(r"(?:([0-9]{1,6})-)?([0-9]{1,6})(?::([0-9]{1,2}))?(?::([0-9]{1,2}))?", text.strip())
    if match is None:
        return None
    days, *rest = match.groups()
    numbers = [int(x) for x in rest if x is not None]
    units = (3600, 60, 1) if days is not None or len(numbers) == 3 else (60, 1)  # a lone number is minutes
    return int(days or 0) * 86_400 + sum(n * u for n, u in zip(numbers, units))


def number(text: str) -> int | None:
    """Return a whole number; None for no limit, or no number."""
    match = re.match(r"[0-9]{1,15}", text.strip())
    return int(match[0]) if match else None


def mebibytes(text: str) -> int | None:
    """Return MiB of ``64000``, ``62.50G``, ``64000M``; None if it is no size."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)([KMGTP]?)B?", text.strip())
    if match is None:
        return None
    return int(float(match[1]) * 1024.0 ** _UNITS[match[2]])


def gpus_of(text: str) -> dict[str, int]:
    """Return type → number of the gpus in ``gpu:a100:4(S:0-1),gpu:2,shard:8`` or ``gpu:a100:3(IDX:0,2)``."""
    found: dict[str, int] = {}
    for part in re.sub(r"\([^)]*\)?", "", text).split(","):
        name, *rest = part.strip().split(":")
        if name != "gpu":
            continue
        rest = [x for x in rest if x != "no_consume"]
        count = number(rest[-1]) if rest else 1
        kind = rest[0] if rest and not rest[0][:1].isdigit() else ""
        count = 1 if count is None else count
        if count:
            found[kind] = found.get(kind, 0) + count
    return found


def _names(text: str, every: str = "ALL") -> tuple[str, ...]:
    return () if text.strip() in (*_UNSET, every) else tuple(x for x in text.strip().split(",") if x)


def _tres(text: str) -> dict[str, str]:
    """Return ``{"cpu": "4", "gres/gpu": "2"}`` of ``cpu=4,gres/gpu=2``."""
    return {k: v for k, eq, v in (part.partition("=") for part in text.split(",")) if eq and k}


# -- commands ------------------------------------------------------------------------------------


def sinfo_format() -> str:
    """Return the ``-O`` argument of ``sinfo -N``: delimited, so that its shape is the same on all versions."""
    return ",".join(f"{name}:|" for name in SINFO_FIELDS)


def parse_nodes(text: str) -> dict[str, Node]:
    """Return name → node from ``sinfo -h -N -O``: one line for each node and partition."""
    rows: dict[str, tuple[str, ...]] = {}
    partitions: dict[str, list[str]] = {}
    for line in text.splitlines():
        parts = line.split("|")
        if len(parts) < len(SINFO_FIELDS) or not parts[0].strip():
            continue
        name = parts[0].strip()
        rows.setdefault(name, tuple(parts[2 : len(SINFO_FIELDS)]))
        partitions.setdefault(name, []).append(parts[1].strip().rstrip("*"))
    alike: dict[tuple[str, ...], Node | None] = {}  # thousands of nodes differ in their names only
    found = {}
    for name, row in rows.items():
        if row not in alike:
            alike[row] = _node(dict(zip(SINFO_FIELDS[2:], (x.strip() for x in row))))
        node = alike[row]
        if node is not None:
            found[name] = replace(node, name=name, partitions=tuple(sorted(partitions[name])))
    return found


def _node(row: Mapping[str, str]) -> Node | None:
    cpus = [number(x) for x in row["CPUsState"].split("/")]  # allocated/idle/other/total
    memory, allocated = mebibytes(row["Memory"]), mebibytes(row["AllocMem"])
    if len(cpus) != 4 or cpus[3] is None or memory is None:
        return None
    gpus, used = gpus_of(row["Gres"]), gpus_of(row["GresUsed"])
    return Node(
        "",
        (),
        cpus[3],
        memory,
        gpus,
        _names(row["Features"]),
        row["StateLong"],
        cpus[1] or 0,
        max(memory - (allocated or 0), 0),
        {kind: max(count - used.get(kind, 0), 0) for kind, count in gpus.items()},
    )


def parse_partitions(text: str) -> dict[str, Partition]:
    """Return name → partition from ``scontrol -o show partition``."""
    found = {}
    for line in text.splitlines():
        row = dict(re.findall(r"(\w+)=(\S*)", line))
        name = row.get("PartitionName")
        if not name:
            continue
        get = row.get
        found[name] = Partition(
            name,
            is_default=get("Default") == "YES",
            is_hidden=get("Hidden") == "YES",
            state=get("State", "UP"),
            max_time=seconds(get("MaxTime", "")),
            default_time=seconds(get("DefaultTime", "")),
            max_nodes=number(get("MaxNodes", "")),
            max_cpus_per_node=number(get("MaxCPUsPerNode", "")),
            max_memory_per_node=mebibytes(get("MaxMemPerNode", "")),
            default_memory_per_cpu=mebibytes(get("DefMemPerCPU", "")),
            total_cpus=number(get("TotalCPUs", "")) or 0,
            total_nodes=number(get("TotalNodes", "")) or 0,
            groups=_names(get("AllowGroups", "")),
            accounts=_names(get("AllowAccounts", "")),
            denied_accounts=_names(get("DenyAccounts", "")),
            qos=_names(get("AllowQos", "")),
            denied_qos=_names(get("DenyQos", "")),
        )
    return found


def parse_config(text: str) -> dict[str, str]:
    """Return setting → value from ``scontrol show config``; what is unset is left out."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and value.strip() not in ("", "(null)", "N/A"):
            found[key.strip()] = value.strip()
    return found


def parse_associations(text: str, cluster: str) -> list[Association]:
    """Return the user's associations from ``sacctmgr -n -P show assoc``, on this cluster."""
    found = []
    for line in text.splitlines():
        parts = [p.strip() for p in line.split("|")]
        if len(parts) != len(ASSOCIATION_FIELDS) or not parts[1]:
            continue
        if not cluster or not parts[0] or parts[0] == cluster:
            found.append(Association(parts[1], parts[2], _names(parts[3]), parts[4]))
    return found


def parse_qos(text: str) -> dict[str, Qos]:
    """Return name → QOS from ``sacctmgr -n -P show qos``."""
    found = {}
    for line in text.splitlines():
        parts = [p.strip() for p in line.split("|")]
        if len(parts) != len(QOS_FIELDS) or not parts[0]:
            continue
        row = dict(zip(QOS_FIELDS, parts))
        limits = {k: row[k] for k in QOS_FIELDS[2:] if row[k]}
        found[row["Name"]] = Qos(
            row["Name"], _names(row["Flags"]), seconds(row["MaxWall"]), _tres(row["MaxTRES"]), limits
        )
    return found


# -- all of it -----------------------------------------------------------------------------------

_CONFIG_KEYS = (
    *("ClusterName", "SLURM_VERSION", "JobSubmitPlugins", "CliFilterPlugins", "AccountingStorageEnforce"),
    *("SchedulerType", "SelectTypeParameters", "DefMemPerCPU", "DefMemPerNode"),
)


@dataclass(frozen=True)
class Inventory:
    """What a site has. ``associations`` and ``qos`` are None where no database answered."""

    read_at: float
    partitions: Mapping[str, Partition]
    shapes: tuple[Node, ...]
    config: Mapping[str, str] = field(default_factory=dict)
    associations: tuple[Association, ...] | None = None
    qos: Mapping[str, Qos] | None = None

    @property
    def default_partition(self) -> Partition | None:
        return next((p for p in self.partitions.values() if p.is_default), None)

    @property
    def enforced(self) -> str:
        """``AccountingStorageEnforce``: which limits of the database hold."""
        return self.config.get("AccountingStorageEnforce", "none").lower()

    def without_accounting(self) -> Inventory:
        """Return the same as if there were no QOS that could lift a limit."""
        config = {k: v for k, v in self.config.items() if k != "AccountingStorageEnforce"}
        return replace(self, config=config, qos=None)

    def visible(self) -> list[str]:
        """Return the partitions that sinfo shows this user."""
        seen = {name for shape in self.shapes for name in shape.partitions}
        return [n for n, p in self.partitions.items() if not p.is_hidden and (not seen or n in seen)]

    def gpu_types(self, partition: str | None = None) -> list[str]:
        return sorted({k for s in self._of(partition) for k in s.gpus if k})

    def features(self, partition: str | None = None) -> list[str]:
        return sorted({f for s in self._of(partition) for f in s.features})

    def _of(self, partition: str | None) -> list[Node]:
        return [s for s in self.shapes if partition is None or partition in s.partitions]

    def accounts(self) -> list[str]:
        return sorted({a.account for a in self.associations or ()})

    def qos_names(self, account: str | None = None) -> list[str]:
        """Return the QOS that the user may name, with this account."""
        own = [a for a in self.associations or () if account in (None, a.account)]
        return sorted({name for a in own for name in a.qos})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Inventory | None:
        """Return the inventory that :meth:`to_json` wrote; None for anything else."""
        try:
            associations, qos = data["associations"], data["qos"]
            return cls(
                float(data["read_at"]),
                {k: Partition(**_tuples(v)) for k, v in data["partitions"].items()},
                tuple(Node(**_tuples(v)) for v in data["shapes"]),
                {str(k): str(v) for k, v in data["config"].items()},
                None if associations is None else tuple(Association(**_tuples(a)) for a in associations),
                None if qos is None else {k: Qos(**_tuples(v)) for k, v in qos.items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}


def take_inventory(
    read_at: float, nodes: Mapping[str, Node], partitions: Mapping[str, Partition], config: Mapping[str, str]
) -> Inventory:
    """Put together what the commands said: nodes that are alike become one shape."""
    alike: dict[tuple[object, ...], list[Node]] = {}
    for node in nodes.values():
        key = (node.partitions, node.cpus, node.memory, tuple(node.gpus.items()), node.features)
        alike.setdefault(key, []).append(node)
    shapes = tuple(replace(some[0].shape(), count=len(some)) for some in alike.values())
    kept = {k: config[k] for k in _CONFIG_KEYS if k in config}
    return Inventory(read_at, dict(partitions), shapes, kept)
