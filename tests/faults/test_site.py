"""What is known of a site: read once for all processes, never in the way, offered where options are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.backends.slurm import site as sites
from jupyter_hpc.backends.slurm.site import Site, site_of
from jupyter_hpc.commands import catalogue as commands
from jupyter_hpc.jobs.submit import resubmit
from jupyter_hpc.magics.completion import matches
from jupyter_hpc.model.exceptions import OptionError
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir.store import store
from jupyter_hpc.runtime import portal
from jupyter_hpc.targets import connection
from jupyter_hpc.targets.targets import target
from tests.faults.road import Counter, preview, slurm, submit, until


@pytest.fixture
def cold(cluster: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Counter]:
    """A practice cluster of which nothing is known, and wrappers of its commands that count."""
    monkeypatch.setenv("JUPYTER_HPC_ROOT", str(tmp_path / "root"))
    counter = Counter(tmp_path / "bin")
    counter.install("squeue", "sbatch", "sinfo", "scontrol", "sacctmgr")
    monkeypatch.setenv("PATH", f"{counter.folder}:{os.environ['PATH']}")
    sites._sites.clear()
    monkeypatch.setattr(connection, "_connections", {})
    yield counter
    sites._sites.clear()


def the_site() -> Site:
    return site_of(target("slurm").make_backend().command)  # type: ignore[attr-defined]


def reads(counter: Counter) -> int:
    return counter.count("sinfo") + counter.count("scontrol") + counter.count("sacctmgr")


def test_read_once_for_all_processes(cold: Counter) -> None:
    assert [submit("y = 1", time="5m").result(30)["y"] for _ in range(3)] == [1, 1, 1]
    until(lambda: not the_site()._asking or the_site()._asking.done(), "the end of reading")
    assert (cold.count("sinfo"), cold.count("scontrol"), cold.count("sacctmgr")) == (1, 2, 2)
    assert [p.stat().st_mode & 0o777 for p in (store().root / "sites").iterdir()] == [0o600]
    code = "from tests.faults.road import submit; print(submit('y = 1', time='5m').result(30))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "{'y': 1}" in done.stdout
    assert reads(cold) == 5


def test_what_is_old_is_used_and_read_again(cold: Counter) -> None:
    known = portal.call(the_site().read(10), 20)
    before = cold.count("sinfo")
    path = the_site().path()
    path.write_text(json.dumps({**json.loads(path.read_text()), "read_at": time.time() - sites.FRESH_S - 1}))
    sites._sites.clear()  # as in another process
    assert portal.call(the_site().known(0.0), 20) is not None
    until(lambda: cold.count("sinfo") == before + 1, "the second reading")
    until(lambda: json.loads(path.read_text())["read_at"] > time.time() - 60, "the new file")
    assert known is not None and set(known.partitions) == {"debug", "gpu"}


def test_a_damaged_file_is_read_anew(cold: Counter) -> None:
    portal.call(the_site().read(10), 20)
    the_site().path().write_text('{"read_at": 1, "partitions"')
    sites._sites.clear()
    assert portal.call(the_site().known(8.0), 20) is not None


@pytest.mark.parametrize("body", ["exec sleep 600", "exit 1", "head -c 3000 /dev/urandom"])
def test_commands_that_hang_fail_or_babble_stop_nothing(
    cold: Counter, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites, "COMMAND_S", 3.0)
    cold.install("sinfo", "scontrol", "sacctmgr", instead=body)
    job = submit("y = 1", time="5m", memory="100M")  # what hangs hangs for longer than a test may take
    assert job.result(120) == {"y": 1}
    assert matches("%%slurm --partition ") == ("", [])


def test_a_database_that_hangs_delays_only_itself(cold: Counter) -> None:
    cold.install("sacctmgr", instead="exec sleep 600")
    job = submit("y = 1", time="5m")
    assert job.result(120) == {"y": 1}
    assert cold.count("sacctmgr") == 2
    assert the_site().cached() is not None


def test_a_database_that_fails_at_once_is_not_left_with_the_other_question(cold: Counter, tmp_path: Path) -> None:
    first = f"mkdir {tmp_path}/first 2>/dev/null && exit 1\nsleep 0.5; touch {tmp_path}/second; exit 1"
    cold.install("sacctmgr", instead=first)
    portal.call(the_site().read(10), 20)
    assert the_site()._asking.done() and (tmp_path / "second").exists()


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"time": "3d"}, "--time 3 d is above the limit of the partition debug, 1 d", "--time 1-00:00:00"),
        ({"gpus": 8}, "8 gpus are more than the partition debug has in all, 4", "--gpus 4"),
        ({"gpus": "h100:1"}, "no gpus of the type h100", "--gpus a100:1"),
        ({"memory": "900G"}, "more than any node of the partition debug has", "--mem 64000M"),
        ({"cpus": 99}, "--cpus 99 is more than any node", "--cpus 16"),
        ({"nodes": 3}, "--nodes 3 is more than the nodes of the partition debug, 2", "--nodes 2"),
        ({"partition": "gpu", "nodes": 2}, "the partition gpu, 1", "--partition debug would take it"),
    ],
)
def test_refused_before_anything_is_built(cold: Counter, options: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        submit("x = 1", **options)
    assert message in caught.value.message and hint in caught.value.hint
    assert cold.count("sbatch") == 0 and store().runs() == []


def test_submitted_again_it_is_refused_like_the_first_time(cold: Counter) -> None:
    job = submit("x = 1")
    assert job.wait(120), job
    runs = store().runs()
    with pytest.raises(OptionError) as caught:
        resubmit(job, resources={"memory": "900G"})
    assert "more than any node of the partition debug has" in caught.value.message
    assert "--mem 64000M" in caught.value.hint
    assert cold.count("sbatch") == 1 and store().runs() == runs


def test_completion_offers_what_is_known_and_asks_nobody(cold: Counter) -> None:
    assert matches("%%slurm --partition ") == ("", [])
    assert reads(cold) == 0
    portal.call(the_site().read(10), 20)
    until(lambda: the_site()._asking.done(), "the end of reading")
    before = reads(cold)
    assert matches("%%slurm --partition ") == ("", ["debug", "gpu"])
    assert matches("%%slurm --gpus a") == ("a", ["a100"])
    assert matches("%%hpc --on slurm -C c") == ("c", ["cpu"])
    assert matches("%%hpc --on nowhere -C c") == ("c", [])
    assert matches("%%local --partition ") == ("", [])
    assert reads(cold) == before


def why(*argv: str) -> str:
    name, arguments = commands.parse(["why", *argv], "%hpc")
    return commands.COMMANDS[name].run(arguments)


def test_why_of_jobs_in_every_state(cold: Counter) -> None:
    blocking = slurm(
        "sbatch", "--parsable", "-w", "g1", "--exclusive", "-t", "30", "-o", "/dev/null", "--wrap=sleep 300"
    )
    try:
        until(lambda: slurm("squeue", "-h", "-j", blocking, "-o", "%T") == "RUNNING", "the blocking job")
        job = submit("y = 1", partition="gpu", time="5m", cpus=2)
        until(lambda: "(Resources)" in job.reason or job.state is JobState.FAILED, "the reason")
        said = until(lambda: text if "Expected start" in (text := why()) else "", "the expected start")
        assert "Waits: it is next" in said and "Place in the queue: 1" in said
        assert "Would start now, if you cancel this one" in said and "--partition debug" in said
        assert why(job.id).startswith(f"{job.id} · slurm job {job.native_id}")
    finally:
        slurm("scancel", blocking)
    assert job.result(120) == {"y": 1}
    assert why().startswith(f"{job.id} has ended: completed")
    failed = submit("import os; os._exit(3)")
    failed.wait(120)
    assert "exit" in why(failed.id).lower() and "has ended" in why(failed.id)
    running = submit("import time; time.sleep(60)", on="local", time="5m")
    until(lambda: running.state is JobState.RUNNING, "running")
    assert "doesn't wait: running" in why(running.id) and "are left" in why(running.id)
    running.cancel()


def test_a_dry_run(cold: Counter) -> None:
    assert "it would start" in preview("x = 1").expected  # at once, unless the session's other jobs are before it
    assert "It would be refused: 9 gpus" in preview("x = 1", gpus=9).expected
    assert preview("x = 1", on="local").expected == ""
    cold.install("sbatch", instead="exec sleep 600")  # longer than a test may take
    assert preview("x = 1").expected == ""
