"""The child process that holds pyslurm: a script of its own, which the package never imports.

``import pyslurm`` ends the interpreter where Slurm has no configuration, and it changes how every later library is
loaded. So it happens here, where it can only cost this process. One JSON object a line: requests on stdin, answers
on what was stdout; whatever libslurm itself prints goes to stderr. Ends when stdin closes.
"""

from __future__ import annotations

import json
import os
import pwd
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, TextIO


class Unable(Exception):
    """Pyslurm can't say this as the command would."""


def stamp(seconds: int | None, missing: str) -> str:
    """Return a time as the commands print it with ``SLURM_TIME_FORMAT=standard``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds)) if seconds else missing


def _array_task(job: Any) -> str:
    if job.array_id:  # task 0 and the rest of an array that waits both come as None
        raise Unable("tasks of an array")
    return "N/A"


def _ended_how(job: Any) -> str:
    return f"{job.exit_code or 0}:{job.exit_code_signal or 0}"


def _uid(name: str) -> str:
    try:
        return str(pwd.getpwnam(name).pw_uid)
    except KeyError:
        return name


def _archived_state(job: Any) -> str:
    by = job.cancelled_by if job.state == "CANCELLED" else None
    return f"CANCELLED by {_uid(by)}" if by else str(job.state)


def _limit(minutes: object) -> str:
    return str(minutes) if isinstance(minutes, int) else "UNLIMITED"


def _gpus(counts: object) -> str:
    """Pyslurm has them by ``gpu:TYPE``, or the type alone."""
    if not isinstance(counts, dict):
        return ""
    return ",".join(f"{k if str(k).startswith('gpu') else f'gpu:{k}'}:{v}" for k, v in counts.items())


Field = Callable[[Any], str]
# names of squeue -O and of sacct -o, in small letters → what the command prints there
QUEUE: dict[str, Field] = {
    "jobid": lambda job: str(job.id),
    "arrayjobid": lambda job: str(job.array_id or job.id),
    "arraytaskid": _array_task,
    "state": lambda job: str(job.state),
    "reason": lambda job: job.state_reason or "None",
    "exit_code": _ended_how,
    "starttime": lambda job: stamp(job.start_time, "N/A"),
    "endtime": lambda job: stamp(job.end_time, "N/A"),
    "nodelist": lambda job: job.allocated_nodes or "",
    "name": lambda job: getattr(job, "name", None) or "",
    "account": lambda job: job.account or "(null)",
    "qos": lambda job: job.qos or "(null)",
    "partition": lambda job: job.partition or "",
    "comment": lambda job: job.comment or "(null)",
    # of other jobs of the user: what an older pyslurm doesn't tell is left open
    "timelimit": lambda job: _limit(getattr(job, "time_limit", None)),
    "submittime": lambda job: stamp(getattr(job, "submit_time", None), "N/A"),
    "numnodes": lambda job: str(getattr(job, "num_nodes", None) or 1),
    "tres-alloc": lambda job: "",
    "tres-per-job": lambda job: _gpus(getattr(job, "gpus", None)),
    "tres-per-node": lambda job: _gpus(getattr(job, "gres_per_node", None)),
    "stdout": lambda job: getattr(job, "standard_output", None) or "(null)",
    "workdir": lambda job: getattr(job, "working_directory", None) or "/",
}
ARCHIVE: dict[str, Field] = {
    "jobid": lambda job: str(job.id),  # of jobs that are no arrays: only those are asked for
    "state": _archived_state,
    "exitcode": _ended_how,
    "start": lambda job: stamp(job.start_time, "Unknown"),
    "end": lambda job: stamp(job.end_time, "Unknown"),
    "nodelist": lambda job: job.nodelist or "None assigned",
}


def table(jobs: Iterable[Any], known: dict[str, Field], names: list[str]) -> dict[str, object]:
    fields = [known.get(name.lower()) for name in names]
    if None in fields:
        raise Unable(f"the field {names[fields.index(None)]}")
    return {"rows": [[field(job) for field in fields if field is not None] for job in jobs]}


def queue(pyslurm: Any, request: dict[str, Any]) -> dict[str, object]:
    uid = os.getuid()
    mine = [job for job in pyslurm.Jobs.load().values() if job.user_id == uid]
    return table(mine, QUEUE, request["fields"])


def accounting(pyslurm: Any, request: dict[str, Any]) -> dict[str, object]:
    found = pyslurm.db.Jobs.load(pyslurm.db.JobFilter(ids=request["ids"]))
    return table(found.values(), ARCHIVE, request["fields"])


def as_sbatch_adds(folder: str) -> dict[str, str]:
    """Return what sbatch tells the job about its submitter, as far as a cell notices.

    Without the core limit the node's own holds, which may leave a core file for each crash. The other limits
    stay the node's, and launchers of MPI outside srun get no hints: for those ``pyslurm: never``.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    core = resource.getrlimit(resource.RLIMIT_CORE)[0]
    return {
        "SLURM_SUBMIT_DIR": folder,
        "SLURM_SUBMIT_HOST": socket.gethostname(),
        "SLURM_UMASK": f"{mask:04o}",
        "SLURM_RLIMIT_CORE": str(core if core >= 0 else 2**64 - 1),
    }


def submit(pyslurm: Any, request: dict[str, Any]) -> dict[str, object]:
    """Submit the script with its arguments.

    Pyslurm drops an empty argument and all after it, so each goes with a ``=`` before it, and the script first
    takes that away.
    """
    path, arguments = request["script"], request["arguments"]
    with open(path, encoding="utf-8") as file:
        shebang, _, rest = file.read().partition("\n")
    path = path.removesuffix(".sh") + ".pyslurm.sh"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{shebang}\nset -- "${{@#=}}"\n{rest}')
    described = request["description"]
    described["environment"] |= as_sbatch_adds(described["working_directory"])
    try:
        description = pyslurm.JobSubmitDescription(
            script=path,
            script_args=[f"={each}" for each in arguments],
            profile_types=iter(()),  # not set; an empty list comes out as all of them
            **described,
        )
        return {"id": int(description.submit())}
    except BaseException:
        os.unlink(path)  # the run directory keeps what was submitted
        raise


def ping(pyslurm: Any, request: dict[str, Any]) -> dict[str, object]:
    """Ask the controller itself: it shows a libslurm that doesn't fit before a job is given to it."""
    if not pyslurm.slurmctld.ping_primary().is_responding:
        raise Unable("the primary controller doesn't respond")
    return {}


DO = {"queue": queue, "accounting": accounting, "submit": submit, "ping": ping}


def answer_to(pyslurm: Any, request: dict[str, Any]) -> dict[str, object]:
    signal.alarm(request["limit_s"])  # a call that never returns ends this process, even if nobody is left
    try:
        return DO[request["do"]](pyslurm, request)
    except pyslurm.RPCError as error:
        return {"error": str(error), "errno": error.errno if isinstance(error.errno, int) else 0}
    except Exception as error:  # an attribute that this pyslurm doesn't have, a value that it doesn't take
        return {"unable": f"{type(error).__name__}: {error}"}
    finally:
        signal.alarm(0)


def main() -> None:
    answers: TextIO = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)

    def say(answer: dict[str, object]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import pyslurm  # type: ignore[import-not-found,unused-ignore]

        say({"n": 0, "version": str(pyslurm.__version__)})
    except Exception as error:
        say({"n": 0, "unable": f"import pyslurm: {type(error).__name__}: {error}"})
        return
    for line in sys.stdin:
        request = json.loads(line)
        say({"n": request["n"], **answer_to(pyslurm, request)})


if __name__ == "__main__":
    main()
    os._exit(0)  # nothing of libslurm's is worth waiting for
