"""Mount and cgroup namespaces: what a node, or a user's process, sees of this machine.

Everything is mounted inside namespaces, so that it is gone with the last process in them.

- A Python below a folder that others can't enter (``/root``) is made reachable for alice: the folder is
  covered by an open one that shows the same entries. The real folder's mode stays as it is.
- The host's name leads to loopback, whatever the machine's ``/etc/hosts`` says.
- A far node gets empty folders where run directories lie.
- Nodes get their own branch of the cgroup hierarchy, so that clusters beside this one don't meet there, and
  that whatever a job started is found and ended.
"""

from __future__ import annotations

import os
import shlex
import signal
import stat
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from jupyter_hpc.practice.slurm_conf import host_name

from .release import Release

CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "freezer", "cpuset", "cpuacct", "devices")
_INSIDE = ("unshare", "--mount", "--propagation", "private", "--")

_OPEN = """\
mkdir -p {stash}
mount --rbind {folder} {stash}
mount -t tmpfs -o mode=755 none {folder}
for entry in {stash}/* {stash}/.[!.]*; do
  name={folder}/"${{entry##*/}}"
  if [ -L "$entry" ]; then cp -P "$entry" "$name"
  elif [ -d "$entry" ]; then mkdir "$name"; mount --rbind "$entry" "$name"
  elif [ -e "$entry" ]; then : > "$name"; mount --bind "$entry" "$name"
  fi
done
"""


def no_cgroups() -> str:
    """Return why jobs can't have cgroups with limits here; empty when they can."""
    if os.getuid() != 0:
        return "only root can make cgroups"
    absent = [name for name in CONTROLLERS if not (CGROUPS / name / "cgroup.procs").is_file()]
    if absent:
        return f"this machine has no cgroup v1 controller {', '.join(absent)}"
    if not all(os.access(CGROUPS / name, os.W_OK) for name in CONTROLLERS):
        return f"{CGROUPS} is read-only"
    return ""


def closed_folders(paths: Iterable[Path]) -> list[Path]:
    """Return the folders above some paths that other users can't enter, the outermost first."""
    above = {folder for path in paths for folder in path.absolute().parents}
    return sorted(folder for folder in above if not stat.S_IMODE(folder.stat().st_mode) & stat.S_IXOTH)


def needed_paths() -> list[Path]:
    """Return what a user's process needs of this checkout: interpreter, packages, repository."""
    here = Path(__file__).resolve().parents[3]
    found = [here / "tests", Path(sys.prefix, "bin"), Path(sys.base_prefix, "bin")]
    found += [Path(entry, "x") for entry in sys.path if os.path.isdir(entry)]
    return found


def write_scripts(directory: Path, *, hidden: Iterable[Path], cgroups: bool, release: Release | None) -> None:
    """Write the scripts that `inside` and `on_node` name."""
    (directory / "hosts").write_text(f"127.0.0.1 localhost {host_name()} {os.uname().nodename}\n")
    lines = [
        "#!/bin/sh",
        "# usage: user|daemon|near|far PROGRAM …, in a mount namespace of its own",
        "set -e",
    ]
    lines += ["role=$1", "shift", f"mount --bind {directory}/hosts /etc/hosts"]
    needed = [*needed_paths(), *([release.root / "usr"] if release else [])]
    for index, folder in enumerate(closed_folders(needed)):
        stash = directory / "stash" / str(index)
        stash.mkdir(parents=True)
        lines.append(_OPEN.format(stash=stash, folder=shlex.quote(str(folder))))
    lines += [
        "if [ $role = far ]; then",
        *(f"  mount -t tmpfs none {shlex.quote(str(x))}" for x in hidden),
        "fi",
    ]
    if cgroups:
        lines.append("if [ $role = near ] || [ $role = far ]; then")
        for name in CONTROLLERS:
            mounted = directory / "cgroup" / name
            mounted.mkdir(parents=True)
            lines.append(f"  mount -t cgroup -o {name} none {mounted}")
        lines.append("fi")
    if release:
        lines += ["if [ $role != user ]; then", *release.mounts(), f'exec chroot {release.root} "$@"', "fi"]
    lines += ['exec "$@"', ""]
    (directory / "inside").write_text("\n".join(lines))
    (directory / "on_node").write_text(_on_node(directory, cgroups=cgroups))


def _on_node(directory: Path, *, cgroups: bool) -> str:
    lines = ["#!/bin/sh", "# usage: near|far PROGRAM …, in the cluster's cgroup", "set -e"]
    for name in CONTROLLERS if cgroups else ():
        group = branch(directory, name)
        lines.append(f"mkdir -p {group}")
        if name == "cpuset":
            lines += [f"cat {group.parent}/cpuset.{x} > {group}/cpuset.{x}" for x in ("cpus", "mems")]
        lines.append(f"echo $$ > {group}/cgroup.procs")
    more = "--cgroup " if cgroups else ""
    lines += [f'exec unshare --mount {more}--propagation private -- /bin/sh {directory}/inside "$@"', ""]
    return "\n".join(lines)


def inside(directory: Path, role: Literal["user", "daemon"]) -> list[str]:
    """Return the words before a command that isn't a slurmd."""
    return [*_INSIDE, "/bin/sh", f"{directory}/inside", role]


def on_node(directory: Path, *, far: bool) -> list[str]:
    """Return the words before a slurmd."""
    return ["/bin/sh", f"{directory}/on_node", "far" if far else "near"]


def branch(directory: Path, controller: str) -> Path:
    """Return the cluster's own part of a cgroup hierarchy."""
    return CGROUPS / controller / f"jupyter_hpc.{'-'.join(directory.parts[1:])}"


def end_branches(directory: Path, *, timeout_s: float = 10) -> None:
    """Kill whatever is in the cluster's cgroups, by pid, and remove them."""
    deadline = time.monotonic() + timeout_s
    roots = [branch(directory, name) for name in CONTROLLERS]
    while left := [root for root in roots if root.exists()]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"can't remove {', '.join(map(str, left))}")
        for root in left:
            for folder, _, _ in os.walk(root, topdown=False):
                with suppress(OSError):  # it went away, or is in use still: the next round comes
                    _empty(Path(folder))
                    os.rmdir(folder)
        time.sleep(0.02)


def _empty(group: Path) -> None:
    for pid in (group / "cgroup.procs").read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    if (state := group / "freezer.state").exists():  # what is frozen can't die
        state.write_text("THAWED")
