"""The batch script: one constant text, whose arguments carry everything that varies.

Nothing is ever put into its text, so no name, path or value can reach a shell as code.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..model.spec import JobSpec
from ..rundir.run import Run

GRACE_S = 2
SCRIPT = r"""#!/bin/bash
# Runs one jupyter_hpc worker and writes how it ended, also when it can't do that itself.
# usage: RUN WORKER LIMIT GRACE WARNING RESTARTS KERNEL PYTHON VENV CONDA [MODULE ...]
umask 077
place() { # a task of an array has a run directory of its own below the array's
  shared=$1 run=$1
  [ ! -d "$1/tasks" ] || run=$1/tasks/${1##*/}_$SLURM_ARRAY_TASK_ID
}
place "$1"
limit=$3 grace=$4 warning=$5 restarts=$6

oom_kills=0
count_oom_kills() { # of this node's kernel, since the last count
  local all before=$oom_kills
  IFS= read -r -d '' all < /proc/vmstat # as a whole: line by line takes milliseconds
  [[ $all =~ oom_kill\ ([0-9]+) ]] && oom_kills=$((BASH_REMATCH[1] - before))
} 2> /dev/null
ended() {
  local draft=$run/.end.json.draft
  count_oom_kills
  printf '{"exit": %d, "signalled": %d, "oom_kills": %d}\n' "$1" "$signalled" "$oom_kills" > "$draft" &&
    mv -f "$draft" "$run/end.json"
}
refuse() { # what is wrong, and what to do
  trap - ERR EXIT
  printf 'jupyter_hpc: %s\n' "$1" >&2
  [ -z "$2" ] || printf 'jupyter_hpc hint: %s\n' "$2" >&2
  exit 78
}

is_complete() { # the cell came to its end; what a signal or a full disk cut short is no result
  local said manifest=$run/result/manifest.json
  [ -e "$manifest" ] && { said=$(< "$manifest"); } 2> /dev/null || return 1
  [[ $said != *'"kind": "signal"'* && $said != *'"kind": "unsaved"'* ]]
}
was_cancelled() { # the run, or the whole that it is a task of: a controller that crashed may have forgotten that
  local each said
  for each in "$run" "$shared"; do
    { said=$(< "$each/record.json"); } 2> /dev/null
    [[ $said =~ \"ended_at\":\ [0-9] && $said == *'"state": "CANCELLED"'* ]] && return
  done
  return 1
}
claim() { # this attempt, which only one start can have: the file is made by the first, also on NFS
  local attempt=$run/attempt.1 is_taken
  [ "$restarts" = 0 ] || attempt=$run/attempt.$((${SLURM_RESTART_COUNT:-0} + 1))
  set -o noclobber
  { printf '' > "$attempt"; } 2> /dev/null
  is_taken=$?
  set +o noclobber
  if [ "$is_taken" = 0 ]; then
    printf 'job %s on %s' "${SLURM_JOB_ID:-$$}" "$HOSTNAME" > "$attempt"
  elif [ -e "$attempt" ]; then # else the disk is full or read-only, as the worker will say
    refuse "the job was started a second time, on $HOSTNAME; its first start was $(< "$attempt")" ""
  fi
}

if is_complete; then # a result is final, whoever starts the job again
  printf 'jupyter_hpc: the run has its result already, so this attempt ends with it\n' >&2
  [[ $(cat "$run/end.json" 2> /dev/null) =~ \"exit\":\ ([0-9]+) ]] && exit "${BASH_REMATCH[1]}"
  exit 0
fi
if was_cancelled; then
  printf 'jupyter_hpc: the run was cancelled, so this start does nothing\n' >&2
  exit 0
fi
claim
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then # requeued: what the attempt before left is not this one's
  cp "$run/scheduler.log" "$run/scheduler.log.$((SLURM_RESTART_COUNT - 1))" && : > "$run/scheduler.log"
fi
for left in end.json time-limit result result.tmp; do
  [ -e "$run/$left" ] && rm -rf "${run:?}/$left"
done
signalled=0
count_oom_kills

prologue() { # the configuration's own lines; in a function, so that its `set --` and `shift` are its own
  local file=$1 words
  local where="It is the target's setting prologue: \`%hpc config\` shows where from."
  shift
  words=$(bash -n "$file" 2>&1) || refuse "the prologue is no shell: ${words#*: }" "$where"
  trap 'refuse "the prologue failed on $HOSTNAME in line $LINENO: $(sed -n "$LINENO p" "$file")" "$where"' ERR
  trap 'refuse "the prologue ended itself on $HOSTNAME, with exit code $?" "$where"' EXIT
  . "$file"
  trap - ERR EXIT
  set +eu +o pipefail
}

load_modules() {
  local init
  if ! type module > /dev/null 2>&1; then
    for init in "$LMOD_PKG/init/bash" "$MODULESHOME/init/bash" \
      /etc/profile.d/lmod.sh /etc/profile.d/modules.sh /etc/profile.d/z00_lmod.sh \
      /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do
      [ -r "$init" ] && . "$init" && break
    done
  fi
  type module > /dev/null 2>&1 || refuse "--module was asked for, but $HOSTNAME has no module command" \
    "Where its setup is not in a usual place, a line of the target's prologue can source it."
  for name in "$@"; do
    module load "$name" || refuse "module load $name failed on $HOSTNAME" \
      "\`module avail\` in a shell there lists what it has; \`%hpc logs ID --scheduler\` shows what it said."
  done
}

activate_conda() {
  local conda=conda
  if ! command -v conda > /dev/null; then
    conda=$CONDA_EXE
    [ -x "$conda" ] || refuse "--conda was asked for, but $HOSTNAME has no conda on PATH and none at CONDA_EXE" \
      "Load its module with --module, or name the environment's interpreter with --python DIR/bin/python."
  fi
  eval "$("$conda" shell.bash hook)" && conda activate "$1" || refuse "conda activate $1 failed on $HOSTNAME" \
    "\`conda env list\` lists what there is; \`%hpc logs ID --scheduler\` shows what it said."
  [ -x "$CONDA_PREFIX/bin/python" ] || refuse "the conda environment $1 has no Python on $HOSTNAME" \
    "Install one there with \`conda install\`, or name another environment."
}

event() { printf '{"e": "%s", "t": %s%s}\n' "$1" "$(date +%s.%N)" "$2" >> "$run/events.jsonl"; }

build() { # the environment of FOLDER with a Python; what uv says goes into the log, as stderr
  local began=$SECONDS at
  [ -x "$1/$(uname -m)/bin/python" ] && return
  event building
  at=$(stat -c %s "$run/log" 2> /dev/null)
  event stream ", \"name\": \"stderr\", \"at\": ${at:-0}"
  bash "$1/build.sh" "$2" >> "$run/log" 2>&1
  case $? in
    0) event built ", \"seconds\": $((SECONDS - began))" ;;
    10) ;;
    *) refuse "the environment could not be built on $HOSTNAME: $(tail -n 3 "$run/log" | tr -s '\n ' ' ')" \
      "If the nodes reach no package index, build it here, once: \`bash $1/build.sh${2:+ $(printf %q "$2")}\`." ;;
  esac
  event stream ", \"name\": \"stdout\", \"at\": $(stat -c %s "$run/log")"
}

first_python() { type -P python || type -P python3 || echo none; }

start='import sys
if sys.version_info < (3, 9):
    words = "jupyter_hpc: %s is Python %d.%d, and the worker needs 3.9 or newer"
    sys.exit(words % (sys.executable, sys.version_info[0], sys.version_info[1]))
sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)] # a folder that has a json.py is no place to start from
from jupyter_hpc_worker.main import main; main()'
# all this in the worker's own process: no name that a site or --env sets can change what waits below
(
  [ -f "$shared/prologue" ] && prologue "$shared/prologue"
  place "$1"
  worker=$2 kernel=$7 python=$8 venv=$9 conda=${10}
  shift 10
  [ $# -gt 0 ] && before=$(first_python) && load_modules "$@"
  [ -n "$conda" ] && activate_conda "$conda" && python=${python:-$CONDA_PREFIX/bin/python}
  if [ -n "$venv" ]; then
    [ -x "$venv/bin/python" ] || refuse "--venv $venv has no bin/python on $HOSTNAME" \
      "Make it on a disk that the nodes see, or choose another."
    export VIRTUAL_ENV="$venv" PATH="$venv/bin:$PATH"
    python=${python:-$venv/bin/python} # by its path: a folder with a colon in its name is no entry of PATH
  fi
  if [ -n "$python" ]; then
    found=$(type -P -- "$python") || refuse "there is no Python at $python on $HOSTNAME" \
      "Name one that the node has with --python, --venv, --conda or --module."
    case $python in */*) ;; *) python=$found ;; esac
  elif [ $# -gt 0 ] && found=$(first_python) && [ "$found" != "$before" ] && [ -x "$found" ]; then
    python=$found # a module brought it
  elif [ -x "$kernel" ]; then
    python=$kernel
  elif [ ! -d "$shared/environment" ]; then
    link=
    [ -L "$kernel" ] && link=", which is a link to $(readlink -f -- "$kernel" || readlink -- "$kernel")"
    refuse "$HOSTNAME doesn't see the kernel's own Python, $kernel$link" \
      "Put that environment on a disk that the nodes share, or name one that they have with --python, --venv, \
--conda or --module; --requirements auto builds one."
  fi
  if [ -d "$shared/environment" ]; then
    folder=$(readlink -f -- "$shared/environment")
    build "$folder" "$python"
    python=$folder/$(uname -m)/bin/python
    export VIRTUAL_ENV="${python%/bin/python}" PATH="${python%/python}:$PATH"
  fi
  # --env last, and no command after it but exec
  set -- "$python" -c "$start" "$worker" "$run"
  if [ -s "$shared/env" ]; then
    while IFS= read -r -d '' __hpc_pair; do export "$__hpc_pair"; done < "$shared/env"
    unset __hpc_pair
  fi
  exec "$@"
) &
pid=$!
trap 'signalled=15; kill -TERM "$pid"' TERM
trap 'signalled=10; kill -USR1 "$pid"' USR1
trap 'signalled=12; kill -USR2 "$pid"' USR2
trap '' INT
if [ "$limit" -gt 0 ]; then
  (
    trap 'kill "$sleep"; exit' TERM
    pause() { sleep "$1" & sleep=$!; wait "$sleep"; }
    early=${warning#*@}
    if [ -n "$warning" ] && [ "$early" -lt "$limit" ]; then
      pause $((limit - early))
      kill -"${warning%@*}" "$pid"
      limit=$early
    fi
    pause "$limit"
    : > "$run/time-limit"; kill -TERM "$pid"
    pause "$grace"
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


def arguments(
    run: Run,
    spec: JobSpec,
    worker: Path,
    executable: str,
    limit_s: int = 0,
    *,
    grace_s: int = GRACE_S,
    warning: str = "",
    restarts: bool = False,
) -> list[str]:
    """Return the script's arguments.

    Parameters
    ----------
    limit_s : int
        Seconds after which the script ends the worker itself; 0 where the scheduler does.
    grace_s : int
        How long the worker may then take to save what it has.
    warning : str
        A signal for the worker so long before: ``USR1@10``; empty for none.
    restarts : bool
        The scheduler may start it again by itself; else a second start is refused.
    """
    chosen = (spec.python, spec.venv, spec.conda)
    ends = (str(limit_s), str(grace_s), warning, str(int(restarts)))
    return [str(run.path), str(worker), *ends, executable, *(x or "" for x in chosen), *spec.modules]


def write(run: Run, spec: JobSpec) -> Path:
    """Write the script into the run directory, and the variables of ``--env`` and the prologue beside it.

    Private files keep their text out of process lists, out of the scheduler's own environment, and out of the script.
    """
    path = run.path / "job.sh"
    path.write_text(SCRIPT, encoding="utf-8")
    path.chmod(0o700)
    pairs = [os.fsencode(f"{key}={value}") + b"\0" for key, value in spec.env.items()]
    _write_private(run.path / "env", b"".join(pairs))
    if spec.prologue:
        _write_private(run.path / "prologue", os.fsencode(spec.prologue))
    return path


def _write_private(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
