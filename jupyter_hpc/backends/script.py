"""The batch script: one constant text, whose arguments carry everything that varies.

Nothing is ever put into its text, so no name, path or value can reach a shell as code.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..exceptions import OptionError
from ..jobs import JobSpec
from ..store import Run

LONGEST = 100_000  # the kernel allows 128 KiB for one variable

SCRIPT = r"""#!/bin/bash
# Runs one jupyter_hpc worker and writes how it ended, also when it can't do that itself.
# usage: RUN WORKER PYTHON LIMIT VENV CONDA [MODULE ...]
umask 077
run=$1 worker=$2 python=$3 limit=$4 venv=$5 conda=$6
shift 6

ended() {
  printf '{"exit": %d, "signalled": %d}\n' "$1" "$signalled" > "$run/end.json.tmp" &&
    mv -f "$run/end.json.tmp" "$run/end.json"
}
refuse() { echo "jupyter_hpc: $1" >&2; signalled=0; ended 78; exit 78; }

if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then # requeued: what the attempt before left is not this one's
  cp "$run/scheduler.log" "$run/scheduler.log.$((SLURM_RESTART_COUNT - 1))" && : > "$run/scheduler.log"
fi
for left in end.json time-limit result result.tmp; do
  [ -e "$run/$left" ] && rm -rf "${run:?}/$left"
done
signalled=0
if [ $# -gt 0 ]; then
  if ! type module > /dev/null 2>&1; then
    for init in /etc/profile.d/lmod.sh /etc/profile.d/modules.sh /etc/profile.d/z00_lmod.sh \
      /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do
      [ -r "$init" ] && . "$init" && break
    done
  fi
  type module > /dev/null 2>&1 || refuse "--module was asked for, but this node has no module command"
  for name in "$@"; do module load "$name" || refuse "module load $name failed"; done
fi
if [ -n "$conda" ]; then
  command -v conda > /dev/null || refuse "--conda was asked for, but this node has no conda on PATH"
  eval "$(conda shell.bash hook)" && conda activate "$conda" || refuse "conda activate $conda failed"
fi
if [ -n "$venv" ]; then
  [ -x "$venv/bin/python" ] || refuse "--venv $venv has no bin/python on this node"
  export VIRTUAL_ENV="$venv" PATH="$venv/bin:$PATH"
fi
found=$(type -P -- "$python") || refuse "there is no Python at $python on this node"
case $python in */*) ;; *) python=$found ;; esac

# --env last, in the worker's own process: no name can change this script's variables
start='import sys; sys.path.insert(0, sys.argv.pop(1)); from jupyter_hpc_worker.run import main; main()'
(
  set -- "$python" -c "$start" "$worker" "$run"
  if [ -s "$run/env" ]; then
    while IFS= read -r -d '' __hpc_pair; do export "$__hpc_pair"; done < "$run/env"
    unset __hpc_pair
  fi
  exec "$@"
) &
pid=$!
trap 'signalled=15; kill -TERM "$pid"' TERM
trap 'signalled=10; kill -USR1 "$pid"' USR1
trap '' INT
if [ "$limit" -gt 0 ]; then
  (
    trap 'kill "$sleep"; exit' TERM
    sleep "$limit" & sleep=$!; wait "$sleep"
    : > "$run/time-limit"; kill -TERM "$pid"
    sleep 2 & sleep=$!; wait "$sleep"
    kill -KILL "$pid"
  ) > /dev/null 2>&1 &
  timer=$!
fi
wait "$pid"
status=$?
while [ "$signalled" != 0 ] && kill -0 "$pid" 2> /dev/null; do wait "$pid"; status=$?; done
[ -n "$timer" ] && kill "$timer" > /dev/null 2>&1
ended "$status"
exit "$status"
"""


def arguments(run: Run, spec: JobSpec, worker: Path, executable: str, limit_s: int = 0) -> list[str]:
    """Return the script's arguments.

    Parameters
    ----------
    limit_s : int
        Seconds after which the script ends the worker itself; 0 where the scheduler does.
    """
    python = spec.python or ("python" if spec.conda or spec.modules else executable)
    if spec.venv and not spec.python:
        python = (
            f"{spec.venv}/bin/python"  # by its path: a folder with a colon in its name is no entry of PATH
        )
    values = [str(run.path), str(worker), python, str(limit_s), spec.venv or "", spec.conda or ""]
    return [*values, *spec.modules]


def write(run: Run, spec: JobSpec) -> Path:
    """Write the script into the run directory, and the variables of ``--env`` beside it.

    A private file keeps their values out of process lists, and out of the scheduler's own environment.
    """
    path = run.path / "job.sh"
    path.write_text(SCRIPT, encoding="utf-8")
    path.chmod(0o700)
    descriptor = os.open(run.path / "env", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.writelines(os.fsencode(f"{key}={value}") + b"\0" for key, value in spec.env.items())
    return path


# what bash doesn't let a script set
_READ_ONLY = {"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"}


def checked(spec: JobSpec) -> JobSpec:
    """Return the spec if each of its values can reach the worker as it is.

    Raises
    ------
    OptionError
        Naming the option that can't.
    """
    for key, value in spec.env.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,255}", key, re.ASCII) or key.startswith("__hpc_"):
            raise OptionError(f"--env {key[:60]!r} is not a variable's name: letters, digits and _ only.")
        if key in _READ_ONLY:
            raise OptionError(f"--env {key} can't be set: the shell on the node keeps its own.")
        if "\0" in value or len(os.fsencode(value)) > LONGEST:
            raise OptionError(
                f"--env {key} holds a NUL character or more than {LONGEST:,} bytes, which no environment can."
            )
    named = {"--python": spec.python, "--venv": spec.venv, "--conda": spec.conda}
    for option, text in (*named.items(), *(("--module", name) for name in spec.modules)):
        if text is None:
            continue
        if not text or "\0" in text or len(os.fsencode(text)) > 4000 or text.startswith("-"):
            raise OptionError(
                f"{option} {text[:60]!r} can't be used: empty, too long, with a NUL or a leading '-'."
            )
    for option, text in (("--name", spec.name), ("--workdir", spec.workdir)):
        if text is not None and ("\0" in text or any(0xD800 <= ord(c) < 0xDC80 for c in text)):
            raise OptionError(f"{option} {text[:60]!r} holds a character that no command can take.")
    return spec
