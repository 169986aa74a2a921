"""``--requirements`` in pods, which reach no package index: from wheels on a volume, with a uv that the kernel sends."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_hpc.model.exceptions import EnvironmentMismatch
from jupyter_hpc.model.states import JobState
from jupyter_hpc.rundir import store
from tests.clusters.kubernetes.fixtures import Kubernetes
from tests.faults.road import preview, submit
from tests.kubernetes.access import Admin, claim_of
from tests.kubernetes.conftest import Targets
from tests.magics.nodes import UV, make_package, make_venv, run

SLOW_S = 240
REPOSITORY = Path(__file__).parents[2]
WHEELS = {"UV_FIND_LINKS": "/wheels", "UV_OFFLINE": "1"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel's environment that is soon built: what ``%%k8s`` needs, six, and an editable package."""
    base = tmp_path_factory.mktemp("small")
    needed = ("cloudpickle", "jupyter_core", "traitlets", "kubernetes", "aiohttp", "pyyaml", "six==1.16.0")
    folder = make_venv(base / "venv", *needed)
    package = make_package(base / "edited", "edited_here", "1.0", "def one(): return 1\n")
    run(UV, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), "--editable", str(package))
    return folder


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory, small: Path) -> Path:
    """A folder with the wheels of that environment, and of a package that is nowhere else."""
    folder = tmp_path_factory.mktemp("wheels")
    lock = folder / "lock.txt"
    lock.write_text(run(UV, "pip", "freeze", "--exclude-editable", "--python", str(small / "bin/python")))
    download = (UV, "tool", "run", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:")
    run(*download, "--dest", str(folder), "--requirement", str(lock))
    source = make_package(folder / "source", "only_here", "2.0", "def two(): return 2\n")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(source))
    return folder


@pytest.fixture
def volume(wheels: Path) -> dict[str, Any]:
    return {"hostPath": {"path": str(wheels)}, "mountPath": "/wheels", "readOnly": True}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder that is the claim's volume."""
    return tmp_path / "environments"


@pytest.fixture
def claim(admin: Admin, targets: Targets, kubernetes: Kubernetes, kept: Path) -> Iterator[str]:
    assert kubernetes.own
    with claim_of(admin, kept) as name:
        yield name


@pytest.fixture
def script(targets: Targets, small: Path) -> Callable[[str], dict[str, Any]]:
    """Run Python in the small environment; what it puts into ``out`` comes back."""

    def go(code: str) -> dict[str, Any]:
        text = f"import json, jupyter_hpc\nout = {{}}\n{textwrap.dedent(code)}\nprint(json.dumps(out))"
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "PATH": f"{Path(UV).parent}:{os.environ['PATH']}",
        }
        argv = [small / "bin/python", "-c", text]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=SLOW_S)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    return go


@pytest.mark.campaign
def test_the_kernels_packages_are_built_once_on_a_claim(
    script: Callable[[str], dict[str, Any]], targets: Targets, volume: dict[str, Any], claim: str, kept: Path
) -> None:
    target = targets.add("built", volumes=[volume], environments=claim)
    out = script(
        f"""
def body():
    import six, sys, os
    import edited_here
    return six.__version__, edited_here.one(), sys.prefix, os.environ["VIRTUAL_ENV"]

options = dict(on={target!r}, requirements="auto", env={WHEELS!r})
first = jupyter_hpc.submit(body, **options)
first.result(120)
second = jupyter_hpc.submit(body, **options)
out.update(first=first.result(120), second=second.result(120), log=first.logs(), log2=second.logs())
out.update(environments=[first.record["environment"], second.record["environment"]])
"""
    )

    first, second = out["environments"]
    assert out["first"][:2] == ["1.16.0", 1]
    assert out["second"] == out["first"]
    prefix, activated = out["first"][2:]
    assert prefix == activated
    assert prefix.startswith("/jupyter-hpc-environments/")
    assert first["installed"]["six"] == "1.16.0"
    assert "+ six==1.16.0" in out["log"]
    assert "built_seconds" in first
    assert "built_seconds" not in second, "the second pod must find it built"
    assert out["log2"] == ""
    folder = kept / Path(prefix).parent.name
    assert (folder / "build.sh").exists()
    assert [p.name for p in kept.glob("uv-*/uv")] == ["uv"]  # sent once, and kept


def test_a_file_is_installed_in_a_folder_of_the_pods_own(
    targets: Targets, volume: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("only_here\n")
    target = targets.add("wheels", volumes=[volume])
    cell = "import sys, only_here\nx = only_here.two(), sys.prefix\nprint('ran')"
    job = submit(cell, target, requirements=str(file), env=WHEELS)
    assert job.wait(SLOW_S), job
    assert job.state is JobState.COMPLETED, job.outcome().error
    two, prefix = job.result()["x"]
    assert two == 2
    assert prefix.startswith("/jupyter-hpc/environments/")
    assert "+ only-here==2.0" in job.logs()
    assert job.logs().endswith("ran\n")
    assert "attempt" not in job.logs()


def test_what_can_not_be_built_says_so_and_what_to_do(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("no-such-package-here==1\n")
    job = submit("x = 1", "k8s", requirements=str(file), env={"UV_OFFLINE": "1"})
    assert job.wait(SLOW_S), job
    error = job.outcome().error
    assert type(error) is EnvironmentMismatch
    assert "could not be built on node" in error.message
    assert "no-such-package-here" in error.message
    assert "UV_FIND_LINKS" in error.hint


def test_a_shared_volume_keeps_what_was_built(
    targets: Targets, admin: Admin, volume: dict[str, Any], tmp_path: Path
) -> None:
    root = store.store().root
    file = tmp_path / "requirements.txt"
    file.write_text("only_here==2.0\n")
    with claim_of(admin, root) as claim:
        shared = {"persistentVolumeClaim": {"claimName": claim}, "mountPath": str(root), "shared": True}
        target = targets.add("sharing", volumes=[shared, volume])
        for _ in range(2):
            job = submit("import only_here\nx = only_here.__file__", target, requirements=str(file), env=WHEELS)
            assert job.wait(SLOW_S), job
            assert Path(job.result()["x"]).is_relative_to(root / "environments"), job
    assert job.logs() == ""  # the second found it built


def test_a_dry_run_says_where_it_is_built(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("six\n")
    (text,) = preview("x = 1", "k8s", requirements=str(file)).submitted.notes[1:]
    assert "for this job alone; `environments` names a claim" in text
    (text,) = preview("x = 1", targets.add("claimed", environments="envs"), requirements=str(file)).submitted.notes[1:]
    assert "kept on the claim envs" in text
