"""Kernels that die, and notebooks that run inside an allocation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.road import slurm, until


class Kernel:
    """A real kernel, spoken to through jupyter_client."""

    def __init__(self) -> None:
        from jupyter_client.manager import KernelManager

        self.manager: Any = KernelManager(kernel_name="python3")
        self.manager.start_kernel(stderr=subprocess.DEVNULL)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.run("%load_ext jupyter_hpc")

    def run(self, code: str, timeout: float = 120) -> str:
        """Run a cell and return what it printed; its error fails the test."""
        shown: list[str] = []

        def take(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                shown.append(content["text"])
            elif message["msg_type"] == "error":
                shown.append("\n".join(content["traceback"]))

        reply = self.client.execute_interactive(
            textwrap.dedent(code), allow_stdin=False, timeout=timeout, output_hook=take
        )
        assert reply["content"]["status"] == "ok", "".join(shown)
        return "".join(shown)

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.process.pid)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.context.destroy(linger=0)


@contextmanager
def kernel() -> Iterator[Kernel]:
    found = Kernel()
    try:
        yield found
    finally:
        found.close()


@pytest.mark.parametrize("target", ["slurm", "local"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # jupyter_client's own sockets
def test_the_kernel_is_killed_while_its_job_runs(cluster: Path, tmp_path: Path, target: str) -> None:
    go = tmp_path / "go"
    with kernel() as first:
        first.run(
            """
            import enum
            class Color(enum.Enum):
                RED = 1
            class Model:
                def __init__(self, n): self.n = n
                def double(self): return helper(self.n)
            def helper(n): return n * 2
            """
        )
        first.run(
            f"""\
            %%{target} --detach --name survivor-{target}
            import os, time
            print("ready", flush=True)
            while not os.path.exists({str(go)!r}): time.sleep(.02)
            model, color = Model(21), Color.RED
            def later(m): return m.double() + 1
            class Late(Model): pass
            late = Late(4)
            """
        )
        first.run("import time\nwhile 'ready' not in _hpc.logs(): time.sleep(.02)")
        first.kill()
    go.touch()
    with kernel() as second:
        said = second.run(f"%hpc result survivor-{target}")
        assert "model" in said and "later" in said
        second.run(
            """
            assert model.double() == 42 and later(model) == 43
            assert type(model) is Model and color is Color.RED
            assert isinstance(late, Model) and type(late) is Late and late.double() == 8
            """
        )
        second.run(f"job = %hpc attach survivor-{target}\nassert str(job.state) == 'COMPLETED'\nassert job.result()")


SCRIPT = """
import json, os, sys
import jupyter_hpc
def look():
    import os
    return {k: v for k, v in os.environ.items() if k.startswith(("SLURM", "SBATCH", "PMI"))}
job = jupyter_hpc.submit(look, on="slurm", name="inner", cpus=2)
found = job.result(120)
found["native_id"] = job.native_id
json.dump(found, open(sys.argv[1], "w"))
"""


def test_a_notebook_inside_an_allocation(cluster: Path, tmp_path: Path) -> None:
    """The allocation's size, partition and id are not the new job's."""
    script, answer, log = tmp_path / "notebook.py", tmp_path / "answer.json", tmp_path / "log"
    script.write_text(SCRIPT)
    outer = slurm(
        "sbatch",
        "--parsable",
        "--partition=gpu",
        "--cpus-per-task=3",
        "--ntasks=2",
        "--gpus=1",
        "--mem=1G",
        f"--output={log}",
        "--export=ALL,SBATCH_PARTITION=nonsense,PMI_RANK=7,PMIX_RANK=7,SBATCH_MEM_PER_NODE=9999G,SLURM_TRES_PER_TASK=cpu:9",
        f"--wrap={sys.executable} {script} {answer}",
    )
    until(
        lambda: (
            answer.exists() or slurm("squeue", "-h", "-t", "all", "-j", outer, "-o", "%T") in ("FAILED", "COMPLETED")
        ),
        "the outer job",
        60,
    )
    assert answer.exists(), log.read_text()
    found = json.loads(answer.read_text())
    assert found["SLURM_JOB_ID"] == found["native_id"] != outer
    assert found["SLURM_CPUS_PER_TASK"] == "2"
    assert found["SLURM_JOB_PARTITION"] == "debug"
    assert found["SLURM_NTASKS"] == "1" if "SLURM_NTASKS" in found else True
    assert Path(found["SLURM_CONF"]).parent == cluster / "slurm"
    assert not {k for k in found if k.startswith(("PMI", "SBATCH"))}
    assert "SLURM_TRES_PER_TASK" not in found
    assert "SLURM_JOB_GPUS" not in found and "SLURM_GPUS" not in found


MEMORY = """
import json, sys, time
import numpy as np
import jupyter_hpc
def status(key):
    for line in open("/proc/self/status"):
        if line.startswith(key): return int(line.split()[1]) >> 10
def mapping(address):
    for line in open("/proc/self/maps"):
        low, high = (int(x, 16) for x in line.split()[0].split("-"))
        if low <= address < high: return line.split()[-1]
def change(a):
    a[0] = -1
    return a
jupyter_hpc.submit(abs, -1, on="slurm", memory="300M").result(60)
a = np.arange(1 << 25, dtype="f8")
before = status("RssAnon")
began = time.monotonic()
job = jupyter_hpc.submit(change, a, on="slurm", memory="3G")
sent = time.monotonic()
assert job.wait(200)
ran, loaded_from = time.monotonic(), status("RssAnon")
b = job.result()
back, after = time.monotonic(), status("RssAnon")
at = b.__array_interface__["data"][0]
where = mapping(at)
sums = [float(b[1:].sum()), float(a[1:].sum()), float(b[0])]
json.dump({"submit": sent - began, "job": ran - sent, "load": back - ran, "grew": after - before,
  "load_grew": after - loaded_from, "peak": status("VmHWM"), "where": where, "sums": sums,
  "read_grew": status("RssAnon") - after, "use": job.record.get("verdict")}, open(sys.argv[1], "w"))
"""


def test_a_quarter_of_a_gibibyte_there_and_back(cluster: Path, tmp_path: Path) -> None:
    script, answer = tmp_path / "memory.py", tmp_path / "answer.json"
    script.write_text(MEMORY)
    subprocess.run([sys.executable, str(script), str(answer)], check=True, timeout=280)
    found = json.loads(answer.read_text())
    print(f"MEASURED {found}")
    assert found["sums"][0] == found["sums"][1] and found["sums"][2] == -1
    assert "/runs/" in found["where"] and found["where"].endswith(".bin")
    assert found["load_grew"] < 64
    assert found["read_grew"] < 64
    assert found["grew"] < 256
