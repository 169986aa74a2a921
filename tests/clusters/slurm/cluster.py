"""A whole Slurm on this machine, as a real site has it: for tests that need more than the practice cluster.

munge with a key of its own, MariaDB, slurmdbd, slurmctld and five slurmds, all on loopback; limits by cgroup v1;
QOS with preemption; two accounts; root, and the users alice and bob. It needs root.

In a test, take the session fixture ``full_slurm`` (a `FullSlurm`)::

    def test_preempted(full_slurm):
        low = full_slurm.submit("alice", "sleep 600", "--qos=low", "--cpus-per-task=8", "-w", "c1")
        full_slurm.wait_state(low, "RUNNING")
        high = full_slurm.submit("alice", "true", "--qos=high", "--cpus-per-task=8", "-w", "c1")
        full_slurm.wait_state(high, "COMPLETED")
        assert full_slurm.job(low)["Restarts"] == "1"

- ``conf``: path of ``slurm.conf``.  ``no_cgroups``: why there is no real OUT_OF_MEMORY here; empty if there is.
- ``environment(user)``: the whole environment for a process of the user's: HOME, SLURM_CONF, JUPYTER_HPC_ROOT
  (``HOME/hpc``) and Jupyter's folders. ``home(user)``: that HOME; a tmpfs lies over it on the node r1.
- ``argv(user, *command)``: the command with what makes it the user's; with ``environment(user)`` it is ready for
  subprocess, and keeps its pid. ``run(user, *command)`` runs it to its end and returns the CompletedProcess;
  ``says(user, *command)`` returns what it printed. All three work for Slurm's commands and for ``sys.executable``.
- ``start(daemon)``, ``stop(daemon)``, ``kill9(daemon)``, ``pid(daemon)``, ``alive(daemon)`` for ``munged``,
  ``mariadbd``, ``slurmdbd``, ``slurmctld``, ``slurmd.c1`` …; ``start`` returns when it listens. Start again what
  you stopped: others use the cluster. ``repaired()`` does so, gives nodes that went down back to the scheduler, and
  waits until all is as before; ``jobs()`` names what is in the queue, and ``cleared()`` ends it. The fixture does both
  after each test. ``looks()`` says how it is.
- ``submit(user, script, *options)`` → job id; ``job(id)`` → the fields of ``scontrol show job``, empty once the
  controller has forgotten it; ``state(id)``; ``wait_state(id, *states)``; ``wait_saved(id)`` before a kill -9 of
  slurmctld, which otherwise forgets jobs younger than some seconds; ``accounted(id, *fields)`` → sacct's rows,
  waiting until the job's end is there.

Nodes: c1 (intel), c2 (amd), g1 (gpu:a100:4), g2 (gpu:h100:2), r1 (doesn't see any user's home).
Partitions: debug (default; c1, c2, g1, g2), gpu (g1, g2), short (5 minutes), chemistry (its account only), remote (r1).
Accounts: physics (alice), chemistry (bob). QOS: normal (default), low, high (preempts both, by requeue), onejob
(MaxJobsPerUser=1), twogpus (2 GPUs a user), groupgpus (2 GPUs in all), limited (10 minutes, 2 jobs, DenyOnLimit).
License: matlab:1. Root may change more for a while: ``full_slurm.says("root", "sacctmgr", "-i", …)``.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from jupyter_hpc.practice.slurm_conf import free_ports
from jupyter_hpc.practice.slurm_processes import job_processes, send, stop, wait_gone

from . import configuration, namespaces, users
from .configuration import ACCOUNTS, ADDRESS, NODES
from .daemons import DAEMONS, Daemons
from .owners import Owners
from .packages import installed_release
from .release import Release

_KEPT = ("log", "lock", "owners")
_SERVES = {"idle", "mix", "alloc", "comp", "plnd"}  # what sinfo calls a node that takes jobs, now or soon


class FullSlurm(Daemons):
    """The cluster in one folder.

    Parameters
    ----------
    directory : Path
        A short path below a folder that everybody may enter.
    hidden : sequence of Path
        Folders that the node r1 must not see, beside the users' homes.
    settings : mapping, optional
        Lines of ``slurm.conf`` that replace the cluster's own, ``{"MinJobAge": "5"}``.
    release : Release, optional
        Another Slurm than the installed one.
    """

    def __init__(
        self,
        directory: Path,
        *,
        hidden: Sequence[Path] = (),
        settings: Mapping[str, str] | None = None,
        release: Release | None = None,
    ) -> None:
        super().__init__(directory)
        self.no_cgroups = namespaces.no_cgroups()
        self._hidden = (directory / "home", *hidden)
        self._settings = dict(settings or {})
        self._release = release
        self._owners = Owners(directory)

    # -- its life --------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return all(self.alive(name) for name in DAEMONS)

    def up(self, *, timeout_s: float = 60) -> FullSlurm:
        """Start everything, and wait until the nodes are idle; nothing happens when it runs.

        It ends by itself, soon, when every process that called this has died.
        """
        deadline = time.monotonic() + timeout_s
        users.ensure()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        with self.locked():
            self._owners.add()
            if self.running:
                return self
            self.end()
            try:
                self._start(deadline)
            except BaseException:
                self.end()
                raise
        return self

    def down(self) -> None:
        """Stop everything, by pid, and remove what isn't a log."""
        if not self.directory.exists():
            return
        with self.locked():
            self._owners.forget()
            self.end()

    def end(self) -> None:
        """Stop and clean; for whoever holds the lock."""
        spool = self.directory / "spool"
        steps, jobs = job_processes((self.conf,), spool)
        stop([x for name in reversed(DAEMONS) if (x := self._process(name))], grace_s=5)
        late_steps, late_jobs = job_processes((self.conf,), spool)
        wait_gone(send(steps | jobs | late_steps | late_jobs, signal.SIGKILL), timeout_s=5)
        namespaces.end_branches(self.directory)
        shutil.rmtree(self._database, ignore_errors=True)
        for path in self.directory.iterdir():
            if path.name in _KEPT:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One start or stop at a time, whichever process asks."""
        with (self.directory / "lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _start(self, deadline: float) -> None:
        for name in ("munge", "log"):
            (self.directory / name).mkdir(exist_ok=True)
        for path in (self._database, self.directory / "state", self.directory / "run"):
            path.mkdir(mode=0o700)
        users.make_homes(self.directory)
        for path in self._hidden:
            path.mkdir(parents=True, exist_ok=True)
        ports = tuple(free_ports(ADDRESS, 2 + len(NODES)))
        cgroups, settings = not self.no_cgroups, dict(self._settings)
        namespaces.write_scripts(self.directory, hidden=self._hidden, cgroups=cgroups, release=self._release)
        if self._release:
            self._release.write_commands(self.directory / "bin")
            settings["PluginDir"] = str(self._release.plugins)
        version = self._release.number if self._release else installed_release()
        site = configuration.Site(self.directory, ports, version, cgroups, settings)
        configuration.write(site)
        key = self.directory / "munge" / "key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        self._make_database()
        for name in DAEMONS[:3]:
            self.start(name, deadline=deadline)
        self.says("root", "sacctmgr", "-i", "-Q", "add", "cluster", "full")
        self.start("slurmctld", deadline=deadline)
        for name in DAEMONS[4:]:
            self._launch(name)
        for calls in configuration.accounting():
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda call: self.says("root", "sacctmgr", "-i", "-Q", *call), calls))
        self._wait(self._all_idle, "the nodes are not idle", DAEMONS[3:], deadline)

    def _make_database(self) -> None:
        argv = [
            *namespaces.inside(self.directory, "daemon"),
            "mariadb-install-db",
            "--no-defaults",
            "--user=root",
            "--skip-test-db",
            "--skip-name-resolve",
        ]
        argv += ["--auth-root-authentication-method=normal", f"--datadir={self._database}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"mariadb-install-db failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        # a folder is a database; without it slurmdbd's first connection fails, and Debian 13's libmariadb
        # takes no answer on the next
        (self._database / "slurm").mkdir(mode=0o700)

    def _all_idle(self) -> bool:
        done = self.run("root", "sinfo", "-h", "-N", "-o", "%N %t", check=False)
        return set(done.stdout.splitlines()) == {f"{node.name} idle" for node in NODES}

    def repaired(self, *, timeout_s: float = 60) -> None:
        """Bring the site back to health after whatever a test did to it.

        What doesn't run is started, nodes that went down are given back, and the call waits until every node
        takes jobs and the controller knows the users' accounts: one that was started again refuses jobs for
        some seconds, as it has neither heard from its nodes nor from slurmdbd.
        """
        for name in DAEMONS:
            self.start(name)
        deadline = time.monotonic() + timeout_s
        self._wait(self._serves, "the site is not well", ("slurmctld", *DAEMONS), deadline)

    def _serves(self) -> bool:
        """Tell whether the site is as it was at first, but for jobs; give back nodes that are down."""
        nodes = self.run("root", "sinfo", "-h", "-N", "-o", "%N %t", check=False).stdout.splitlines()
        states = dict(line.split() for line in nodes)
        for node, state in states.items():
            if state.startswith(("down", "drain", "drng")):
                resume = ("scontrol", "update", f"nodename={node}", "state=resume")
                self.run("root", *resume, check=False)  # a node that was started again may be back by itself
        show = ("scontrol", "-o", "show", "assoc_mgr", "flags=assoc,users")
        known = self.run("root", *show, check=False).stdout
        return (
            set(states) == {node.name for node in NODES}
            and {state.rstrip("-") for state in states.values()} <= _SERVES
            and all(
                f"Account={account} {named}" in known and f"{named} DefAccount={account}" in known
                for account, user in ACCOUNTS.items()
                for named in (f"UserName={user}({pwd.getpwnam(user).pw_uid})",)
            )
        )

    def jobs(self) -> set[str]:
        """Return the ids of everybody's jobs that hold or want something, one for a whole array."""
        return set(self.says("root", "squeue", "-h", "-o", "%F").split())

    def cleared(self, *, but: Collection[str] = ()) -> None:
        """End all jobs of everybody but some, and wait until none holds anything."""
        ending = self.jobs() - set(but)
        if ending:
            self.run("root", "scancel", *ending, check=False)  # some may just have ended
        deadline = time.monotonic() + 120
        while left := self.jobs() & ending:
            assert time.monotonic() < deadline, f"jobs outlive scancel: {left}. {self.looks()}"
            time.sleep(0.05)

    def looks(self) -> str:
        """Return nodes, jobs and the controller's last words, for whoever asks why a test failed."""
        nodes = self.run("root", "sinfo", "-h", "-N", "-o", "%N %T %E", check=False).stdout
        jobs = self.run("root", "squeue", "-h", "-o", "%i %u %T %r %N %S", check=False).stdout
        log = (self.directory / "log" / "slurmctld.out").read_text(errors="replace")
        return f"Nodes:\n{nodes}Jobs:\n{jobs}slurmctld's log ends with:\n{log[-3000:]}"

    # -- users and their commands ----------------------------------------------------------------

    def home(self, user: str) -> Path:
        return users.home(self.directory, user)

    def environment(self, user: str = "root") -> dict[str, str]:
        """Return the whole environment of a process of the user's."""
        found = users.environment(self.directory, user)
        if self._release:
            found["PATH"] = f"{self.directory}/bin:{found['PATH']}"
        return found

    def argv(self, user: str, *command: str) -> list[str]:
        """Return a command line that runs a command as the user."""
        if user == "root":
            return list(command)
        return [*namespaces.inside(self.directory, "user"), *users.become(user), *command]

    def run(
        self, user: str, *command: str, check: bool = True, timeout_s: float = 30, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the user, to its end."""
        done = subprocess.run(
            self.argv(user, *command),
            env=self.environment(user),
            cwd=cwd or self.home(user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} gave {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def says(self, user: str, *command: str) -> str:
        """Run a command as the user; return what it printed."""
        return self.run(user, *command).stdout.strip()

    # -- jobs ------------------------------------------------------------------------------------

    def submit(self, user: str, script: str, *options: str) -> str:
        """Submit a line of shell; its output goes to ``slurm-ID.out`` in the user's home."""
        return self.says(user, "sbatch", "--parsable", *options, f"--wrap={script}").partition(";")[0]

    def job(self, number: str) -> dict[str, str]:
        """Return what the controller knows of a job."""
        done = self.run("root", "scontrol", "-o", "show", "job", number, check=False)
        fields: dict[str, str] = {}
        for word in done.stdout.split():
            name, found, value = word.partition("=")
            if found:
                fields.setdefault(name, value)
        return fields

    def state(self, number: str) -> str:
        """Return a job's state, "" once the controller has forgotten it."""
        return self.job(number).get("JobState", "")

    def wait_state(self, number: str, *states: str, timeout_s: float = 120) -> dict[str, str]:
        """Wait until a job is in one of some states; return its fields."""
        deadline = time.monotonic() + timeout_s
        while (fields := self.job(number)).get("JobState") not in states:
            assert time.monotonic() < deadline, f"job {number} is not {' or '.join(states)}: {fields}. {self.looks()}"
            time.sleep(0.05)
        return fields

    def wait_saved(self, number: str) -> None:
        """Wait until the controller has the job on disk: it writes seconds later, and kill -9 loses what is newer."""
        token = f"saved-{number}-{time.monotonic_ns()}"
        update = ("scontrol", "update", f"jobid={number}", f"admincomment={token}")
        deadline = time.monotonic() + 120
        while "try again" in self.run("root", *update, check=False).stderr:  # its database doesn't know the job yet
            assert time.monotonic() < deadline, f"job {number} can't be marked"
            time.sleep(0.1)
        while token.encode() not in (self.directory / "state" / "job_state").read_bytes():
            assert time.monotonic() < deadline, f"job {number} is not saved"
            time.sleep(0.1)

    def accounted(self, number: str, *fields: str, timeout_s: float = 120) -> list[list[str]]:
        """Return sacct's rows of a job that has ended, one for each attempt and step."""
        names = ",".join(("End", *(fields or ("JobID", "State", "ExitCode"))))
        argv = ("sacct", "-n", "-P", "-D", "-j", number, "-o", names)
        deadline = time.monotonic() + timeout_s
        while True:
            rows = [line.split("|") for line in self.says("root", *argv).splitlines()]
            if rows and all(row[0] not in ("Unknown", "None", "") for row in rows):
                return [row[1:] for row in rows]
            assert time.monotonic() < deadline, f"the end of job {number} is not accounted: {rows}"
            time.sleep(0.1)
