"""A stand-in for pyslurm, where none can be installed: the part of its API that jupyter_hpc uses.

Shapes and oddities are those of pyslurm 25.11.2 as it runs on Slurm 26.05; Slurm's commands give the answers, so
the cluster behind it is a real one. ``STANDIN_PYSLURM`` names a folder: ``calls`` there has a line for each call,
and ``fault`` says what goes wrong, as ``CALL FAULT`` (``load hang``).
"""

import os
import shutil
import stat
import subprocess
import time
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace

__version__ = "25.11.2"
_FOLDER = Path(os.environ.get("STANDIN_PYSLURM", "/nonexistent"))
_NO_VALUE = 0xFFFFFFFE


class PyslurmError(Exception):
    pass


class RPCError(PyslurmError):
    def __init__(self, errno=-1, msg=None):
        self.errno, self.msg = errno, msg
        super().__init__(msg)


def _called(name):
    """Note the call, make noise as libslurm may, and let happen what the test wants."""
    os.write(1, b"slurm_noise: on stdout, in the midst of everything\n")
    if not _FOLDER.is_dir():
        return ""
    with open(_FOLDER / "calls", "a") as file:
        file.write(f"{name} {os.getpid()}\n")
    try:
        call, fault = (_FOLDER / "fault").read_text().split()
    except OSError:
        return ""
    if call != name:
        return ""
    if fault == "hang":
        time.sleep(600)
    elif fault == "exit":
        os.write(2, b"python: fatal: Could not establish a configuration source\n")
        os._exit(1)
    elif fault == "raise":
        raise ImportError("libslurmfull.so: cannot open shared object file")
    elif fault == "error":
        raise RPCError(1804, "Unable to contact slurm controller (connect failure)")
    elif fault in ("garbage", "stale"):
        line = b"\xff garbage\n" if fault == "garbage" else b'{"n": 1, "rows": []}\n'
        for descriptor in range(3, 30):
            try:
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.write(descriptor, line)
            except OSError:
                pass
    return fault


def _command(*argv, **options):
    """Run the real command, not a test's wrapper on PATH."""
    path = shutil.which(argv[0], path="/usr/bin:/usr/local/bin:/bin")
    return subprocess.run([path, *argv[1:]], capture_output=True, text=True, timeout=30, **options)


def _error(done):
    words = done.stderr.strip().splitlines()[-1].rpartition("failed: ")[2]
    return RPCError(1804 if "contact" in words or "timed out" in words else 2014, words)


def _time(text):
    try:
        return int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))) or None
    except ValueError:
        return None


def _wait_status(text):
    """Exit code and signal, as pyslurm has them: 128 and more lose 128."""
    code, colon, number = text.partition(":")
    if not colon:  # Slurm 22.05 prints the raw status
        code, number = int(code) >> 8, int(code) & 0x7F
    code = int(code)
    return (code - 128 if code >= 128 else code), int(number)


_FIELDS = "JobID ArrayJobID ArrayTaskID State Reason exit_code StartTime EndTime NodeList Name Account QOS Partition UserID Comment"


class Jobs(dict):
    @staticmethod
    def load():
        _called("load")
        done = _command("squeue", "-h", "-a", "-t", "all", "-O", ",".join(f"{n}:|" for n in _FIELDS.split()))
        if done.returncode:
            raise _error(done)
        return Jobs((job.id, job) for job in map(_job, done.stdout.splitlines()))


def _job(line):
    row = dict(zip(_FIELDS.split(), [p.strip() for p in line.removesuffix("|").split("|", _FIELDS.count(" "))]))
    is_array = row["ArrayTaskID"] != "N/A"
    code, number = _wait_status(row["exit_code"])
    named = {"(null)": None, "": None}
    return SimpleNamespace(
        id=int(row["JobID"]),
        array_id=int(row["ArrayJobID"]) if is_array else None,
        array_task_id=int(row["ArrayTaskID"]) or None if is_array and row["ArrayTaskID"].isdigit() else None,
        state=row["State"],
        state_reason=None if row["Reason"] == "None" else row["Reason"],
        exit_code=code,
        exit_code_signal=number,
        start_time=_time(row["StartTime"]),
        end_time=_time(row["EndTime"]),
        allocated_nodes=row["NodeList"] or None,
        name=row["Name"],
        account=named.get(row["Account"], row["Account"]),
        qos=named.get(row["QOS"], row["QOS"]),
        partition=row["Partition"],
        user_id=int(row["UserID"]),
        comment=named.get(row["Comment"], row["Comment"]),
    )


_SBATCH = {
    "name": "job-name",
    "comment": "comment",
    "standard_output": "output",
    "log_files_open_mode": "open-mode",
    "working_directory": "chdir",
    "account": "account",
    "qos": "qos",
    "constraints": "constraint",
    "nodes": "nodes",
    "ntasks": "ntasks",
    "ntasks_per_node": "ntasks-per-node",
    "cpus_per_task": "cpus-per-task",
    "memory_per_node": "mem",
    "time_limit": "time",
    "gpus": "gpus",
}


class JobSubmitDescription:
    def __init__(self, **attributes):
        known = {
            *_SBATCH,
            "partitions",
            "resource_sharing",
            "is_requeueable",
            "environment",
            "script",
            "script_args",
            "profile_types",
        }
        for name, value in attributes.items():
            if name not in known:
                raise AttributeError(f"'JobSubmitDescription' object has no attribute '{name}'")
            setattr(self, name, value)

    def submit(self):
        fault = _called("submit")
        given = {"nodes": 1, "ntasks": 1, "cpus_per_task": 1, **vars(self)}
        if str(given["nodes"]).endswith(f"-{_NO_VALUE}"):
            del given["nodes"]
        argv = ["sbatch", "--parsable", "--export=ALL"]
        argv += [f"--{option}={given[name]}".replace("=gpu:", "=") for name, option in _SBATCH.items() if name in given]
        argv += [f"--partition={','.join(self.partitions)}"] if "partitions" in given else []
        argv += ["--exclusive"] if given.get("resource_sharing") == "exclusive" else []
        argv += [f"--{'' if self.is_requeueable else 'no-'}requeue"] if "is_requeueable" in given else []
        for value in self.environment.values():
            value.encode()  # Cython takes no other text
        arguments = takewhile(bool, self.script_args)  # an empty one ends the list
        done = _command(*argv, self.script, *arguments, env=self.environment)
        if done.returncode:
            raise _error(done)
        if fault == "lose":
            os._exit(1)
        return int(done.stdout)


class _Db:
    @staticmethod
    def JobFilter(ids):
        return ids


class _Archive(dict):
    @staticmethod
    def load(ids):
        _called("archive")
        done = _command("sacct", "-X", "-n", "-P", "-j", ",".join(map(str, ids)))
        if done.returncode:
            raise RPCError(msg="Unable to connect to slurmdbd")
        raise NotImplementedError("the practice cluster has no accounting")


class _Controller:
    @staticmethod
    def ping_primary():
        _called("ping")
        if " is UP" not in _command("scontrol", "ping").stdout:
            raise RPCError(1804, "Unable to contact slurm controller (connect failure)")
        return SimpleNamespace(is_responding=True)


_Db.Jobs = _Archive
db, slurmctld = _Db, _Controller
_called("import")
