"""Environments that ``--requirements`` asks for: a folder for each lock, in which the first job builds it.

``ROOT/environments/DIGEST/`` holds the lock, the constant script below and, for each kind of machine, what was built.
A pod that doesn't see it is sent the lock and the script, and builds in such a folder of its own or of a claim.
A node builds, since only there Python, C library and processor are the right ones; where nodes reach no package
index, a person runs the same script on a machine that does and sees the same disk.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ..capture.environment.requirements import Requirements, find_uv, is_program
from ..model.spec import JobSpec
from ..rundir.run import Run
from ..rundir.store import Store
from ..worker.digest import digest_bytes

LINK = "environment"  # in the run directory, to the folder
FILES = (
    "lock.txt",
    "requirements.txt",
    "pylock.toml",
    "build.sh",
    "python",
)  # what it is built from, but for uv
SCRIPT = r"""#!/bin/sh
# Builds the virtual environment of the folder that this file lies in, once; others that ask meanwhile wait for it.
# usage: build.sh [PYTHON [KIND]]     KIND: of machine, the processor if left out
#                                     exit status 10: another has built it
umask 077
here=$(cd "$(dirname "$0")" && pwd -P)
place=$here/${2:-$(uname -m)}
made=$place.$(uname -n).$$
base=$1
[ -n "$base" ] || read -r base < "$here/python"

if command -v flock > /dev/null && exec 9> "$place.lock" && ! flock -n 9; then
  echo "Another job builds this environment: waiting for it."
  flock 9 # where the disk has no locks, two may build: the first to end wins
fi
[ -x "$place/bin/python" ] && exit 10

uv=$here/uv
[ -x "$uv" ] || uv=$(command -v uv) || {
  echo "uv is not on $(uname -n): put it on a disk that the nodes see, as with: pip install uv"
  exit 69
}
export UV_CACHE_DIR="${UV_CACHE_DIR:-${here%/*}/cache}" UV_NO_PROGRESS=1
trap 'rm -rf "$made"' EXIT
find "$here" -maxdepth 1 -type d -name "${place##*/}.*" -mtime +0 -exec rm -rf {} + # of builds that were killed
set -- install -r "$here/requirements.txt"
for lock in lock.txt pylock.toml; do # complete: nothing else is installed
  [ -e "$here/$lock" ] && set -- sync "$here/$lock"
done
"$uv" --color never venv --quiet --relocatable --python "$base" "$made" &&
  "$uv" --color never pip "$@" --python "$made/bin/python" &&
  "$uv" pip freeze --quiet --python "$made/bin/python" > "$made/lock.txt" || exit 70
rm -rf "$place"
mv -T "$made" "$place"
"""


def prepare(runs: Store, run: Run, spec: JobSpec, wanted: Requirements) -> None:
    """Make the environment's folder, if it is the first time, and link it from the run directory."""
    folder = runs.root / "environments" / wanted.folder_name(spec.python or "", *spec.modules)
    uv = find_uv()
    if is_program(uv):
        uv = _shared(runs, uv)

    def fill(place: Path) -> None:
        (place / wanted.file).write_text(wanted.text, encoding="utf-8")
        (place / "build.sh").write_text(SCRIPT, encoding="utf-8")
        (place / "python").write_text(f"{sys.version_info[0]}.{sys.version_info[1]}\n")
        (place / "uv").symlink_to(uv)

    runs.publish(folder, fill)
    (run.path / LINK).symlink_to(folder)


def _shared(runs: Store, uv: Path) -> Path:
    """Copy uv to the root, which the nodes see."""
    info = uv.stat()
    name = digest_bytes(f"{info.st_size} {info.st_mtime_ns}".encode()).partition(":")[2][:16]
    place = runs.root / "environments" / "uv" / name
    runs.publish(place, lambda folder: shutil.copy2(uv, folder / "uv"))
    return place / "uv"
