"""What a worker says of where it runs: in words that no scheduler has for itself, whoever reads them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jupyter_hpc
from jupyter_hpc.backends.base import Backend
from jupyter_hpc.backends.kubernetes import KubernetesBackend
from jupyter_hpc.backends.local import LocalBackend
from jupyter_hpc.backends.registry import backend_of
from jupyter_hpc.backends.slurm import SlurmBackend
from jupyter_hpc.backends.slurm.job_states import parse_accounting
from jupyter_hpc.explain.attempts import taken_back
from jupyter_hpc.explain.evidence import Facts
from jupyter_hpc.explain.verdict import judge
from jupyter_hpc.lineage.record.end import execution
from jupyter_hpc.rundir.reader import RunReader
from jupyter_hpc.rundir.run import Run
from jupyter_hpc.worker import allocation, main

SLURM = {
    "SLURM_JOB_ID": "4711",
    "SLURM_JOB_NODELIST": "c[1-2]",
    "SLURM_RESTART_COUNT": "2",
    "SLURM_PROCID": "0",
    "SLURM_CPUS_ON_NODE": "4",
    "SLURM_MEM_PER_CPU": "512",
}
NEUTRAL = {
    "job_id": "4711",
    "nodes": "c[1-2]",
    "attempt": 3,
    "rank": 0,
    "cpus": 4,
    "memory_limit": 2 << 30,
}


def test_slurms_variables_in_neutral_words() -> None:
    assert allocation.described(SLURM) == NEUTRAL
    assert allocation.described({**SLURM, "SLURM_MEM_PER_NODE": "1024"})["memory_limit"] == 1 << 30
    assert allocation.described({}) == {}
    assert allocation.described({"SLURM_CPUS_ON_NODE": "many", "SLURM_MEM_PER_NODE": "0"}) == {}


def test_the_worker_says_them_and_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    said = main._where()
    assert {key: said[key] for key in NEUTRAL} == NEUTRAL
    assert "environment" not in said
    assert "SLURM" not in json.dumps(said)


@pytest.mark.parametrize(
    ("text", "limit"), [("4294967296\n", 4 << 30), ("max\n", None), ("9223372036854771712\n", None)]
)
def test_a_pods_memory_is_its_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, limit: int | None
) -> None:
    (tmp_path / "limit").write_text(text)
    monkeypatch.setattr(allocation, "_CGROUP_LIMITS", (str(tmp_path / "none"), str(tmp_path / "limit")))
    monkeypatch.delenv("SLURM_MEM_PER_NODE", raising=False)
    monkeypatch.setenv("JUPYTER_HPC_NODE", "n1")
    assert main._where().get("memory_limit") == limit
    monkeypatch.delenv("JUPYTER_HPC_NODE")
    assert "memory_limit" not in main._where()


def reader_of(folder: Path, **fields: Any) -> RunReader:
    started = {"e": "started", "t": 1.0, "node": "c1", **fields}
    (folder / "events.jsonl").write_text(json.dumps(started) + "\n")
    reader = RunReader(Run(folder))
    reader.poll()
    return reader


@pytest.mark.parametrize("fields", [NEUTRAL, {"environment": SLURM}], ids=["now", "of an earlier version"])
def test_runs_are_read_whatever_version_wrote_them(tmp_path: Path, fields: dict[str, Any]) -> None:
    reader = reader_of(tmp_path, **fields)
    assert reader.started is not None
    assert {key: reader.started[key] for key in NEUTRAL} == NEUTRAL
    assert Facts(reader, None).memory_limit == 2 << 30
    assert execution(reader, {}, {})["nodes"] == "c[1-2]"
    (tmp_path / "scheduler.log.2").write_text("CANCELLED AT 2026-01-01T00:00:00 DUE TO PREEMPTION\n")
    assert taken_back(reader.run, reader.started)[0] == "PREEMPTED"


def test_an_earlier_version_without_a_scheduler_told_no_variables(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, environment={"CUDA_VISIBLE_DEVICES": "0"})
    assert Facts(reader, None).memory_limit == 0


# -- what a backend says of itself -----------------------------------------------------------------


def test_a_backend_tells_what_is_a_word_of_trouble() -> None:
    line = "slurmstepd: error: *** JOB 4711 ON c1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***"
    assert SlurmBackend.tells_trouble(line)
    assert not SlurmBackend.tells_trouble("jupyter_hpc: all is well")
    assert not Backend.tells_trouble(line)


def test_a_record_leads_to_its_backend() -> None:
    names = {"slurm": SlurmBackend, "kubernetes": KubernetesBackend, "local": LocalBackend, "gone": Backend}
    for name, kind in names.items():
        assert backend_of({"target": {"backend": name}}) is kind
    assert backend_of({}) is Backend
    assert not KubernetesBackend.has_kernels_python
    assert SlurmBackend.hidden({"SLURM_JOB_ID": "1", "HOME": "/"}) == ["SLURM_JOB_ID"]
    assert LocalBackend.hidden({"SLURM_JOB_ID": "1"}) == ()


@pytest.mark.parametrize(
    ("state", "code", "cause", "evidence"),
    [
        ("FAILED", "0:53", "no-shared-disk", "Slurm: FAILED 0:53 on c1"),
        ("DEADLINE", "0:0", "deadline", "scheduler: DEADLINE 0:0"),
        ("BOOT_FAIL", "0:0", "boot-failed", "scheduler: BOOT_FAIL 0:0"),
        ("PREEMPTED", "0:0", "preempted", "scheduler: PREEMPTED 0:0"),
    ],
)
def test_slurm_names_the_cause_where_our_state_says_less(
    tmp_path: Path, state: str, code: str, cause: str, evidence: str
) -> None:
    times = "2026-01-01T00:00:00|2026-01-01T00:00:09"
    seen = parse_accounting(f"7|{state}|{code}|{times}|c1\n")["7"]
    verdict = judge(RunReader(Run(tmp_path)), seen)
    assert verdict is not None
    assert (verdict.cause, verdict.evidence) == (cause, (evidence,))


# -- the core knows no scheduler -------------------------------------------------------------------

CORE = (
    "follow",
    "explain",
    "submission",
    "jobs",
    "views",
    "display",
    "server",
    "commands",
    "lineage",
    "rundir",
)
WORDS = re.compile(r"SLURM\w*|SBATCH\w*|slurm|slurmstepd|kubernetes|k8s")


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_file_of_the_core_reads_a_schedulers_variables_or_asks_for_one_by_name() -> None:
    package = Path(jupyter_hpc.__file__).parent
    found = {
        f"{path.relative_to(package)}: {text}"
        for part in CORE
        for path in (package / part).rglob("*.py")
        for text in strings(path)
        if WORDS.fullmatch(text)
    }
    assert not found
