"""What can go wrong: how it is brought about, whom it befalls, and with what a job may end then."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_hpc.backends.kubernetes.client import ApiError
from jupyter_hpc.model.exceptions import HPCError

if TYPE_CHECKING:
    from .driver import Trial

ALL = ("practice", "site", "k8s")
SLURM = ("practice", "site")
STARTS_S = 20.0  # how long to wait for a victim to begin


@dataclass(frozen=True)
class Kind:
    """One kind of accident.

    Attributes
    ----------
    happens : callable
        Brings it about; gets the trial, the victim's key (empty if it befalls all) and how long it lasts.
    of_one : bool
        It befalls one cell.
    ends_with : tuple of str
        Classes of errors with which a cell that it befell may end; one that ends well is always right.
    worlds : tuple of str
        Where it can happen.
    """

    happens: Callable[[Trial, str, float], None]
    of_one: bool = False
    ends_with: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ALL


def _daemon(name: str, number: int) -> Callable[[Trial, str, float], None]:
    """A daemon is killed and started again, or stopped and goes on, a while later."""

    def happens(trial: Trial, _: str, lasts_s: float) -> None:
        with trial.world.locks[name]:
            trial.world.signal(name, number)
            trial.world.forgot_jobs |= name == "slurmctld" and number == signal.SIGKILL
            time.sleep(lasts_s)
            if number == signal.SIGSTOP:
                trial.world.signal(name, signal.SIGCONT)
            trial.world.start(name)

    return happens


def _worker(whole: bool, number: int) -> Callable[[Trial, str, float], None]:
    """The worker, or all of the job's processes, get a signal."""

    def happens(trial: Trial, key: str, _: float) -> None:
        for pid in trial.pids(key, STARTS_S):
            with suppress(ProcessLookupError, PermissionError):
                (os.killpg if whole else os.kill)(os.getpgid(pid) if whole else pid, number)

    return happens


def _client_killed(trial: Trial, _: str, __: float) -> None:
    trial.kill_client()


def _scancel(trial: Trial, key: str, _: float) -> None:
    if native := trial.native_id(key, STARTS_S):
        trial.run("scancel", native)


def _requeue(trial: Trial, key: str, _: float) -> None:
    if native := trial.native_id(key, STARTS_S):
        trial.run("scontrol", "requeue", native)


def _cancel(trial: Trial, key: str, _: float) -> None:
    """Somebody ends it from a shell."""
    if run := trial.run_id(key, STARTS_S):
        trial.command("cancel", run)


def _second_client(trial: Trial, key: str, _: float) -> None:
    """Another process waits for the same job."""
    if run := trial.run_id(key, STARTS_S):
        trial.command("result", run)


def _looked_at(trial: Trial, _: str, lasts_s: float) -> None:
    """Somebody lists the jobs, and cleans, again and again."""
    end = time.monotonic() + lasts_s
    while time.monotonic() < end:
        trial.command("jobs")
        trial.command("clean")


def _full(trial: Trial, _: str, lasts_s: float) -> None:
    with trial.disk.filled():
        time.sleep(lasts_s)


def _read_only(trial: Trial, _: str, lasts_s: float) -> None:
    with trial.disk.read_only():
        time.sleep(lasts_s)


def _pod(act: str) -> Callable[[Trial, str, float], None]:
    """A cell's pods are deleted or evicted, as by a person or a node that is drained."""

    def happens(trial: Trial, key: str, _: float) -> None:
        world: Any = trial.world
        if run := trial.run_id(key, STARTS_S):
            for name in trial.within(STARTS_S, lambda: world.pods(run)) or ():
                with suppress(ApiError, HPCError):  # it has ended, or the API server is away
                    getattr(world, act)(name)

    return happens


def _wire_cut(trial: Trial, _: str, lasts_s: float) -> None:
    world: Any = trial.world
    with world.wire.cut():
        time.sleep(lasts_s)


def _wire_slow(trial: Trial, _: str, lasts_s: float) -> None:
    world: Any = trial.world
    with world.wire.slow(0.5):
        time.sleep(lasts_s)


def _clock(by_s: float) -> Callable[[Trial, str, float], None]:
    """The client's clock is set, and set right again."""

    def happens(trial: Trial, _: str, lasts_s: float) -> None:
        trial.set_clock(by_s)
        time.sleep(lasts_s)
        trial.set_clock(0.0)

    return happens


def _all_along(trial: Trial, _: str, __: float) -> None:
    """The client was started so."""


STALE = "files seen late"  # as on NFS: for two seconds, in the client and its kernel
DIES = ("ProcessDied", "JobCancelled", "NodeFailed")
# NodeFailed: Slurm cancels a job whose log it can't open, and nothing tells of the disk once that is well again
FULL = ("DiskFull", "OSError", "HPCError", "ProcessDied", "SubmissionError", "NoSharedDisk", "NodeFailed")
AWAY = ("TargetError", "SubmissionError", "HPCError")
FORGOT = "ids handed out again"
# a controller that was killed hands out again the ids that it had not saved, and a node that still knows the job of before
# refuses the new one: "already running, do not launch second copy"
REFUSED = ("NodeFailed",)
FORGOTTEN = (
    "JobLost",
)  # nor does it know the jobs of its last seconds: it has them killed, and tells nobody how they ended
KINDS: dict[str, Kind] = {
    "client killed": Kind(_client_killed),
    "worker killed": Kind(_worker(False, signal.SIGKILL), True, DIES, SLURM),
    "worker terminated": Kind(_worker(False, signal.SIGTERM), True, (*DIES, "CellExit"), SLURM),
    "job's processes killed": Kind(_worker(True, signal.SIGKILL), True, DIES, SLURM),
    "worker stopped": Kind(_worker(False, signal.SIGSTOP), True, (*DIES, "TimeLimitExceeded"), ()),
    "scancel": Kind(_scancel, True, ("JobCancelled", "TasksFailed"), SLURM),
    "requeue": Kind(_requeue, True, (), SLURM),
    "cancelled": Kind(_cancel, True, ("JobCancelled", "TasksFailed")),
    "second client": Kind(_second_client, True),
    "looked at": Kind(_looked_at),
    "controller killed": Kind(_daemon("slurmctld", signal.SIGKILL), False, (*AWAY, *REFUSED, *FORGOTTEN), SLURM),
    FORGOT: Kind(_all_along, False, REFUSED, ()),
    "controller stopped": Kind(_daemon("slurmctld", signal.SIGSTOP), False, AWAY, SLURM),
    "node daemon killed": Kind(_daemon("slurmd.c1", signal.SIGKILL), False, ("NodeFailed",), SLURM),
    "accounting killed": Kind(_daemon("slurmdbd", signal.SIGKILL), worlds=("site",)),
    "disk full": Kind(_full, False, FULL),
    "disk read-only": Kind(_read_only, False, FULL),
    STALE: Kind(_all_along, worlds=SLURM),
    "clock set forward": Kind(_clock(3600.0)),
    "clock set back": Kind(_clock(-3600.0)),
    "pod deleted": Kind(_pod("delete_pod"), True, ("JobCancelled",), ("k8s",)),
    "pod evicted": Kind(_pod("evict_pod"), True, ("NodeFailed",), ("k8s",)),
    "connection cut": Kind(_wire_cut, False, AWAY, ("k8s",)),
    "connection slow": Kind(_wire_slow, False, AWAY, ("k8s",)),
    "kubelet killed": Kind(_daemon("kubelet-node1", signal.SIGKILL), worlds=("k8s",)),
    "containerd killed": Kind(_daemon("containerd-node1", signal.SIGKILL), worlds=("k8s",)),
    "API server killed": Kind(_daemon("kube-apiserver", signal.SIGKILL), False, AWAY, ("k8s",)),
    "etcd killed": Kind(_daemon("etcd", signal.SIGKILL), False, AWAY, ("k8s",)),
}


def of(world: str) -> dict[str, bool]:
    """Return what can happen in a world: names, with whether it befalls one cell."""
    return {name: kind.of_one for name, kind in KINDS.items() if world in kind.worlds}


def allowed(names_and_victims: list[tuple[str, str]], key: str) -> set[str]:
    """Return the errors with which a cell may end, given what happened in its trial."""
    return {error for name, victim in names_and_victims if victim in ("", key) for error in KINDS[name].ends_with}
