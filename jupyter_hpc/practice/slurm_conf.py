"""The configuration files of the practice cluster, as text.

The cluster has two nodes on this host, told apart by their ports. GPUs are symlinks to
``/dev/null``: Slurm wants a character device and looks no further.
"""

from __future__ import annotations

import os
import pwd
import random
import socket
from dataclasses import dataclass
from pathlib import Path

COMMANDS_CONF, DAEMONS_CONF = "slurm.conf", "slurm.daemons.conf"
GPUS = 4


@dataclass(frozen=True)
class Node:
    """A node's name and its ``slurm.conf`` properties."""

    name: str
    properties: str


NODES = (
    Node("c1", "CPUs=8 CoresPerSocket=8 RealMemory=16000 Features=cpu"),
    Node(
        "g1",
        f"CPUs=16 Sockets=2 CoresPerSocket=8 RealMemory=64000 Gres=gpu:a100:{GPUS}",
    ),
)
PARTITIONS = ("debug", "gpu")

_SETTINGS = """\
AuthType=auth/none
AuthInfo=cred_expire=10
CredType=cred/none
SlurmdParameters=config_overrides
SlurmctldSyslogDebug=quiet
SlurmdSyslogDebug=quiet
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=2
MinJobAge=600
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1024
GresTypes=gpu
"""


def host_name() -> str:
    """What ``hostname -s`` prints; Slurm insists on it."""
    return socket.gethostname().partition(".")[0]


def own_address() -> str | None:
    """The loopback address of this host's name, or None when the name leads to the network.

    With NoInAddrAny the daemons listen where the name leads: 127.0.0.1, or Debian's 127.0.1.1.
    """
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return None
    addresses = [str(entry[4][0]) for entry in found]
    if addresses and all(address.startswith("127.") for address in addresses):
        return addresses[0]
    return None


def free_ports(address: str, count: int) -> list[int]:
    """Ports that nobody listens on, below the range that the kernel hands out by itself."""
    sockets: list[socket.socket] = []
    try:
        for port in random.SystemRandom().sample(range(20000, 30000), 2000):
            probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                probe.bind((address, port))
            except OSError:
                probe.close()
                continue
            sockets.append(probe)
            if len(sockets) == count:
                break
        return [probe.getsockname()[1] for probe in sockets]
    finally:
        for probe in sockets:
            probe.close()


def write_configuration(
    directory: Path, *, version: tuple[int, int], address: str, ports: list[int], first_job_id: int
) -> Path:
    """Write the daemons' and the commands' slurm.conf, gres.conf, cgroup.conf and the devices.

    Parameters
    ----------
    directory : Path
        Where the cluster lives; absolute, without spaces.
    version : tuple of int
        Slurm's release, as (22, 5).
    address : str
        The address that every daemon listens on.
    ports : list of int
        One for the controller and one for each node.
    first_job_id : int
        The id of the first job.

    Returns
    -------
    Path
        The configuration of the daemons; that of the commands is slurm.conf beside it.
    """
    devices = directory / "dev"
    for folder in (devices, directory / "state", *(directory / "spool" / n.name for n in NODES)):
        folder.mkdir(parents=True, exist_ok=True)
    for index in range(GPUS):
        (devices / f"nvidia{index}").symlink_to("/dev/null")
    (directory / "gres.conf").write_text(
        f"NodeName=g1 Name=gpu Type=a100 File={devices}/nvidia[0-{GPUS - 1}]\n", encoding="utf-8"
    )
    plugin = "disabled" if version >= (24, 5) else "cgroup/v1"
    (directory / "cgroup.conf").write_text(f"CgroupPlugin={plugin}\n", encoding="utf-8")
    text = _slurm_conf(directory, address=address, ports=ports, first_job_id=first_job_id)
    _write_confs(directory, text, srun_listens_where_called=own_address() != "127.0.0.1")
    return directory / DAEMONS_CONF


def _write_confs(directory: Path, text: str, *, srun_listens_where_called: bool) -> None:
    """Daemons listen where the host name leads; srun listens where its steps call it.

    A step calls srun back at the address it was called from, which is 127.0.0.1 whatever the host
    name leads to. Where that differs, srun listens everywhere while it runs: only srun, which
    starts nothing on request.
    """
    prolog, daemons, commands = directory / "task_prolog", text, text
    daemons += "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n"
    if srun_listens_where_called:
        daemons += f"TaskProlog={prolog}\n"
        prolog.write_text(f"#!/bin/sh\necho export SLURM_CONF={directory / COMMANDS_CONF}\n", encoding="utf-8")
        prolog.chmod(0o700)
    else:
        commands = daemons
    (directory / DAEMONS_CONF).write_text(daemons, encoding="utf-8")
    (directory / COMMANDS_CONF).write_text(commands, encoding="utf-8")


def _slurm_conf(directory: Path, *, address: str, ports: list[int], first_job_id: int) -> str:
    host, user = host_name(), _user_name()
    lines = [
        "# Written by jupyter_hpc.practice at each start; changes are lost.",
        "ClusterName=practice",
        f"SlurmctldHost={host}({address})",
        f"SlurmctldPort={ports[0]}",
        f"SlurmUser={user}",
        f"SlurmdUser={user}",
        f"StateSaveLocation={directory}/state",
        f"SlurmdSpoolDir={directory}/spool/%n",
        f"SlurmctldPidFile={directory}/state/slurmctld.pid",
        f"SlurmdPidFile={directory}/spool/%n/slurmd.pid",
        f"SlurmdLogFile={directory}/slurmd.%n.log",
        f"FirstJobId={first_job_id}",
        *_SETTINGS.splitlines(),
    ]
    for node, port in zip(NODES, ports[1:], strict=True):
        where = f"NodeHostname={host} NodeAddr={address} Port={port}"
        lines.append(f"NodeName={node.name} {where} {node.properties}")
    names = ",".join(node.name for node in NODES)
    lines += [
        f"PartitionName=debug Nodes={names} Default=YES MaxTime=1-00:00:00 State=UP",
        "PartitionName=gpu Nodes=g1 MaxTime=1-00:00:00 State=UP",
    ]
    return "\n".join(lines) + "\n"


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a uid that has no name
        return str(os.getuid())
