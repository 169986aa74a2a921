"""The configuration of the full Slurm, as text: daemons, nodes, partitions, accounts, QOS."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_hpc.practice.slurm_conf import host_name

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Node:
    """A node; one that is ``far`` doesn't see the run directories."""

    name: str
    properties: str
    gpus: tuple[str, int] | None = None
    far: bool = False


NODES = (
    Node("c1", "CPUs=8 CoresPerSocket=8 RealMemory=16000 Features=cpu,intel"),
    Node("c2", "CPUs=8 CoresPerSocket=8 RealMemory=16000 Features=cpu,amd"),
    Node("g1", "CPUs=16 Sockets=2 CoresPerSocket=8 RealMemory=64000 Features=gpu,nvlink", ("a100", 4)),
    Node("g2", "CPUs=16 Sockets=2 CoresPerSocket=8 RealMemory=64000 Features=gpu", ("h100", 2)),
    Node("r1", "CPUs=4 CoresPerSocket=4 RealMemory=8000 Features=cpu,far", far=True),
)
PARTITIONS = (
    "PartitionName=debug Nodes=c1,c2,g1,g2 Default=YES MaxTime=1-00:00:00 State=UP",
    "PartitionName=gpu Nodes=g1,g2 MaxTime=1-00:00:00 State=UP",
    "PartitionName=short Nodes=c1,c2,g1,g2 MaxTime=5 DefaultTime=1 State=UP",
    "PartitionName=chemistry Nodes=c1,c2 AllowAccounts=chemistry MaxTime=1-00:00:00 State=UP",
    "PartitionName=remote Nodes=r1 MaxTime=1-00:00:00 State=UP",
)
ACCOUNTS = {"physics": "alice", "chemistry": "bob"}
QOS = {
    "low": "Priority=10",
    "high": "Priority=1000",
    "onejob": "Priority=100 MaxJobsPerUser=1",
    "twogpus": "Priority=100 MaxTRESPerUser=gres/gpu=2",
    "groupgpus": "Priority=100 GrpTRES=gres/gpu=2",
    "limited": "Priority=100 MaxWall=00:10:00 MaxSubmitJobsPerUser=2 Flags=DenyOnLimit",
}

_SETTINGS = """\
ClusterName=full
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmdParameters=config_overrides
SlurmctldSyslogDebug=quiet
SlurmdSyslogDebug=quiet
MailProg=/bin/true
MpiDefault=none
KillWait=2
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=512
PriorityType=priority/multifactor
PriorityWeightQOS=100000
PriorityWeightAge=1000
PreemptType=preempt/qos
PreemptMode=REQUEUE
JobRequeue=1
GresTypes=gpu
Licenses=matlab:1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStorageTRES=gres/gpu,gres/gpu:a100,gres/gpu:h100
AccountingStorageEnforce=associations,limits,qos
AccountingStoreFlags=job_comment
JobAcctGatherFrequency=task=1
"""
_WITH_CGROUPS = """\
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
JobAcctGatherType=jobacct_gather/linux
"""
_WITHOUT_CGROUPS = """\
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherParams=OverMemoryKill
"""


@dataclass(frozen=True)
class Site:
    """What the files need to know.

    Parameters
    ----------
    directory : Path
        The cluster's own folder.
    ports : tuple of int
        slurmctld, slurmdbd, and one for each node.
    version : tuple of int
        Slurm's release, as (22, 5).
    cgroups : bool
        Whether jobs get cgroups (v1) with limits.
    settings : mapping
        Lines of ``slurm.conf`` that replace the ones here.
    """

    directory: Path
    ports: tuple[int, ...]
    version: tuple[int, int]
    cgroups: bool
    settings: Mapping[str, str]

    @property
    def munge(self) -> Path:
        return self.directory / "munge" / "socket"


def write(site: Site) -> Path:
    """Write every configuration file; returns ``slurm.conf``."""
    directory = site.directory
    gres = []
    for node in NODES:
        (directory / "spool" / node.name).mkdir(parents=True)
        if node.gpus:
            kind, count = node.gpus
            devices = directory / "dev" / node.name
            devices.mkdir(parents=True)
            for index in range(count):  # Slurm wants character devices, and looks no further
                (devices / f"nvidia{index}").symlink_to("/dev/null")
            gres.append(f"NodeName={node.name} Name=gpu Type={kind} File={devices}/nvidia[0-{count - 1}]")
    (directory / "gres.conf").write_text("\n".join(gres) + "\n")
    (directory / "cgroup.conf").write_text(_cgroup_conf(site))
    (directory / "slurm.conf").write_text(_slurm_conf(site))
    dbd = directory / "slurmdbd.conf"
    dbd.touch(mode=0o600)
    dbd.write_text(_slurmdbd_conf(site))
    return directory / "slurm.conf"


def accounting() -> list[list[list[str]]]:
    """Return what sacctmgr is to be told once slurmctld runs, which makes the kinds of GPU known.

    Each stage's calls may run side by side. Those of accounts and users may not: of two users that are added at the
    same time slurmdbd often keeps one only. The other has an association and no default account, which a controller
    notices when it starts again.
    """
    everybody = f"qos={','.join(['normal', *QOS])}"
    return [
        [["modify", "qos", "normal", "set", "Priority=100"]]
        + [["add", "qos", name, *options.split()] for name, options in QOS.items()],
        [["modify", "qos", "high", "set", "Preempt=low,normal"]],
        [["modify", "account", "root", "set", everybody, "defaultqos=normal"]],
        [["add", "account", ",".join(ACCOUNTS), everybody, "defaultqos=normal"]],
        *([["add", "user", user, f"account={account}"]] for account, user in ACCOUNTS.items()),
    ]


def _cgroup_conf(site: Site) -> str:
    if not site.cgroups:
        return f"CgroupPlugin={'disabled' if site.version >= (24, 5) else 'cgroup/v1'}\n"
    return (
        "CgroupPlugin=cgroup/v1\n"
        f"CgroupMountpoint={site.directory}/cgroup\n"
        "ConstrainRAMSpace=yes\n"
        "ConstrainSwapSpace=no\n"
        "ConstrainCores=no\n"  # the nodes claim more cores than this machine has
        "ConstrainDevices=no\n"
    )


def _slurm_conf(site: Site) -> str:
    directory, host = site.directory, host_name()
    text = "\n".join(
        (
            f"SlurmctldHost={host}({ADDRESS})",
            f"SlurmctldPort={site.ports[0]}",
            f"AuthInfo=socket={site.munge},cred_expire=5",
            f"AccountingStoragePort={site.ports[1]}",
            f"AccountingStoragePass={site.munge}",
            f"StateSaveLocation={directory}/state",
            f"SlurmdSpoolDir={directory}/spool/%n",
            f"SlurmctldPidFile={directory}/state/slurmctld.pid",
            f"SlurmdPidFile={directory}/spool/%n/slurmd.pid",
            f"SlurmdLogFile={directory}/log/slurmd.%n.log",
            f"FirstJobId={1 + int(time.time()) % 60_000_000}",  # an id never means two jobs
            "MinJobAge=600",
            _SETTINGS + (_WITH_CGROUPS if site.cgroups else _WITHOUT_CGROUPS),
        )
    )
    lines = [x for x in text.splitlines() if x and x.partition("=")[0] not in site.settings]
    lines += [f"{name}={value}" for name, value in site.settings.items()]
    for node, port in zip(NODES, site.ports[2:], strict=True):
        gres = f" Gres=gpu:{node.gpus[0]}:{node.gpus[1]}" if node.gpus else ""
        where = f"NodeHostname={host} NodeAddr={ADDRESS} Port={port}"
        lines.append(f"NodeName={node.name} {where} {node.properties}{gres}")
    return "\n".join([*lines, *PARTITIONS]) + "\n"


def _slurmdbd_conf(site: Site) -> str:
    return "\n".join(
        (
            f"DbdHost={host_name()}",
            f"DbdAddr={ADDRESS}",
            f"DbdPort={site.ports[1]}",
            "CommunicationParameters=NoInAddrAny",
            "SlurmUser=root",
            "AuthType=auth/munge",
            f"AuthInfo=socket={site.munge}",
            f"PidFile={site.directory}/state/slurmdbd.pid",
            "StorageType=accounting_storage/mysql",
            "StorageHost=localhost",
            "StorageUser=root",
            "StorageLoc=slurm",
            "",
        )
    )
